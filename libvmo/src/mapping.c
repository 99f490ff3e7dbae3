/* SPDX-License-Identifier: Apache-2.0 */
/* Kept mappings: find, make, evict (R9). */
#include <stddef.h>

#include "mapping_index.h"
#include "registry.h"

static struct mapping *of_object(struct ring *node)
{
    return (struct mapping *)(void *)((uint8_t *)node - offsetof(struct mapping, of_object));
}

static struct mapping *of_unused(struct ring *node)
{
    return (struct mapping *)(void *)((uint8_t *)node - offsetof(struct mapping, unused));
}

/* ---- Keeping ------------------------------------------------------------------------------------ */

/* Bytes of address space that a mapping occupies. */
static uint64_t taken_by(const struct mapping *mapping)
{
    return mapping->borrowed ? 0 : mapping->range.len_bytes;
}

/* Keeps a mapping without a user; it is the last to be dropped. */
static void keep(struct vmo_registry *registry, struct mapping *mapping)
{
    ring_add(&registry->unused, &mapping->unused);
    registry->kept_entries++;
    registry->kept_bytes += taken_by(mapping);
}

/* Call when a kept mapping gets a user or ends. */
static void stop_keeping(struct vmo_registry *registry, struct mapping *mapping)
{
    if (!ring_empty(&mapping->unused)) {
        ring_remove(&mapping->unused);
        registry->kept_entries--;
        registry->kept_bytes -= taken_by(mapping);
    }
}

/* ---- Dropping ----------------------------------------------------------------------------------- */

/* Unmaps a mapping and frees its entry. If the kernel cannot unmap, forgets the mapping and counts its
 * addresses. */
static vmo_status drop(struct vmo_registry *registry, struct mapping *mapping)
{
    if (!mapping->borrowed) {
        if (registry->info.can_unmap) {
            const vmo_status status = be_unmap(mapping->at, mapping->range.len_bytes);
            if (status != VMO_OK) {
                return status;
            }
        } else {
            registry->counters.abandoned_bytes += mapping->range.len_bytes;
        }
        registry->mapped--;
    }
    if (mapping->object != NULL) {
        index_remove(&mapping->object->index[mapping->writable], mapping);
    }
    ring_remove(&mapping->of_object);
    stop_keeping(registry, mapping);
    table_give(&registry->tables[TABLE_MAPPINGS], &mapping->entry);
    return VMO_OK;
}

vmo_status mapping_drop_unused(struct vmo_registry *registry, const struct object *object)
{
    for (struct ring *node = object->mappings.next; node != &object->mappings;) {
        struct mapping *mapping = of_object(node);
        node = node->next;
        const vmo_status status = mapping->users == 0 ? drop(registry, mapping) : VMO_OK;
        if (status != VMO_OK) {
            return status;
        }
    }
    return VMO_OK;
}

void mapping_orphan(struct object *object)
{
    while (!ring_empty(&object->mappings)) {
        struct mapping *mapping = of_object(object->mappings.next);
        mapping->object = NULL;
        ring_remove(&mapping->of_object);
    }
}

vmo_status mapping_evict(struct vmo_registry *registry, vmo_status none)
{
    if (ring_empty(&registry->unused)) {
        return none;
    }
    const vmo_status status = drop(registry, of_unused(registry->unused.next));
    if (status == VMO_OK) {
        registry->counters.map_evictions++;
    }
    return status;
}

struct mapping *mapping_of_whole(const struct object *object)
{
    return index_find(object->index[true], (struct vmo_range){0, object->size_bytes});
}

void mapping_lend(struct vmo_registry *registry, struct mapping *mapping)
{
    const bool used = ring_empty(&mapping->unused);

    stop_keeping(registry, mapping);
    mapping->borrowed = true;
    registry->mapped--;
    if (!used) {
        keep(registry, mapping);
    }
    if (BE_KEEPS_MAPPINGS) {
        be_set_kept(&mapping->object->be, mapping->at);
    }
}

struct mapping *mapping_take_back(struct vmo_registry *registry, struct object *object)
{
    struct mapping *mapping = mapping_of_whole(object);

    if (!BE_KEEPS_MAPPINGS || mapping == NULL || !mapping->borrowed) {
        return NULL;
    }
    mapping->borrowed = false;
    registry->mapped++;
    if (BE_KEEPS_MAPPINGS) {
        be_set_kept(&object->be, NULL);
    }
    return mapping;
}

/* Makes room to keep one more mapping of this size. TABLE_FULL: the limits forbid to keep it at all. */
static vmo_status make_keepable(struct vmo_registry *registry, uint64_t bytes)
{
    return registry->make_keepable != NULL ? registry->make_keepable(registry, bytes) : VMO_OK;
}

/* ---- Finding and making ------------------------------------------------------------------------- */

/* Evicts a mapping if the table is full. */
static vmo_status make_room(struct vmo_registry *registry)
{
    return table_full(&registry->tables[TABLE_MAPPINGS]) ? mapping_evict(registry, VMO_ERR_TABLE_FULL)
                                                         : VMO_OK;
}

