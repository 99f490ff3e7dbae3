/* SPDX-License-Identifier: Apache-2.0 */
/* Peers on Linux: the parent, and sockets that the program opened. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_program.h"

static void parent_is_found_once(void **state)
{
    vmo_peer_t none = {0};

    (void)state;
    skip_under_valgrind();
    const vmo_peer_t peer = spawned("parent-once");
    assert_int_equal(reply_tag(peer), 1);
    assert_int_equal(waited_for(peer), 0);
    assert_ok(vmo_peer_close(rig.registry, peer));
    assert_refused(vmo_peer_parent(rig.registry, &none), VMO_ERR_UNSUPPORTED); /* this process has none */
    assert_int_equal(none.id, 0);
}

/* In a forked process: descriptor 3 is closed, or is no channel to a parent. */
static int opens_what_is_no_parent(void)
{
    struct be_peer peer;
    int ends[2];

    close(3);
    if (be_parent(&peer) != VMO_ERR_UNSUPPORTED) {
        return 1;
    }
    if (pipe(ends) != 0 || dup2(ends[0], 3) != 3 || be_parent(&peer) != VMO_ERR_UNSUPPORTED) {
        return 2;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || dup2(ends[0], 3) != 3 ||
        be_parent(&peer) != VMO_ERR_UNSUPPORTED) {
        return 3;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 || dup2(ends[0], 3) != 3 ||
        be_parent(&peer) != VMO_OK || peer.socket != 3 || peer.pid != getpid()) {
        return 4;
    }
    return be_parent(&peer) == VMO_ERR_UNSUPPORTED ? 0 : 5;
}

static void other_descriptors_are_no_parent(void **state)
{
    (void)state;
    assert_int_equal(in_child(opens_what_is_no_parent), 0);
}

static void assert_no_peer(int descriptor)
{
    vmo_peer_t peer = {0};

    assert_true(descriptor >= 0);
    assert_refused(vmo_peer_open(rig.registry, descriptor, &peer), VMO_ERR_INVALID);
    assert_int_equal(close(descriptor), 0); /* the library has not taken it */
}

static void descriptors_that_are_no_channel(void **state)
{
    int ends[2];
    vmo_peer_t peer = {0};

    (void)state;
    const int kinds[] = {SOCK_STREAM, SOCK_DGRAM};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(socketpair(AF_UNIX, kinds[i] | SOCK_CLOEXEC, 0, ends), 0);
        assert_no_peer(ends[0]);
        assert_no_peer(ends[1]);
    }
    assert_no_peer(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)); /* not connected */
    const int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const struct sockaddr_un anywhere = {.sun_family = AF_UNIX}; /* the kernel chooses a name */
    assert_int_equal(bind(listening, (const struct sockaddr *)&anywhere, sizeof(anywhere.sun_family)), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_no_peer(listening);
    assert_no_peer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_no_peer(ends[0]);
    assert_no_peer(ends[1]);
    assert_refused(vmo_peer_open(rig.registry, 987654, &peer), VMO_ERR_INVALID);
}

static int opens_standard_input(void)
{
    struct be_peer peer;
    const struct rlimit low = {3, 1024};
    const struct rlimit enough = {1024, 1024};

    if (dup2(rig.far, STDIN_FILENO) != STDIN_FILENO || setrlimit(RLIMIT_NOFILE, &low) != 0 ||
        be_peer_open(STDIN_FILENO, &peer) != VMO_ERR_NO_SLOTS || fcntl(STDIN_FILENO, F_GETFD) != 0) {
        return 1; /* the descriptor is still the caller's, unchanged */
    }
    if (setrlimit(RLIMIT_NOFILE, &enough) != 0 || be_peer_open(STDIN_FILENO, &peer) != VMO_OK) {
        return 2;
    }
    return peer.socket > STDERR_FILENO && fcntl(peer.socket, F_GETFD) == FD_CLOEXEC &&
                   fcntl(STDIN_FILENO, F_GETFD) < 0
               ? 0
               : 3;
}

/* A service may get its channel as standard input. */
static void channel_on_a_standard_stream_is_moved(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(opens_standard_input), 0);
}

/* A service and its client. Neither is the parent of the other. */
static void connected_by_a_name(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(name);
    struct be_peer here;
    struct be_peer there;
    int32_t status = 0;

    (void)state;
    const int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&name, sizeof(name.sun_family)), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&name, &len), 0);
    const int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&name, len), 0);
    const int service = accept(listening, NULL, NULL);
    assert_ok(be_peer_open(client, &here));
    assert_ok(be_peer_open(service, &there));
    assert_int_equal(here.pid, getpid());
    assert_int_equal(there.pid, getpid());
    assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
    assert_false(be_peer_unreaped(&here));
    assert_status(be_peer_wait(&here, soon(), &status), VMO_ERR_UNSUPPORTED); /* not our child */
    assert_ok(be_peer_close(&here));
    assert_ok(be_peer_close(&there));
    assert_int_equal(close(listening), 0);
}

