/* SPDX-License-Identifier: Apache-2.0 */
/* K-29: destroys a VMO whose capability is in a queued message. */
#include "evil/evil.h"

int main(void)
{
    const uint64_t vmo = (uint64_t)CALL(NX_SYS_VMO_CREATE, ANY_SLOT, NX_PAGE_BYTES);
    const int64_t clone = CALL(NX_SYS_CAP_CLONE, vmo);
    evil_says("send", evil_send(NX_SLOT_BOOTSTRAP, (uint32_t)clone, NX_IPC_NONBLOCK));
    SAYS("destroy", NX_SYS_VMO_DESTROY, vmo);
    evil_says("receive", evil_recv(NX_SLOT_BOOTSTRAP, NX_IPC_NONBLOCK, 0));
    SAYS("close", NX_SYS_CAP_CLOSE, evil_hdr.src);
    SAYS("destroy", NX_SYS_VMO_DESTROY, vmo);
    return 0;
}
