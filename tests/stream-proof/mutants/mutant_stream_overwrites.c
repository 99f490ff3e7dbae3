/* SPDX-License-Identifier: Apache-2.0 */
/* Writes into the second frame once it is published. */
#include "wrap_stream.h"

vmo_status __wrap_vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan,
                                     uint64_t len_bytes, uint64_t tag)
{
    const vmo_status status = __real_vmo_stream_publish(producer, loan, len_bytes, tag);
    loan->data[0] ^= tag == FRAMES_BYTES;
    return status;
}
