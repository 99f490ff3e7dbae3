/* SPDX-License-Identifier: Apache-2.0 */
/* Kept mappings and the views on them (R3, R4, R9). */
#include "registry.h"
#include "sizes.h"

static bool belongs(const struct vmo_registry *registry, const struct mapping *mapping,
                    const struct object *object)
{
    return mapping->live && mapping->object == registry_object_index(registry, object);
}

bool mapping_in_use(const struct vmo_registry *registry, const struct object *object)
{
    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        if (belongs(registry, &registry->mappings[i], object) && registry->mappings[i].users) {
            return true;
        }
    }
    return false;
}

/* Gives an unused mapping back, or, where the kernel cannot take it, forgets it and counts that. */
static vmo_status drop(struct vmo_registry *registry, struct mapping *mapping)
{
    if (registry->info.can_unmap) {
        const vmo_status status = be_unmap(mapping->at, mapping->range.len_bytes);
        if (status != VMO_OK) {
            return status;
        }
    } else {
        registry->counters.abandoned_bytes += mapping->range.len_bytes;
    }
    mapping->live = false;
    return VMO_OK;
}

vmo_status mapping_drop_unused(struct vmo_registry *registry, const struct object *object)
{
    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        struct mapping *mapping = &registry->mappings[i];
        if (belongs(registry, mapping, object) && mapping->users == 0) {
            const vmo_status status = drop(registry, mapping);
            if (status != VMO_OK) {
                return status;
            }
        }
    }
    return VMO_OK;
}

void mapping_orphan(struct vmo_registry *registry, const struct object *object)
{
    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        if (belongs(registry, &registry->mappings[i], object)) {
            registry->mappings[i].object = NO_OBJECT;
        }
    }
}

/* ---- Finding and making ------------------------------------------------------------------------- */

/* Drops the unused mapping that was used longest ago; *freed is its entry. TABLE_FULL when every one is in
 * use. */
static vmo_status evict(struct vmo_registry *registry, struct mapping **freed)
{
    struct mapping *oldest = NULL;

    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        struct mapping *mapping = &registry->mappings[i];
        if (mapping->live && mapping->users == 0 && (!oldest || mapping->used_at < oldest->used_at)) {
            oldest = mapping;
        }
    }
    if (!oldest) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status status = drop(registry, oldest);
    if (status == VMO_OK) {
        registry->counters.map_evictions++;
        *freed = oldest;
    }
    return status;
}

/* A free entry, after an eviction if need be. */
static vmo_status free_mapping(struct vmo_registry *registry, struct mapping **out)
{
    uint32_t live = 0;
    struct mapping *free = NULL;

    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        struct mapping *mapping = &registry->mappings[i];
        if (mapping->live) {
            live++;
        } else if (!free) {
            free = mapping;
        }
    }
    if (free && live < registry->info.mappings_max) {
        *out = free;
        return VMO_OK;
    }
    return evict(registry, out);
}

static struct mapping *find(const struct vmo_registry *registry, const struct object *object,
                            struct vmo_range pages, bool writable)
{
    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        struct mapping *mapping = &registry->mappings[i];
        if (belongs(registry, mapping, object) && mapping->writable == writable &&
            pages.off_bytes >= mapping->range.off_bytes &&
            range_within((struct vmo_range){pages.off_bytes - mapping->range.off_bytes, pages.len_bytes},
                         mapping->range.len_bytes)) {
            return mapping;
        }
    }
    return NULL;
}

/* Maps; where the kernel's own table is full, once more for each unused mapping that can go. */
static vmo_status map_evicting(struct vmo_registry *registry, const struct object *object,
                               struct vmo_range pages, bool writable, void **at)
{
    uint64_t *retries = &registry->counters.placement_retries;
    vmo_status status = be_map(&object->be, pages, writable, at, retries);

    for (uint32_t i = 0; status == VMO_ERR_NO_SLOTS && i < registry->limits.mappings; i++) {
        struct mapping *freed = NULL;
        const vmo_status evicted = evict(registry, &freed);
        if (evicted != VMO_OK) {
            return evicted == VMO_ERR_TABLE_FULL ? VMO_ERR_NO_SLOTS : evicted;
        }
        status = be_map(&object->be, pages, writable, at, retries);
    }
    return status;
}

static void enter(struct vmo_registry *registry, struct mapping *mapping, const struct object *object,
                  void *at, struct vmo_range pages, bool writable)
{
    *mapping = (struct mapping){.at = at,
                                .range = pages,
                                .used_at = ++registry->clock,
                                .object = registry_object_index(registry, object),
                                .live = true,
                                .writable = writable};
}

