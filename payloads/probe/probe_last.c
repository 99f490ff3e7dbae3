/* SPDX-License-Identifier: Apache-2.0 */
/* a2: cases that use up kernel resources for good (K-26, K-56); they come last. */
#include "probe/probe.h"

#define R ((uint64_t)NX_MAP_VALID | NX_MAP_USER | NX_MAP_READ)
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
    too_many_endpoints();
}
