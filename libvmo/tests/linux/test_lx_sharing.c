/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer can do to a VMO that it was given, with system calls of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lx_test.h"

#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define NOBODY 65534

static bool kernel_keeps_peers(void)
{
    return (lx_features() & LX_PEERS_SEAL) != 0;
}

/* A VMO of one page that begins with 'o'. */
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

/* ---- A description of its own ------------------------------------------------------------------- */

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

/* A process of the same user can open the file anew for writing. */
static void a_peer_that_can_write_makes_peers_busy(void **state)
{
    (void)state;
    if (!kernel_keeps_peers() || !(lx_features() & LX_LEASES)) {
        skip();
    }
    const vmo_t vmo = made();
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    const int writer = reopen(descriptor, O_RDWR);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    uint8_t *stranger = map_page(writer, PROT_READ | PROT_WRITE);
    assert_true(stranger != MAP_FAILED);
    assert_int_equal(close(writer), 0);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    assert_sealed(vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
    assert_still_writable(vmo);
    assert_int_equal(munmap(stranger, PAGE), 0);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_sealed(vmo, VMO_SEAL_PEERS, VMO_BY_KERNEL);
    assert_still_writable(vmo);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* Adds a file seal as a hostile peer of the same user can. */
static void seal_as_a_stranger(int descriptor, int seals)
{
    const int writer = reopen(descriptor, O_RDWR);

    assert_int_equal(fcntl(writer, F_ADD_SEALS, seals), 0);
    assert_int_equal(close(writer), 0);
}

static void a_strangers_seal_is_reported_and_takes_no_more(void **state)
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
    if (!kernel_keeps_peers()) {
        skip();
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const vmo_t vmo = made();
        uint8_t byte = 0;
        const int descriptor = far_given(vmo, VMO_RIGHT_READ);
        seal_as_a_stranger(descriptor, rows[i].seals);
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

static void a_strangers_seal_after_peers_leaves_the_creator_his_write(void **state)
{
    (void)state;
    if (!kernel_keeps_peers()) {
        skip();
    }
    const vmo_t vmo = made();
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    seal_as_a_stranger(descriptor, F_SEAL_SEAL);
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

/* The creator cannot write any more, and nobody can: the seal is given. It is handed over when the file has
 * it. */
static void a_pinned_page_delays_the_hand_over_after_peers(void **state)
{
    const vmo_t vmo = made();
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};

    (void)state;
    skip_under_valgrind();
    if (!kernel_keeps_peers()) {
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

/* An open for writing would wait for the lease's end. */
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

static void without_leases_peers_after_a_hand_over_is_the_librarys(void **state)
{
    (void)state;
    if (!kernel_keeps_peers()) {
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

/* ---- Without /proc ------------------------------------------------------------------------------ */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            return __LINE__ % 200 + 1;                                                                       \
        }                                                                                                    \
    } while (0)

static char empty_root[] = "/tmp/vmo-root-XXXXXX";

/* In a child: hides /proc. False if this user may not. */
static bool hide_proc(void)
{
    return chroot(empty_root) == 0 && chdir("/") == 0;
}

static vmo_status send_vmo(vmo_t vmo, uint32_t rights)
{
    const struct vmo_message message = {.vmo = vmo, .rights = rights};

    return vmo_send(rig.registry, rig.peer, &message, PAST_NS);
}

/* In a child. */
static int refuses_to_share_unasked(void)
{
    struct vmo_ticket ticket;
    vmo_t vmo = VMO_NONE;

    CHECK(hide_proc());
    CHECK(vmo_create(rig.registry, PAGE, &vmo) == VMO_OK);
    CHECK(send_vmo(vmo, VMO_RIGHT_READ) == VMO_ERR_UNSUPPORTED);
    CHECK(send_vmo(vmo, VMO_RIGHTS_ALL) == VMO_ERR_UNSUPPORTED);
    CHECK(vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket) == VMO_ERR_UNSUPPORTED);
    CHECK(vmo_write(rig.registry, vmo, RANGE(0, 1), "w") == VMO_OK);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER) == VMO_OK);
    CHECK(send_vmo(vmo, VMO_RIGHT_READ) == VMO_OK);
    return 0;
}

/* In a child. */
static int shares_when_allowed(void)
{
    vmo_t vmo = VMO_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;

    CHECK(hide_proc());
    CHECK(vmo_peer_allow_shared(rig.registry, rig.peer) == VMO_OK);
    CHECK(vmo_create(rig.registry, PAGE, &vmo) == VMO_OK);
    CHECK(send_vmo(vmo, VMO_RIGHT_READ) == VMO_OK);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) == VMO_OK);
    CHECK(vmo_seal_enforced_by(rig.registry, vmo, &by) == VMO_OK && by == VMO_BY_LIBRARY);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER) == VMO_ERR_BUSY);
    CHECK(vmo_write(rig.registry, vmo, RANGE(0, 1), "w") == VMO_OK);
    CHECK(vmo_close(rig.registry, vmo) == VMO_OK);
    CHECK(vmo_create(rig.registry, PAGE, &vmo) == VMO_OK);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) == VMO_OK);
    CHECK(vmo_seal_enforced_by(rig.registry, vmo, &by) == VMO_OK && by == VMO_BY_KERNEL);
    CHECK(send_vmo(vmo, VMO_RIGHT_READ) == VMO_OK);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER) == VMO_OK);
    CHECK(vmo_create(rig.registry, PAGE, &vmo) == VMO_OK);
    CHECK(send_vmo(vmo, VMO_RIGHTS_ALL) == VMO_OK);
    return 0;
}

