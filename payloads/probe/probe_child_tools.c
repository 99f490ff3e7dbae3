/* SPDX-License-Identifier: Apache-2.0 */
/* Starts, feeds and reaps children without ever blocking on them (K-61). */
#include <string.h>

#include "probe/probe.h"

#define REPLY_DEPTH 4
#define WATCH_DEPTH 4

/* FNV-1a, 64 bits (K-59). */
static uint64_t name_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001B3);
    }
    return hash;
}

void child_exec(struct child *child, uint64_t order, const char *name, const uint8_t *elf)
{
    const uint64_t elf_bytes = probe_child_elf_bytes;
    child->reply = new_endpoint(REPLY_DEPTH);
    child->pid = name == NULL
                     ? CALL(NX_SYS_EXEC, at(elf), elf_bytes, CHILD_STACK_PAGES, ORDER_GP + order)
                     : CALL(NX_SYS_EXEC_V2, at(elf), elf_bytes, CHILD_STACK_PAGES, 0, at(name), strlen(name));
    child->watch = (uint64_t)CALL(NX_SYS_EP_CREATE_FOR, FACTORY, (uint64_t)child->pid, WATCH_DEPTH);
    child_give(child, child->reply, NX_RIGHT_SEND);
}

void child_give(const struct child *child, uint64_t slot, uint64_t rights)
{
    if (child->pid > NX_PID_INIT) {
        (void)CALL(NX_SYS_CAP_TRANSFER, (uint64_t)child->pid, slot, rights);
    }
}

void child_run(const struct child *child)
{
    if (child->pid > NX_PID_INIT && !probe_is_a1()) {
        (void)CALL(NX_SYS_TASK_RESUME, (uint64_t)child->pid);
    }
}

int64_t child_ended(const struct child *child)
{
    struct nx_ipc_hdr hdr;
    uint64_t word;
    return take_later(child->watch, &hdr, &word, sizeof(word), NULL);
}

struct probe_answer child_reap(const struct child *child, int64_t watch_answer, int64_t pid)
{
    struct probe_answer answer = {watch_answer, watch_answer};
    if (watch_answer == -NX_ESRCH) {
        answer = probe_call(NX_SYS_WAIT, (const uint64_t[6]){(uint64_t)pid});
    }
    (void)CALL(NX_SYS_EP_CLOSE, child->reply);
    (void)CALL(NX_SYS_CAP_CLOSE, child->watch);
    return answer;
}

int64_t row_name(const char *id, const char *what, const struct child *child, const char *name)
{
    struct nx_ipc_hdr hdr;
    int64_t gp = 0;
    uint64_t sender = 0;
    const int64_t answer = take_later(child->reply, &hdr, &gp, sizeof(gp), &sender);
    row_if(id, "ipc_recv_v2", what, answer == sizeof(gp) && sender == name_hash(name), "fnv-1a-64", answer);
    return gp;
}