/* Enters a mapping; the table is not full. The caller then counts a user or keeps the mapping. */
static struct mapping *enter(struct vmo_registry *registry, struct object *object, void *at,
                             struct vmo_range pages, bool writable)
{
    struct mapping *mapping = table_take(&registry->tables[TABLE_MAPPINGS]);

    mapping->at = at;
    mapping->range = pages;
    mapping->object = object;
    mapping->users = 0;
    mapping->indexed = false;
    mapping->writable = writable;
    mapping->borrowed = object->backing == BACKED_BY_BYTES;
    registry->mapped += !mapping->borrowed;
    registry->random = registry->random * 1664525 + 1013904223; /* the high bits of a rank count */
    mapping->rank = registry->random;
    ring_add(&object->mappings, &mapping->of_object);
    ring_init(&mapping->unused);
    index_add(&object->index[writable], mapping);
    return mapping;
}

/* Maps. While the kernel's table is full, evicts one unused mapping and retries. */
static vmo_status map_evicting(struct vmo_registry *registry, const struct object *object,
                               struct vmo_range pages, bool writable, void **at)
{
    for (;;) {
        vmo_status status = registry->mapped < registry->info.mappings_max
                                ? be_map(&object->be, pages, writable, at, &registry->counters)
                                : VMO_ERR_NO_SLOTS;
        if (status == VMO_ERR_NO_SLOTS) {
            status = mapping_evict(registry, VMO_ERR_NO_SLOTS);
            if (status == VMO_OK) {
                continue; /* ends: each turn drops an unused mapping */
            }
        }
        return status;
    }
}

/* The whole pages around a range of an object, in the backend's offsets. Cannot overflow: the range lies
 * within an existing object or file. Wrapped bytes count as one mapping. */
static struct vmo_range pages_around(const struct vmo_registry *registry, const struct object *object,
                                     struct vmo_range range)
{
    if (object->backing == BACKED_BY_BYTES) {
        return (struct vmo_range){0, object->len_bytes};
    }
    const bool huge = BE_HUGE_PAGES && object->page_shift;
    const uint64_t page = huge ? UINT64_C(1) << object->page_shift : registry->info.page_bytes;
    const uint64_t mask = page - 1;
    const uint64_t off = object->base + range.off_bytes;
    return (struct vmo_range){off & ~mask, ((off + range.len_bytes + mask) & ~mask) - (off & ~mask)};
}

static vmo_status make(struct vmo_registry *registry, struct object *object, struct vmo_range pages,
                       bool writable, struct mapping **out)
{
    void *at = (void *)(uintptr_t)object->bytes; /* never written: the handle has no WRITE */

    vmo_status status = make_room(registry);
    if (status == VMO_OK && object->backing != BACKED_BY_BYTES) {
        status = map_evicting(registry, object, pages, writable, &at);
    }
    if (status == VMO_OK) {
        *out = enter(registry, object, at, pages, writable);
        registry->counters.map_misses++;
    }
    return status;
}

void mapping_share(struct mapping *mapping)
{
    mapping->users++;
    if (mapping->object != NULL) {
        mapping->object->views++;
    }
}

vmo_status mapping_get(struct vmo_registry *registry, struct object *object, struct vmo_range range,
                       bool writable, struct mapping **out, uint64_t *start)
{
    const struct vmo_range pages = pages_around(registry, object, range);

    *out = index_find(object->index[writable], pages);
    if (*out != NULL) {
        registry->counters.map_hits++;
    } else {
        const vmo_status status = make(registry, object, pages, writable, out);
        if (status != VMO_OK) {
            return status;
        }
    }
    stop_keeping(registry, *out);
    mapping_share(*out);
    *start = object->base + range.off_bytes - (*out)->range.off_bytes;
    return VMO_OK;
}

vmo_status mapping_adopt(struct vmo_registry *registry, struct object *object, void *at)
{
    vmo_status status = make_keepable(registry, object->size_bytes);

    if (status == VMO_OK) {
        status = make_room(registry);
    }
    if (status == VMO_OK) {
        keep(registry, enter(registry, object, at, (struct vmo_range){0, object->size_bytes}, false));
    }
    return status;
}

vmo_status mapping_put(struct vmo_registry *registry, struct mapping *mapping)
{
    struct object *object = mapping->object;

    if (mapping->users == 1) {
        vmo_status status = object != NULL ? make_keepable(registry, taken_by(mapping)) : VMO_ERR_TABLE_FULL;
        if (status == VMO_OK) {
            keep(registry, mapping);
        } else if (status == VMO_ERR_TABLE_FULL) {
            status = drop(registry, mapping);
        }
        if (status != VMO_OK) {
            return status;
        }
    }
    mapping->users--;
    if (object != NULL) {
        object->views--;
    }
    return VMO_OK;
}
