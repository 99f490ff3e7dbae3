/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-overs of a file that cannot be reopened: without /proc, as another user; and shared descriptions. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lx_test.h"

#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)
#define NOBODY 65534

/* ---- Without /proc ------------------------------------------------------------------------------ */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            return __LINE__ % 200 + 1;                                                                       \
        }                                                                                                    \
    } while (0)

static char empty_root[] = "/tmp/vmo-root-XXXXXX";

/* In a child: hides /proc. False without the right to. */
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

/* In a child: /proc is a folder with another file under the descriptor's name. */
static int refuses_another_file_in_proc(void)
{
    struct be_object object = BE_NO_OBJECT;
    struct lx_grant grant;
    char name[64];

    CHECK(hide_proc());
    CHECK(be_create(PAGE, NULL, &object) == VMO_OK);
    CHECK(mkdir("/proc", 0700) == 0 && mkdir("/proc/thread-self", 0700) == 0 &&
          mkdir("/proc/thread-self/fd", 0700) == 0);
    (void)snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", object.owner);
    const int other = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(other >= 0);
    const vmo_status reader = lx_grant(&object, false, false, &grant);
    const vmo_status writer = lx_grant(&object, true, false, &grant);
    CHECK(unlink(name) == 0 && rmdir("/proc/thread-self/fd") == 0 && rmdir("/proc/thread-self") == 0 &&
          rmdir("/proc") == 0);
    CHECK(reader == VMO_ERR_UNSUPPORTED && writer == VMO_ERR_UNSUPPORTED && object.alias == BE_NONE);
    CHECK(dup(other) == other + 1); /* no descriptor stayed open */
    return 0;
}

static void without_proc(int (*part)(void))
{
    skip_under_valgrind();
    if (geteuid() != 0 || !kernel_enforces_peers() || !(lx_features() & LX_LEASES)) {
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

static void another_file_in_place_of_proc_is_not_shared(void **state)
{
    (void)state;
    without_proc(refuses_another_file_in_proc);
}

/* The creator clears an append flag that a peer set on the shared description. */
static void a_shared_append_flag_does_not_divert_a_write(void **state)
{
    struct be_object object = {.owner = memory_with(PAGE, STEADY), .alias = BE_NONE};
    uint8_t byte = 0;

    (void)state;
    assert_int_equal(fcntl(object.owner, F_SETFL, O_APPEND), 0);
    assert_ok(be_write(&object, RANGE(3, 1), "a"));
    assert_ok(be_read(&object, RANGE(3, 1), &byte));
    assert_int_equal(byte, 'a');
    assert_ok(be_close(&object));
}

/* A write that the flag diverts past RLIMIT_FSIZE would raise SIGXFSZ. */
static void a_shared_append_flag_sends_no_signal(void **state)
{
    struct rlimit before;
    struct be_object object = {.owner = memory_with(PAGE, STEADY), .alias = BE_NONE};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction action;

    (void)state;
    assert_int_equal(fcntl(object.owner, F_SETFL, O_APPEND), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &action), 0); /* a diverted write then fails */
    const struct rlimit limit = {PAGE, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const vmo_status status = be_write(&object, RANGE(PAGE - 1, 1), "a");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &action, NULL), 0);
    assert_status(status, VMO_OK);
    assert_ok(be_close(&object));
}

/* A socket, as an example of a file that cannot be reopened. */
static void a_file_that_cannot_be_reopened_is_shared_if_allowed(void **state)
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
static int cannot_reopen_as_another_user(void)
{
    char name[64];

    CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", other_users_descriptor);
    CHECK(open(name, O_RDWR | O_CLOEXEC) == -1 && errno == EACCES);
    return 0;
}

static void another_user_cannot_reopen(void **state)
{
    const vmo_t vmo = filled(PAGE);

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    other_users_descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_int_equal(in_child(cannot_reopen_as_another_user), 0);
    assert_int_equal(close(other_users_descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* In a child. Mode 0600 lets only the file's owner reopen it. */
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
    if (geteuid() != 0 || !kernel_enforces_peers()) {
        skip();
    }
    assert_int_equal(in_child(refuses_after_a_change_of_user), 0);
}

/* In a child that is not root: permissions do not bind root. */
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

/* A peer of the same user can change the file's mode. */
static void a_changed_mode_is_restored(void **state)
{
    (void)state;
    assert_int_equal(in_child(hands_over_after_a_changed_mode), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_proc_no_peer_shares_unasked),
        CASE(without_proc_a_peer_shares_if_allowed),
        CASE(another_file_in_place_of_proc_is_not_shared),
        CASE(a_shared_append_flag_does_not_divert_a_write),
        CASE(a_shared_append_flag_sends_no_signal),
        CASE(a_file_that_cannot_be_reopened_is_shared_if_allowed),
        CASE(another_user_cannot_reopen),
        CASE(a_program_that_changed_its_user_shares_if_allowed),
        CASE(a_changed_mode_is_restored),
    };
    return cmocka_run_group_tests_name("lx_reopen", tests, NULL, NULL);
}
