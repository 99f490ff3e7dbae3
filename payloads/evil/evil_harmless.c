/* SPDX-License-Identifier: Apache-2.0 */
/* Near misses of the hazards, none of which the kernel may report as one. */
#include "evil/evil.h"

static void pointers(void)
{
    const uint64_t vmo = (uint64_t)CALL(NX_SYS_VMO_CREATE, ANY_SLOT, NX_PAGE_BYTES);
    SAYS("NULL", NX_SYS_VMO_WRITE, vmo, 0, 0, 1); /* K-21 */
    SAYS("the end of user memory", NX_SYS_VMO_WRITE, vmo, 0, NX_USER_TOP - 1, 2);
    SAYS("no bytes", NX_SYS_VMO_WRITE, vmo, 0, UNMAPPED, 0);
    SAYS("slot before pointer", NX_SYS_VMO_WRITE, 40, 0, UNMAPPED, 1);
}

/* The exception in K-61: the child owns the endpoint, so its end closes the endpoint and wakes the parent. */
static void blocks_on_what_the_child_owns(const uint8_t *code)
{
    static struct evil_elf elf;
    evil_make_elf(&elf, code);
    const uint64_t pid = (uint64_t)evil_exec(NX_SYS_EXEC, &elf);
    const int64_t watch = CALL(NX_SYS_EP_CREATE_FOR, NX_SLOT_FACTORY, pid, 4);
    (void)CALL(NX_SYS_TASK_RESUME, pid);
    evil_says("recv on the watch", evil_recv((uint64_t)watch, 0, 0));
    SAYS("wait", NX_SYS_WAIT, pid);
}

int main(void)
{
    int64_t answered = 0;
    pointers();
    evil_child_alone(child_exits);
    evil_child_alone(child_faults);
    blocks_on_what_the_child_owns(child_exits);
    blocks_on_what_the_child_owns(child_faults);
    evil_says("poll", evil_recv(NX_SLOT_BOOTSTRAP, NX_IPC_NONBLOCK, 0));
    for (int i = 0; i < NX_STORM_LIMIT; i++) {
        answered += CALL(NX_SYS_GETPID, 0) == NX_PID_INIT;
    }
    evil_says("answered", answered);
    return 0;
}
