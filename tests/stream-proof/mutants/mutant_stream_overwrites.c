/* SPDX-License-Identifier: Apache-2.0 */
/* Writes into the second frame once it is published. On Linux just before: the reader may be faster. */
#include "wrap_stream.h"

#ifdef __linux__
#define WRITES_BEFORE 1
#else
#define WRITES_BEFORE 0
#endif

vmo_status __wrap_vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan,
                                     uint64_t len_bytes, uint64_t tag)
{
    loan->data[0] ^= WRITES_BEFORE && tag == FRAMES_BYTES;
    const vmo_status status = __real_vmo_stream_publish(producer, loan, len_bytes, tag);
    loan->data[0] ^= !WRITES_BEFORE && tag == FRAMES_BYTES;
    return status;
}
