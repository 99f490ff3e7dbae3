/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry holds; private to the core.
 *
 *   vmo_t ──► handle ──► object ◄── mapping ◄── view ◄── vmo_view_t
 *
 * An object is memory; a handle is what one may do with it. Several handles (vmo_dup) may stand on one
 * object, which goes with its last handle. A mapping is one region of the address space. It is kept while
 * unused and found again (R9). When its object goes first, it becomes an orphan and goes with its last view.
 */
#ifndef VMO_REGISTRY_H
#define VMO_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

#define NO_OBJECT UINT32_MAX

/* Every entry that a handle names begins with this. */
struct entry {
    uint32_t generation; /* counts up at each release; an entry at the last generation is never used again */
    bool live;
};

struct handle {
    struct entry entry;
    uint32_t object;
    uint8_t rights;
};

/* Where an object's bytes are. */
enum backing {
    BACKED_BY_KERNEL, /* pages of its own: the only ones that can be sealed and handed over */
    BACKED_BY_BYTES,  /* the caller's memory, borrowed (R5) */
    BACKED_BY_FILE    /* a file's pages, borrowed (R5) */
};

struct object {
    bool live;
    bool received;
    bool sent_writable; /* some peer got WRITE: no seal can be honest any more */
    uint8_t backing;
    uint8_t seal;
    uint8_t enforcer;
    uint32_t handles; /* that stand on it */
    struct be_object be;
    const uint8_t *bytes; /* BACKED_BY_BYTES */
    uint64_t base;        /* of a file: where byte 0 of the VMO lies in it; else 0 */
    uint64_t len_bytes;
    uint64_t size_bytes; /* pages that it takes, in bytes; 0 for borrowed memory */
};

struct mapping {
    uint8_t *at;
    struct vmo_range range; /* whole pages, counted from the start of what the backend maps */
    uint64_t used_at;       /* registry's clock at its last use: the smallest unused one is evicted */
    uint32_t object;        /* index, or NO_OBJECT */
    uint32_t users;         /* views on it */
    bool live;
    bool writable;
    bool borrowed; /* the caller's bytes: nothing to give back */
};

struct view {
    struct entry entry;
    uint32_t mapping;
    struct vmo_range range; /* bytes within the mapping */
};

struct peer {
    struct entry entry;
    bool allowed;
    uint8_t required_seal; /* what it sends must be sealed at least so */
    struct be_peer be;
};

struct vmo_registry {
    uint64_t magic;
    uint16_t tag; /* in every handle: tells this registry's handles from another's */
    struct vmo_limits limits;
    struct be_info info;
    struct vmo_counters counters;
    uint64_t total_bytes;
    uint64_t clock;
    struct handle *handles;
    struct object *objects;
    struct mapping *mappings;
    struct view *views;
    struct peer *peers;
};

/* A handle's entry and its object's: what a vmo_t names, or where a new one goes. */
struct vmo_ref {
    struct handle *handle;
    struct object *object;
};

/* The entries that a handle names; false or NULL when it names none. */
bool registry_lookup(const struct vmo_registry *registry, vmo_t vmo, struct vmo_ref *out);
struct view *registry_view(const struct vmo_registry *registry, vmo_view_t view);
struct peer *registry_peer(const struct vmo_registry *registry, vmo_peer_t peer);

/* A free entry, or NULL when the table is full. It is taken by registry_take alone. */
struct handle *registry_free_handle(const struct vmo_registry *registry);
struct view *registry_free_view(const struct vmo_registry *registry);
struct peer *registry_free_peer(const struct vmo_registry *registry);

/* Makes an entry live and gives the handle's id; releases it, making all its handles stale. */
uint64_t registry_take(const struct vmo_registry *registry, struct entry *entry, uint32_t index);
void registry_release(struct entry *entry);

/* Checks that one more object of size_bytes fits the quota and the tables. *place: the free entries for it
 * and its first handle, which nobody else takes until the next call into the registry. */
VMO_CHECK vmo_status registry_check_capacity(const struct vmo_registry *registry, uint64_t size_bytes,
                                             struct vmo_ref *place);
/* The pages that len_bytes take, in bytes; a refusal when no object may be so long. */
VMO_CHECK vmo_status registry_size(const struct vmo_registry *registry, uint64_t len_bytes,
                                   uint64_t *size_bytes);
/* Enters an object and its first handle where registry_check_capacity found room; cannot fail. */
vmo_t registry_enter(struct vmo_registry *registry, const struct vmo_ref *place, const struct object *value,
                     uint32_t rights);
/* Makes the free entry place->handle a handle on place->object; cannot fail. */
vmo_t registry_add_handle(const struct vmo_registry *registry, const struct vmo_ref *place, uint32_t rights);
/* Takes a handle out, and with the last one the object, whose capabilities the caller has given up. */
void registry_remove(struct vmo_registry *registry, struct vmo_ref *ref);

uint32_t registry_object_index(const struct vmo_registry *registry, const struct object *object);
uint32_t registry_peer_index(const struct vmo_registry *registry, const struct peer *peer);

/* mapping.c: has the object a view? drop its unused mappings; cut the used ones loose. */
bool mapping_in_use(const struct vmo_registry *registry, const struct object *object);
VMO_CHECK vmo_status mapping_drop_unused(struct vmo_registry *registry, const struct object *object);
void mapping_orphan(struct vmo_registry *registry, const struct object *object);
/* Keeps a read-only mapping of a whole object that the backend made (be_verify), as an unused one. */
VMO_CHECK vmo_status mapping_adopt(struct vmo_registry *registry, const struct object *object, void *at,
                                   uint64_t size_bytes);

/* A mapping that covers a range of an object (offsets and lengths already checked), found or made; *start is
 * where the range begins in it. */
VMO_CHECK vmo_status mapping_get(struct vmo_registry *registry, const struct object *object,
                                 struct vmo_range range, bool writable, struct mapping **out,
                                 uint64_t *start);
/* One view less on a mapping; an orphan goes with its last. */
VMO_CHECK vmo_status mapping_put(struct vmo_registry *registry, struct mapping *mapping);

#endif
