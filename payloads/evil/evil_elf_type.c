/* SPDX-License-Identifier: Apache-2.0 */
/* K-13: wrong ELF types, machines and versions, which the real loaders do not check. */
#include "evil/evil.h"

int main(void)
{
    static struct evil_elf elf;
    evil_make_elf(&elf, child_exits);
    elf.header.type = 3; /* a shared object */
    evil_says("type", evil_exec(NX_SYS_EXEC, &elf));
    evil_make_elf(&elf, child_exits);
    elf.header.machine = 62; /* x86-64 */
    evil_says("machine", evil_exec(NX_SYS_EXEC, &elf));
    evil_make_elf(&elf, child_exits);
    elf.header.version = 2;
    evil_says("version", evil_exec(NX_SYS_EXEC_V2, &elf));
    return 0;
}
