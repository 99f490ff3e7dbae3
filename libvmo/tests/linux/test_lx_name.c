/* SPDX-License-Identifier: Apache-2.0 */
/* Names on Linux: the kernel keeps them, and shows them in /proc/PID/maps. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lx_test.h"

#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)

static vmo_t named(const char *name)
{
    const struct vmo_create_options options = {.name = name};
    vmo_t vmo = VMO_NONE;

    assert_ok(vmo_create_with(rig.registry, PAGE, &options, &vmo));
    return vmo;
}

/* The last VMO that is listed. */
static void note_name(void *context, const struct vmo_live *live)
{
    char *name = context;

    if (live->kind == VMO_LIVE_VMO) {
        (void)strcpy(name, live->name);
    }
}

static void assert_name(const struct vmo_registry *registry, const char *expected)
{
    char name[VMO_NAME_MAX_BYTES + 1] = "untouched";

    assert_ok(vmo_registry_each(registry, note_name, name));
    assert_string_equal(name, expected);
}

static void maps_show_the_name(void **state)
{
    const vmo_t frames = named("frames of a camera");
    const vmo_t other = filled(PAGE); /* its name is "vmo" */
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_int_equal(count_mappings("/memfd:frames"), 0);
    const uint32_t unnamed = count_mappings("/memfd:vmo (deleted)\n");
    assert_ok(vmo_map_ro(rig.registry, frames, RANGE(0, 1), &view));
    assert_int_equal(count_mappings("/memfd:frames of a camera (deleted)\n"), 1);
    assert_int_equal(count_mappings("/memfd:vmo (deleted)\n"), unnamed);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_map_ro(rig.registry, other, RANGE(0, 1), &view));
    assert_int_equal(count_mappings("/memfd:vmo (deleted)\n"), unnamed + 1);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_destroy(rig.registry, frames));
    assert_ok(vmo_destroy(rig.registry, other));
}

/* A receiver's mapping shows it, too, through the description that was opened for readers. */
static void a_receiver_sees_the_name(void **state)
{
    const vmo_t frames = named("frames");
    vmo_peer_t to_near;
    struct vmo_registry *far = far_make(&to_near);
    struct vmo_incoming incoming;
    vmo_view_t view = NO_VIEW;

    (void)state;
    const struct vmo_message message = {.vmo = frames, .rights = VMO_RIGHT_READ};
    assert_ok(vmo_send(rig.registry, rig.peer, &message, soon()));
    assert_ok(vmo_recv(far, to_near, &incoming, soon()));
    assert_ok(vmo_map_ro(far, incoming.vmo, RANGE(0, 1), &view));
    assert_int_equal(count_mappings("/memfd:frames (deleted)\n"), 1);
    assert_name(far, "frames");
    assert_ok(vmo_unmap(far, view));
    assert_ok(vmo_close(far, incoming.vmo));
    far_drop(to_near);
    assert_ok(vmo_close(rig.registry, frames));
}

static void a_seal_keeps_the_name(void **state)
{
    const vmo_t frames = named("frames");

    (void)state;
    assert_ok(vmo_seal(rig.registry, frames, VMO_SEAL_PEERS));
    assert_name(rig.registry, "frames");
    assert_ok(vmo_seal(rig.registry, frames, VMO_SEAL_FOREVER));
    assert_name(rig.registry, "frames");
    assert_ok(vmo_close(rig.registry, frames));
}

/* A memfd of the far end's, which may have a name that the library would refuse. */
static void received_as(const char *name, const char *expected)
{
    const struct wire wire = wire_handle(PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    const int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct vmo_incoming incoming;

    assert_true(memory >= 0 && ftruncate(memory, (off_t)PAGE) == 0);
    assert_int_equal(fcntl(memory, F_ADD_SEALS, STEADY), 0);
    far_send(&wire, sizeof(wire), &memory, 1);
    assert_int_equal(close(memory), 0);
    assert_ok(vmo_recv(rig.registry, rig.peer, &incoming, soon()));
    assert_name(rig.registry, expected);
    assert_ok(vmo_close(rig.registry, incoming.vmo));
}

static void a_peers_name_is_no_trusted_one(void **state)
{
    char longest[249 + 1];

    (void)state;
    received_as("x", "x");
    received_as("a name (deleted)", "a name (deleted)");
    received_as("/memfd:x", "/memfd:x");
    received_as("", "");
    received_as("two\nlines", "");
    received_as("\x1b[2J", "");
    memset(longest, 'n', sizeof(longest));
    longest[249] = '\0'; /* what the kernel allows */
    received_as(longest, "");
    longest[VMO_NAME_MAX_BYTES + 1] = '\0';
    received_as(longest, "");
    longest[VMO_NAME_MAX_BYTES] = '\0';
    received_as(longest, longest);
}

/* A wrapped file has a name of its own, which is none of a VMO's. */
static void a_wrapped_file_has_no_name(void **state)
{
    const int file = memory_with(PAGE, STEADY);
    vmo_t wrapped = VMO_NONE;

    (void)state;
    assert_ok(vmo_wrap_file(rig.registry, file, RANGE(0, PAGE), &wrapped));
    assert_name(rig.registry, "");
    assert_ok(vmo_close(rig.registry, wrapped));
    assert_int_equal(close(file), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(maps_show_the_name),         CASE(a_receiver_sees_the_name),
        CASE(a_seal_keeps_the_name),      CASE(a_peers_name_is_no_trusted_one),
        CASE(a_wrapped_file_has_no_name),
    };
    return cmocka_run_group_tests_name("lx_name", tests, NULL, NULL);
}
