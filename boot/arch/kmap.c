/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own page table (Sv39, RISC-V privileged specification 4.4): W^X from here on. */
#include "arch/machine.h"
#include "core/kernel.h"
#include "core/port.h"

#define PTE_V 0x01
#define PTE_R 0x02
#define PTE_W 0x04
#define PTE_X 0x08
#define PTE_A 0x40
#define PTE_D 0x80
#define PTE_RO (PTE_V | PTE_R | PTE_A)
#define PTE_RX (PTE_V | PTE_R | PTE_X | PTE_A)
#define PTE_RW (PTE_V | PTE_R | PTE_W | PTE_A | PTE_D)

#define PAGE_BYTES UINT64_C(4096)
#define MEGA_BYTES UINT64_C(0x200000)
#define TABLE_ENTRIES 512
#define KERNEL_BASE_PA UINT64_C(0x80200000)
#define DEVICE_VA UINT64_C(0xC0000000)

extern const char __text_start[], __text_end[], __rodata_end[], __bss_end[];

static uint64_t root[TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint64_t ram_mid[TABLE_ENTRIES] __attribute__((aligned(4096)));    /* 0x80000000, 1 GiB by 2 MiB */
static uint64_t kernel_low[TABLE_ENTRIES] __attribute__((aligned(4096))); /* 0x80200000, 2 MiB by 4 KiB */
static uint64_t device_mid[TABLE_ENTRIES] __attribute__((aligned(4096)));
static uint64_t device_low[TABLE_ENTRIES] __attribute__((aligned(4096)));

static uint64_t pte(uint64_t pa, uint64_t bits)
{
    return (pa >> 12) << 10 | bits;
}

static uint64_t table(const uint64_t *t)
{
    return pte((uint64_t)(uintptr_t)t, PTE_V);
}

static void map_image(uint64_t from, uint64_t to, uint64_t bits)
{
    for (uint64_t pa = from; pa < to; pa += PAGE_BYTES) {
        kernel_low[(pa - KERNEL_BASE_PA) / PAGE_BYTES] = pte(pa, bits);
    }
}

uint64_t machine_map(uint64_t ram_end_pa)
{
    const uint64_t text_end = (uint64_t)(uintptr_t)__text_end;
    const uint64_t rodata_end = (uint64_t)(uintptr_t)__rodata_end;

    map_image(KERNEL_BASE_PA, text_end, PTE_RX);
    map_image(text_end, rodata_end, PTE_RO);
    map_image(rodata_end, (uint64_t)(uintptr_t)__bss_end, PTE_RW);

    ram_mid[1] = table(kernel_low);
    for (uint64_t pa = MACHINE_KERNEL_END_PA; pa + MEGA_BYTES <= ram_end_pa; pa += MEGA_BYTES) {
        const uint64_t i = (pa - MACHINE_RAM_PA) / MEGA_BYTES;
        if (i >= TABLE_ENTRIES) {
            break; /* more than 1 GiB: the rest stays unused */
        }
        ram_mid[i] = pte(pa, PTE_RW);
    }
    device_low[0] = pte(MACHINE_UART_PA, PTE_RW);
    device_low[1] = pte(MACHINE_FINISHER_PA, PTE_RW);
    device_mid[0] = table(device_low);
    root[2] = table(ram_mid);
    root[3] = table(device_mid);

    const uint64_t root_pa = (uint64_t)(uintptr_t)root;
    port_use_root(root_pa);
    uart_relocate(DEVICE_VA);
    finisher_relocate(DEVICE_VA + PAGE_BYTES);
    return root_pa;
}
