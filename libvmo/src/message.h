/* SPDX-License-Identifier: Apache-2.0 */
/* The format of a message, and what the ways to send and receive one share (R6, R13). */
#ifndef VMO_MESSAGE_H
#define VMO_MESSAGE_H

#include <string.h>

#include "handover.h"

#define WIRE_MAGIC 0x314F4D56u /* "VMO1" */
#define WIRE_DATA 1
#define WIRE_HANDLE 2
#define WIRE_MANY 3

/* Header of a message. Both ends run on one machine, and every target is little-endian. */
struct wire {
    uint32_t magic;
    uint16_t kind;
    uint16_t body_bytes;
    uint32_t tag;
    uint16_t rights;
    uint16_t seal;
    uint64_t len_bytes; /* of the VMO, as the sender claims; WIRE_MANY: how many VMOs */
    uint64_t zero;
};

/* WIRE_MANY: one for each VMO, between the header and the body. */
struct wire_item {
    uint64_t len_bytes;
    uint16_t rights;
    uint16_t seal;
    uint32_t zero;
};

#define WIRE_ITEMS_BYTES (BE_MANY ? VMO_MANY_MAX * sizeof(struct wire_item) : 0)
#define WIRE_MAX_BYTES (sizeof(struct wire) + WIRE_ITEMS_BYTES + VMO_BODY_MAX_BYTES)

_Static_assert(sizeof(struct wire) == 32, "the judge finds digests after a header of 32 bytes");
_Static_assert(sizeof(struct wire_item) == 16, "no padding is sent");

/* Checks the parts of a message that are not about VMOs. */
VMO_CHECK static inline vmo_status message_check(const struct vmo_message *message)
{
    if (message->body_bytes && message->body == NULL) {
        return VMO_ERR_INVALID;
    }
    if (message->body_bytes > VMO_BODY_MAX_BYTES) {
        return VMO_ERR_TOO_LARGE;
    }
    if (message->body_bytes && !be_is_user(message->body, message->body_bytes)) {
        return VMO_ERR_INVALID;
    }
    return message->vmo.id == VMO_NONE.id && message->rights ? VMO_ERR_INVALID : VMO_OK;
}

/* Decodes the header of a message with `items_bytes` between header and body. False if it is malformed. */
static inline bool wire_read(const uint8_t *bytes, size_t len, size_t items_bytes, struct wire *wire)
{
    if (len < sizeof(*wire)) {
        return false;
    }
    memcpy(wire, bytes, sizeof(*wire));
    return wire->magic == WIRE_MAGIC && !wire->zero && wire->body_bytes <= VMO_BODY_MAX_BYTES &&
           len == sizeof(*wire) + items_bytes + wire->body_bytes;
}

/* True if this is the header of a message with this many VMOs, at least two. */
static inline bool wire_is_many(const uint8_t *bytes, size_t len, uint32_t count, struct wire *wire)
{
    return count >= 2 && wire_read(bytes, len, count * sizeof(struct wire_item), wire) &&
           wire->kind == WIRE_MANY && !wire->rights && !wire->seal && wire->len_bytes == count;
}

/* True for a refusal that stays the same whatever the receiver closes. Such a message is dropped, since it
 * would block the queue; after any other refusal it stays queued. */
static inline bool message_is_dropped(vmo_status status)
{
    return status == VMO_ERR_PROTOCOL || status == VMO_ERR_NOT_SEALED || status == VMO_ERR_TOO_LARGE ||
           status == VMO_ERR_FRAGMENTED;
}

#endif
