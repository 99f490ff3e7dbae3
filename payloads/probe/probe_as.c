/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces by handle (K-27). The kernel cannot destroy the VMOs mapped here (K-29). */
#include "probe/probe.h"

#define RW ((uint64_t)NX_PROT_READ | NX_PROT_WRITE)
#define USER 1
#define FIRST_VA 0x40000000
#define CLAMPED_VA 0x40010000
#define RIGHTS_VA 0x40020000
#define MIDDLE_VA 0x40030000 /* the page before it is free */
#define OWN_VA 0x44000000
#define UNKNOWN_PROT 8
#define UNKNOWN_AS_FLAG 2
#define UNKNOWN_HANDLE 0x7FFFFFF0

static uint64_t foreign_space(uint64_t vmo)
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
    /* Unknown bits and the upper half of the handle do not count. */
    const struct probe_case loose[] = {
        {"K-27.unknown-prot", "prot 8 besides", {handle, vmo, RIGHTS_VA, PAGE, RW | UNKNOWN_PROT, USER}},
        {"K-27.unknown-flag",
         "flag 2 besides",
         {handle, vmo, RIGHTS_VA + PAGE, PAGE, RW, USER | UNKNOWN_AS_FLAG}},
        {"K-40.handle-32", "bit 32 of the handle set", {BIT_32 | handle, vmo, MIDDLE_VA, PAGE, RW, USER}},
        {"K-27.overlap-no-prot", "there once more, without a right", {handle, vmo, MIDDLE_VA, PAGE, 0, USER}},
        {"K-27.no-prot", "without a right", {handle, vmo, MIDDLE_VA + PAGE, PAGE, 0, USER}},
    };
    row_if("K-27.create", "as_create", "an address space", space >= 0, "handle", space);
    rows_of(NX_SYS_AS_MAP, list, COUNT_OF(list));
    rows_of(NX_SYS_AS_MAP, loose, COUNT_OF(loose));
    return handle;
}

/* A map of two pages over a free page and a mapped one. The free one stays mapped. */
static void no_rollback(uint64_t handle, uint64_t two_pages)
{
    ROW("K-27.overlap-middle", "two pages, the second is mapped", NX_SYS_AS_MAP, handle, two_pages,
        MIDDLE_VA - PAGE, 2 * PAGE, RW, USER);
    ROW("K-27.no-rollback", "the first of the two", NX_SYS_AS_MAP, handle, two_pages, MIDDLE_VA - PAGE, PAGE,
        RW, USER);
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
    ROW("K-27.full-regions", "a full region table", NX_SYS_AS_MAP, handle, vmo, OWN_VA + PAGE, PAGE, RW,
        USER);
    unmap_pages(NX_A2_MAP_BASE, count);
}

void probe_as(void)
{
    const uint64_t vmo = new_vmo(PAGE), two_pages = new_vmo(2 * PAGE);
    no_rollback(foreign_space(vmo), two_pages);
    if (!probe_is_a1()) {
        own_space(vmo);
    }
    close_slots(vmo, two_pages);
}
