/* SPDX-License-Identifier: Apache-2.0 */
/* Stories about registries, VMOs, seals and wrapped memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linux/errno/errno_stories.h"
#include "vmo/sha256.h"

/* ---- Registries and VMOs ------------------------------------------------------------------------------- */

static void registry(void)
{
    STEP(vmo_registry_init, small_storage, sizeof(small_storage), &small, &world.a);
    STEP(vmo_registry_fini, world.a);
    world.a = NULL;
}

static void allocated_registry(void)
{
    STEP(vmo_registry_new, &small, &world.a);
    STEP(vmo_registry_free, world.a);
    world.a = NULL;
}

static void one_vmo(void)
{
    vmo_t vmo = VMO_NONE, other = VMO_NONE;
    vmo_view_t ro, rw, orphan;
    uint8_t bytes[LEN];

    STEP(vmo_create, world.a, LEN, &vmo);
    STEP(vmo_write, world.a, vmo, RANGE(0, LEN), pattern());
    memset(bytes, 0, sizeof(bytes));
    STEP(vmo_read, world.a, vmo, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, vmo, RANGE(0, LEN), &ro);
    STEP(vmo_map_rw, world.a, vmo, RANGE(0, LEN), &rw);
    STEP(vmo_copy_in, world.a, rw, RANGE(0, LEN), pattern(), VMO_READER_FAR);
    DEMAND(same(vmo_view_data(world.a, ro)));
    STEP(vmo_unmap, world.a, ro);
    STEP(vmo_unmap, world.a, rw);
    STEP(vmo_destroy, world.a, vmo);
    STEP(vmo_create, world.a, LEN, &other);
    STEP(vmo_map_rw, world.a, other, RANGE(0, LEN), &orphan);
    STEP(vmo_close, world.a, other);
    STEP(vmo_unmap, world.a, orphan);
}

/* Notes the name of the only VMO. */
static void note_name(void *context, const struct vmo_live *live)
{
    char *name = context;

    if (live->kind == VMO_LIVE_VMO) {
        (void)strcpy(name, live->name);
    }
}

/* A name that cannot be read is reported as "". */
static void named_vmo(void)
{
    const struct vmo_create_options options = {.flags = VMO_CREATE_PREFAULT, .name = "frames"};
    char name[VMO_NAME_MAX_BYTES + 1];
    vmo_t vmo = VMO_NONE;

    STEP(vmo_create_with, world.a, LEN, &options, &vmo);
    STEP(vmo_registry_each, world.a, note_name, name);
    DEMAND(strcmp(name, "frames") == 0 || (wrap->fired && wrap->plan.row == ROW_readlink && name[0] == '\0'));
    STEP(vmo_close, world.a, vmo);
}

/* A machine without free huge pages refuses this at the last call, each time. */
static void huge_vmo(void)
{
    const struct vmo_create_options options = {.flags = VMO_CREATE_HUGE};
    vmo_t vmo = VMO_NONE;

    if (vmo_create_with(world.a, 1, &options, &vmo) == VMO_OK) {
        SURE(vmo_close(world.a, vmo));
        STEP(vmo_create_with, world.a, 1, &options, &vmo);
        STEP(vmo_close, world.a, vmo);
    } else {
        STEP_ANSWERS(VMO_ERR_NO_MEMORY, vmo_create_with, world.a, 1, &options, &vmo);
    }
}

/* Each page needs a mapping, and the table has room for two. */
static void evictions(void)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view;

    small_begin();
    STEP(vmo_create, world.a, 4 * PAGE, &vmo);
    for (uint64_t page = 0; page < 4; page++) {
        STEP(vmo_map_ro, world.a, vmo, RANGE(page * PAGE, PAGE), &view);
        STEP(vmo_unmap, world.a, view);
    }
    STEP(vmo_close, world.a, vmo);
    small_end();
}

static void trimmed(void)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view;

    SURE(vmo_create(world.a, 4 * PAGE, &vmo));
    for (uint64_t page = 0; page < 4; page++) {
        SURE(vmo_map_ro(world.a, vmo, RANGE(page * PAGE, PAGE), &view));
        SURE(vmo_unmap(world.a, view));
    }
    STEP(vmo_keep_limits, world.a, 2, UINT64_MAX);
    STEP(vmo_trim, world.a);
    STEP(vmo_keep_limits, world.a, 0, 0);
    STEP(vmo_map_rw, world.a, vmo, RANGE(0, PAGE), &view);
    STEP(vmo_unmap, world.a, view);
    STEP(vmo_destroy, world.a, vmo);
}

