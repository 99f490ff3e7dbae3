/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces arch/finisher.c: like the real kernels (K-65), this one never exits. It idles for ever. */
#include "arch/csr.h"
#include "arch/machine.h"
#include "core/port.h"

void finisher_relocate(uint64_t finisher_va)
{
    (void)finisher_va;
}

_Noreturn void port_finish(unsigned code)
{
    (void)code;
    CSR_WRITE(sie, 0);
    for (;;) { /* no wfi: with -icount and sleep=off, QEMU would never handle its signals */
        __asm__ volatile("nop");
    }
}
