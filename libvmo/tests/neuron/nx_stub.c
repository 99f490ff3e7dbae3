/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "nx_stub.h"

#include <sys/wait.h>

#include "elf64.h"
#include "nx_call.h"
#include "nx_stub_maps.h"

#define INJECTIONS_MAX 4
#define QUEUE_DEPTH 8
#define SPACE_TABLES_A1 15
#define PHYSICAL_BASE UINT64_C(0x90000000)

struct stub stub;

/* From the linker script of a payload. */
const char __image_start[1] = {0};
const char __image_end[1] = {0};

static struct injection {
    uint64_t number;
    uint32_t nth; /* 0: each */
    int64_t answer;
    bool live;
    bool set, used;
} injections[INJECTIONS_MAX];

void stub_boot(bool a1, bool child, uint64_t without)
{
    stub = (struct stub){.a1 = a1,
                         .child = child,
                         .without = without,
                         .next_base = PHYSICAL_BASE,
                         .slot_count = a1 ? NX_SLOTS_A1 : NX_SLOTS_A2,
                         .incoming = STUB_NO_MESSAGE};
    stub.slots[0].kind = STUB_BOOTSTRAP;
    if (child) {
        stub.slots[1].kind = STUB_END;
        stub.slots[2].kind = STUB_END;
    } else {
        stub.slots[NX_SLOT_FACTORY].kind = STUB_FACTORY;
    }
}

void stub_inject(uint64_t number, uint32_t nth, int64_t answer)
{
    for (uint32_t i = 0; i < INJECTIONS_MAX; i++) {
        if (!injections[i].live) {
            injections[i] = (struct injection){number, nth, answer, true, true, false};
            return;
        }
    }
    _exit(2);
}

void stub_check_injected(void)
{
    for (uint32_t i = 0; i < INJECTIONS_MAX; i++) {
        CHECK_EQ(injections[i].used, injections[i].set);
        injections[i] = (struct injection){0};
    }
}

uint32_t stub_used_slots(void)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < stub.slot_count; i++) {
        used += stub.slots[i].kind != STUB_FREE;
    }
    return used;
}

uint32_t stub_all_calls(void)
{
    uint32_t all = 0;

    for (uint32_t i = NX_SYS_NSEC + 1; i < NX_SYS_COUNT; i++) {
        all += stub.calls[i];
    }
    return all;
}

void stub_end_child(void)
{
    stub.ended[stub.children - 1] = true;
}

struct vmo_program stub_program_of_two(uint64_t va, uint64_t second_va, uint64_t memory_bytes)
{
    static struct {
        struct elf64_header header;
        struct elf64_program_header segments[2];
    } elf;

    elf.header =
        (struct elf64_header){.ident = {0x7f, 'E', 'L', 'F', ELF64_CLASS, ELF64_DATA_LITTLE, ELF64_VERSION},
                              .type = ELF64_TYPE_EXEC,
                              .machine = ELF64_MACHINE_RISCV,
                              .version = ELF64_VERSION,
                              .phoff = sizeof(struct elf64_header),
                              .phentsize = sizeof(struct elf64_program_header),
                              .phnum = second_va != 0 ? 2 : 1};
    elf.segments[0] = (struct elf64_program_header){
        .type = ELF64_LOAD, .flags = ELF64_R, .vaddr = va, .memsz = memory_bytes};
    elf.segments[1] = elf.segments[0];
    elf.segments[1].vaddr = second_va;
    return (struct vmo_program){&elf, sizeof(elf), 4};
}

struct vmo_program stub_program(uint64_t va, uint64_t memory_bytes)
{
    return stub_program_of_two(va, 0, memory_bytes);
}

