/* SPDX-License-Identifier: Apache-2.0 */
/* K-17: one address space too many, by refused execs, which count as well. */
#include "evil/evil.h"

#define SPACES_A1 13
#define WRITE_EXEC 7

int main(void)
{
    static struct evil_elf elf;
    int64_t refused = 0;
    evil_make_elf(&elf, child_exits);
    elf.segment.flags = WRITE_EXEC;
    for (int i = 0; i < SPACES_A1; i++) {
        refused += evil_exec(NX_SYS_EXEC, &elf) == -NX_EPERM;
    }
    evil_says("refused", refused);
    evil_says("exec", evil_exec(NX_SYS_EXEC, &elf));
    evil_says("exec_v2", evil_exec(NX_SYS_EXEC_V2, &elf));
    return 0;
}
