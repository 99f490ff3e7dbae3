/* SPDX-License-Identifier: Apache-2.0 */
/* a2: cases that use up kernel resources for good (K-26, K-56); they come last. */
#include "probe/probe.h"

#define R ((uint64_t)NX_MAP_VALID | NX_MAP_USER | NX_MAP_READ)
#define MIB ((uint64_t)NX_SUPERPAGE_BYTES / 2)
#define FRESH_MIB 16
#define LARGE (UINT64_C(2) * NX_SUPERPAGE_BYTES)
#define SMALL (UINT64_C(3) * NX_SUPERPAGE_BYTES / 4) /* too small for placement by physical address */

/* Maps the window's first 3 MiB by 4 KiB pages and unmaps them. Any 2 MiB page of the large map then covers
 * an address that a 4 KiB page has used. */
static void fragmented(void)
{
    const uint64_t vmo = new_vmo(LARGE);
    const int64_t first = CALL(NX_SYS_VM_MAP, vmo, 0, SMALL, R),
                  second = CALL(NX_SYS_VM_MAP, vmo, 0, SMALL, R);
    (void)CALL(NX_SYS_VM_UNMAP, (uint64_t)first, SMALL);
    (void)CALL(NX_SYS_VM_UNMAP, (uint64_t)second, SMALL);
    ROW("K-26.first", "2 mib over what 4 kib pages once used", NX_SYS_VM_MAP, vmo, 0, LARGE, R);
    ROW("K-26.again", "the same once more", NX_SYS_VM_MAP, vmo, 0, LARGE, R);
    const int64_t va = CALL(NX_SYS_VM_MAP, vmo, 0, PAGE, R);
    row_if("K-26.small", "vm_map", "one page after that", va >= NX_A2_MAP_BASE && va < (int64_t)NX_A2_MAP_END,
           "in-window", va);
    (void)CALL(NX_SYS_VM_UNMAP, (uint64_t)va, PAGE);
    (void)CALL(NX_SYS_VMO_DESTROY, vmo);
}

/* Maps whole pages at the lowest free addresses until the window's first MiB are full; each region is too
 * small for placement by physical address. */
static void fill_mib(uint64_t vmo, unsigned mib)
{
    for (unsigned filled = 0; filled < mib; filled++) {
        (void)CALL(NX_SYS_VM_MAP, vmo, 0, MIB, R);
    }
}

/* A map that is refused by its second part leaves the table of its first part, of 4 KiB pages, behind. The
 * first FRESH_MIB of the window are filled, since earlier cases used them. */
static void spoiled_neighbour(void)
{
    const uint64_t filler = new_vmo(MIB), large = new_vmo(2 * LARGE);
    struct nx_cap_info info = {0};
    (void)CALL(NX_SYS_CAP_QUERY, large, at(&info));
    const uint64_t into = info.base_pa % NX_SUPERPAGE_BYTES;
    const uint64_t aligned = into == 0 ? 0 : NX_SUPERPAGE_BYTES - into;
    const int64_t fresh = NX_A2_MAP_BASE + FRESH_MIB * MIB;
    fill_mib(filler, FRESH_MIB);
    int64_t va = CALL(NX_SYS_VM_MAP, large, aligned, NX_SUPERPAGE_BYTES, R);
    row_if("K-26.fresh", "vm_map", "an aligned 2 mib at a fresh place", va == fresh, "lowest-congruent", va);
    const int64_t page = CALL(NX_SYS_VM_MAP, filler, 0, PAGE, R);
    (void)CALL(NX_SYS_VM_UNMAP, (uint64_t)page, PAGE);
    (void)CALL(NX_SYS_VM_UNMAP, (uint64_t)va, NX_SUPERPAGE_BYTES);
    ROW("K-26.head", "4 mib from one page later, over that page", NX_SYS_VM_MAP, large, aligned + PAGE, LARGE,
        R);
    ROW("K-26.spoiled", "the aligned 2 mib after that", NX_SYS_VM_MAP, large, aligned, NX_SUPERPAGE_BYTES, R);
    fill_mib(filler, LARGE / MIB);
    va = CALL(NX_SYS_VM_MAP, large, aligned, NX_SUPERPAGE_BYTES, R);
    row_if("K-26.filled", "vm_map", "once both places are filled", va == fresh + (int64_t)LARGE,
           "lowest-congruent", va);
}

static void too_many_endpoints(void)
{
    unsigned count = 0;
    int64_t answer = 0;
    while (count <= NX_EP_OWNER_A2 && answer >= 0) {
        answer = CALL(NX_SYS_EP_CREATE, FACTORY, 1);
        count++;
    }
    row("K-56.owner", "endpoint_create", "more than 96 live ones", answer);
    for (uint64_t slot = FIRST_SLOT; slot < FIRST_SLOT + count; slot++) {
        (void)CALL(NX_SYS_EP_CLOSE, slot);
    }
}

void probe_last(void)
{
    fragmented();
    spoiled_neighbour();
    too_many_endpoints();
}
