/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, the handles and the limits (R8). */
#include "registry.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "sizes.h"

#define HANDLES_PER_OBJECT 2 /* on average, over the table */
#define STORAGE_ALIGN 16

/* The public bound leaves each struct room to grow by a quarter. */
#define WITH_HEADROOM(bytes) ((bytes) + (bytes) / 4)
#define BOUND(objects, mappings, views, peers)                                                               \
    (VMO_REGISTRY_BYTES(objects, mappings, views, peers) - VMO_REGISTRY_BYTES(0, 0, 0, 0))

_Static_assert(WITH_HEADROOM(sizeof(struct vmo_registry)) <= VMO_REGISTRY_BYTES(0, 0, 0, 0), "fixed part");
_Static_assert(WITH_HEADROOM(sizeof(struct object) + HANDLES_PER_OBJECT * sizeof(struct handle)) <=
                   BOUND(1, 0, 0, 0),
               "an object and its handles");
_Static_assert(WITH_HEADROOM(sizeof(struct mapping)) <= BOUND(0, 1, 0, 0), "a mapping");
_Static_assert(WITH_HEADROOM(sizeof(struct view)) <= BOUND(0, 0, 1, 0), "a view");
_Static_assert(WITH_HEADROOM(sizeof(struct peer)) <= BOUND(0, 0, 0, 1), "a peer");
_Static_assert(sizeof(struct vmo_registry) % 8 == 0 && sizeof(struct object) % 8 == 0 &&
                   sizeof(struct mapping) % 8 == 0 && sizeof(struct view) % 8 == 0 &&
                   sizeof(struct handle) % 8 == 0 && alignof(struct peer) <= 8,
               "the tables follow each other without padding");
_Static_assert(BE_ENTRIES_MAX *HANDLES_PER_OBJECT < ENTRY_LIVE && BE_PEERS_MAX < ENTRY_LIVE, "indices fit");

/* Lays out an empty table; returns its end. Out of line, since it is called five times. */
__attribute__((noinline)) static uint8_t *lay_out(struct table *table, uint8_t *at, uint32_t entry_bytes,
                                                  uint32_t limit, bool named)
{
    *table = (struct table){.entries = at, .entry_bytes = entry_bytes, .limit = limit, .named = named};
    return at + (size_t)limit * entry_bytes;
}

static bool limit_holds(uint32_t limit)
{
    return limit >= 1 && limit <= BE_ENTRIES_MAX;
}

size_t vmo_registry_bytes(const struct vmo_limits *limits)
{
    if (limits == NULL || !limit_holds(limits->objects) || !limit_holds(limits->mappings) ||
        !limit_holds(limits->views) || limits->peers > BE_PEERS_MAX) {
        return 0;
    }
    return sizeof(struct vmo_registry) +
           limits->objects * (sizeof(struct object) + HANDLES_PER_OBJECT * sizeof(struct handle)) +
           limits->mappings * sizeof(struct mapping) + limits->views * sizeof(struct view) +
           limits->peers * sizeof(struct peer);
}

/* Lays out all tables after the fixed part. Touches no entry. */
static void lay_out_all(struct vmo_registry *registry)
{
    const struct vmo_limits *limits = &registry->limits;
    struct table *tables = registry->tables;
    uint8_t *at = (uint8_t *)(registry + 1);

    at = lay_out(&tables[TABLE_OBJECTS], at, sizeof(struct object), limits->objects, false);
    at = lay_out(&tables[TABLE_MAPPINGS], at, sizeof(struct mapping), limits->mappings, false);
    at = lay_out(&tables[TABLE_VIEWS], at, sizeof(struct view), limits->views, true);
    at = lay_out(&tables[TABLE_HANDLES], at, sizeof(struct handle), limits->objects * HANDLES_PER_OBJECT,
                 true);
    (void)lay_out(&tables[TABLE_PEERS], at, sizeof(struct peer), limits->peers, true);
}

vmo_status vmo_registry_init(void *storage, size_t storage_bytes, const struct vmo_limits *limits,
                             struct vmo_registry **out)
{
    static _Atomic uint64_t serials; /* shared by all registries: threads may initialise theirs at once */
    const size_t bytes = vmo_registry_bytes(limits);

