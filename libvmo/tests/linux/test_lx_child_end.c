/* SPDX-License-Identifier: Apache-2.0 */
/* How children end on Linux: their status, kill, hangup, and messages at the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lx_program.h"

static void exit_status_and_signal(void **state)
{
    int32_t status = 99;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        vmo_peer_t peer = spawned("exit");
        assert_int_equal(waited_for(peer), 7);
        assert_refused(vmo_peer_wait(rig.registry, peer, soon(), &status), VMO_ERR_UNSUPPORTED);
        assert_int_equal(status, 99);
        assert_ok(vmo_peer_close(rig.registry, peer));
        peer = spawned("die");
        assert_int_equal(waited_for(peer), -SIGKILL);
        assert_ok(vmo_peer_close(rig.registry, peer));
    }
}

static void wait_times_out_while_the_child_lives(void **state)
{
    int32_t status = 99;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        const vmo_peer_t peer = spawned("wait");
        assert_refused(vmo_peer_wait(rig.registry, peer, PAST_NS, &status), VMO_ERR_TIMED_OUT);
        const uint64_t deadline = be_now_ns() + UINT64_C(3000000);
        assert_refused(vmo_peer_wait(rig.registry, peer, deadline, &status), VMO_ERR_TIMED_OUT);
        assert_true(be_now_ns() >= deadline);
        assert_int_equal(status, 99);
        assert_ok(vmo_peer_close(rig.registry, peer)); /* the child waits for this */
        int ended = -1;
        assert_true(waitpid(-1, &ended, 0) > 0);
        assert_int_equal(ended, 0);
    }
}

static void end_is_seen_while_the_channel_is_open(void **state)
{
    struct vmo_incoming in;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        const vmo_peer_t peer = spawned("leave-open");
        assert_status(vmo_recv(rig.registry, peer, &in, soon()), VMO_ERR_PEER_GONE);
        assert_int_equal(waited_for(peer), 5);
        assert_ok(vmo_peer_close(rig.registry, peer)); /* ends the process that the child left */
    }
}

ssize_t __real_recvmsg(int socket, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int socket, struct msghdr *message, int flags);
static bool child_ends_during_recvmsg;

/* Finds no message, and returns only when the child has sent one and ended. */
ssize_t __wrap_recvmsg(int socket, struct msghdr *message, int flags)
{
    siginfo_t seen;

    if (!child_ends_during_recvmsg) {
        return __real_recvmsg(socket, message, flags);
    }
    child_ends_during_recvmsg = false;
    assert_int_equal(waitid(P_ALL, 0, &seen, WEXITED | WNOWAIT), 0);
    errno = EAGAIN;
    return -1;
}

static void last_message_of_an_ended_child(void **state)
{
    struct vmo_incoming in;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        const vmo_peer_t peer = spawned("streams");
        child_ends_during_recvmsg = true;
        assert_ok(vmo_recv(rig.registry, peer, &in, soon()));
        assert_false(child_ends_during_recvmsg);
        assert_int_equal(waited_for(peer), 0);
        assert_ok(vmo_peer_close(rig.registry, peer));
    }
}

static void end_is_seen_while_the_queue_is_full(void **state)
{
    vmo_status status = VMO_OK;

    (void)state;
    skip_under_valgrind();
    const vmo_peer_t peer = spawned("leave-open");
    while (status == VMO_OK) { /* until the queue is full */
        status = vmo_send(rig.registry, peer, &(struct vmo_message){.tag = 1}, soon());
    }
    assert_status(status, VMO_ERR_PEER_GONE);
    assert_int_equal(waited_for(peer), 5);
    assert_ok(vmo_peer_close(rig.registry, peer));
}

static void killed_child_is_gone(void **state)
{
    struct vmo_incoming in;

    (void)state;
    skip_under_valgrind();
    const vmo_peer_t peer = spawned("die");
    assert_status(vmo_recv(rig.registry, peer, &in, soon()), VMO_ERR_PEER_GONE);
    assert_status(vmo_send(rig.registry, peer, &(struct vmo_message){.tag = 1}, soon()), VMO_ERR_PEER_GONE);
    assert_int_equal(waited_for(peer), -SIGKILL);
    assert_ok(vmo_peer_close(rig.registry, peer));
}

static void unreaped_until_waited_for(void **state)
{
    struct be_peer peer;
    siginfo_t seen;
    int32_t status = 0;

    (void)state;
    skip_under_valgrind();
    assert_int_equal(setenv("LX_CHILD", "wait", 1), 0);
    assert_ok(be_spawn(&program, &peer));
    assert_false(be_peer_unreaped(&peer));
    assert_int_equal(shutdown(peer.socket, SHUT_RDWR), 0); /* the child ends when the channel does */
    assert_int_equal(waitid(P_PID, (id_t)peer.pid, &seen, WEXITED | WNOWAIT), 0);
    assert_true(be_peer_unreaped(&peer));
    assert_ok(be_peer_wait(&peer, PAST_NS, &status)); /* it has ended already */
    assert_int_equal(status, 0);
    assert_false(be_peer_unreaped(&peer));
    assert_ok(be_peer_close(&peer));
}

