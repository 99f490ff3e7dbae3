/* SPDX-License-Identifier: Apache-2.0 */
/* The peer as a provider that fills memory of its client. */
#include "conformance/conf_peer_fill.h"

#include <string.h>

#define PART_BYTES 512

static struct place {
    struct vmo_registry *registry;
    vmo_t vmo;
    uint8_t *data; /* NULL: vmo_write */
    uint64_t len;  /* of the view */
} place;

static vmo_status put(struct vmo_range range, const void *from)
{
    if (place.data == NULL) {
        return vmo_write(place.registry, place.vmo, range, from);
    }
    if (range.off_bytes > place.len || range.len_bytes > place.len - range.off_bytes) {
        return VMO_ERR_BOUNDS;
    }
    memcpy(place.data + range.off_bytes, from, range.len_bytes);
    return VMO_OK;
}

static vmo_status put_payload(uint64_t len)
{
    uint8_t bytes[PART_BYTES];
    vmo_status status = VMO_OK;

    for (uint64_t off = 0; off < len && status == VMO_OK; off += PART_BYTES) {
        const uint64_t part = len - off < PART_BYTES ? len - off : PART_BYTES;
        for (uint64_t i = 0; i < part; i++) {
            bytes[i] = conf_pattern(off + i);
        }
        status = put((struct vmo_range){CONF_PAYLOAD_OFF + off, part}, bytes);
    }
    return status;
}

static vmo_status put_header(uint64_t request, uint64_t len, uint64_t hash)
{
    const struct conf_filled header = {.request = request, .len = len, .hash = hash};

    return put((struct vmo_range){0, sizeof(header)}, &header);
}

vmo_status conf_peer_fill(struct vmo_registry *registry, vmo_t vmo, vmo_view_t view,
                          const struct conf_order *order)
{
    const uint64_t request = order->range.off_bytes, len = order->range.len_bytes;
    const uint64_t hash = conf_pattern_hash(0, len);
    vmo_status status = VMO_OK;

    place = (struct place){registry, vmo, vmo_view_data_rw(registry, view), vmo_view_len(registry, view)};
    switch (order->arg) {
    case FILL_ALL:
        status = put_payload(len);
        return status == VMO_OK ? put_header(request, len, hash) : status;
    case FILL_HALF:
        return put_payload(len / 2);
    case FILL_HEADER_ALONE:
        return put_header(request, len, hash);
    case FILL_LONG_HEADER:
        return put_header(request, UINT64_MAX, hash);
    default:
        return VMO_OK;
    }
}
