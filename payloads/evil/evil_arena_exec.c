/* SPDX-License-Identifier: Apache-2.0 */
/* K-20: an image that crosses the end of the memory mapped by a1. */
#include "evil/evil.h"

int main(void)
{
    static struct evil_elf elf;
    SAYS("up to the last page", NX_SYS_VMO_CREATE, ANY_SLOT, NX_ARENA_MAPPED_BYTES_A1 - NX_PAGE_BYTES);
    evil_make_elf(&elf, child_exits);
    const int64_t pid = evil_exec(NX_SYS_EXEC, &elf);
    evil_says("exec", pid);
    if (pid > 0) {
        SAYS("resume", NX_SYS_TASK_RESUME, (uint64_t)pid);
        evil_let_run();
        SAYS("wait", NX_SYS_WAIT, (uint64_t)pid);
    }
    return 0;
}
