/* SPDX-License-Identifier: Apache-2.0 */
/* What is live in a registry (R8). */
#include "name.h"
#include "registry.h"

#define NAME_BYTES (VMO_NAME_MAX_BYTES + 1)

/* Reads the name of a VMO into `name`; "" for wrapped memory and for NULL. */
static const char *read_name(const struct object *object, char name[NAME_BYTES])
{
    name[0] = '\0';
    if (object != NULL && object->backing == BACKED_BY_KERNEL) {
        be_name(&object->be, name);
    }
    return name_holds(name) ? name : "";
}

static struct vmo_live live_of_handle(const struct vmo_registry *registry, const struct handle *handle,
                                      char name[NAME_BYTES])
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
                             .sent_writable = object->sent_writable,
                             .name = read_name(object, name)};
}

/* A view of an orphan: its VMO has ended. */
static struct vmo_live live_of_view(const struct vmo_registry *registry, const struct view *view,
                                    char name[NAME_BYTES])
{
    const struct mapping *mapping = view->mapping;
    const struct object *object = mapping->object;

    return (struct vmo_live){.kind = VMO_LIVE_VIEW,
                             .rights = mapping->writable ? VMO_RIGHTS_ALL : VMO_RIGHT_READ,
                             .view = {table_id(&view->entry), registry->serial},
                             .len_bytes = view->range.len_bytes,
                             .size_bytes = mapping->range.len_bytes,
                             .handles = object != NULL ? object->handles : 0,
                             .views = object != NULL ? object->views : mapping->users,
                             .name = read_name(object, name)};
}

static struct vmo_live live_of(const struct vmo_registry *registry, unsigned table, const void *entry,
                               char name[NAME_BYTES])
{
    if (table == TABLE_HANDLES) {
        return live_of_handle(registry, entry, name);
    }
    if (table == TABLE_VIEWS) {
        return live_of_view(registry, entry, name);
    }
    const struct peer *peer = entry;
    return (struct vmo_live){
        .kind = VMO_LIVE_PEER, .peer = {table_id(&peer->entry), registry->serial}, .name = ""};
}

vmo_status vmo_registry_each(const struct vmo_registry *registry, vmo_each_callback callback, void *context)
{
    static const uint8_t named[] = {TABLE_HANDLES, TABLE_VIEWS, TABLE_PEERS};
    char name[NAME_BYTES];

    if (!registry_is_live(registry) || callback == NULL) {
        return VMO_ERR_INVALID;
    }
    for (unsigned kind = 0; kind < sizeof(named); kind++) {
        const struct table *table = &registry->tables[named[kind]];
        for (uint32_t i = 0; i < table->used; i++) {
            const void *entry = table_at(table, i);
            if (entry != NULL) {
                const struct vmo_live live = live_of(registry, named[kind], entry, name);
                callback(context, &live);
            }
        }
    }
    return VMO_OK;
}
