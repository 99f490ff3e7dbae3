/* SPDX-License-Identifier: Apache-2.0 */
/* The port's calls about VMOs: life, bytes, capabilities, mappings. */
#include "fake_state.h"

#include <string.h>

#include "sizes.h"

vmo_status be_init(struct be_info *info)
{
    vmo_status status = fake_enter();

    if (status != VMO_OK) {
        return status;
    }
    info->platform = "fake";
    info->page_bytes = FAKE_PAGE_BYTES;
    info->object_bytes_max = fake.config.object_bytes_max;
    info->mappings_max = fake.config.regions;
    info->can_unmap = fake.config.has_unmap;
    return VMO_OK;
}

vmo_status be_create(uint64_t size_bytes, const struct vmo_create_options *options, struct be_object *out)
{
    vmo_status status = fake_enter();
    uint32_t memory = 0;

    if (status != VMO_OK) {
        return status;
    }
    if (size_bytes == 0 || size_bytes % FAKE_PAGE_BYTES != 0) {
        return VMO_ERR_INVALID;
    }
    if (size_bytes > fake.config.object_bytes_max) {
        return VMO_ERR_TOO_LARGE;
    }
    status = fake_memory_make(size_bytes, &memory);
    if (status != VMO_OK) {
        return status;
    }
    int32_t slot = fake_slot_fill(fake.now, FAKE_OWNER, memory);
    if (slot == BE_NONE) {
        fake_memory_free(memory);
        return VMO_ERR_NO_SLOTS;
    }
    if (options != NULL && options->name != NULL) {
        fake_name(memory, options->name);
    }
    *out = (struct be_object){.owner = slot, .alias = BE_NONE};
    fake_own(out);
    return VMO_OK;
}

/* Like Linux, this kernel keeps the name. */
void be_name(const struct be_object *object, char name[VMO_NAME_MAX_BYTES + 1])
{
    const struct fake_slot *slot = fake_reader(object);
    const char *kept = slot != NULL ? fake_memory(slot->what)->name : NULL;

    name[0] = '\0';
    if (slot != NULL) {
        (void)strncat(name, kept != NULL ? kept : "vmo", VMO_NAME_MAX_BYTES);
    }
}

/* The owner's slot of an object, or NULL: aliases cannot write. */
static struct fake_slot *owner_slot(const struct be_object *object)
{
    struct fake_slot *slot = fake_slot(object->owner);
    return slot != NULL && slot->kind == FAKE_OWNER ? slot : NULL;
}

vmo_status be_write(const struct be_object *object, struct vmo_range range, const void *from)
{
    vmo_status status = fake_enter();
    const struct fake_slot *slot = owner_slot(object);

    if (status != VMO_OK) {
        return status;
    }
    if (slot == NULL) {
        return VMO_ERR_RIGHTS;
    }
    if (!range_within(range, fake_memory(slot->what)->size_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes == 0) {
        return VMO_OK;
    }
    fake_expose(slot->what);
    memcpy(fake_bytes(slot->what) + range.off_bytes, from, (size_t)range.len_bytes);
    fake_guard(slot->what);
    return VMO_OK;
}

vmo_status be_copy(void *to, const void *from, uint64_t len_bytes)
{
    memmove(to, from, (size_t)len_bytes);
    return VMO_OK;
}

void be_copy_far(uint8_t *to, const uint8_t *from, size_t len)
{
    memcpy(to, from, len);
}

/* Like NEURON's vmo_read, needs the owner's capability (K-28); a file needs none. */
vmo_status be_read(const struct be_object *object, struct vmo_range range, void *to)
{
    vmo_status status = fake_enter();
    const struct fake_slot *file = fake_file_slot(object);
    const struct fake_slot *slot = file != NULL ? file : owner_slot(object);

    if (status != VMO_OK) {
        return status;
    }
    if (slot == NULL || (file == NULL && !fake.config.has_read)) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (!range_within(range, fake_readable_bytes(slot->what))) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes == 0) {
        return VMO_OK;
    }
    fake_expose(slot->what);
    memcpy(to, fake_bytes(slot->what) + range.off_bytes, (size_t)range.len_bytes);
    fake_guard(slot->what);
    return VMO_OK;
}

/* Like Linux for a file, like NEURON for a VMO: so both ways of the core are tested. */
vmo_status be_copy_object(const struct be_object *to, const struct be_object *from, struct vmo_range range)
{
    vmo_status status = fake_enter();
    const struct fake_slot *file = fake_file_slot(from), *slot = owner_slot(to);

    if (status != VMO_OK) {
        return status;
    }
    if (file == NULL || slot == NULL) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (!range_within(range, fake_readable_bytes(file->what))) {
        return VMO_ERR_BOUNDS;
    }
    fake_expose(file->what);
    fake_expose(slot->what);
    memcpy(fake_bytes(slot->what), fake_bytes(file->what) + range.off_bytes, (size_t)range.len_bytes);
    fake_guard(slot->what);
    fake_guard(file->what);
    return VMO_OK;
}

vmo_status be_make_alias(struct be_object *object)
{
    vmo_status status = fake_enter();
    const struct fake_slot *slot = owner_slot(object);

    if (status != VMO_OK) {
        return status;
    }
    if (object->alias != BE_NONE) {
        return VMO_OK;
    }
    if (!fake.config.has_alias) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (slot == NULL) {
        return VMO_ERR_INVALID;
    }
    int32_t alias = fake_slot_fill(fake.now, FAKE_ALIAS, slot->what);
    if (alias == BE_NONE) {
        return VMO_ERR_NO_SLOTS;
    }
    object->alias = alias;
    fake_own(object);
    return VMO_OK;
}

