/* SPDX-License-Identifier: Apache-2.0 */
/* What is live in a registry (R8). */
#include "registry.h"

static struct vmo_live live_of_handle(const struct vmo_registry *registry, const struct handle *handle)
{
    const struct object *object = handle->object;
    const struct vmo_ref ref = {(struct handle *)(uintptr_t)handle, (struct object *)(uintptr_t)object};

    return (struct vmo_live){.kind = VMO_LIVE_VMO,
                             .rights = registry_rights(&ref),
                             .vmo = registry_vmo(registry, handle),
                             .len_bytes = object->len_bytes,
                             .size_bytes = object->size_bytes,
                             .handles = object->handles,
                             .views = object->views,
                             .received = object->received,
                             .sent_writable = object->sent_writable};
}

/* A view of an orphan: its VMO has ended. */
static struct vmo_live live_of_view(const struct vmo_registry *registry, const struct view *view)
{
    const struct mapping *mapping = view->mapping;
    const struct object *object = mapping->object;

    return (struct vmo_live){.kind = VMO_LIVE_VIEW,
                             .rights = mapping->writable ? VMO_RIGHTS_ALL : VMO_RIGHT_READ,
                             .view = {table_id(&view->entry), registry->serial},
                             .len_bytes = view->range.len_bytes,
                             .size_bytes = mapping->range.len_bytes,
                             .handles = object != NULL ? object->handles : 0,
                             .views = object != NULL ? object->views : mapping->users};
}

static struct vmo_live live_of(const struct vmo_registry *registry, unsigned table, const void *entry)
{
    if (table == TABLE_HANDLES) {
        return live_of_handle(registry, entry);
    }
    if (table == TABLE_VIEWS) {
        return live_of_view(registry, entry);
    }
    const struct peer *peer = entry;
    return (struct vmo_live){.kind = VMO_LIVE_PEER, .peer = {table_id(&peer->entry), registry->serial}};
}

vmo_status vmo_registry_each(const struct vmo_registry *registry, vmo_each_callback callback, void *context)
{
    static const uint8_t named[] = {TABLE_HANDLES, TABLE_VIEWS, TABLE_PEERS};

    if (!registry_is_live(registry) || callback == NULL) {
        return VMO_ERR_INVALID;
    }
    for (unsigned kind = 0; kind < sizeof(named); kind++) {
        const struct table *table = &registry->tables[named[kind]];
        for (uint32_t i = 0; i < table->used; i++) {
            const void *entry = table_at(table, i);
            if (entry != NULL) {
                const struct vmo_live live = live_of(registry, named[kind], entry);
                callback(context, &live);
            }
        }
    }
    return VMO_OK;
}
