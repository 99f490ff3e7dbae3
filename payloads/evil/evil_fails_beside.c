/* SPDX-License-Identifier: Apache-2.0 */
/* K-16: on a2 init fails while a child spins and another is suspended; the run must not wait for either. */
#include "evil/evil.h"

#define STATUS 5

int main(void)
{
    static struct evil_elf elf;
    evil_child_alone(child_exits);
    if (CALL(NX_SYS_AS_SELF, 0) < 0) {
        return STATUS; /* a1 */
    }
    (void)evil_start(child_spins);
    evil_make_elf(&elf, child_exits);
    evil_says("fails beside", evil_exec(NX_SYS_EXEC, &elf));
    return STATUS;
}
