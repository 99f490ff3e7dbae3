/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer can do to a VMO that it got, by system calls without the library. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lx_test.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* A VMO of one page; its first byte is 'o'. */
static vmo_t made(void)
{
    vmo_t vmo = VMO_NONE;

    assert_ok(vmo_create(rig.registry, PAGE, &vmo));
    assert_ok(vmo_write(rig.registry, vmo, RANGE(0, 1), "o"));
    return vmo;
}

/* The creator can write and read as before. */
static void assert_still_writable(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;
    uint8_t byte = 0;

    assert_ok(vmo_write(rig.registry, vmo, RANGE(7, 1), "w"));
    assert_ok(vmo_read(rig.registry, vmo, RANGE(7, 1), &byte));
    assert_int_equal(byte, 'w');
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, PAGE), &view));
    vmo_view_data_rw(rig.registry, view)[7] = 'v';
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_read(rig.registry, vmo, RANGE(7, 1), &byte));
    assert_int_equal(byte, 'v');
}

static void assert_sealed(vmo_t vmo, vmo_seal_strength strength, vmo_enforcer by)
{
    vmo_seal_strength found = VMO_SEAL_NONE;
    vmo_enforcer enforcer = VMO_BY_NOBODY;

    assert_ok(vmo_seal_of(rig.registry, vmo, &found));
    assert_int_equal(found, strength);
    assert_ok(vmo_seal_enforced_by(rig.registry, vmo, &enforcer));
    assert_int_equal(enforcer, by);
}

static void *map_page(int descriptor, int protection)
{
    return mmap(NULL, PAGE, protection, MAP_SHARED, descriptor, 0);
}

/* ---- Open file descriptions ---------------------------------------------------------------------- */