/* In a child. Another file stands where /proc would have the descriptor. */
static int refuses_a_false_proc(void)
{
    struct be_object object = BE_NO_OBJECT;
    struct lx_grant grant;
    char name[64];

    CHECK(hide_proc());
    CHECK(be_create(PAGE, NULL, &object) == VMO_OK);
    CHECK(mkdir("/proc", 0700) == 0 && mkdir("/proc/thread-self", 0700) == 0 &&
          mkdir("/proc/thread-self/fd", 0700) == 0);
    (void)snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", object.owner);
    const int wrong = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(wrong >= 0);
    const vmo_status reader = lx_grant(&object, false, false, &grant);
    const vmo_status writer = lx_grant(&object, true, false, &grant);
    CHECK(unlink(name) == 0 && rmdir("/proc/thread-self/fd") == 0 && rmdir("/proc/thread-self") == 0 &&
          rmdir("/proc") == 0);
    CHECK(reader == VMO_ERR_UNSUPPORTED && writer == VMO_ERR_UNSUPPORTED && object.alias == BE_NONE);
    CHECK(dup(wrong) == wrong + 1); /* nothing stayed open */
    return 0;
}

static void without_proc(int (*part)(void))
{
    skip_under_valgrind();
    if (geteuid() != 0 || !kernel_keeps_peers() || !(lx_features() & LX_LEASES)) {
        skip(); /* chroot needs root */
    }
    memcpy(empty_root + sizeof(empty_root) - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(empty_root));
    const int ended = in_child(part);
    assert_int_equal(rmdir(empty_root), 0);
    assert_int_equal(ended, 0);
}

static void without_proc_no_peer_shares_unasked(void **state)
{
    (void)state;
    without_proc(refuses_to_share_unasked);
}

static void without_proc_a_peer_shares_if_allowed(void **state)
{
    (void)state;
    without_proc(shares_when_allowed);
}

static void a_false_proc_is_no_proc(void **state)
{
    (void)state;
    without_proc(refuses_a_false_proc);
}

/* A peer that shares the creator's description sets the append flag: the creator clears it. */
static void a_shared_append_flag_does_not_divert_a_write(void **state)
{
    const vmo_t vmo = made();

    (void)state;
    struct be_object object = {.owner = memory_with(PAGE, STEADY), .alias = BE_NONE};
    assert_int_equal(fcntl(object.owner, F_SETFL, O_APPEND), 0);
    uint8_t byte = 0;
    assert_ok(be_write(&object, RANGE(3, 1), "a"));
    assert_ok(be_read(&object, RANGE(3, 1), &byte));
    assert_int_equal(byte, 'a');
    assert_ok(be_close(&object));
    assert_ok(vmo_close(rig.registry, vmo));
}

/* A write at the end of the file would raise SIGXFSZ. */
static void a_shared_append_flag_sends_no_signal(void **state)
{
    struct rlimit before;
    struct be_object object = {.owner = memory_with(PAGE, STEADY), .alias = BE_NONE};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction action;

    (void)state;
    assert_int_equal(fcntl(object.owner, F_SETFL, O_APPEND), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &action), 0); /* a failure is then an error */
    const struct rlimit limit = {PAGE, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const vmo_status status = be_write(&object, RANGE(PAGE - 1, 1), "a");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &action, NULL), 0);
    assert_status(status, VMO_OK);
    assert_ok(be_close(&object));
}

