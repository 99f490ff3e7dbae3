/* SPDX-License-Identifier: Apache-2.0 */
/* core/port.h for RISC-V: memory, time and fences. */
#include "core/port.h"

#include "arch/csr.h"
#include "arch/machine.h"

#define SBI_EXT_TIME 0x54494D45
#define SBI_TIME_SET 0

void *port_ptr(uint64_t pa)
{
    return (void *)(uintptr_t)pa; /* machine_map maps RAM at its physical address */
}

uint64_t port_ticks(void)
{
    uint64_t ticks;
    CSR_READ(time, ticks);
    return ticks;
}

uint64_t port_instret(void)
{
    uint64_t count;
    CSR_READ(instret, count);
    return count;
}

void port_tlb_flush(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

static uint64_t active_root_pa;

uint64_t port_root(void)
{
    return active_root_pa;
}

void port_use_root(uint64_t root_pa)
{
    if (root_pa != active_root_pa) {
        CSR_WRITE(satp, SATP_SV39 | root_pa >> 12);
        port_tlb_flush();
        active_root_pa = root_pa;
    }
}

void port_code_flush(void)
{
    __asm__ volatile("fence.i" ::: "memory");
}

void sbi_timer(uint64_t ticks)
{
    register uint64_t a0 __asm__("a0") = ticks;
    register uint64_t a1 __asm__("a1");
    register uint64_t a6 __asm__("a6") = SBI_TIME_SET;
    register uint64_t a7 __asm__("a7") = SBI_EXT_TIME;
    __asm__ volatile("ecall" : "+r"(a0), "=r"(a1) : "r"(a6), "r"(a7) : "memory");
}
