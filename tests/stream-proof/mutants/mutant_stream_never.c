/* SPDX-License-Identifier: Apache-2.0 */
/* Releases no frame. */
#include "wrap_stream.h"

vmo_status __wrap_vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame)
{
    (void)consumer, (void)frame;
    return VMO_OK;
}
