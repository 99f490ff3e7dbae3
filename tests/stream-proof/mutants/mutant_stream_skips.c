/* SPDX-License-Identifier: Apache-2.0 */
/* Does not publish the second frame. */
#include "wrap_stream.h"

vmo_status __wrap_vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan,
                                     uint64_t len_bytes, uint64_t tag)
{
    return tag == FRAMES_BYTES ? vmo_stream_drop(producer, loan)
                               : __real_vmo_stream_publish(producer, loan, len_bytes, tag);
}