bool stub_alone(void (*run)(const void *), const void *context)
{
    int status = -1;
    const pid_t child = fork();

    if (child == 0) {
        run(context);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* ---- Capabilities ------------------------------------------------------------------------------- */

struct stub_slot *stub_slot_of(uint64_t number)
{
    return number < stub.slot_count && stub.slots[number].kind != STUB_FREE ? &stub.slots[number] : NULL;
}

static struct stub_slot *slot_of_kind(uint64_t number, enum stub_kind kind)
{
    struct stub_slot *slot = stub_slot_of(number);

    return slot != NULL && slot->kind == kind ? slot : NULL;
}

/* Fills the lowest free slot (K-15). */
static int64_t fill(struct stub_slot value)
{
    for (uint32_t i = 0; i < stub.slot_count; i++) {
        if (stub.slots[i].kind == STUB_FREE) {
            stub.slots[i] = value;
            return i;
        }
    }
    return -NX_ENOSPC;
}

static int64_t close_slot(uint64_t number)
{
    struct stub_slot *slot = stub_slot_of(number);

    if (slot == NULL) {
        return -NX_EPERM;
    }
    slot->kind = STUB_FREE;
    return 0;
}

static int64_t clone_slot(uint64_t number)
{
    const struct stub_slot *slot = stub_slot_of(number);

    return slot == NULL || slot->kind == STUB_FACTORY ? -NX_EPERM : fill(*slot);
}

/* ---- VMOs --------------------------------------------------------------------------------------- */

/* K-20: on a1 a refused call leaks its bytes, and the kernel panics past the mapped part of its arena. */
static void take_arena(uint64_t bytes)
{
    stub.arena_used += bytes;
    stub.panics += stub.a1 && stub.arena_used > NX_ARENA_MAPPED_BYTES_A1;
}

static int64_t create(uint64_t bytes)
{
    const struct stub_slot vmo = {.kind = STUB_VMO, .size = bytes, .base = stub.next_base};

    take_arena(bytes);
    const int64_t slot = fill(vmo);
    if (slot >= 0) {
        stub.next_base += bytes;
    }
    return slot;
}

static int64_t copy(uint64_t number, uint64_t off, uint64_t len)
{
    const struct stub_slot *vmo = slot_of_kind(number, STUB_VMO);

    return vmo != NULL && off <= vmo->size && len <= vmo->size - off ? (int64_t)len : -NX_EPERM;
}

static int64_t share_ro(uint64_t number)
{
    const struct stub_slot *vmo = slot_of_kind(number, STUB_VMO);

    return vmo == NULL ? -NX_EPERM
                       : fill((struct stub_slot){.kind = STUB_ALIAS, .size = vmo->size, .base = vmo->base});
}

static int64_t destroy(uint64_t number)
{
    return slot_of_kind(number, STUB_VMO) == NULL ? -NX_EPERM : close_slot(number);
}

/* ---- Tasks and messages ------------------------------------------------------------------------- */

static uint32_t child_of(uint64_t pid)
{
    const uint64_t child = pid - NX_PID_INIT - 1;

    return child < stub.children ? (uint32_t)child : STUB_CHILDREN_MAX;
}

static int64_t exec(uint64_t bytes)
{
    (void)bytes;
    if (stub.children == STUB_CHILDREN_MAX) {
        return -NX_ENOMEM;
    }
    stub_take_tables(SPACE_TABLES_A1 + 3); /* one for the image, two for the stack */
    stub.child_slots[stub.children] = 1;
    return NX_PID_INIT + 1 + (int64_t)stub.children++;
}

static int64_t transfer(uint64_t pid, uint64_t number)
{
    const uint32_t child = child_of(pid);
    const struct stub_slot *slot = stub_slot_of(number);

    if (child == STUB_CHILDREN_MAX || stub.ended[child] || slot == NULL) {
        return -NX_EPERM;
    }
    return stub.child_slots[child]++;
}

static int64_t send(uint64_t number, const struct nx_ipc_hdr *hdr)
{
    if (slot_of_kind(number, STUB_END) == NULL) {
        return -NX_EPERM;
    }
    if (stub.queued == QUEUE_DEPTH) {
        return -NX_EAGAIN;
    }
    stub.queued++;
    return hdr->flags & NX_IPC_HDR_CAP_MOVE ? close_slot(hdr->src) : 0;
}

/* K-55, K-61: a task must not wait inside the kernel, since no other task may be able to run. */
static void check_nonblocking(uint64_t flags)
{
    if ((flags & NX_IPC_NONBLOCK) == 0) {
        (void)fprintf(stderr, "# the library makes a call that can block\n");
        _exit(3);
    }
}

static int64_t receive(uint64_t number, struct nx_ipc_hdr *hdr, uint64_t max)
{
    const struct stub_slot *slot = stub_slot_of(number);

    if (slot == NULL || (slot->kind != STUB_END && slot->kind != STUB_WATCH)) {
        return -NX_EPERM;
    }
    if (slot->kind == STUB_WATCH) {
        return stub.ended[child_of((uint64_t)slot->pid)] ? -NX_ESRCH : -NX_EAGAIN;
    }
    if (stub.incoming == STUB_NO_MESSAGE) {
        return -NX_EAGAIN;
    }
    if (stub.incoming != STUB_FREE) {
        const int64_t arrived = fill((struct stub_slot){.kind = (enum stub_kind)stub.incoming, .size = PAGE});
        if (arrived < 0) {
            return arrived;
        }
        hdr->src = (uint32_t)arrived;
    }
    stub.incoming = STUB_NO_MESSAGE;
    return max < 1 ? -NX_EINVAL : 1;
}

/* K-63: a reaped child cannot be waited for again. */
static struct nx_result wait_for(uint64_t pid)
{
    const uint32_t child = child_of(pid);

    if (child == STUB_CHILDREN_MAX || !stub.ended[child] || stub.reaped[child]) {
        return (struct nx_result){-NX_ESRCH, 0};
    }
    stub.reaped[child] = true;
    return (struct nx_result){(int64_t)pid, 42};
}

/* ---- Dispatch ----------------------------------------------------------------------------------- */

static bool kernel_has(uint64_t number)
{
    enum { A1 = 1, A2 = 2, BOTH = 3 };
    static const uint8_t revisions[NX_SYS_COUNT] = {
#define NX_CALL(number, constant, name, revisions, arguments) [number] = revisions,
#include "calls.def"
    };

    return (revisions[number] & (stub.a1 ? A1 : A2)) != 0 && !(stub.without & WITHOUT(number));
}

/* Returns true if the test injected an answer for this call. */
static bool injected(uint64_t number, int64_t *answer)
{
    for (uint32_t i = 0; i < INJECTIONS_MAX; i++) {
        struct injection *each = &injections[i];
        if (!each->live || each->number != number) {
            continue;
        }
        if (each->nth != 0) {
            each->nth--;
            if (each->nth != 0) {
                continue;
            }
            each->live = false;
        }
        each->used = true;
        *answer = each->answer;
        return true;
    }
    return false;
}

static int64_t answer(uint64_t number, const uint64_t *a)
{
    switch (number) {
    case NX_SYS_YIELD:
    case NX_SYS_GETPID:
        return stub.child ? NX_PID_INIT + 1 : NX_PID_INIT;
    case NX_SYS_NSEC:
        return (int64_t)stub.now_ns;
    case NX_SYS_MAP:
        return stub_map_page(a[0], a[1], a[2]);
    case NX_SYS_VMO_CREATE:
        return create(a[1]);
    case NX_SYS_VMO_WRITE:
    case NX_SYS_VMO_READ:
        return copy(a[0], a[1], a[3]);
    case NX_SYS_CAP_TRANSFER:
        return transfer(a[0], a[1]);
    case NX_SYS_EXEC:
        return exec(a[1]);
    case NX_SYS_IPC_SEND:
        check_nonblocking(a[4]);
        return send(a[0], (const struct nx_ipc_hdr *)(uintptr_t)a[1]);
    case NX_SYS_IPC_RECV:
        check_nonblocking(a[4]);
        return receive(a[0], (struct nx_ipc_hdr *)(uintptr_t)a[1], a[3]);
    case NX_SYS_CAP_CLOSE:
    case NX_SYS_EP_CLOSE:
        return close_slot(a[0]);
    case NX_SYS_EP_CREATE:
        return a[0] == NX_SLOT_FACTORY ? fill((struct stub_slot){.kind = STUB_END}) : -NX_EPERM;
    case NX_SYS_EP_CREATE_FOR:
        return a[0] == NX_SLOT_FACTORY ? fill((struct stub_slot){.kind = STUB_WATCH, .pid = (int32_t)a[1]})
                                       : -NX_EPERM;
    case NX_SYS_CAP_CLONE:
        return clone_slot(a[0]);
    case NX_SYS_TASK_RESUME:
        return child_of(a[0]) == STUB_CHILDREN_MAX ? -NX_ESRCH : 0;
    case NX_SYS_VMO_DESTROY:
        return destroy(a[0]);
    case NX_SYS_VMO_SHARE_RO:
        return share_ro(a[0]);
    case NX_SYS_VM_MAP:
        return stub_vm_map(a[0], a[1], a[2], a[3]);
    case NX_SYS_VM_UNMAP:
        return stub_vm_unmap(a[0], a[1]);
    default:
        (void)fprintf(stderr, "# unexpected call %d of the library\n", (int)number);
        _exit(3);
    }
}

struct nx_result nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                         uint64_t number)
{
    const uint64_t arguments[] = {a0, a1, a2, a3, a4, a5};
    int64_t result = 0;

    if (number >= NX_SYS_COUNT || !kernel_has(number)) {
        return (struct nx_result){-NX_ENOSYS, 0};
    }
    stub.calls[number]++;
    stub.now_ns += 1000;
    if (injected(number, &result)) {
        return (struct nx_result){result, 0};
    }
    return number == NX_SYS_WAIT ? wait_for(a0) : (struct nx_result){answer(number, arguments), 0};
}
