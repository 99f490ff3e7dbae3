/* SPDX-License-Identifier: Apache-2.0 */
/* K-17: page tables run out, by one page in each 2 MiB. */
#include "evil/evil.h"

#define FLAGS ((uint64_t)NX_MAP_VALID | NX_MAP_USER | NX_MAP_READ)
#define APART ((uint64_t)NX_SUPERPAGE_BYTES)
#define TABLES_A1 204 /* of which the first page takes two */

int main(void)
{
    const uint64_t vmo = (uint64_t)CALL(NX_SYS_VMO_CREATE, UINT64_MAX, NX_PAGE_BYTES);
    uint64_t va = NX_A1_MAP_BASE;
    int64_t mapped = 0;
    for (; mapped < TABLES_A1 - 1 && CALL(NX_SYS_MAP, vmo, va, 0, FLAGS) == 0; va += APART) {
        mapped++;
    }
    evil_says("mapped", mapped);
    evil_says("one more", CALL(NX_SYS_MAP, vmo, va, 0, FLAGS));
    evil_says("in a table that exists", CALL(NX_SYS_MAP, vmo, NX_A1_MAP_BASE + NX_PAGE_BYTES, 0, FLAGS));
    return 0;
}
