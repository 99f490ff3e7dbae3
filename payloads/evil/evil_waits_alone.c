/* SPDX-License-Identifier: Apache-2.0 */
/* K-55: waits for a child that cannot run: on a1 it blocks, on a2 it is suspended. */
#include "evil/evil.h"

int main(void)
{
    static struct evil_elf elf;
    evil_make_elf(&elf, child_receives);
    const uint64_t pid = (uint64_t)evil_exec(NX_SYS_EXEC, &elf);
    evil_let_run();
    SAYS("wait", NX_SYS_WAIT, pid);

    (void)CALL(NX_SYS_TASK_RESUME, pid);
    evil_says("send", evil_send(NX_SLOT_BOOTSTRAP, NOTHING, NX_IPC_NONBLOCK));
    evil_let_run();
    SAYS("wait", NX_SYS_WAIT, pid);
    return 0;
}
