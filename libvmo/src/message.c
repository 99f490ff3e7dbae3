/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, and the VMOs that travel in them (R6, R13). */
#include "message.h"

/* ---- Sending ------------------------------------------------------------------------------------ */

struct encoded {
    struct wire wire;
    uint8_t body[VMO_BODY_MAX_BYTES];
};

/* Encodes the message; returns its length. */
static size_t encode(struct encoded *out, const struct vmo_message *message, const struct object *object)
{
    out->wire = (struct wire){
        .magic = WIRE_MAGIC, .kind = WIRE_DATA, .body_bytes = message->body_bytes, .tag = message->tag};
    if (object != NULL) {
        out->wire.kind = WIRE_HANDLE;
        out->wire.rights = (uint16_t)message->rights;
        out->wire.seal = object->seal;
        out->wire.len_bytes = object->len_bytes;
    }
    if (message->body_bytes) {
        memcpy(out->body, message->body, message->body_bytes);
    }
    return sizeof(out->wire) + message->body_bytes;
}

vmo_status vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                    uint64_t deadline_ns)
{
    struct encoded encoded;
    struct peer *to = registry_peer(registry, peer);
    struct vmo_ref ref = {NULL, NULL};

    if (to == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = message != NULL ? message_check(message) : VMO_ERR_INVALID;
    if (status == VMO_OK && message->vmo.id != VMO_NONE.id) {
        status = registry_lookup(registry, message->vmo, &ref) ? handover_prepare(to, &ref, message->rights)
                                                               : VMO_ERR_BAD_HANDLE;
    }
    if (status != VMO_OK) {
        return status;
    }
    struct object *object = ref.object;
    const size_t len = encode(&encoded, message, object);
    status = be_send(&to->be, object != NULL ? &object->be : NULL, message->rights & VMO_RIGHT_WRITE,
                     &encoded, len, deadline_ns);
    if (status != VMO_OK) {
        return status;
    }
    registry->counters.control_bytes += len;
    if (object != NULL) {
        handover_note(registry, object, message->rights);
    }
    return VMO_OK;
}

/* ---- Receiving ---------------------------------------------------------------------------------- */

/* Decodes the header. False if it is malformed, or if a capability is missing or came unannounced. */
static bool decode(const uint8_t *bytes, size_t len, const struct be_object *be, struct wire *wire)
{
    const bool carried = be->owner != BE_NONE || be->alias != BE_NONE;

    if (!wire_read(bytes, len, 0, wire)) {
        return false;
    }
    if (wire->kind == WIRE_HANDLE) {
        return carried;
    }
    return wire->kind == WIRE_DATA && !carried && !wire->rights && !wire->seal && !wire->len_bytes;
}

/* Drops a message that be_recv showed, with its capability, and returns why. */
static vmo_status drop_message(const struct peer *from, struct be_object *be, vmo_status why)
{
    const vmo_status taken = be_recv_take(&from->be);
    const vmo_status closed = be_close(be);

    return taken != VMO_OK ? taken : closed != VMO_OK ? closed : why;
}

/* Takes a message off the queue whose VMO was imported. After a refusal nothing of it is left here. */
static vmo_status take_message(struct vmo_registry *registry, const struct peer *from, struct be_object *be,
                               const struct vmo_ref *imported)
{
    const vmo_status status = be_recv_take(&from->be);

    if (status == VMO_OK) {
        return VMO_OK;
    }
    const vmo_status undone = imported->object != NULL ? handover_undo(registry, imported, be) : VMO_OK;
    const vmo_status closed = be_close(be);
    return undone != VMO_OK ? undone : closed != VMO_OK ? closed : status;
}

vmo_status vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                    uint64_t deadline_ns)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    size_t len = 0;
    struct be_object be = BE_NO_OBJECT;
    struct wire wire = {0};
    struct vmo_ref ref = {NULL, NULL};
    struct peer *from = registry_peer(registry, peer);

    if (from == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (out == NULL) {
        return VMO_ERR_INVALID;
    }
    vmo_status status = be_recv(&from->be, bytes, sizeof(bytes), &len, &be, deadline_ns);
    if (status != VMO_OK) {
        return status;
    }
    const uint32_t several = BE_MANY ? be_recv_several(&from->be) : 0;
    if (several > 0) {
        status = wire_is_many(bytes, len, several, &wire) ? VMO_ERR_UNSUPPORTED : VMO_ERR_PROTOCOL;
    } else {
        status = decode(bytes, len, &be, &wire) ? VMO_OK : VMO_ERR_PROTOCOL;
    }
    if (status == VMO_OK && wire.kind == WIRE_HANDLE) {
        const struct claim claim = {wire.len_bytes, wire.rights, wire.seal};
        status = handover_import(registry, from, &claim, &be, &ref);
    }
    if (status != VMO_OK && !message_is_dropped(status)) {
        const vmo_status kept = be_recv_keep(&from->be, bytes, len, &be);
        return kept == VMO_OK ? status : kept;
    }
    status = status == VMO_OK ? take_message(registry, from, &be, &ref) : drop_message(from, &be, status);
    registry->counters.control_bytes += status == VMO_OK || message_is_dropped(status) ? len : 0;
    if (status != VMO_OK) {
        return status;
    }
    out->tag = wire.tag;
    out->vmo = ref.handle != NULL ? registry_vmo(registry, ref.handle) : VMO_NONE;
    out->body_bytes = wire.body_bytes;
    if (wire.body_bytes) {
        memcpy(out->body, bytes + sizeof(wire), wire.body_bytes);
    }
    return VMO_OK;
}