/* ---- Seals --------------------------------------------------------------------------------------------- */

static void sealed_for_peers(void)
{
    vmo_view_t ro, rw;
    uint8_t bytes[LEN];

    sealing = filled();
    seal_step(VMO_SEAL_PEERS);
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    STEP(vmo_read, world.a, sealing, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, sealing, RANGE(0, LEN), &ro);
    STEP(vmo_map_rw, world.a, sealing, RANGE(0, LEN), &rw);
    vmo_view_data_rw(world.a, rw)[0] ^= 1;
    DEMAND(vmo_view_data(world.a, ro)[0] == (pattern_at(0) ^ 1));
    STEP(vmo_unmap, world.a, ro);
    STEP(vmo_unmap, world.a, rw);
    STEP(vmo_destroy, world.a, sealing);
}

/* The seal takes over the mapping of a live view, which outlives the VMO. */
static void sealed_under_a_view(void)
{
    vmo_view_t view;

    sealing = filled();
    SURE(vmo_map_rw(world.a, sealing, RANGE(0, LEN), &view));
    seal_step(VMO_SEAL_PEERS);
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    STEP(vmo_close, world.a, sealing);
    DEMAND(same(vmo_view_data(world.a, view)));
    vmo_view_data_rw(world.a, view)[0] ^= 1;
    STEP(vmo_unmap, world.a, view);
}

/* The creator gives up writing, at once and after it has gone on for a while. */
static void sealed_without_a_writer(void)
{
    for (int late = 0; late < 2; late++) {
        sealing = filled();
        SURE(late ? vmo_seal(world.a, sealing, VMO_SEAL_PEERS) : VMO_OK);
        world.unchanged = creator_writes;
        STEP(vmo_seal_with, world.a, sealing, VMO_SEAL_PEERS, VMO_SEAL_NO_WRITER);
        world.unchanged = NULL;
        DEMAND(holds_pattern(world.a, sealing));
        STEP(vmo_close, world.a, sealing);
    }
}

static void sealed_for_ever(void)
{
    vmo_view_t view;
    uint8_t bytes[LEN];

    sealing = filled();
    SURE(vmo_map_rw(world.a, sealing, RANGE(0, LEN), &view)); /* leaves an unused mapping */
    SURE(vmo_unmap(world.a, view));
    seal_step(VMO_SEAL_FOREVER);
    STEP(vmo_read, world.a, sealing, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, sealing, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.a, view)));
    STEP(vmo_unmap, world.a, view);
    STEP(vmo_close, world.a, sealing);
}

static void sealed_twice(void)
{
    sealing = filled();
    seal_step(VMO_SEAL_PEERS);
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    seal_step(VMO_SEAL_FOREVER);
    DEMAND(holds_pattern(world.a, sealing));
    STEP(vmo_close, world.a, sealing);
}

/* ---- Wrapped memory ------------------------------------------------------------------------------------ */

static int file_of_pattern(void)
{
    const int file = memfd_create("file", MFD_CLOEXEC);

    DEMAND(file >= 0 && write(file, pattern(), LEN) == (ssize_t)LEN);
    return file;
}

static void wrapped_file(void)
{
    vmo_t wrapped = VMO_NONE, copy = VMO_NONE;
    vmo_view_t view;
    uint8_t bytes[LEN];
    const int file = file_of_pattern();

    STEP(vmo_wrap_file, world.a, file, RANGE(0, LEN), &wrapped);
    STEP(vmo_read, world.a, wrapped, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_map_ro, world.a, wrapped, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.a, view)));
    STEP(vmo_copy, world.a, wrapped, &copy);
    DEMAND(holds_pattern(world.a, copy));
    STEP(vmo_unmap, world.a, view);
    STEP(vmo_close, world.a, wrapped);
    STEP(vmo_destroy, world.a, copy);
    DEMAND(close(file) == 0);
}

static void wrapped_bytes(void)
{
    vmo_t wrapped = VMO_NONE, copy = VMO_NONE;

    STEP(vmo_wrap_bytes, world.a, pattern(), LEN, &wrapped);
    STEP(vmo_copy, world.a, wrapped, &copy);
    DEMAND(holds_pattern(world.a, copy));
    STEP(vmo_close, world.a, wrapped);
    STEP(vmo_close, world.a, copy);
}

/* A filter refuses sendfile. */
static void copied_by_buffer(void)
{
    wrap_refuse(ROW_sendfile, EPERM);
    wrapped_file();
    wrap_refuse(ROW_sendfile, 0);
}

