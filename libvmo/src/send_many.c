/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

/* Encodes the message; returns its length. */
static size_t encode(uint8_t *bytes, const struct vmo_message *message, const struct vmo_item *items,
                     const struct vmo_ref *refs, uint32_t count)
{
    const struct wire wire = {.magic = WIRE_MAGIC,
                              .kind = WIRE_MANY,
                              .body_bytes = message->body_bytes,
                              .tag = message->tag,
                              .len_bytes = count};
    uint8_t *at = bytes;

    memcpy(at, &wire, sizeof(wire));
    at += sizeof(wire);
    for (uint32_t i = 0; i < count; i++) {
        const struct wire_item item = {refs[i].object->len_bytes, (uint16_t)items[i].rights,
                                       refs[i].object->seal, 0};
        memcpy(at, &item, sizeof(item));
        at += sizeof(item);
    }
    if (message->body_bytes) {
        memcpy(at, message->body, message->body_bytes);
    }
    return (size_t)(at - bytes) + message->body_bytes;
}

/* Finds each VMO, and checks that the peer may get it. */
static vmo_status prepare(struct vmo_registry *registry, const struct peer *to, const struct vmo_item *items,
                          uint32_t count, struct vmo_ref *refs)
{
    vmo_status status = VMO_OK;

    for (uint32_t i = 0; i < count && status == VMO_OK; i++) {
        status = registry_lookup(registry, items[i].vmo, &refs[i]) ? VMO_OK : VMO_ERR_BAD_HANDLE;
    }
    for (uint32_t i = 0; i < count && status == VMO_OK; i++) {
        status = handover_prepare(to, &refs[i], items[i].rights);
    }
    return status;
}

static vmo_status send_several(struct vmo_registry *registry, struct peer *to,
                               const struct vmo_message *message, const struct vmo_item *items,
                               uint32_t count, uint64_t deadline_ns)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    struct vmo_ref refs[VMO_MANY_MAX];
    struct be_carried carried[VMO_MANY_MAX];

    vmo_status status = prepare(registry, to, items, count, refs);
    if (status != VMO_OK) {
        return status;
    }
    for (uint32_t i = 0; i < count; i++) {
        carried[i] = (struct be_carried){&refs[i].object->be, items[i].rights & VMO_RIGHT_WRITE};
    }
    const size_t len = encode(bytes, message, items, refs, count);
    status = be_send_many(&to->be, carried, count, bytes, len, deadline_ns);
    if (status != VMO_OK) {
        return status;
    }
    registry->counters.control_bytes += len;
    for (uint32_t i = 0; i < count; i++) {
        handover_note(registry, refs[i].object, items[i].rights);
    }
    return VMO_OK;
}

vmo_status vmo_send_many(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                         const struct vmo_item *items, uint32_t count, uint64_t deadline_ns)
{
    struct peer *to = registry_peer(registry, peer);

    if (to == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (message == NULL || message->vmo.id != VMO_NONE.id || (items == NULL && count)) {
        return VMO_ERR_INVALID;
    }
    if (count > VMO_MANY_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    if (count && !be_is_user(items, count * sizeof(*items))) {
        return VMO_ERR_INVALID;
    }
    if (count == 0) {
        return vmo_send(registry, peer, message, deadline_ns);
    }
    const vmo_status status = message_check(message);
    if (status != VMO_OK) {
        return status;
    }
    if (count == 1) {
        const struct vmo_message one = {message->tag, items->vmo, items->rights, message->body,
                                        message->body_bytes};
        return items->vmo.id != VMO_NONE.id ? vmo_send(registry, peer, &one, deadline_ns)
                                            : VMO_ERR_BAD_HANDLE;
    }
    return BE_MANY ? send_several(registry, to, message, items, count, deadline_ns) : VMO_ERR_UNSUPPORTED;
}
