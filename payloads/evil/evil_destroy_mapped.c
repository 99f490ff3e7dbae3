/* SPDX-License-Identifier: Apache-2.0 */
/* K-29: destroys a VMO that is mapped by as_map. */
#include "evil/evil.h"

#define VA UINT64_C(0x40000000)

int main(void)
{
    const uint64_t vmo = (uint64_t)CALL(NX_SYS_VMO_CREATE, ANY_SLOT, NX_PAGE_BYTES);
    const uint64_t space = (uint64_t)CALL(NX_SYS_AS_CREATE, 0);
    SAYS("as_map", NX_SYS_AS_MAP, space, vmo, VA, NX_PAGE_BYTES, NX_PROT_READ, 1);
    SAYS("destroy", NX_SYS_VMO_DESTROY, vmo);
    return 0;
}
