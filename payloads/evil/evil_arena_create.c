/* SPDX-License-Identifier: Apache-2.0 */
/* K-20: a VMO that crosses the end of the memory mapped by a1, once with a valid and once with a bad slot. */
#include "evil/evil.h"

int main(void)
{
    SAYS("up to the last page", NX_SYS_VMO_CREATE, ANY_SLOT, NX_ARENA_MAPPED_BYTES_A1 - NX_PAGE_BYTES);
    SAYS("across", NX_SYS_VMO_CREATE, ANY_SLOT, 2 * NX_PAGE_BYTES);
    SAYS("across, to no slot", NX_SYS_VMO_CREATE, NX_SLOTS_A2, 2 * NX_PAGE_BYTES);
    SAYS("the last page", NX_SYS_VMO_CREATE, ANY_SLOT, NX_PAGE_BYTES);
    return 0;
}