static void a_reader_gets_a_description_that_cannot_write(void **state)
{
    const vmo_t vmo = made();
    struct stat seen;

    (void)state;
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_int_equal(fcntl(descriptor, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fstat(descriptor, &seen), 0);
    assert_int_equal(seen.st_mode & 07777, 0600);
    assert_int_equal(pwrite(descriptor, "x", 1, 0), -1);
    assert_int_equal(errno, EBADF);
    assert_ptr_equal(map_page(descriptor, PROT_READ | PROT_WRITE), MAP_FAILED);
    assert_int_equal(errno, EACCES);
    assert_int_equal(fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(close(descriptor), 0);
    assert_still_writable(vmo);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* The append flag and the position belong to a description. */
static void append_flag_of_a_peer_does_not_divert_the_creators_write(void **state)
{
    const uint32_t rights[] = {VMO_RIGHT_READ, VMO_RIGHTS_ALL};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const vmo_t vmo = made();
        const int descriptor = far_given(vmo, rights[i]);
        assert_int_equal(fcntl(descriptor, F_SETFL, O_APPEND), 0);
        assert_int_equal(lseek(descriptor, 5, SEEK_SET), 5);
        assert_still_writable(vmo);
        const int other = far_given(vmo, rights[i]);
        assert_still_writable(vmo);
        assert_int_equal(close(descriptor) + close(other), 0);
        assert_ok(vmo_close(rig.registry, vmo));
    }
}

static void two_writers_share_no_description(void **state)
{
    const vmo_t vmo = made();

    (void)state;
    const int first = far_given(vmo, VMO_RIGHTS_ALL);
    const int second = far_given(vmo, VMO_RIGHTS_ALL);
    assert_int_equal(fcntl(first, F_SETFL, O_APPEND), 0);
    assert_int_equal(fcntl(second, F_GETFL) & O_APPEND, 0);
    assert_int_equal(pwrite(second, "p", 1, 0), 1);
    assert_int_equal(close(first) + close(second), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void readers_share_one_description(void **state)
{
    const vmo_t vmo = made();

    (void)state;
    const uint32_t before = look().descriptors;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(close(far_given(vmo, VMO_RIGHT_READ)), 0);
        assert_int_equal(look().descriptors, before + 1);
    }
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(look().descriptors, before - 1);
}

static void forever_needs_no_other_description(void **state)
{
    const vmo_t vmo = made();
    struct stat seen;

    (void)state;
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    const uint32_t before = look().descriptors;
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_int_equal(look().descriptors, before + 1);
    assert_int_equal(fstat(descriptor, &seen), 0);
    assert_int_not_equal(seen.st_mode & 07777, 0600);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void a_hand_over_without_a_free_descriptor_is_refused(void **state)
{
    const vmo_t vmo = made();
    const struct vmo_message reader = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    const struct vmo_message writer = {.vmo = vmo, .rights = VMO_RIGHTS_ALL};
    struct rlimit before;

    (void)state;
    skip_under_valgrind();
    const struct seen seen = look();
    const int lowest = dup(rig.far);
    assert_int_equal(close(lowest), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const vmo_status read_only = vmo_send(rig.registry, rig.peer, &reader, PAST_NS);
    const vmo_status writable = vmo_send(rig.registry, rig.peer, &writer, PAST_NS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_status(read_only, VMO_ERR_NO_SLOTS);
    assert_status(writable, VMO_ERR_NO_SLOTS);
    assert_same(&seen, "vmo_send", __FILE__, __LINE__);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS)); /* it was not handed over writable */
    assert_int_equal(close(far_given(vmo, VMO_RIGHT_READ)), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* ---- Seals after a hand-over -------------------------------------------------------------------- */

static void a_readers_mapping_does_not_forbid_a_seal(void **state)
{
    (void)state;
    for (int by_way_of_peers = 0; by_way_of_peers < 2; by_way_of_peers++) {
        const vmo_t vmo = made();
        const int descriptor = far_given(vmo, VMO_RIGHT_READ);
        uint8_t *reader = map_page(descriptor, PROT_READ);
        assert_true(reader != MAP_FAILED);
        if (by_way_of_peers) {
            assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
            assert_still_writable(vmo);
        }
        assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
        assert_sealed(vmo, VMO_SEAL_FOREVER, VMO_BY_KERNEL);
        assert_int_equal(reader[0], 'o');
        assert_int_equal(munmap(reader, PAGE), 0);
        assert_int_equal(close(descriptor), 0);
        assert_ok(vmo_close(rig.registry, vmo));
    }
}

/* A process of the same user can reopen the file for writing through /proc. */
static void a_peer_that_can_write_makes_peers_busy(void **state)
{
    (void)state;
    if (!kernel_enforces_peers() || !(lx_features() & LX_LEASES)) {
        skip();
    }
    const vmo_t vmo = made();
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    const int writer = reopen(descriptor, O_RDWR);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    uint8_t *writable = map_page(writer, PROT_READ | PROT_WRITE);
    assert_true(writable != MAP_FAILED);
    assert_int_equal(close(writer), 0);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    assert_sealed(vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
    assert_still_writable(vmo);
    assert_int_equal(munmap(writable, PAGE), 0);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_sealed(vmo, VMO_SEAL_PEERS, VMO_BY_KERNEL);
    assert_still_writable(vmo);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* Adds a file seal, as a hostile peer of the same user can. */
static void seal_through_proc(int descriptor, int seals)
{
    const int writer = reopen(descriptor, O_RDWR);

    assert_int_equal(fcntl(writer, F_ADD_SEALS, seals), 0);
    assert_int_equal(close(writer), 0);
}

static void a_seal_by_a_peer_is_reported_and_harms_no_more(void **state)
{
    const struct {
        int seals;
        vmo_status peers;
        vmo_status forever;
    } rows[] = {
        {F_SEAL_WRITE, VMO_ERR_SEALED, VMO_OK},
        {F_SEAL_WRITE | F_SEAL_SEAL, VMO_ERR_SEALED, VMO_OK},
        {F_SEAL_FUTURE_WRITE, VMO_ERR_SEALED, VMO_OK},
        {F_SEAL_FUTURE_WRITE | F_SEAL_SEAL, VMO_ERR_SEALED, VMO_ERR_SEALED},
        {F_SEAL_SEAL, VMO_ERR_SEALED, VMO_ERR_SEALED},
    };

    (void)state;
    if (!kernel_enforces_peers()) {
        skip();
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const vmo_t vmo = made();
        uint8_t byte = 0;
        const int descriptor = far_given(vmo, VMO_RIGHT_READ);
        seal_through_proc(descriptor, rows[i].seals);
        const vmo_status written = rows[i].seals == F_SEAL_SEAL ? VMO_OK : VMO_ERR_SEALED;
        assert_status(vmo_write(rig.registry, vmo, RANGE(0, 1), "o"), written);
        assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), rows[i].peers);
        assert_sealed(vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
        assert_status(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), rows[i].forever);
        if (rows[i].seals == F_SEAL_SEAL) {
            assert_still_writable(vmo);
        }
        assert_ok(vmo_read(rig.registry, vmo, RANGE(0, 1), &byte));
        assert_int_equal(byte, 'o');
        assert_int_equal(close(descriptor), 0);
        assert_ok(vmo_close(rig.registry, vmo));
    }
}

static void a_seal_by_a_peer_after_peers_leaves_the_creator_writing(void **state)
{
    (void)state;
    if (!kernel_enforces_peers()) {
        skip();
    }
    const vmo_t vmo = made();
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    seal_through_proc(descriptor, F_SEAL_SEAL);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), VMO_ERR_SEALED);
    assert_sealed(vmo, VMO_SEAL_PEERS, VMO_BY_KERNEL);
    assert_still_writable(vmo);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* A reader's pipe may still use a page of the VMO. The kernel then refuses to seal the file. */
static int pinned(const uint8_t *reader)
{
    const struct iovec part = {(void *)(uintptr_t)reader, PAGE};
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(vmsplice(ends[1], &part, 1, 0), (ssize_t)PAGE);
    assert_int_equal(close(ends[1]), 0);
    return ends[0];
}

static void a_pinned_page_makes_forever_busy(void **state)
{
    const vmo_t vmo = made();

    (void)state;
    skip_under_valgrind();
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    uint8_t *reader = map_page(descriptor, PROT_READ);
    const int pipe_end = pinned(reader);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_still_writable(vmo);
    assert_int_equal(close(pipe_end), 0);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    assert_int_equal(munmap(reader, PAGE), 0);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* After PEERS nobody but the creator can write, so the library can enforce FOREVER while a pipe pins a page.
 * A hand-over waits for the kernel's seal. */
static void a_pinned_page_delays_the_hand_over_after_peers(void **state)
{
    const vmo_t vmo = made();
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};

    (void)state;
    skip_under_valgrind();
    if (!kernel_enforces_peers()) {
        skip();
    }
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    uint8_t *reader = map_page(descriptor, PROT_READ);
    const int pipe_end = pinned(reader);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    assert_sealed(vmo, VMO_SEAL_FOREVER, VMO_BY_LIBRARY);
    assert_int_equal(fcntl(descriptor, F_GET_SEALS) & F_SEAL_WRITE, 0);
    assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 1), "x"), VMO_ERR_SEALED);
    assert_refused(vmo_send(rig.registry, rig.peer, &message, PAST_NS), VMO_ERR_BUSY);
    assert_int_equal(close(pipe_end), 0);
    const int sealed = far_given(vmo, VMO_RIGHT_READ);
    assert_int_equal(fcntl(sealed, F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
    assert_int_equal(munmap(reader, PAGE), 0);
    assert_int_equal(close(descriptor) + close(sealed), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* Opening the file for writing would wait for the end of the lease. */
static void a_peers_lease_makes_a_writable_hand_over_busy(void **state)
{
    const vmo_t vmo = made();
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHTS_ALL};

    (void)state;
    skip_under_valgrind();
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_int_equal(fcntl(descriptor, F_SETSIG, SIGURG), 0);
    if (fcntl(descriptor, F_SETLEASE, F_RDLCK) != 0) {
        skip();
    }
    assert_refused(vmo_send(rig.registry, rig.peer, &message, PAST_NS), VMO_ERR_BUSY);
    assert_int_equal(fcntl(descriptor, F_SETLEASE, F_UNLCK), 0);
    assert_int_equal(close(far_given(vmo, VMO_RIGHTS_ALL)), 0);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* ---- Without leases ----------------------------------------------------------------------------- */

static void without_leases_the_library_enforces_peers_after_a_hand_over(void **state)
{
    (void)state;
    if (!kernel_enforces_peers()) {
        skip();
    }
    lx_features_without(LX_LEASES);
    const vmo_t alone = made();
    assert_ok(vmo_seal(rig.registry, alone, VMO_SEAL_PEERS));
    assert_sealed(alone, VMO_SEAL_PEERS, VMO_BY_KERNEL);
    assert_int_equal(close(far_given(alone, VMO_RIGHT_READ)), 0);
    assert_ok(vmo_seal(rig.registry, alone, VMO_SEAL_FOREVER));
    const vmo_t given = made();
    assert_int_equal(close(far_given(given, VMO_RIGHT_READ)), 0);
    assert_ok(vmo_seal(rig.registry, given, VMO_SEAL_PEERS));
    assert_sealed(given, VMO_SEAL_PEERS, VMO_BY_LIBRARY);
    assert_refused(vmo_seal(rig.registry, given, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_still_writable(given);
    const vmo_t direct = made();
    assert_int_equal(close(far_given(direct, VMO_RIGHT_READ)), 0);
    assert_ok(vmo_seal(rig.registry, direct, VMO_SEAL_FOREVER));
    assert_sealed(direct, VMO_SEAL_FOREVER, VMO_BY_KERNEL);
    assert_ok(vmo_close(rig.registry, alone));
    assert_ok(vmo_close(rig.registry, given));
    assert_ok(vmo_close(rig.registry, direct));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_reader_gets_a_description_that_cannot_write),
        CASE(append_flag_of_a_peer_does_not_divert_the_creators_write),
        CASE(two_writers_share_no_description),
        CASE(readers_share_one_description),
        CASE(forever_needs_no_other_description),
        CASE(a_readers_mapping_does_not_forbid_a_seal),
        CASE(a_peer_that_can_write_makes_peers_busy),
        CASE(a_seal_by_a_peer_is_reported_and_harms_no_more),
        CASE(a_seal_by_a_peer_after_peers_leaves_the_creator_writing),
        CASE(a_pinned_page_makes_forever_busy),
        CASE(a_pinned_page_delays_the_hand_over_after_peers),
        CASE(a_peers_lease_makes_a_writable_hand_over_busy),
        CASE(without_leases_the_library_enforces_peers_after_a_hand_over),
        CASE(a_hand_over_without_a_free_descriptor_is_refused),
    };
    return cmocka_run_group_tests_name("lx_sharing", tests, NULL, NULL);
}
