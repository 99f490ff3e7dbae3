/* SPDX-License-Identifier: Apache-2.0 */
/* The SiFive test finisher of QEMU virt: gives the host an exit code. */
#include "arch/machine.h"
#include "core/port.h"

#define FINISHER_FAIL 0x3333 /* the code goes into the upper half; the host sees its low 8 bits */

static volatile uint32_t *finisher = (volatile uint32_t *)(uintptr_t)MACHINE_FINISHER_PA;

void finisher_relocate(uint64_t finisher_va)
{
    finisher = (volatile uint32_t *)(uintptr_t)finisher_va;
}

_Noreturn void port_finish(unsigned code)
{
    *finisher = ((uint32_t)code << 16) | FINISHER_FAIL;
    for (;;) {
        __asm__ volatile("wfi");
    }
}
