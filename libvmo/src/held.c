/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of objects is a tree in which the bits of a hash of identity and sender lead from the root to an
 * object, or to the place for it. It is as deep as the hash has bits at most, and as deep as log n on
 * average.
 */
#include "held.h"

static struct object *object_at(const struct vmo_registry *registry, uint32_t link)
{
    return table_at(&registry->tables[TABLE_OBJECTS], link - 1);
}

/* The high bits count. Identities that follow each other, as the kernel gives them, lead to places far from
 * each other. */
static uint64_t hash_of(uint64_t identity, uint64_t sender)
{
    return (identity + sender * UINT64_C(0xBF58476D1CE4E5B9)) * UINT64_C(0x9E3779B97F4A7C15);
}

/* The link to the object of this identity and sender, or the empty link where it belongs. */
static inline uint32_t *link_to(struct vmo_registry *registry, uint64_t identity, uint64_t sender)
{
    uint64_t bits = hash_of(identity, sender);
    uint32_t *link = &registry->held;

    while (*link != 0) {
        struct object *object = object_at(registry, *link);
        if (object->sender == sender && be_identity(&object->be) == identity) {
            break;
        }
        link = &object->below[bits >> 63];
        bits <<= 1;
    }
    return link;
}

void held_add(struct vmo_registry *registry, struct object *object)
{
    const uint64_t identity = be_identity(&object->be);

    if (identity == 0 || object->findable) {
        return;
    }
    uint32_t *link = link_to(registry, identity, object->sender);
    if (*link == 0) { /* of two with other claims the first is found */
        *link = (object->entry.link & ~ENTRY_LIVE) + 1;
        object->below[0] = 0;
        object->below[1] = 0;
        object->findable = true;
    }
}

void held_remove(struct vmo_registry *registry, struct object *object)
{
    if (!object->findable) {
        return;
    }
    uint32_t *link = link_to(registry, be_identity(&object->be), object->sender);
    uint32_t *leaf = link;
    for (struct object *at = object; at->below[0] != 0 || at->below[1] != 0;
         at = object_at(registry, *leaf)) {
        leaf = &at->below[at->below[0] == 0];
    }
    const uint32_t moved = *leaf; /* any leaf below may take the object's place */
    *leaf = 0;
    if (leaf != link) {
        struct object *at = object_at(registry, moved);
        at->below[0] = object->below[0];
        at->below[1] = object->below[1];
        *link = moved;
    }
    object->findable = false;
}

/* ---- Receiving ---------------------------------------------------------------------------------- */

/* True if a claim about an object is what the registry has of it, or says that its sender sealed it
 * meanwhile. */
static bool agrees(const struct object *object, const struct claim *claim)
{
    return object->len_bytes == claim->len_bytes &&
           (object->seal == claim->seal || (object->received && object->seal < claim->seal));
}

static struct object *find(struct vmo_registry *registry, const struct peer *from, const struct claim *claim,
                           uint64_t identity)
{
    const uint64_t senders[] = {table_id(&from->entry), 0};

    for (unsigned i = 0; i < 2; i++) {
        const uint32_t link = *link_to(registry, identity, senders[i]);
        struct object *object = link != 0 ? object_at(registry, link) : NULL;
        if (object != NULL && agrees(object, claim)) {
            return object;
        }
    }
    return NULL;
}

/* Makes the handle. A capability that can write becomes the object's if that has none, and *be goes on to
 * name it; any other is closed. */
static vmo_status add_handle(struct vmo_registry *registry, struct object *object, struct be_object *be,
                             uint32_t rights, struct vmo_ref *out)
{
    if (object->be.owner == BE_NONE && rights & VMO_RIGHT_WRITE) {
        object->be.owner = be->owner;
    } else {
        const vmo_status status = be_close(be);
        if (status != VMO_OK) {
            return status;
        }
    }
    *out = (struct vmo_ref){registry_add_handle(registry, object, rights), object};
    return VMO_OK;
}

vmo_status held_import(struct vmo_registry *registry, const struct peer *from, const struct claim *claim,
                       uint64_t size_bytes, struct be_object *be, struct vmo_ref *out)
{
    struct be_verified found;

    *out = (struct vmo_ref){NULL, NULL};
    vmo_status status = be_identify(be);
    const uint64_t identity = be_identity(be);
    struct object *object = status == VMO_OK && identity != 0 ? find(registry, from, claim, identity) : NULL;
    if (object == NULL) {
        return status;
    }
    if (table_full(&registry->tables[TABLE_HANDLES])) {
        return VMO_ERR_TABLE_FULL;
    }
    const bool writable = claim->rights & VMO_RIGHT_WRITE;
    status = writable ? be_verify(be, size_bytes, claim->seal, &found, &registry->counters)
                      : be_verify_again(be, size_bytes, claim->seal, &found);
    if (status == VMO_OK && found.at != NULL) { /* the object keeps its own mappings */
        status = be_unmap(found.at, size_bytes);
    }
    if (status != VMO_OK) {
        return status;
    }
    if (object->received) {
        object->seal = (uint8_t)claim->seal;
        object->read_only = claim->seal == VMO_SEAL_FOREVER;
        object->enforcer = (uint8_t)found.by;
    }
    status = add_handle(registry, object, be,
                        writable && be->owner != BE_NONE ? VMO_RIGHTS_ALL : VMO_RIGHT_READ, out);
    registry->counters.bulk_bytes += status == VMO_OK ? object->size_bytes : 0;
    return status;
}
