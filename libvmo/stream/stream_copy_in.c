/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into a loan; in a file of its own, since few programs do. */
#include "sizes.h"
#include "stream_seats.h"

vmo_status vmo_stream_copy_in(const struct vmo_producer *producer, const struct vmo_loan *loan,
                              struct vmo_range range, const void *from, vmo_reader reader)
{
    uint8_t b = 0;
    const vmo_status status = stream_find_loan(producer, loan, &b);

    if (status != VMO_OK) {
        return status;
    }
    if (!range_within(range, producer->options.capacity_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    range.off_bytes += b * producer->options.capacity_bytes;
    return vmo_copy_in(producer->registry, producer->part.view, range, from, reader);
}
