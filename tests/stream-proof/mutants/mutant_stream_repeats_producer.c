/* SPDX-License-Identifier: Apache-2.0 */
/* Publishes the sixth frame twice. */
#include "wrap_stream.h"

vmo_status __wrap_vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan,
                                     uint64_t len_bytes, uint64_t tag)
{
    struct vmo_loan again;
    vmo_status status = __real_vmo_stream_publish(producer, loan, len_bytes, tag);
    if (status == VMO_OK && tag == 5 * FRAMES_BYTES) {
        static uint8_t copy[FRAMES_BYTES]; /* the second buffer may be the first one, again */
        memcpy(copy, loan->data, len_bytes);
        status = vmo_stream_loan(producer, UINT64_MAX, &again, NULL);
        if (status == VMO_OK) {
            memcpy(again.data, copy, len_bytes);
            status = __real_vmo_stream_publish(producer, &again, len_bytes, tag);
        }
    }
    return status;
}
