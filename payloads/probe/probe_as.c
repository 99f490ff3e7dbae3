/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces by handle (K-27). The kernel cannot destroy the VMOs mapped here (K-29). */
#include "probe/probe.h"

#define RW ((uint64_t)NX_PROT_READ | NX_PROT_WRITE)
#define USER 1
#define FIRST_VA 0x40000000
#define CLAMPED_VA 0x40010000
#define OWN_VA 0x44000000
#define UNKNOWN_HANDLE 0x7FFFFFF0

static void foreign_space(uint64_t vmo)
{
    const int64_t space = CALL(NX_SYS_AS_CREATE, 0);
    const uint64_t handle = (uint64_t)space;
    const struct probe_case list[] = {
        {"K-27.map", "at 0x40000000", {handle, vmo, FIRST_VA, PAGE, RW, USER}},
        {"K-27.overlap", "there once more", {handle, vmo, FIRST_VA, PAGE, RW, USER}},
        {"K-27.clamped", "8192 bytes of a vmo of 4096", {handle, vmo, CLAMPED_VA, 2 * PAGE, RW, USER}},
        {"K-27.clamped-behind", "right behind it", {handle, vmo, CLAMPED_VA + PAGE, PAGE, RW, USER}},
        {"K-27.empty-slot", "an empty slot", {handle, EMPTY_SLOT, CLAMPED_VA + 2 * PAGE, PAGE, RW, USER}},
        {"K-27.unknown-handle",
         "a handle that was never given",
         {UNKNOWN_HANDLE, vmo, FIRST_VA, PAGE, RW, USER}},
    };
    row_if("K-27.create", "as_create", "an address space", space >= 0, "handle", space);
    rows_of(NX_SYS_AS_MAP, list, COUNT_OF(list));
}

static void own_space(uint64_t vmo)
{
    const uint64_t handle = (uint64_t)CALL(NX_SYS_AS_SELF, 0);
    const int64_t answer = CALL(NX_SYS_AS_MAP, handle, vmo, OWN_VA, PAGE, RW, USER);
    const uint8_t mark = 0x5A;
    uint8_t seen = 0;
    int64_t last;
    row("K-27.own", "as_map", "into ones own address space", answer);
    put(answer == 0 ? (volatile uint8_t *)(uintptr_t)OWN_VA : NULL, 0, mark);
    (void)CALL(NX_SYS_VMO_READ, vmo, 0, at(&seen), 1);
    row_if("K-27.own-store", "as_map", "a store there, read by vmo_read", seen == mark, "same-bytes", answer);
    ROW("K-27.no-unmap", "what as_map made", NX_SYS_VM_UNMAP, OWN_VA, PAGE);
    const volatile uint8_t *page = view(vmo, 0, false);
    ROW("K-27.over-region", "over a region of vm_map", NX_SYS_AS_MAP, handle, vmo, at(page), PAGE, RW, USER);
    unview(page);
    const unsigned count = fill_regions(vmo, &last);
    row_if("K-24.as-map-region", "vm_map", "until the region table is full, after one as_map",
           count == NX_REGIONS_MAX - 1, "63-regions", last);
    unmap_pages(NX_A2_MAP_BASE, count);
}

void probe_as(void)
{
    const uint64_t vmo = new_vmo(PAGE);
    foreign_space(vmo);
    if (!probe_is_a1()) {
        own_space(vmo);
    }
    close_slots(vmo, vmo);
}
