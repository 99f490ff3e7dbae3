/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structs of a registry; private to the core.
 *
 *   vmo_t ──► handle ──► object ◄── mapping ◄── view ◄── vmo_view_t
 *
 * An object is memory; a handle gives rights to it. Several handles (vmo_dup) may refer to one object, which
 * ends with its last handle. A mapping is one region of the address space. An unused mapping is kept for the
 * next view (R9). If its object ends first, a mapping becomes an orphan and is dropped with its last view.
 */
#ifndef VMO_REGISTRY_H
#define VMO_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

#define NO_OBJECT UINT32_MAX

/* First member of every entry that a handle names. */
struct entry {
    uint32_t generation; /* counts releases; an entry whose generation is used up stays free for ever */
    bool live;
};

struct handle {
    struct entry entry;
    uint32_t object;
    uint8_t rights;
};

/* Where an object's bytes are. */
enum backing {
    BACKED_BY_KERNEL, /* the kernel's pages: only these can be sealed and handed over */
    BACKED_BY_BYTES,  /* memory of the caller (R5) */
    BACKED_BY_FILE    /* pages of a file (R5) */
};

struct object {
    bool live;
    bool received;
    bool sent_writable; /* a peer got WRITE: refuse every seal */
    uint8_t backing;
    uint8_t seal;
    uint8_t enforcer;
    uint32_t handles; /* that refer to it */
    struct be_object be;
    const uint8_t *bytes; /* BACKED_BY_BYTES */
    uint64_t base;        /* BACKED_BY_FILE: file offset of byte 0; else 0 */
    uint64_t len_bytes;
    uint64_t size_bytes; /* rounded up to pages; 0 for wrapped memory */
};

struct mapping {
    uint8_t *at;
    struct vmo_range range; /* whole pages of the object, or of the file */
    uint64_t used_at;       /* registry's clock at the last use: evict the smallest unused */
    uint32_t object;        /* index, or NO_OBJECT */
    uint32_t users;         /* views on it */
    bool live;
    bool writable;
    bool borrowed; /* memory of the caller: nothing to unmap */
};

struct view {
    struct entry entry;
    uint32_t mapping;
    struct vmo_range range; /* bytes within the mapping */
};

struct peer {
    struct entry entry;
    bool allowed;
    uint8_t required_seal; /* the weakest seal that its VMOs must have */
    struct be_peer be;
};

struct vmo_registry {
    uint64_t magic;
    uint64_t serial; /* in every handle, to refuse handles from another registry */
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

/* The entries of a handle and its object, either in use or free. */
struct vmo_ref {
    struct handle *handle;
    struct object *object;
};

/* Look up the entry that a handle names. False or NULL: the handle is closed, stale or foreign. */
bool registry_lookup(const struct vmo_registry *registry, vmo_t vmo, struct vmo_ref *out);
struct view *registry_view(const struct vmo_registry *registry, vmo_view_t view);
struct peer *registry_peer(const struct vmo_registry *registry, vmo_peer_t peer);

/* Find a free entry, or NULL if the table is full. The entry stays free until registry_take. */
struct handle *registry_free_handle(const struct vmo_registry *registry);
struct view *registry_free_view(const struct vmo_registry *registry);
struct peer *registry_free_peer(const struct vmo_registry *registry);

/* Makes an entry live and returns the id of its handle; frees it, which makes the handle stale. */
uint64_t registry_take(struct entry *entry, uint32_t index);
void registry_release(struct entry *entry);

/* Checks that one more object of size_bytes fits the quota and the tables. *place: free entries for the
 * object and its first handle, valid until the next call into the registry. */
VMO_CHECK vmo_status registry_check_capacity(const struct vmo_registry *registry, uint64_t size_bytes,
                                             struct vmo_ref *place);
/* Rounds len_bytes up to pages. Refuses a length that no object may have. */
VMO_CHECK vmo_status registry_size(const struct vmo_registry *registry, uint64_t len_bytes,
                                   uint64_t *size_bytes);
/* Enters an object and its first handle at the place from registry_check_capacity; cannot fail. */
vmo_t registry_enter(struct vmo_registry *registry, const struct vmo_ref *place, const struct object *value,
                     uint32_t rights);
/* Makes the free entry place->handle refer to place->object; cannot fail. */
vmo_t registry_add_handle(const struct vmo_registry *registry, const struct vmo_ref *place, uint32_t rights);
/* Frees a handle, and with the last one its object. The caller has closed the object's capabilities. */
void registry_remove(struct vmo_registry *registry, struct vmo_ref *ref);

/* Counts the bytes that the backend keeps for an object; `before` is be_kept_bytes before a call. */
void registry_count_kept(struct vmo_registry *registry, uint64_t before, const struct be_object *object);

uint32_t registry_object_index(const struct vmo_registry *registry, const struct object *object);
uint32_t registry_peer_index(const struct vmo_registry *registry, const struct peer *peer);

/* mapping.c: does a view use the object; drop its unused mappings; make the used ones orphans. */
bool mapping_in_use(const struct vmo_registry *registry, const struct object *object);
VMO_CHECK vmo_status mapping_drop_unused(struct vmo_registry *registry, const struct object *object);
void mapping_orphan(struct vmo_registry *registry, const struct object *object);
/* Enters the read-only mapping of a whole object that be_verify made, as an unused mapping. */
VMO_CHECK vmo_status mapping_adopt(struct vmo_registry *registry, const struct object *object, void *at,
                                   uint64_t size_bytes);

/* Finds or makes a mapping that covers a range of an object (already checked); *start is the offset of the
 * range in the mapping. */
VMO_CHECK vmo_status mapping_get(struct vmo_registry *registry, const struct object *object,
                                 struct vmo_range range, bool writable, struct mapping **out,
                                 uint64_t *start);
/* Removes one view from a mapping; drops an orphan with its last view. */
VMO_CHECK vmo_status mapping_put(struct vmo_registry *registry, struct mapping *mapping);

#endif
