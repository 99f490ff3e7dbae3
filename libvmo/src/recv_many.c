/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

/* A message that be_recv_many showed. */
struct arrived {
    struct wire wire;
    uint32_t count;
    struct be_object be[VMO_MANY_MAX];
    struct wire_item items[VMO_MANY_MAX];
    struct vmo_ref refs[VMO_MANY_MAX]; /* after import_all */
};

/* False if the message is malformed, or does not carry as many VMOs as it says. */
static bool decode(const uint8_t *bytes, size_t len, struct arrived *message)
{
    struct wire *wire = &message->wire;

    if (wire_is_many(bytes, len, message->count, wire)) {
        bool clean = true;
        memcpy(message->items, bytes + sizeof(*wire), message->count * sizeof(message->items[0]));
        for (uint32_t i = 0; i < message->count; i++) {
            clean = clean && !message->items[i].zero;
        }
        return clean;
    }
    if (!wire_read(bytes, len, 0, wire)) {
        return false;
    }
    if (wire->kind == WIRE_HANDLE) {
        message->items[0] = (struct wire_item){wire->len_bytes, wire->rights, wire->seal, 0};
        return message->count == 1;
    }
    return wire->kind == WIRE_DATA && message->count == 0 && !wire->rights && !wire->seal && !wire->len_bytes;
}

/* Undoes the first imports. */
static vmo_status undo(struct vmo_registry *registry, struct arrived *message, uint32_t imports)
{
    vmo_status status = VMO_OK;

    for (uint32_t i = imports; i-- > 0;) {
        const vmo_status undone = handover_undo(registry, &message->refs[i], &message->be[i]);
        status = status == VMO_OK ? undone : status;
    }
    return status;
}

/* Imports all VMOs of a message, or none: then the caller still owns each capability. */
static vmo_status import_all(struct vmo_registry *registry, const struct peer *from, struct arrived *message)
{
    vmo_status status = VMO_OK;
    uint32_t done = 0;

    while (done < message->count && status == VMO_OK) {
        const struct wire_item *item = &message->items[done];
        const struct claim claim = {item->len_bytes, item->rights, item->seal};
        status = handover_import(registry, from, &claim, &message->be[done], &message->refs[done]);
        done += status == VMO_OK;
    }
    if (status == VMO_OK) {
        return VMO_OK;
    }
    const vmo_status undone = undo(registry, message, done);
    return undone == VMO_OK ? status : undone;
}

/* Closes the capabilities of a message, and returns why. */
static vmo_status close_all(struct arrived *message, vmo_status why)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const vmo_status closed = be_close(&message->be[i]);
        why = closed == VMO_OK ? why : closed;
    }
    return why;
}

static vmo_status keep_all(const struct peer *from, const uint8_t *bytes, size_t len, struct arrived *message,
                           vmo_status why)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const vmo_status kept = be_recv_keep(&from->be, bytes, len, &message->be[i]);
        why = kept == VMO_OK ? why : kept;
    }
    return why;
}

/* Decides about a message, and returns what vmo_recv_many does. */
static vmo_status receive(struct vmo_registry *registry, const struct peer *from, const uint8_t *bytes,
                          size_t len, struct arrived *message)
{
    vmo_status status = decode(bytes, len, message) ? import_all(registry, from, message) : VMO_ERR_PROTOCOL;

    if (status != VMO_OK && !message_is_dropped(status)) {
        return keep_all(from, bytes, len, message, status);
    }
    const vmo_status taken = be_recv_take(&from->be);
    if (status == VMO_OK && taken != VMO_OK) {
        const vmo_status undone = undo(registry, message, message->count);
        return close_all(message, undone == VMO_OK ? taken : undone);
    }
    if (status != VMO_OK) {
        status = close_all(message, taken == VMO_OK ? status : taken);
    }
    registry->counters.control_bytes += status == VMO_OK || message_is_dropped(status) ? len : 0;
    return status;
}

static vmo_status receive_any(struct vmo_registry *registry, struct peer *from, struct vmo_incoming *out,
                              vmo_t vmos[VMO_MANY_MAX], uint32_t *count, uint64_t deadline_ns)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    struct arrived message = {.count = 0};
    size_t len = 0;

    vmo_status status =
        be_recv_many(&from->be, bytes, sizeof(bytes), &len, message.be, &message.count, deadline_ns);
    if (status == VMO_OK) {
        status = receive(registry, from, bytes, len, &message);
    }
    if (status != VMO_OK) {
        return status;
    }
    for (uint32_t i = 0; i < message.count; i++) {
        vmos[i] = registry_vmo(registry, message.refs[i].handle);
    }
    *count = message.count;
    out->tag = message.wire.tag;
    out->vmo = message.count ? vmos[0] : VMO_NONE;
    out->body_bytes = message.wire.body_bytes;
    memcpy(out->body, bytes + len - message.wire.body_bytes, message.wire.body_bytes);
    return VMO_OK;
}

vmo_status vmo_recv_many(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                         vmo_t vmos[VMO_MANY_MAX], uint32_t *count, uint64_t deadline_ns)
{
    struct peer *from = registry_peer(registry, peer);

    if (from == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (out == NULL || vmos == NULL || count == NULL) {
        return VMO_ERR_INVALID;
    }
    if (BE_MANY) {
        return receive_any(registry, from, out, vmos, count, deadline_ns);
    }
    const vmo_status status = vmo_recv(registry, peer, out, deadline_ns);
    if (status == VMO_OK) {
        *count = out->vmo.id != VMO_NONE.id;
        if (*count) {
            vmos[0] = out->vmo;
        }
    }
    return status;
}
