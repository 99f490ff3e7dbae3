/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own page table (Sv39, RISC-V privileged specification 4.4). It enforces W^X. */
#include "arch/machine.h"
#include "core/port.h"
#include "core/pte.h"

#define MAP_RO (PTE_R | PTE_A)
#define MAP_RX (PTE_R | PTE_X | PTE_A)
#define MAP_RW (PTE_R | PTE_W | PTE_A | PTE_D)

#define MEGA_BYTES UINT64_C(0x200000)
#define KERNEL_BASE_PA UINT64_C(0x80200000)
#define DEVICE_VA UINT64_C(0xC0000000)

extern const char __text_end[], __rodata_end[], __bss_end[];
extern const char kernel_stack_guard[], panic_stack_guard[]; /* stacks.S */

static uint64_t root[PTE_COUNT] __attribute__((aligned(NX_PAGE_BYTES)));
static uint64_t ram_mid[PTE_COUNT] __attribute__((aligned(NX_PAGE_BYTES)));    /* 0x80000000, 2 MiB pages */
static uint64_t kernel_low[PTE_COUNT] __attribute__((aligned(NX_PAGE_BYTES))); /* 0x80200000, 4 KiB pages */
static uint64_t device_mid[PTE_COUNT] __attribute__((aligned(NX_PAGE_BYTES)));
static uint64_t device_low[PTE_COUNT] __attribute__((aligned(NX_PAGE_BYTES)));

static uint64_t table(const uint64_t *t)
{
    return pte_for((uint64_t)(uintptr_t)t, 0);
}

static void map_image(uint64_t from, uint64_t to, uint64_t bits)
{
    for (uint64_t pa = from; pa < to; pa += PAGE_BYTES) {
        kernel_low[(pa - KERNEL_BASE_PA) / PAGE_BYTES] = pte_for(pa, bits);
    }
}

static void unmap_page(const char *page)
{
    kernel_low[((uint64_t)(uintptr_t)page - KERNEL_BASE_PA) / PAGE_BYTES] = 0;
}

uint64_t machine_map(uint64_t ram_end_pa)
{
    const uint64_t text_end = (uint64_t)(uintptr_t)__text_end;
    const uint64_t rodata_end = (uint64_t)(uintptr_t)__rodata_end;
    map_image(KERNEL_BASE_PA, text_end, MAP_RX);
    map_image(text_end, rodata_end, MAP_RO);
    map_image(rodata_end, (uint64_t)(uintptr_t)__bss_end, MAP_RW);
    unmap_page(kernel_stack_guard);
    unmap_page(panic_stack_guard);

    ram_mid[1] = table(kernel_low);
    for (uint64_t pa = MACHINE_KERNEL_END_PA; pa + MEGA_BYTES <= ram_end_pa; pa += MEGA_BYTES) {
        const uint64_t i = (pa - MACHINE_RAM_PA) / MEGA_BYTES;
        if (i >= PTE_COUNT) {
            break; /* more than 1 GiB: the rest stays unused */
        }
        ram_mid[i] = pte_for(pa, MAP_RW);
    }
    device_low[0] = pte_for(MACHINE_UART_PA, MAP_RW);
    device_low[1] = pte_for(MACHINE_FINISHER_PA, MAP_RW);
    device_mid[0] = table(device_low);
    root[2] = table(ram_mid);
    root[3] = table(device_mid);

    const uint64_t root_pa = (uint64_t)(uintptr_t)root;
    port_use_root(root_pa);
    uart_relocate(DEVICE_VA);
    finisher_relocate(DEVICE_VA + PAGE_BYTES);
    return root_pa;
}
