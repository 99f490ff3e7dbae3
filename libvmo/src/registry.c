/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, the handles and the limits (R8). */
#include "registry.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#include "sizes.h"

#define REGISTRY_MAGIC UINT64_C(0x7672656769737472)
#define HANDLES_PER_OBJECT 2 /* on average, over the table */
#define PEERS_MAX 32
#define STORAGE_ALIGN 16

/* An id: generation in bits 63..32, index + 1 in 31..0. So no id is 0. */
#define ID_GENERATION_SHIFT 32

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
_Static_assert(alignof(struct object) == 8 && alignof(struct mapping) == 8 && alignof(struct view) == 8 &&
                   sizeof(struct vmo_registry) % 8 == 0 &&
                   HANDLES_PER_OBJECT * sizeof(struct handle) % 8 == 0,
               "the tables follow each other without padding");

static bool limits_hold(const struct vmo_limits *limits)
{
    return limits->objects >= 1 && limits->objects <= BE_ENTRIES_MAX && limits->mappings >= 1 &&
           limits->mappings <= BE_ENTRIES_MAX && limits->views >= 1 && limits->views <= BE_ENTRIES_MAX &&
           limits->peers <= PEERS_MAX;
}

size_t vmo_registry_bytes(const struct vmo_limits *limits)
{
    if (limits == NULL || !limits_hold(limits)) {
        return 0;
    }
    return sizeof(struct vmo_registry) +
           limits->objects * (sizeof(struct object) + HANDLES_PER_OBJECT * sizeof(struct handle)) +
           limits->mappings * sizeof(struct mapping) + limits->views * sizeof(struct view) +
           limits->peers * sizeof(struct peer);
}

static uint32_t handle_count(const struct vmo_registry *registry)
{
    return registry->limits.objects * HANDLES_PER_OBJECT;
}

/* Lays out the tables after the fixed part. The storage is zeroed: every entry is free. */
static void lay_out(struct vmo_registry *registry)
{
    registry->objects = (struct object *)(void *)(registry + 1);
    registry->mappings = (struct mapping *)(void *)(registry->objects + registry->limits.objects);
    registry->views = (struct view *)(void *)(registry->mappings + registry->limits.mappings);
    registry->handles = (struct handle *)(void *)(registry->views + registry->limits.views);
    registry->peers = (struct peer *)(void *)(registry->handles + handle_count(registry));
}

vmo_status vmo_registry_init(void *storage, size_t storage_bytes, const struct vmo_limits *limits,
                             struct vmo_registry **out)
{
    static _Atomic uint64_t serials; /* shared by all registries: threads may initialise theirs at once */

    if (storage == NULL || limits == NULL || out == NULL || (uintptr_t)storage % STORAGE_ALIGN ||
        !limits_hold(limits)) {
        return VMO_ERR_INVALID;
    }
    const size_t bytes = vmo_registry_bytes(limits);
    if (storage_bytes < bytes) {
        return VMO_ERR_STORAGE;
    }
    struct be_info info;
    const vmo_status status = be_init(&info);
    if (status != VMO_OK) {
        return status;
    }
    memset(storage, 0, bytes);
    struct vmo_registry *registry = storage;
    registry->magic = REGISTRY_MAGIC;
    registry->serial = atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed) + 1;
    registry->limits = *limits;
    registry->info = info;
    if (limits->object_bytes_max == 0 || limits->object_bytes_max > info.object_bytes_max) {
        registry->limits.object_bytes_max = info.object_bytes_max;
    }
    lay_out(registry);
    *out = registry;
    return VMO_OK;
}

/* True if an entry is live in a table whose entries begin with struct entry. */
static bool any_lives(const void *table, size_t entry_bytes, uint32_t count)
{
    for (const uint8_t *at = table; count; count--, at += entry_bytes) {
        if (((const struct entry *)(const void *)at)->live) {
            return true;
        }
    }
    return false;
}

/* An object has at least one handle, so objects need no check. */
static bool anything_lives(const struct vmo_registry *registry)
{
    return any_lives(registry->handles, sizeof(*registry->handles), handle_count(registry)) ||
           any_lives(registry->views, sizeof(*registry->views), registry->limits.views) ||
           any_lives(registry->peers, sizeof(*registry->peers), registry->limits.peers);
}

vmo_status vmo_registry_fini(struct vmo_registry *registry)
{
    if (registry == NULL || registry->magic != REGISTRY_MAGIC) {
        return VMO_ERR_INVALID;
    }
    if (anything_lives(registry)) {
        return VMO_ERR_BUSY;
    }
    registry->magic = 0;
    return VMO_OK;
}

/* ---- Handles ------------------------------------------------------------------------------------ */

/* The index that a handle names in a table of count entries, or UINT32_MAX. */
static uint32_t index_of(const struct vmo_registry *registry, uint64_t id, uint64_t serial, uint32_t count)
{
    const uint32_t low = (uint32_t)id;

    if (registry == NULL || registry->magic != REGISTRY_MAGIC || serial != registry->serial || low == 0 ||
        low > count) {
        return UINT32_MAX;
    }
    return low - 1;
}