/* A socket stands for a file that cannot be opened anew. */
static void what_cannot_be_opened_anew_is_shared_if_allowed(void **state)
{
    struct be_object object = {.owner = rig.near, .alias = BE_NONE};
    struct lx_grant grant;

    (void)state;
    for (int writable = 0; writable < 2; writable++) {
        assert_status(lx_grant(&object, writable, false, &grant), VMO_ERR_UNSUPPORTED);
        assert_false(object.own.exposed);
        assert_ok(lx_grant(&object, writable, true, &grant));
        assert_int_equal(grant.descriptor, rig.near);
        lx_grant_end(&object, &grant, false);
        assert_false(object.own.exposed); /* nothing was sent */
    }
    assert_ok(lx_grant(&object, false, true, &grant));
    lx_grant_end(&object, &grant, true);
    assert_true(object.own.exposed);
    assert_true(fcntl(rig.near, F_GETFD) >= 0);
    assert_int_equal(object.alias, BE_NONE);
}

/* ---- Other users -------------------------------------------------------------------------------- */

static int other_users_descriptor;

/* In a child. */
static int cannot_open_anew_as_another_user(void)
{
    char name[64];

    CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", other_users_descriptor);
    CHECK(open(name, O_RDWR | O_CLOEXEC) == -1 && errno == EACCES);
    return 0;
}

static void another_user_cannot_open_anew(void **state)
{
    const vmo_t vmo = made();

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    other_users_descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_int_equal(in_child(cannot_open_anew_as_another_user), 0);
    assert_int_equal(close(other_users_descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* In a child. The kernel lets only the file's owner open it anew. */
static int refuses_after_a_change_of_user(void)
{
    vmo_t vmo = VMO_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;

    CHECK(vmo_create(rig.registry, PAGE, &vmo) == VMO_OK);
    CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
    CHECK(send_vmo(vmo, VMO_RIGHT_READ) == VMO_ERR_UNSUPPORTED);
    CHECK(vmo_peer_allow_shared(rig.registry, rig.peer) == VMO_OK);
    CHECK(send_vmo(vmo, VMO_RIGHT_READ) == VMO_OK);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) == VMO_OK); /* only the owner gets a lease */
    CHECK(vmo_seal_enforced_by(rig.registry, vmo, &by) == VMO_OK && by == VMO_BY_LIBRARY);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER) == VMO_ERR_BUSY);
    CHECK(vmo_create(rig.registry, PAGE, &vmo) == VMO_OK);
    CHECK(send_vmo(vmo, VMO_RIGHT_READ) == VMO_OK);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) == VMO_OK);
    CHECK(vmo_seal_enforced_by(rig.registry, vmo, &by) == VMO_OK && by == VMO_BY_KERNEL);
    CHECK(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER) == VMO_OK);
    return 0;
}

static void a_program_that_changed_its_user_shares_if_allowed(void **state)
{
    (void)state;
    if (geteuid() != 0 || !kernel_keeps_peers()) {
        skip();
    }
    assert_int_equal(in_child(refuses_after_a_change_of_user), 0);
}

/* In a child, as a user whom a file's mode binds. */
static int hands_over_after_a_changed_mode(void)
{
    struct be_object object = BE_NO_OBJECT;
    struct lx_grant grant;

    CHECK(geteuid() != 0 ||
          (setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0));
    CHECK(be_create(PAGE, NULL, &object) == VMO_OK && fchmod(object.owner, 0) == 0);
    CHECK(lx_grant(&object, true, false, &grant) == VMO_OK);
    CHECK((fcntl(grant.descriptor, F_GETFL) & O_ACCMODE) == O_RDWR);
    lx_grant_end(&object, &grant, true);
    CHECK(fcntl(grant.descriptor, F_GETFD) == -1);
    return 0;
}

/* A peer of the same user took the owner's own permission away. */
static void a_changed_mode_is_mended(void **state)
{
    (void)state;
    assert_int_equal(in_child(hands_over_after_a_changed_mode), 0);
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
        CASE(a_strangers_seal_is_reported_and_takes_no_more),
        CASE(a_strangers_seal_after_peers_leaves_the_creator_his_write),
        CASE(a_pinned_page_makes_forever_busy),
        CASE(a_pinned_page_delays_the_hand_over_after_peers),
        CASE(a_peers_lease_makes_a_writable_hand_over_busy),
        CASE(without_leases_peers_after_a_hand_over_is_the_librarys),
        CASE(without_proc_no_peer_shares_unasked),
        CASE(without_proc_a_peer_shares_if_allowed),
        CASE(a_false_proc_is_no_proc),
        CASE(a_hand_over_without_a_free_descriptor_is_refused),
        CASE(a_shared_append_flag_does_not_divert_a_write),
        CASE(a_shared_append_flag_sends_no_signal),
        CASE(what_cannot_be_opened_anew_is_shared_if_allowed),
        CASE(another_user_cannot_open_anew),
        CASE(a_program_that_changed_its_user_shares_if_allowed),
        CASE(a_changed_mode_is_mended),
    };
    return cmocka_run_group_tests_name("lx_sharing", tests, NULL, NULL);
}