static vmo_status obtain(struct vmo_registry *registry, const struct object *object, struct vmo_range pages,
                         bool writable, struct mapping **out)
{
    *out = find(registry, object, pages, writable);
    if (*out) {
        registry->counters.map_hits++;
        (*out)->used_at = ++registry->clock;
        return VMO_OK;
    }
    vmo_status status = free_mapping(registry, out);
    if (status != VMO_OK) {
        return status;
    }
    void *at = NULL;
    status = map_evicting(registry, object, pages, writable, &at);
    if (status != VMO_OK) {
        return status;
    }
    enter(registry, *out, object, at, pages, writable);
    registry->counters.map_misses++;
    return VMO_OK;
}

vmo_status mapping_adopt(struct vmo_registry *registry, const struct object *object, void *at,
                         uint64_t size_bytes)
{
    struct mapping *mapping = NULL;
    const vmo_status status = free_mapping(registry, &mapping);

    if (status == VMO_OK) {
        enter(registry, mapping, object, at, (struct vmo_range){0, size_bytes}, false);
    }
    return status;
}

/* ---- Views -------------------------------------------------------------------------------------- */

/* The whole pages around a range that lies within the object's length; cannot overflow. */
static struct vmo_range pages_around(const struct vmo_registry *registry, struct vmo_range range)
{
    const uint64_t mask = registry->info.page_bytes - 1;
    const uint64_t off = range.off_bytes & ~mask;

    return (struct vmo_range){off, ((range.off_bytes + range.len_bytes + mask) & ~mask) - off};
}

static vmo_view_t enter_view(struct vmo_registry *registry, struct view *view, struct mapping *mapping,
                             struct vmo_range range)
{
    view->mapping = (uint32_t)(mapping - registry->mappings);
    view->range = range;
    mapping->users++;
    return (vmo_view_t){registry_take(registry, &view->entry, (uint32_t)(view - registry->views))};
}

static vmo_status map(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, bool writable,
                      vmo_view_t *out)
{
    const struct object *object = registry_object(registry, vmo);
    struct mapping *mapping = NULL;

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!out) {
        return VMO_ERR_INVALID;
    }
    if (writable && object->seal == VMO_SEAL_FOREVER) {
        return VMO_ERR_SEALED;
    }
    if (!(object->rights & (writable ? VMO_RIGHT_WRITE : VMO_RIGHT_READ))) {
        return VMO_ERR_RIGHTS;
    }
    if (!range_within(range, object->len_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    struct view *view = registry_free_view(registry);
    if (!view) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status status = obtain(registry, object, pages_around(registry, range), writable, &mapping);
    if (status != VMO_OK) {
        return status;
    }
    *out = enter_view(registry, view, mapping,
                      (struct vmo_range){range.off_bytes - mapping->range.off_bytes, range.len_bytes});
    return VMO_OK;
}

vmo_status vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, vmo_view_t *out)
{
    return map(registry, vmo, range, false, out);
}

vmo_status vmo_map_rw(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, vmo_view_t *out)
{
    return map(registry, vmo, range, true, out);
}

vmo_status vmo_slice(struct vmo_registry *registry, vmo_view_t view, struct vmo_range range, vmo_view_t *out)
{
    const struct view *whole = registry_view(registry, view);

    if (!whole) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!out) {
        return VMO_ERR_INVALID;
    }
    if (!range_within(range, whole->range.len_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    struct view *part = registry_free_view(registry);
    if (!part) {
        return VMO_ERR_TABLE_FULL;
    }
    *out = enter_view(registry, part, &registry->mappings[whole->mapping],
                      (struct vmo_range){whole->range.off_bytes + range.off_bytes, range.len_bytes});
    return VMO_OK;
}

vmo_status vmo_unmap(struct vmo_registry *registry, vmo_view_t view)
{
    struct view *found = registry_view(registry, view);

    if (!found) {
        return VMO_ERR_BAD_HANDLE;
    }
    struct mapping *mapping = &registry->mappings[found->mapping];
    if (mapping->object == NO_OBJECT && mapping->users == 1) {
        const vmo_status status = drop(registry, mapping);
        if (status != VMO_OK) {
            return status;
        }
    }
    mapping->users--;
    registry_release(&found->entry);
    return VMO_OK;
}

const uint8_t *vmo_view_data(const struct vmo_registry *registry, vmo_view_t view)
{
    const struct view *found = registry_view(registry, view);

    return found ? registry->mappings[found->mapping].at + found->range.off_bytes : NULL;
}

uint8_t *vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view)
{
    const struct view *found = registry_view(registry, view);

    if (!found || !registry->mappings[found->mapping].writable) {
        return NULL;
    }
    return registry->mappings[found->mapping].at + found->range.off_bytes;
}

uint64_t vmo_view_len(const struct vmo_registry *registry, vmo_view_t view)
{
    const struct view *found = registry_view(registry, view);

    return found ? found->range.len_bytes : 0;
}