    if (storage == NULL || bytes == 0 || out == NULL || (uintptr_t)storage % STORAGE_ALIGN) {
        return VMO_ERR_INVALID;
    }
    if (storage_bytes < bytes) {
        return VMO_ERR_STORAGE;
    }
    struct be_info info;
    const vmo_status status = be_init(&info);
    if (status != VMO_OK) {
        return status;
    }
    struct vmo_registry *registry = storage;
    memset(registry, 0, sizeof(*registry));
    registry->magic = REGISTRY_MAGIC;
    registry->serial = atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed) + 1;
    registry->random = 1;
    registry->limits = *limits;
    registry->info = info;
    if (limits->object_bytes_max == 0 || limits->object_bytes_max > info.object_bytes_max) {
        registry->limits.object_bytes_max = info.object_bytes_max;
    }
    ring_init(&registry->unused);
    lay_out_all(registry);
    *out = registry;
    return VMO_OK;
}

extern inline bool registry_is_live(const struct vmo_registry *registry);
extern inline void *registry_find(const struct vmo_registry *registry, unsigned table, uint64_t id,
                                  uint64_t serial);
extern inline bool registry_lookup(const struct vmo_registry *registry, vmo_t vmo, struct vmo_ref *out);
extern inline struct view *registry_view(const struct vmo_registry *registry, vmo_view_t view);
extern inline struct peer *registry_peer(const struct vmo_registry *registry, vmo_peer_t peer);

vmo_status vmo_registry_fini(struct vmo_registry *registry)
{
    if (!registry_is_live(registry)) {
        return VMO_ERR_INVALID;
    }
    /* An object has at least one handle, so objects need no check. */
    if (registry->tables[TABLE_HANDLES].live || registry->tables[TABLE_VIEWS].live ||
        registry->tables[TABLE_PEERS].live) {
        return VMO_ERR_BUSY;
    }
    registry->magic = 0;
    return VMO_OK;
}

/* ---- Handles ------------------------------------------------------------------------------------ */

vmo_view_t registry_enter_view(struct vmo_registry *registry, struct mapping *mapping, struct vmo_range range)
{
    struct view *view = table_take(&registry->tables[TABLE_VIEWS]);

    view->mapping = mapping;
    view->range = range;
    return (vmo_view_t){table_id(&view->entry), registry->serial};
}

/* ---- Objects ------------------------------------------------------------------------------------ */

vmo_status registry_size(const struct vmo_registry *registry, uint64_t len_bytes, uint64_t *size_bytes)
{
    if (len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    if (len_bytes > registry->limits.object_bytes_max ||
        !checked_round_up(len_bytes, registry->info.page_bytes, size_bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    return VMO_OK;
}

vmo_status registry_check_capacity(const struct vmo_registry *registry, uint64_t size_bytes)
{
    uint64_t total = 0;

    if (!checked_add(registry->total_bytes, size_bytes, &total) ||
        (registry->limits.total_bytes_max && total > registry->limits.total_bytes_max)) {
        return VMO_ERR_QUOTA;
    }
    return table_full(&registry->tables[TABLE_HANDLES]) || table_full(&registry->tables[TABLE_OBJECTS])
               ? VMO_ERR_TABLE_FULL
               : VMO_OK;
}

struct vmo_ref registry_enter(struct vmo_registry *registry, const struct be_object *be, uint64_t len_bytes,
                              uint64_t size_bytes, uint32_t rights)
{
    struct object *object = table_take(&registry->tables[TABLE_OBJECTS]);
    const struct entry entry = object->entry;

    *object = (struct object){.entry = entry, .be = *be, .len_bytes = len_bytes, .size_bytes = size_bytes};
    ring_init(&object->mappings);
    registry->total_bytes += size_bytes;
    return (struct vmo_ref){registry_add_handle(registry, object, rights), object};
}

struct handle *registry_add_handle(struct vmo_registry *registry, struct object *object, uint32_t rights)
{
    struct handle *handle = table_take(&registry->tables[TABLE_HANDLES]);

    handle->object = object;
    handle->rights = (uint8_t)rights;
    object->handles++;
    return handle;
}

void registry_remove(struct vmo_registry *registry, const struct vmo_ref *ref)
{
    table_give(&registry->tables[TABLE_HANDLES], &ref->handle->entry);
    ref->object->handles--;
    if (ref->object->handles == 0) {
        registry->total_bytes -= ref->object->size_bytes;
        table_give(&registry->tables[TABLE_OBJECTS], &ref->object->entry);
    }
}
