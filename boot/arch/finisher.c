/* SPDX-License-Identifier: Apache-2.0 */
/* The SiFive test finisher of QEMU virt: gives the host an exit code. */
#include "arch/machine.h"
#include "core/port.h"

/* A store of (code << 16) | 0x3333 ends QEMU with that code, of which the host sees the low 8 bits. A store
 * of 0x5555 would end it with 0. */
#define FINISHER_FAIL 0x3333

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