/* ---- Identity ----------------------------------------------------------------------------------- */

static void identity_of_a_child(void **state)
{
    struct vmo_identity who;
    siginfo_t seen = {.si_pid = 0};

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        const vmo_peer_t peer = spawned("identity");
        assert_int_equal(reply_tag(peer), getpid()); /* the child sees its parent's */
        assert_ok(vmo_peer_identity(rig.registry, peer, &who));
        assert_int_equal(waitid(P_ALL, 0, &seen, WEXITED | WNOWAIT), 0);
        assert_int_equal(who.pid, seen.si_pid);
        assert_int_equal(who.source, VMO_IDENTITY_SPAWNED);
        assert_int_equal(who.uid, VMO_IDENTITY_UNKNOWN);
        assert_int_equal(who.gid, VMO_IDENTITY_UNKNOWN);
        assert_ok(vmo_peer_hangup(rig.registry, peer));
        assert_ok(vmo_peer_identity(rig.registry, peer, &who)); /* ended, not reaped */
        assert_int_equal(waited_for(peer), 0);
        assert_refused(vmo_peer_identity(rig.registry, peer, &who), VMO_ERR_PEER_GONE);
        assert_ok(vmo_peer_close(rig.registry, peer));
    }
}

/* The pid may belong to another process by now. */
static void identity_of_a_child_that_was_reaped(void **state)
{
    struct vmo_identity who;
    int ended = 0;

    (void)state;
    skip_under_valgrind();
    const vmo_peer_t peer = spawned("exit");
    assert_true(waitpid(-1, &ended, 0) > 0);
    assert_refused(vmo_peer_identity(rig.registry, peer, &who), VMO_ERR_PEER_GONE);
    assert_ok(vmo_peer_close(rig.registry, peer));
}

static struct sockaddr_un service_name;
static socklen_t service_name_len;

static int connect_once(void)
{
    const int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    return connect(client, (struct sockaddr *)&service_name, service_name_len) == 0 ? 0 : 1;
}

static void identity_of_a_client(void **state)
{
    struct vmo_identity who;
    vmo_peer_t peer = {0};
    int end = 0;

    (void)state;
    const int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    service_name = (struct sockaddr_un){.sun_family = AF_UNIX};
    service_name_len = sizeof(service_name);
    assert_int_equal(bind(listening, (struct sockaddr *)&service_name, sizeof(service_name.sun_family)), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&service_name, &service_name_len), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(connect_once());
    }
    const int service = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_ok(vmo_peer_open(rig.registry, service, &peer));
    assert_ok(vmo_peer_identity(rig.registry, peer, &who));
    assert_int_equal(who.source, VMO_IDENTITY_SOCKET);
    assert_int_equal(who.pid, pid);
    assert_int_equal(who.uid, geteuid());
    assert_int_equal(who.gid, getegid());
    assert_ok(vmo_peer_hangup(rig.registry, peer));
    assert_refused(vmo_peer_identity(rig.registry, peer, &who), VMO_ERR_PEER_GONE);
    assert_ok(vmo_peer_close(rig.registry, peer));
    assert_int_equal(close(listening), 0);
    assert_int_equal(waitpid(pid, &end, 0), pid);
    assert_int_equal(end, 0);
}

/* This process made both ends: the kernel does not know who has the other. */
static void identity_of_ones_own_pair(void **state)
{
    struct vmo_identity who = {.pid = -7};

    (void)state;
    assert_refused(vmo_peer_identity(rig.registry, rig.peer, &who), VMO_ERR_UNSUPPORTED);
    assert_int_equal(who.pid, -7);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(parent_is_found_once),
        CASE(other_descriptors_are_no_parent),
        CASE(descriptors_that_are_no_channel),
        CASE(channel_on_a_standard_stream_is_moved),
        CASE(connected_by_a_name),
        CASE(identity_of_a_child),
        CASE(identity_of_a_child_that_was_reaped),
        CASE(identity_of_a_client),
        CASE(identity_of_ones_own_pair),
    };
    (void)argc;
    return program_load(argv[0]) ? cmocka_run_group_tests_name("lx_peer", tests, NULL, NULL) : 1;
}