static void status_that_the_program_took(void **state)
{
    struct be_peer peer;
    struct vmo_incoming in;
    size_t len = 0;
    struct be_object object;
    int32_t status = 99;
    int ended = -1;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        assert_int_equal(setenv("LX_CHILD", "exit", 1), 0);
        assert_ok(be_spawn(&program, &peer));
        assert_int_equal(waitpid(peer.pid, &ended, 0), peer.pid);
        assert_status(be_peer_wait(&peer, soon(), &status), VMO_ERR_PEER_GONE);
        assert_status(be_peer_wait(&peer, PAST_NS, &status), VMO_ERR_PEER_GONE);
        assert_status(be_peer_kill(&peer), VMO_ERR_PEER_GONE);
        assert_status(be_recv(&peer, &in, sizeof(in), &len, &object, soon()), VMO_ERR_PEER_GONE);
        assert_int_equal(status, 99);
        assert_false(be_peer_unreaped(&peer));
        assert_ok(be_peer_close(&peer));
    }
}

/* If SIGCHLD is ignored, the kernel reaps each child and keeps no exit status. */
static void status_lost_to_an_ignored_sigchld(void **state)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct vmo_program script = {"\177ELF", 4, 1};
    struct sigaction before;
    struct be_peer peer;
    int32_t status = 99;

    (void)state;
    skip_under_valgrind();
    assert_int_equal(sigaction(SIGCHLD, &ignore, &before), 0);
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        assert_int_equal(setenv("LX_CHILD", "exit", 1), 0);
        assert_ok(be_spawn(&program, &peer));
        assert_status(be_peer_wait(&peer, soon(), &status), VMO_ERR_PEER_GONE);
        assert_int_equal(status, 99);
        assert_ok(be_peer_close(&peer));
        assert_status(be_spawn(&script, &peer), VMO_ERR_INVALID);
    }
    assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
}

static void child_can_be_killed(void **state)
{
    struct be_peer peer;
    int32_t status = 99;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        assert_int_equal(setenv("LX_CHILD", "wait", 1), 0);
        assert_ok(be_spawn(&program, &peer));
        assert_ok(be_peer_kill(&peer));
        assert_ok(be_peer_kill(&peer)); /* succeeds until the child is reaped */
        assert_ok(be_peer_wait(&peer, soon(), &status));
        assert_int_equal(status, -SIGKILL);
        assert_status(be_peer_kill(&peer), VMO_ERR_UNSUPPORTED);
        assert_ok(be_peer_close(&peer));
    }
    const struct be_peer stranger = {.pid = getppid(), .socket = rig.near, .watch = BE_NONE};
    assert_status(be_peer_kill(&stranger), VMO_ERR_UNSUPPORTED); /* not our child */
}

/* Without a channel a child can still be killed and waited for. */
static void child_outlives_its_channel(void **state)
{
    struct be_peer peer;
    int32_t status = 99;

    (void)state;
    skip_under_valgrind();
    for (int kill_it = 0; kill_it < 2; kill_it++) {
        assert_int_equal(setenv("LX_CHILD", kill_it ? "sleep" : "wait", 1), 0);
        assert_ok(be_spawn(&program, &peer));
        assert_ok(be_peer_hangup(&peer)); /* ends the child that waits for it */
        assert_ok(be_peer_hangup(&peer));
        if (kill_it) {
            assert_status(be_peer_wait(&peer, PAST_NS, &status), VMO_ERR_TIMED_OUT);
            assert_ok(be_peer_kill(&peer));
        }
        assert_ok(be_peer_wait(&peer, soon(), &status));
        assert_int_equal(status, kill_it ? -SIGKILL : 0);
        assert_ok(be_peer_close(&peer));
    }
}

static void hang_up_kill_and_wait(void **state)
{
    const struct vmo_message message = {.tag = 1};
    const struct vmo_ticket ticket = {.len_bytes = 1, .name = 1, .rights = VMO_RIGHT_READ};
    struct vmo_incoming in;
    vmo_peer_t peer = {0};
    vmo_t vmo = VMO_NONE;
    int32_t status = 99;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        assert_int_equal(setenv("LX_CHILD", "sleep", 1), 0);
        assert_ok(vmo_peer_spawn(rig.registry, &program, &peer));
        assert_ok(vmo_peer_hangup(rig.registry, peer));
        assert_ok(vmo_peer_hangup(rig.registry, peer));
        assert_status(vmo_send(rig.registry, peer, &message, soon()), VMO_ERR_PEER_GONE);
        assert_status(vmo_recv(rig.registry, peer, &in, soon()), VMO_ERR_PEER_GONE);
        assert_status(vmo_accept(rig.registry, peer, &ticket, &vmo), VMO_ERR_PEER_GONE);
        assert_status(vmo_peer_wait(rig.registry, peer, PAST_NS, &status), VMO_ERR_TIMED_OUT);
        assert_ok(vmo_peer_kill(rig.registry, peer));
        assert_ok(vmo_peer_wait(rig.registry, peer, soon(), &status));
        assert_int_equal(status, -SIGKILL);
        assert_status(vmo_peer_kill(rig.registry, peer), VMO_ERR_UNSUPPORTED);
        assert_ok(vmo_peer_close(rig.registry, peer));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(exit_status_and_signal),
        CASE(wait_times_out_while_the_child_lives),
        CASE(end_is_seen_while_the_channel_is_open),
        CASE(last_message_of_an_ended_child),
        CASE(end_is_seen_while_the_queue_is_full),
        CASE(killed_child_is_gone),
        CASE(unreaped_until_waited_for),
        CASE(status_that_the_program_took),
        CASE(status_lost_to_an_ignored_sigchld),
        CASE(child_can_be_killed),
        CASE(child_outlives_its_channel),
        CASE(hang_up_kill_and_wait),
    };
    (void)argc;
    return program_load(argv[0]) ? cmocka_run_group_tests_name("lx_child_end", tests, NULL, NULL) : 1;
}
