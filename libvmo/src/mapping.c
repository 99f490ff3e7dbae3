/* SPDX-License-Identifier: Apache-2.0 */
/* Kept mappings: find, make, evict (R9). */
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

/* Unmaps an unused mapping. If the kernel cannot unmap, forgets the mapping and counts its addresses. */
static vmo_status drop(struct vmo_registry *registry, struct mapping *mapping)
{
    if (mapping->borrowed) {
        mapping->live = false;
        return VMO_OK;
    }
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

/* Drops the least recently used mapping without a view; *freed is its entry. TABLE_FULL if views use them
 * all. */
static vmo_status evict(struct vmo_registry *registry, struct mapping **freed)
{
    struct mapping *oldest = NULL;

    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        struct mapping *mapping = &registry->mappings[i];
        if (mapping->live && mapping->users == 0 && (oldest == NULL || mapping->used_at < oldest->used_at)) {
            oldest = mapping;
        }
    }
    if (oldest == NULL) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status status = drop(registry, oldest);
    if (status == VMO_OK) {
        registry->counters.map_evictions++;
        *freed = oldest;
    }
    return status;
}

/* Finds a free entry; evicts a mapping if there is none. */
static vmo_status free_mapping(struct vmo_registry *registry, struct mapping **out)
{
    uint32_t live = 0;
    struct mapping *free = NULL;

    for (uint32_t i = 0; i < registry->limits.mappings; i++) {
        struct mapping *mapping = &registry->mappings[i];
        if (mapping->live) {
            live++;
        } else if (free == NULL) {
            free = mapping;
        }
    }
    if (free != NULL && live < registry->info.mappings_max) {
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

/* Maps. While the kernel's table is full, evicts one unused mapping and retries. */
static vmo_status map_evicting(struct vmo_registry *registry, const struct object *object,
                               struct vmo_range pages, bool writable, void **at)
{
    vmo_status status = be_map(&object->be, pages, writable, at, &registry->counters);

    for (uint32_t i = 0; status == VMO_ERR_NO_SLOTS && i < registry->limits.mappings; i++) {
        struct mapping *freed = NULL;
        const vmo_status evicted = evict(registry, &freed);
        if (evicted != VMO_OK) {
            return evicted == VMO_ERR_TABLE_FULL ? VMO_ERR_NO_SLOTS : evicted;
        }
        status = be_map(&object->be, pages, writable, at, &registry->counters);
    }
    return status;
}

/* The whole pages around a range of an object, in the backend's offsets. Cannot overflow: the range lies
 * within an existing object or file. Wrapped bytes count as one mapping. */
static struct vmo_range pages_around(const struct vmo_registry *registry, const struct object *object,
                                     struct vmo_range range)
{
    if (object->backing == BACKED_BY_BYTES) {
        return (struct vmo_range){0, object->len_bytes};
    }
    const uint64_t mask = registry->info.page_bytes - 1;
    const uint64_t off = object->base + range.off_bytes;
    return (struct vmo_range){off & ~mask, ((off + range.len_bytes + mask) & ~mask) - (off & ~mask)};
}

static vmo_status make(struct vmo_registry *registry, const struct object *object, struct vmo_range pages,
                       bool writable, struct mapping **out)
{
    void *at = NULL;
    bool borrowed = object->backing == BACKED_BY_BYTES;

    vmo_status status = free_mapping(registry, out);
    if (status != VMO_OK) {
        return status;
    }
    if (borrowed) {
        at = (void *)(uintptr_t)object->bytes; /* never written: the handle has no WRITE */
    } else {
        status = map_evicting(registry, object, pages, writable, &at);
    }
    if (status == VMO_OK) {
        **out = (struct mapping){.at = at,
                                 .range = pages,
                                 .object = registry_object_index(registry, object),
                                 .live = true,
                                 .writable = writable,
                                 .borrowed = borrowed};
        registry->counters.map_misses++;
    }
    return status;
}

vmo_status mapping_get(struct vmo_registry *registry, const struct object *object, struct vmo_range range,
                       bool writable, struct mapping **out, uint64_t *start)
{
    const struct vmo_range pages = pages_around(registry, object, range);

    *out = find(registry, object, pages, writable);
    if (*out != NULL) {
        registry->counters.map_hits++;
    } else {
        const vmo_status status = make(registry, object, pages, writable, out);
        if (status != VMO_OK) {
            return status;
        }
    }
    (*out)->used_at = ++registry->clock;
    *start = object->base + range.off_bytes - (*out)->range.off_bytes;
    return VMO_OK;
}

vmo_status mapping_adopt(struct vmo_registry *registry, const struct object *object, void *at,
                         uint64_t size_bytes)
{
    struct mapping *mapping = NULL;
    const vmo_status status = free_mapping(registry, &mapping);

    if (status == VMO_OK) {
        *mapping = (struct mapping){.at = at,
                                    .range = {0, size_bytes},
                                    .used_at = ++registry->clock,
                                    .object = registry_object_index(registry, object),
                                    .live = true};
    }
    return status;
}

vmo_status mapping_put(struct vmo_registry *registry, struct mapping *mapping)
{
    if (mapping->object == NO_OBJECT && mapping->users == 1) {
        const vmo_status status = drop(registry, mapping);
        if (status != VMO_OK) {
            return status;
        }
    }
    mapping->users--;
    return VMO_OK;
}