static bool names(uint64_t id, const struct entry *entry)
{
    return entry->live && (uint32_t)(id >> ID_GENERATION_SHIFT) == entry->generation;
}

bool registry_lookup(const struct vmo_registry *registry, vmo_t vmo, struct vmo_ref *out)
{
    const uint32_t i =
        index_of(registry, vmo.id, vmo.registry, registry != NULL ? handle_count(registry) : 0);

    if (i == UINT32_MAX || !names(vmo.id, &registry->handles[i].entry)) {
        return false;
    }
    out->handle = &registry->handles[i];
    out->object = &registry->objects[out->handle->object];
    return true;
}

struct view *registry_view(const struct vmo_registry *registry, vmo_view_t view)
{
    const uint32_t i =
        index_of(registry, view.id, view.registry, registry != NULL ? registry->limits.views : 0);
    return i != UINT32_MAX && names(view.id, &registry->views[i].entry) ? &registry->views[i] : NULL;
}

struct peer *registry_peer(const struct vmo_registry *registry, vmo_peer_t peer)
{
    const uint32_t i =
        index_of(registry, peer.id, peer.registry, registry != NULL ? registry->limits.peers : 0);
    return i != UINT32_MAX && names(peer.id, &registry->peers[i].entry) ? &registry->peers[i] : NULL;
}

/* Finds a free entry in a table whose entries begin with struct entry, or NULL. */
static void *free_entry(void *table, size_t entry_bytes, uint32_t count)
{
    for (uint8_t *at = table; count; count--, at += entry_bytes) {
        const struct entry *entry = (const void *)at;
        if (!entry->live && entry->generation != UINT32_MAX) {
            return at;
        }
    }
    return NULL;
}

struct handle *registry_free_handle(const struct vmo_registry *registry)
{
    return free_entry(registry->handles, sizeof(*registry->handles), handle_count(registry));
}

struct view *registry_free_view(const struct vmo_registry *registry)
{
    return free_entry(registry->views, sizeof(*registry->views), registry->limits.views);
}

struct peer *registry_free_peer(const struct vmo_registry *registry)
{
    return free_entry(registry->peers, sizeof(*registry->peers), registry->limits.peers);
}

uint64_t registry_take(struct entry *entry, uint32_t index)
{
    entry->live = true;
    return (uint64_t)entry->generation << ID_GENERATION_SHIFT | (index + 1);
}

void registry_release(struct entry *entry)
{
    entry->live = false;
    entry->generation++;
}

void registry_count_kept(struct vmo_registry *registry, uint64_t before, const struct be_object *object)
{
    registry->counters.kept_seal_bytes += be_kept_bytes(object) - before;
}

uint32_t registry_object_index(const struct vmo_registry *registry, const struct object *object)
{
    return (uint32_t)(object - registry->objects);
}

uint32_t registry_peer_index(const struct vmo_registry *registry, const struct peer *peer)
{
    return (uint32_t)(peer - registry->peers);
}

/* ---- Objects ------------------------------------------------------------------------------------ */

static struct object *free_object(const struct vmo_registry *registry)
{
    for (uint32_t i = 0; i < registry->limits.objects; i++) {
        if (!registry->objects[i].live) {
            return &registry->objects[i];
        }
    }
    return NULL;
}

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

vmo_status registry_check_capacity(const struct vmo_registry *registry, uint64_t size_bytes,
                                   struct vmo_ref *place)
{
    uint64_t total = 0;

    if (!checked_add(registry->total_bytes, size_bytes, &total) ||
        (registry->limits.total_bytes_max && total > registry->limits.total_bytes_max)) {
        return VMO_ERR_QUOTA;
    }
    *place = (struct vmo_ref){registry_free_handle(registry), free_object(registry)};
    return place->handle != NULL && place->object != NULL ? VMO_OK : VMO_ERR_TABLE_FULL;
}

vmo_t registry_enter(struct vmo_registry *registry, const struct vmo_ref *place, const struct object *value,
                     uint32_t rights)
{
    *place->object = *value;
    place->object->live = true;
    registry->total_bytes += value->size_bytes;
    return registry_add_handle(registry, place, rights);
}

vmo_t registry_add_handle(const struct vmo_registry *registry, const struct vmo_ref *place, uint32_t rights)
{
    place->handle->object = registry_object_index(registry, place->object);
    place->handle->rights = (uint8_t)rights;
    place->object->handles++;
    return (vmo_t){registry_take(&place->handle->entry, (uint32_t)(place->handle - registry->handles)),
                   registry->serial};
}

void registry_remove(struct vmo_registry *registry, struct vmo_ref *ref)
{
    registry_release(&ref->handle->entry);
    ref->object->handles--;
    if (ref->object->handles == 0) {
        registry->total_bytes -= ref->object->size_bytes;
        ref->object->live = false;
    }
}

void vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out)
{
    if (registry != NULL && registry->magic == REGISTRY_MAGIC && out != NULL) {
        *out = registry->counters;
    }
}

const char *vmo_platform(const struct vmo_registry *registry)
{
    return registry != NULL && registry->magic == REGISTRY_MAGIC ? registry->info.platform : "";
}
