/* SPDX-License-Identifier: Apache-2.0 */
#include "evil/evil.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define CHILD_VA UINT64_C(0x10000)
#define STACK_PAGES 1
#define TURNS 8

struct nx_ipc_hdr evil_hdr;
uint8_t evil_buf[64];

void evil_says(const char *what, int64_t answer)
{
    printf("evil: %s %ld\n", what, (long)answer);
}

int64_t evil_recv(uint64_t slot, uint64_t flags, uint64_t deadline_ns)
{
    return CALL(NX_SYS_IPC_RECV, slot, AT(&evil_hdr), AT(evil_buf), sizeof(evil_buf), flags, deadline_ns);
}

int64_t evil_send(uint64_t slot, uint32_t move, uint64_t flags)
{
    evil_hdr = (struct nx_ipc_hdr){.src = move == NOTHING ? 0 : move,
                                   .flags = move == NOTHING ? 0 : NX_IPC_HDR_CAP_MOVE};
    return CALL(NX_SYS_IPC_SEND, slot, AT(&evil_hdr), AT(evil_buf), 0, flags, 0);
}

void evil_make_elf(struct evil_elf *elf, const uint8_t *code)
{
    elf->header =
        (struct elf64_header){.ident = {0x7F, 'E', 'L', 'F', ELF64_CLASS, ELF64_DATA_LITTLE, ELF64_VERSION},
                              .type = ELF64_TYPE_EXEC,
                              .machine = ELF64_MACHINE_RISCV,
                              .version = ELF64_VERSION,
                              .entry = CHILD_VA + offsetof(struct evil_elf, code),
                              .phoff = offsetof(struct evil_elf, segment),
                              .ehsize = sizeof(elf->header),
                              .phentsize = sizeof(elf->segment),
                              .phnum = 1};
    elf->segment = (struct elf64_program_header){.type = ELF64_LOAD,
                                                 .flags = ELF64_R | ELF64_X,
                                                 .vaddr = CHILD_VA,
                                                 .paddr = CHILD_VA,
                                                 .filesz = sizeof(*elf),
                                                 .memsz = sizeof(*elf),
                                                 .align = NX_PAGE_BYTES};
    memcpy(elf->code, code, sizeof(elf->code));
}

int64_t evil_exec(uint64_t number, const struct evil_elf *elf)
{
    static const char name[] = "child";
    return CALL(number, AT(elf), sizeof(*elf), STACK_PAGES, 0, AT(name), sizeof(name) - 1);
}

uint64_t evil_start(const uint8_t *code)
{
    static struct evil_elf elf;
    evil_make_elf(&elf, code);
    const int64_t pid = evil_exec(NX_SYS_EXEC, &elf);
    if (pid < 0) {
        evil_says("no child:", pid);
    }
    (void)CALL(NX_SYS_TASK_RESUME, (uint64_t)pid); /* -38 on a1, where the child is ready at once */
    return (uint64_t)pid;
}

void evil_let_run(void)
{
    for (int turn = 0; turn < TURNS; turn++) {
        (void)CALL(NX_SYS_YIELD, 0);
    }
}

void evil_child_alone(const uint8_t *code)
{
    const uint64_t pid = evil_start(code);
    evil_let_run();
    SAYS("wait", NX_SYS_WAIT, pid);
}
