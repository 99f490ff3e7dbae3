/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structs of a registry; private to the core.
 *
 *   vmo_t ──► handle ──► object ◄──► mapping ◄── view ◄── vmo_view_t
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
#include "ring.h"
#include "table.h"

struct handle {
    struct entry entry;
    struct object *object;
    uint8_t rights;
};

/* Where an object's bytes are. */
enum backing {
    BACKED_BY_KERNEL, /* the kernel's pages: only these can be sealed and handed over */
    BACKED_BY_BYTES,  /* memory of the caller (R5) */
    BACKED_BY_FILE    /* pages of a file (R5) */
};

struct object {
    struct entry entry;
    bool received;
    bool sent_writable; /* a peer got WRITE: refuse every seal */
    bool findable;      /* in the tree of registry->held */
    bool read_only;     /* sealed so that no handle can write */
    uint8_t backing;
    uint8_t seal;
    uint8_t enforcer;
    uint8_t page_shift; /* pages of 2^page_shift bytes, if they are larger than the kernel's; else 0 */
    uint32_t handles;   /* that refer to it */
    uint32_t views;     /* on its mappings */
    struct be_object be;
    const uint8_t *bytes; /* BACKED_BY_BYTES */
    uint64_t base;        /* BACKED_BY_FILE: file offset of byte 0; else 0 */
    uint64_t len_bytes;
    uint64_t size_bytes;      /* rounded up to pages; 0 for wrapped memory */
    struct ring mappings;     /* all of them */
    struct mapping *index[2]; /* read-only and writable mappings, to find one that covers a range */
    uint64_t sender;          /* held.c: id of the peer that sent it; 0: made here */
    uint32_t below[2];        /* held.c: the objects below it, as registry->held */
};

struct mapping {
    struct entry entry;
    uint8_t *at;
    struct vmo_range range; /* whole pages of the object, or of the file */
    struct object *object;  /* NULL: an orphan */
    struct ring of_object;
    struct ring unused; /* in registry->unused while no view uses it */
    struct mapping *left;
    struct mapping *right;
    uint32_t rank;  /* order from the root of the index down: random, highest first */
    uint32_t users; /* views on it */
    bool indexed;
    bool writable;
    bool borrowed; /* memory of the caller, or a mapping that the backend keeps: nothing to unmap */
};

struct view {
    struct entry entry;
    struct mapping *mapping;
    struct vmo_range range; /* bytes within the mapping */
};

struct peer {
    struct entry entry;
    bool allowed;
    uint8_t required_seal; /* the weakest seal that its VMOs must have */
    bool any_pages;        /* no peer, but a descriptor for vmo_export_fd: it may be of huge pages */
    struct be_peer be;
};

enum { TABLE_OBJECTS, TABLE_MAPPINGS, TABLE_VIEWS, TABLE_HANDLES, TABLE_PEERS, TABLES };

struct vmo_registry {
    uint64_t magic;
    uint64_t serial; /* in every handle, to refuse handles from another registry */
    struct vmo_limits limits;
    struct be_info info;
    struct vmo_counters counters;
    uint64_t total_bytes;
    struct table tables[TABLES];
    struct ring unused; /* mappings without a view; the first is unused longest */
    /* keep.c: limits of the unused mappings, and their check before one more is kept; NULL: no limits. */
    vmo_status (*make_keepable)(struct vmo_registry *registry, uint64_t bytes);
    uint64_t keep_bytes;
    uint32_t keep_entries;
    uint32_t kept_entries; /* that are kept now, and bytes of them; wrapped bytes count 0 */
    uint64_t kept_bytes;
    uint32_t mapped; /* mappings that the kernel made */
    uint32_t random; /* of the next rank */
    uint32_t held;   /* held.c: root of the tree: index of an object + 1, or 0 */
};

/* A handle and its object. */
struct vmo_ref {
    struct handle *handle;
    struct object *object;
};

#define REGISTRY_MAGIC UINT64_C(0x7672656769737472)

inline bool registry_is_live(const struct vmo_registry *registry)
{
    return registry != NULL && registry->magic == REGISTRY_MAGIC;
}
/* The rights of a handle as they are now. */
static inline uint32_t registry_rights(const struct vmo_ref *ref)
{
    return ref->object->read_only ? VMO_RIGHT_READ : ref->handle->rights;
}

/* Look up the entry that a handle names. False or NULL: the handle is closed, stale or foreign. */
inline void *registry_find(const struct vmo_registry *registry, unsigned table, uint64_t id, uint64_t serial)
{
    return registry_is_live(registry) && registry->serial == serial ? table_find(&registry->tables[table], id)
                                                                    : NULL;
}