static void slot_empty(int32_t number)
{
    if (fake_slot(number) != NULL) {
        fake_slot_empty(fake.now, number);
    }
}

vmo_status be_seal(struct be_object *object, vmo_seal_strength strength, const struct be_writer *writer,
                   vmo_enforcer *by)
{
    (void)writer;
    const vmo_status status = be_make_alias(object); /* counts as this call */

    if (status == VMO_ERR_UNSUPPORTED) {
        *by = VMO_BY_LIBRARY;
        return VMO_OK;
    }
    if (status != VMO_OK) {
        return status;
    }
    *by = VMO_BY_KERNEL;
    if (strength == VMO_SEAL_FOREVER) {
        slot_empty(object->owner);
        object->owner = BE_NONE;
    }
    return VMO_OK;
}

/* True if every capability of the object is a VMO in this side's table. */
static bool object_holds(const struct be_object *object)
{
    return (object->owner == BE_NONE || fake_is_vmo(fake_slot(object->owner))) &&
           (object->alias == BE_NONE || fake_is_vmo(fake_slot(object->alias)));
}

/* An object without a capability is valid: nothing is closed. */
vmo_status be_close(struct be_object *object)
{
    vmo_status status = fake_enter();

    if (status != VMO_OK) {
        return status;
    }
    if (!object_holds(object)) {
        return VMO_ERR_BACKEND;
    }
    slot_empty(object->owner);
    slot_empty(object->alias);
    *object = BE_NO_OBJECT;
    return VMO_OK;
}

/* Cannot fail, so it is not counted as a call. */
vmo_status be_check_destroy(const struct be_object *object)
{
    if (object->own.sent_to & ~fake.side[fake.now].queues_closed) {
        return VMO_ERR_STILL_SHARED;
    }
    return fake.config.has_destroy ? VMO_OK : VMO_ERR_UNSUPPORTED;
}

vmo_status be_destroy(struct be_object *object)
{
    vmo_status status = fake_enter();
    const struct fake_slot *slot = owner_slot(object);

    if (status != VMO_OK) {
        return status;
    }
    if (!fake.config.has_destroy || slot == NULL || !object_holds(object)) {
        return VMO_ERR_BACKEND;
    }
    uint32_t memory = slot->what;
    uint32_t own = object->alias == BE_NONE ? 1 : 2;
    if (fake_memory(memory)->caps != own) {
        return VMO_ERR_STILL_SHARED;
    }
    if (fake_memory(memory)->mappings != 0) {
        return VMO_ERR_STILL_MAPPED;
    }
    slot_empty(object->owner);
    slot_empty(object->alias);
    *object = BE_NO_OBJECT;
    fake_memory_free(memory);
    return VMO_OK;
}

static bool whole_pages(struct vmo_range range)
{
    return range.len_bytes != 0 && range.off_bytes % FAKE_PAGE_BYTES == 0 &&
           range.len_bytes % FAKE_PAGE_BYTES == 0;
}

vmo_status be_map(const struct be_object *object, struct vmo_range range, bool writable, void **at,
                  struct vmo_counters *counters)
{
    vmo_status status = fake_enter();
    const struct fake_slot *slot = writable ? owner_slot(object) : fake_reader(object);

    (void)counters; /* this kernel places every mapping on the first try */
    if (status != VMO_OK) {
        return status;
    }
    if (slot == NULL) {
        return VMO_ERR_RIGHTS;
    }
    if (!whole_pages(range)) {
        return VMO_ERR_INVALID;
    }
    if (!range_within(range, fake_memory(slot->what)->size_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    return fake_region_add(slot->what, range, at);
}

vmo_status be_unmap(void *at, uint64_t bytes)
{
    vmo_status status = fake_enter();

    if (status != VMO_OK) {
        return status;
    }
    if (!fake.config.has_unmap) {
        return VMO_ERR_UNSUPPORTED;
    }
    uint32_t number = 0;
    if (!fake_region_find(at, bytes, &number)) {
        return VMO_ERR_BACKEND;
    }
    fake_region_drop(fake.now, number);
    return VMO_OK;
}

vmo_status be_verify(struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                     struct be_verified *out, struct vmo_counters *counters)
{
    vmo_status status = fake_enter();
    const struct fake_slot *slot = fake_reader(object);

    (void)counters;
    if (status != VMO_OK) {
        return status;
    }
    if (slot == NULL || size_bytes == 0 || size_bytes > fake_memory(slot->what)->size_bytes) {
        return VMO_ERR_PROTOCOL;
    }
    out->at = NULL;
    out->by = claimed == VMO_SEAL_NONE                                ? VMO_BY_NOBODY
              : claimed == VMO_SEAL_PEERS && slot->kind == FAKE_ALIAS ? VMO_BY_KERNEL
                                                                      : VMO_BY_LIBRARY;
    if (!fake.config.check_maps) {
        return VMO_OK;
    }
    return fake_region_add(slot->what, (struct vmo_range){0, size_bytes}, &out->at);
}

vmo_status be_identify(struct be_object *object)
{
    const struct fake_slot *slot = fake_reader(object);

    object->own.identity = fake.config.knows_objects && slot != NULL ? slot->what + 1 : 0;
    return VMO_OK;
}

uint64_t be_identity(const struct be_object *object)
{
    return object->own.identity;
}

vmo_status be_verify_again(struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                           struct be_verified *out)
{
    const bool check_maps = fake.config.check_maps;

    fake.config.check_maps = false;
    const vmo_status status = be_verify(object, size_bytes, claimed, out, NULL);
    fake.config.check_maps = check_maps;
    return status;
}
