/* SPDX-License-Identifier: Apache-2.0 */
/* Releases each frame twice. */
#include "wrap_stream.h"

vmo_status __wrap_vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame)
{
    const vmo_status status = __real_vmo_stream_release(consumer, frame);
    return status == VMO_OK ? __real_vmo_stream_release(consumer, frame) : status;
}