inline bool registry_lookup(const struct vmo_registry *registry, vmo_t vmo, struct vmo_ref *out)
{
    out->handle = registry_find(registry, TABLE_HANDLES, vmo.id, vmo.registry);
    if (out->handle == NULL) {
        return false;
    }
    out->object = out->handle->object;
    return true;
}

inline struct view *registry_view(const struct vmo_registry *registry, vmo_view_t view)
{
    return registry_find(registry, TABLE_VIEWS, view.id, view.registry);
}

inline struct peer *registry_peer(const struct vmo_registry *registry, vmo_peer_t peer)
{
    return registry_find(registry, TABLE_PEERS, peer.id, peer.registry);
}

/* Checks that one more object of size_bytes fits the quota and the tables. */
VMO_CHECK vmo_status registry_check_capacity(const struct vmo_registry *registry, uint64_t size_bytes);
/* Rounds len_bytes up to pages. Refuses a length that no object may have. */
VMO_CHECK vmo_status registry_size(const struct vmo_registry *registry, uint64_t len_bytes,
                                   uint64_t *size_bytes);
/* Enters an object and its first handle after registry_check_capacity; cannot fail. The caller sets what is
 * not 0 besides these. */
struct vmo_ref registry_enter(struct vmo_registry *registry, const struct be_object *be, uint64_t len_bytes,
                              uint64_t size_bytes, uint32_t rights);
/* Adds a handle to an object while the table of handles is not full; cannot fail. */
struct handle *registry_add_handle(struct vmo_registry *registry, struct object *object, uint32_t rights);
/* Frees a handle, and with the last one its object. The caller has closed the object's capabilities. */
void registry_remove(struct vmo_registry *registry, const struct vmo_ref *ref);

/* Bytes that the backend keeps mapped for an object. */
static inline uint64_t registry_kept_bytes(const struct object *object)
{
    return BE_KEEPS_MAPPINGS && be_kept_at(&object->be) != NULL ? object->size_bytes : 0;
}

/* Counts these bytes; `before` is their number before a call. */
static inline void registry_count_kept(struct vmo_registry *registry, uint64_t before,
                                       const struct object *object)
{
    if (BE_KEEPS_MAPPINGS) {
        registry->counters.kept_seal_bytes += registry_kept_bytes(object) - before;
    }
}

static inline vmo_t registry_vmo(const struct vmo_registry *registry, const struct handle *handle)
{
    return (vmo_t){table_id(&handle->entry), registry->serial};
}

/* vmo_create_with after its options were checked; NULL: the defaults. */
VMO_CHECK vmo_status object_create(struct vmo_registry *registry, uint64_t len_bytes,
                                   const struct vmo_create_options *options, vmo_t *out);

/* Enters a view while the table is not full. The caller has counted it as a user of the mapping. */
vmo_view_t registry_enter_view(struct vmo_registry *registry, struct mapping *mapping,
                               struct vmo_range range);
/* Enters a peer if the backend made it; returns `made`. The table is not full. */
VMO_CHECK vmo_status registry_enter_peer(struct vmo_registry *registry, vmo_status made,
                                         const struct be_peer *be, vmo_peer_t *out);

/* Drop the unused mappings of an object; make the used ones orphans. */
VMO_CHECK vmo_status mapping_drop_unused(struct vmo_registry *registry, const struct object *object);
void mapping_orphan(struct object *object);
/* Enters the read-only mapping of a whole object that be_verify made, as an unused mapping. */
VMO_CHECK vmo_status mapping_adopt(struct vmo_registry *registry, struct object *object, void *at);

/* The writable mapping of a whole object, or NULL. */
struct mapping *mapping_of_whole(const struct object *object);
/* Makes a mapping of an object the backend's, which keeps it; takes it back and returns it, or NULL if there
 * is none. */
void mapping_lend(struct vmo_registry *registry, struct mapping *mapping);
struct mapping *mapping_take_back(struct vmo_registry *registry, struct object *object);

/* Drops the mapping that is unused longest; returns `none` if a view uses each. */
VMO_CHECK vmo_status mapping_evict(struct vmo_registry *registry, vmo_status none);

/* Finds or makes a mapping that covers a range of an object (already checked) and counts one user more;
 * *start is the offset of the range in the mapping. */
VMO_CHECK vmo_status mapping_get(struct vmo_registry *registry, struct object *object, struct vmo_range range,
                                 bool writable, struct mapping **out, uint64_t *start);
/* Counts one more user of a used mapping. */
void mapping_share(struct mapping *mapping);
/* Removes one user from a mapping; with the last one, drops an orphan and what the limits do not let keep. */
VMO_CHECK vmo_status mapping_put(struct vmo_registry *registry, struct mapping *mapping);

#endif
