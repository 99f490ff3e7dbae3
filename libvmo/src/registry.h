/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry holds; private to the core.
 *
 *   vmo_t ──► object ◄── mapping ◄── view ◄── vmo_view_t
 *
 * A mapping is one region of the address space. It is kept while unused and found again (R9). When its
 * object is closed first, it becomes an orphan and goes with its last view.
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

struct object {
    struct entry entry;
    uint8_t rights;
    uint8_t seal;
    uint8_t enforcer;
    bool received;
    bool sent_writable; /* some peer got WRITE: no seal can be honest any more */
    bool sent_for_good; /* a message with it may stay queued after its channel was closed on this side */
    uint32_t sent_to;   /* bit per peer that a message with it was sent to and that is not closed */
    struct be_object be;
    uint64_t len_bytes;
    uint64_t size_bytes;
};

struct mapping {
    uint8_t *at;
    struct vmo_range range; /* whole pages of the object */
    uint64_t used_at;       /* registry's clock at its last use: the smallest unused one is evicted */
    uint32_t object;        /* index, or NO_OBJECT */
    uint32_t users;         /* views on it */
    bool live;
    bool writable;
};

struct view {
    struct entry entry;
    uint32_t mapping;
    struct vmo_range range; /* bytes within the mapping */
};

struct peer {
    struct entry entry;
    bool allowed;
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
    struct object *objects;
    struct mapping *mappings;
    struct view *views;
    struct peer *peers;
};

/* The entry that a handle names, or NULL. */
struct object *registry_object(const struct vmo_registry *registry, vmo_t vmo);
struct view *registry_view(const struct vmo_registry *registry, vmo_view_t view);
struct peer *registry_peer(const struct vmo_registry *registry, vmo_peer_t peer);

/* A free entry, or NULL when the table is full. It is taken by registry_take alone. */
struct object *registry_free_object(const struct vmo_registry *registry);
struct view *registry_free_view(const struct vmo_registry *registry);
struct peer *registry_free_peer(const struct vmo_registry *registry);

/* Makes an entry live and gives the handle's id; releases it, making all its handles stale. */
uint64_t registry_take(const struct vmo_registry *registry, struct entry *entry, uint32_t index);
void registry_release(struct entry *entry);

/* Does a further object of len_bytes fit the limits? *size_bytes is its rounded length. */
VMO_CHECK vmo_status registry_room(const struct vmo_registry *registry, uint64_t len_bytes,
                                   uint64_t *size_bytes);
/* Enters an object that registry_room let in; cannot fail. */
vmo_t registry_enter(struct vmo_registry *registry, struct object *object, const struct object *value);
/* Takes an object out again; its capabilities are gone or given up by the caller. */
void registry_remove(struct vmo_registry *registry, struct object *object);

uint32_t registry_object_index(const struct vmo_registry *registry, const struct object *object);
uint32_t registry_peer_index(const struct vmo_registry *registry, const struct peer *peer);

/* mapping.c: has the object a view? drop its unused mappings; cut the used ones loose. */
bool mapping_in_use(const struct vmo_registry *registry, const struct object *object);
VMO_CHECK vmo_status mapping_drop_unused(struct vmo_registry *registry, const struct object *object);
void mapping_orphan(struct vmo_registry *registry, const struct object *object);
/* Enters a mapping that the backend made on its own (be_check), as an unused one. */
VMO_CHECK vmo_status mapping_adopt(struct vmo_registry *registry, const struct object *object, void *at,
                                   uint64_t size_bytes);

#endif