/* A filter refuses process_vm_readv. */
static void copied_by_pipe(void)
{
    vmo_t wrapped = VMO_NONE;
    uint8_t bytes[LEN];

    wrap_refuse(ROW_process_vm_readv, EPERM);
    sealing = filled();
    SURE(vmo_seal(world.a, sealing, VMO_SEAL_PEERS));
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    DEMAND(holds_pattern(world.a, sealing));
    STEP(vmo_wrap_bytes, world.a, pattern(), LEN, &wrapped);
    memset(bytes, 0, sizeof(bytes));
    STEP(vmo_read, world.a, wrapped, RANGE(0, LEN), bytes);
    DEMAND(same(bytes));
    STEP(vmo_close, world.a, wrapped);
    STEP(vmo_destroy, world.a, sealing);
}

/* No memory is left for the pages of a VMO that is written through its mapping. */
static void written_without_memory(void)
{
    sealing = filled();
    SURE(vmo_seal(world.a, sealing, VMO_SEAL_PEERS));
    wrap_refuse(ROW_fallocate, ENOSPC);
    STEP(vmo_write, world.a, sealing, RANGE(0, LEN), pattern());
    STEP(vmo_destroy, world.a, sealing);
}

/* With one registry only, which gets the lowest free descriptors. */
static void alone(void (*run)(void))
{
    small_begin();
    run();
    wrap_refuse(ROW_process_vm_readv, 0);
    small_end();
}

static void one_vmo_alone(void)
{
    alone(one_vmo);
}

static void copied_alone(void)
{
    alone(copied_by_pipe);
}

/* Without a system call there is nothing to fail. */
static void without_system_calls(void)
{
    vmo_t vmo = filled(), twin = VMO_NONE;
    vmo_view_t view, part;
    vmo_seal_strength seal;
    vmo_enforcer by;
    uint64_t bytes = 0;
    uint32_t rights = 0;
    uint8_t digest[VMO_SHA256_BYTES];

    SURE(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &view));
    STEP(vmo_dup, world.a, vmo, VMO_RIGHT_READ, &twin);
    STEP(vmo_len, world.a, twin, &bytes);
    STEP(vmo_size, world.a, twin, &bytes);
    STEP(vmo_rights, world.a, twin, &rights);
    STEP(vmo_seal_of, world.a, twin, &seal);
    STEP(vmo_seal_enforced_by, world.a, twin, &by);
    STEP(vmo_slice, world.a, view, RANGE(1, 2), &part);
    STEP(vmo_view_sha256, world.a, part, digest);
    STEP(vmo_peer_allow, world.a, world.to_b);
    STEP(vmo_peer_allow_shared, world.a, world.to_b);
    STEP(vmo_peer_looks, world.a, world.to_b, 1);
    STEP(vmo_peer_require, world.a, world.to_b, VMO_SEAL_NONE);
    DEMAND(wrap->count[LANE_PARENT] == 0);
    SURE(vmo_unmap(world.a, part));
    SURE(vmo_unmap(world.a, view));
    SURE(vmo_close(world.a, twin));
    SURE(vmo_close(world.a, vmo));
}

static const struct story stories[] = {
    {"a registry", registry, true, 0},
    {"an allocated registry", allocated_registry, true, 0},
    {"one VMO", one_vmo, false, 0},
    {"a named VMO", named_vmo, false, 0},
    {"a VMO of huge pages", huge_vmo, false, 0},
    {"evictions", evictions, true, 0},
    {"trimmed", trimmed, false, 0},
    {"sealed PEERS", sealed_for_peers, false, 0},
    {"sealed PEERS under a view", sealed_under_a_view, false, 0},
    {"sealed without a writer", sealed_without_a_writer, false, 0},
    {"sealed FOREVER", sealed_for_ever, false, 0},
    {"sealed PEERS, then FOREVER", sealed_twice, false, 0},
    {"a wrapped file", wrapped_file, false, 0},
    {"wrapped bytes", wrapped_bytes, false, 0},
    {"copied by a buffer", copied_by_buffer, false, 0},
    {"copied by a pipe", copied_by_pipe, false, 0},
    {"written without memory", written_without_memory, false, 0},
    {"without system calls", without_system_calls, false, 0},
    {"streams closed: a registry", registry, true, ALL_CLOSED},
    {"streams closed: a VMO", one_vmo_alone, true, ALL_CLOSED},
    {"streams closed: copied by a pipe", copied_alone, true, ALL_CLOSED},
};
const struct story_group vmo_stories = STORY_GROUP(stories);
