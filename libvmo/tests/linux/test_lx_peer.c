/* SPDX-License-Identifier: Apache-2.0 */
/* Peers on Linux: opened sockets, spawned programs, and their end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_test.h"

#define ELF_MACHINE 18
#define NOBODY 65534

/* Path of the child, in this program's folder. */
static struct vmo_program program;

static vmo_peer_t spawned(const char *what)
{
    vmo_peer_t peer = {0};

    assert_int_equal(setenv("LX_CHILD", what, 1), 0);
    assert_ok(vmo_peer_spawn(rig.registry, &program, &peer));
    return peer;
}

static int32_t waited_for(vmo_peer_t peer)
{
    int32_t status = 4711;

    assert_ok(vmo_peer_wait(rig.registry, peer, soon(), &status));
    return status;
}

static uint32_t told(vmo_peer_t peer)
{
    struct vmo_incoming in;

    assert_ok(vmo_recv(rig.registry, peer, &in, soon()));
    return in.tag;
}

/* ---- Children ----------------------------------------------------------------------------------- */

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

static void live_child_is_waited_for_until_the_deadline(void **state)
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
        assert_ok(vmo_peer_close(rig.registry, peer)); /* which the child is waiting for */
        int ended = -1;
        assert_true(waitpid(-1, &ended, 0) > 0);
        assert_int_equal(ended, 0);
    }
}

static void vmo_goes_to_a_child(void **state)
{
    uint32_t total = 0;

    (void)state;
    skip_under_valgrind();
    const vmo_t vmo = filled(3 * PAGE + 1);
    for (uint64_t i = 0; i < 3 * PAGE + 1; i++) {
        total += pattern_at(i);
    }
    const vmo_peer_t peer = spawned("sum");
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    assert_refused(vmo_send(rig.registry, peer, &message, soon()), VMO_ERR_NOT_AUTHORISED);
    assert_ok(vmo_peer_allow(rig.registry, peer));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_ok(vmo_send(rig.registry, peer, &message, soon()));
    assert_int_equal(told(peer), total);
    assert_int_equal(waited_for(peer), 0);
    assert_ok(vmo_destroy(rig.registry, vmo));
    assert_ok(vmo_peer_close(rig.registry, peer));
}

static void child_has_no_other_descriptor(void **state)
{
    int leaks[6];

    (void)state;
    skip_under_valgrind();
    for (size_t i = 0; i < 6; i++) { /* what a program that does not think of it leaves open */
        leaks[i] = fcntl(rig.far, F_DUPFD, (int)(10 * i));
        assert_true(leaks[i] >= 0);
    }
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_CLOSE_RANGE | LX_NOEXEC_SEAL : 0);
        const vmo_peer_t peer = spawned("descriptors");
        assert_int_equal(told(peer), 4);
        assert_int_equal(waited_for(peer), 0);
        assert_ok(vmo_peer_close(rig.registry, peer));
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(close(leaks[i]), 0);
    }
}

static void parent_is_found_once(void **state)
{
    vmo_peer_t none = {0};

    (void)state;
    skip_under_valgrind();
    const vmo_peer_t peer = spawned("parent-once");
    assert_int_equal(told(peer), 1);
    assert_int_equal(waited_for(peer), 0);
    assert_ok(vmo_peer_close(rig.registry, peer));
    assert_refused(vmo_peer_parent(rig.registry, &none), VMO_ERR_UNSUPPORTED); /* this one has none */
    assert_int_equal(none.id, 0);
}

/* Part of a case, in a forked process: descriptor 3 is open but is no channel to a parent. */
static int strange_parents(void)
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

static void strange_descriptors_are_no_parent(void **state)
{
    (void)state;
    assert_int_equal(in_child(strange_parents), 0);
}

/* ---- Children that end while somebody waits -------------------------------------------------------------
 */

static void end_is_seen_though_the_channel_is_open(void **state)
{
    struct vmo_incoming in;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        const vmo_peer_t peer = spawned("leave-open");
        assert_status(vmo_recv(rig.registry, peer, &in, soon()), VMO_ERR_PEER_GONE);
        assert_int_equal(waited_for(peer), 5);
        assert_ok(vmo_peer_close(rig.registry, peer)); /* ends what the child left */
    }
}

ssize_t __real_recvmsg(int socket, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int socket, struct msghdr *message, int flags);
static bool child_ends_after_a_look;

/* The first look finds nothing, because the child speaks and ends right after it. */
ssize_t __wrap_recvmsg(int socket, struct msghdr *message, int flags)
{
    siginfo_t seen;

    if (!child_ends_after_a_look) {
        return __real_recvmsg(socket, message, flags);
    }
    child_ends_after_a_look = false;
    assert_int_equal(waitid(P_ALL, 0, &seen, WEXITED | WNOWAIT), 0);
    errno = EAGAIN;
    return -1;
}

static void last_word_of_an_ended_child(void **state)
{
    struct vmo_incoming in;

    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        const vmo_peer_t peer = spawned("streams");
        child_ends_after_a_look = true;
        assert_ok(vmo_recv(rig.registry, peer, &in, soon()));
        assert_false(child_ends_after_a_look);
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
    while (status == VMO_OK) { /* nobody reads */
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
    assert_int_equal(shutdown(peer.socket, SHUT_RDWR), 0); /* the child's sign to end */
    assert_int_equal(waitid(P_PID, (id_t)peer.pid, &seen, WEXITED | WNOWAIT), 0);
    assert_true(be_peer_unreaped(&peer));
    assert_ok(be_peer_wait(&peer, PAST_NS, &status)); /* one try is enough */
    assert_int_equal(status, 0);
    assert_false(be_peer_unreaped(&peer));
    assert_ok(be_peer_close(&peer));
}

static void status_that_somebody_else_took(void **state)
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
        assert_status(be_recv(&peer, &in, sizeof in, &len, &object, soon()), VMO_ERR_PEER_GONE);
        assert_int_equal(status, 99);
        assert_false(be_peer_unreaped(&peer));
        assert_ok(be_peer_close(&peer));
    }
}

/* The kernel then reaps each child, and keeps no exit status. */
static void status_that_an_ignored_signal_takes(void **state)
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
        assert_ok(be_peer_kill(&peer)); /* it has ended or is about to */
        assert_ok(be_peer_wait(&peer, soon(), &status));
        assert_int_equal(status, -SIGKILL);
        assert_status(be_peer_kill(&peer), VMO_ERR_UNSUPPORTED);
        assert_ok(be_peer_close(&peer));
    }
    const struct be_peer stranger = {.pid = getppid(), .socket = rig.near, .watch = BE_NONE};
    assert_status(be_peer_kill(&stranger), VMO_ERR_UNSUPPORTED); /* no child of ours */
}

/* A child outlives its channel: it can still be ended and waited for. */
static void child_after_its_channel(void **state)
{
    struct be_peer peer;
    int32_t status = 99;

    (void)state;
    skip_under_valgrind();
    for (int kill_it = 0; kill_it < 2; kill_it++) {
        assert_int_equal(setenv("LX_CHILD", kill_it ? "sleep" : "wait", 1), 0);
        assert_ok(be_spawn(&program, &peer));
        assert_ok(be_peer_hangup(&peer)); /* the "wait" part ends with the channel */
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

/* ---- Around a spawn ------------------------------------------------------------------------------- */

/* In a forked process: spawns a child and returns its reply, or 100 and more. */
static int reply_of(const char *what)
{
    vmo_peer_t peer = {0};
    struct vmo_incoming in;
    int32_t status = 0;

    if (setenv("LX_CHILD", what, 1) != 0 || vmo_peer_spawn(rig.registry, &program, &peer) != VMO_OK) {
        return 100;
    }
    if (vmo_recv(rig.registry, peer, &in, soon()) != VMO_OK ||
        vmo_peer_wait(rig.registry, peer, soon(), &status) != VMO_OK || status != 0) {
        return 101;
    }
    return (int)in.tag;
}

static int spawns_without_streams(void)
{
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    const int found = reply_of("streams");
    const bool used = fcntl(STDIN_FILENO, F_GETFD) >= 0 || fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    return used ? 110 : found;
}

static int spawns_with_streams_that_close(void)
{
    return fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC) != 0 || close(STDOUT_FILENO) != 0 ? 111
                                                                                      : reply_of("streams");
}

/* A standard stream that a child would not have is /dev/null there, not the first file that it opens. */
static void child_has_all_streams(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(spawns_without_streams), 15 << 8);
    assert_int_equal(in_child(spawns_with_streams_that_close), 15 << 8);
}

/* A user's processes are limited, for root as well in another way: as nobody. */
static int spawns_beyond_the_process_limit(void)
{
    const struct rlimit none = {0, 0};
    vmo_peer_t peer = {0};

    if (geteuid() == 0 &&
        (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)) {
        return 1;
    }
    return setrlimit(RLIMIT_NPROC, &none) == 0 &&
                   vmo_peer_spawn(rig.registry, &program, &peer) == VMO_ERR_NO_SLOTS
               ? 0
               : 2;
}

static void no_process_for_a_child(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(spawns_beyond_the_process_limit), 0);
}

static char empty_root[] = "/tmp/vmo-root-XXXXXX";

/* Without close_range and /proc the child's descriptors cannot be found. */
static int spawns_without_proc(void)
{
    struct be_peer peer;

    if (chroot(empty_root) != 0 || chdir("/") != 0) {
        return 77; /* only root may */
    }
    lx_features_without(LX_CLOSE_RANGE);
    const vmo_status missing = be_spawn(&program, &peer);
    if (mkdir("/proc", 0700) != 0 || mkdir("/proc/self", 0700) != 0 || mkdir("/proc/self/fd", 0700) != 0) {
        return 1;
    }
    const vmo_status false_one = be_spawn(&program, &peer);
    if (rmdir("/proc/self/fd") != 0 || rmdir("/proc/self") != 0 || rmdir("/proc") != 0) {
        return 2;
    }
    lx_features_without(0);
    const vmo_status found = be_spawn(&program, &peer); /* its interpreter is missing, too */
    return missing == VMO_ERR_UNSUPPORTED && false_one == VMO_ERR_UNSUPPORTED &&
                   (found == VMO_ERR_INVALID || !(lx_features() & LX_CLOSE_RANGE))
               ? 0
               : 3;
}

static void no_way_to_close_descriptors(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_non_null(mkdtemp(empty_root));
    const int ended = in_child(spawns_without_proc);
    assert_int_equal(rmdir(empty_root), 0);
    if (ended == 77 << 8) {
        skip();
    }
    assert_int_equal(ended, 0);
}

/* Makes the kernel answer execveat in this way from here on. False: it has no filters. */
static bool filter_exec(uint32_t answer)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog whole = {sizeof filter / sizeof filter[0], filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0;
}

static void die(int number)
{
    (void)number;
    (void)raise(SIGKILL);
}

/* What becomes of execveat, and of the child's end. */
static uint32_t exec_answer;
static bool ignore_end;

static int spawns_what_never_executes(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct sigaction act = {.sa_handler = die};
    struct be_peer peer;

    if (!filter_exec(exec_answer)) {
        return 77;
    }
    if (sigaction(SIGSYS, &act, NULL) != 0 || (ignore_end && sigaction(SIGCHLD, &ignore, NULL) != 0)) {
        return 78;
    }
    const vmo_status status = be_spawn(&program, &peer);
    return waitpid(-1, NULL, __WALL) < 0 ? (int)status : 79; /* no child is left */
}

/* A child that ends before it executes the program is no success, whatever the program does with SIGCHLD. */
static void child_that_never_executes(void **state)
{
    const struct {
        uint32_t answer;
        vmo_status expected;
    } cases[] = {
        {SECCOMP_RET_ERRNO | EPERM, VMO_ERR_UNSUPPORTED},
        {SECCOMP_RET_KILL, VMO_ERR_UNSUPPORTED},
        {SECCOMP_RET_TRAP, VMO_ERR_PEER_GONE}, /* the handler kills the child */
        {SECCOMP_RET_ERRNO | EAGAIN, VMO_ERR_NO_SLOTS},
        {SECCOMP_RET_ERRNO | ETXTBSY, VMO_ERR_INVALID},
        {SECCOMP_RET_ERRNO | E2BIG, VMO_ERR_TOO_LARGE},
    };

    (void)state;
    skip_under_valgrind();
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        exec_answer = cases[i / 2].answer;
        ignore_end = i % 2;
        const int ended = in_child(spawns_what_never_executes);
        if (ended == 77 << 8) {
            skip();
        }
        assert_int_equal(ended, cases[i / 2].expected << 8);
    }
}

/* ---- Programs that cannot run ------------------------------------------------------------------------- */

static void no_child_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void what_is_no_program(void **state)
{
    vmo_peer_t peer = {0};
    uint8_t *copy = malloc(program.elf_bytes);

    (void)state;
    assert_non_null(copy);
    memcpy(copy, program.elf, program.elf_bytes);
    const struct vmo_program script = {"#!/bin/sh\n", 10, 1};
    const struct vmo_program tiny = {copy, 3, 1};
    const struct vmo_program header = {copy, 64, 1};
    const struct vmo_program foreign = {copy, program.elf_bytes, 1};
    assert_refused(vmo_peer_spawn(rig.registry, &script, &peer), VMO_ERR_INVALID);
    assert_refused(vmo_peer_spawn(rig.registry, &tiny, &peer), VMO_ERR_INVALID);
    assert_refused(vmo_peer_spawn(rig.registry, &header, &peer), VMO_ERR_INVALID);
    copy[ELF_MACHINE] ^= 0xff;
    assert_refused(vmo_peer_spawn(rig.registry, &foreign, &peer), VMO_ERR_INVALID);
    assert_int_equal(peer.id, 0);
    no_child_is_left();
    free(copy);
}

static void no_descriptors_for_a_child(void **state)
{
    struct rlimit before;
    vmo_peer_t peer = {0};

    (void)state;
    skip_under_valgrind();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct seen seen = look();
    const int lowest = dup(rig.far);
    assert_int_equal(close(lowest), 0);
    assert_int_equal(setenv("LX_CHILD", "exit", 1), 0);
    /* An image, two ends, two of a pipe, and the child's pidfd: each is refused once, then all are there. */
    vmo_status status = VMO_ERR_NO_SLOTS;
    rlim_t room = 0;
    for (; status == VMO_ERR_NO_SLOTS && room < 64; room++) {
        const struct rlimit few = {(rlim_t)lowest + room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        status = vmo_peer_spawn(rig.registry, &program, &peer);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (status != VMO_OK) {
            assert_same(&seen, "vmo_peer_spawn", __FILE__, __LINE__);
        }
    }
    assert_ok(status);
    assert_true(room > (lx_features() & LX_PIDFD ? 6 : 5));
    assert_int_equal(waited_for(peer), 7);
    assert_ok(vmo_peer_close(rig.registry, peer));
    no_child_is_left();
}

static void program_beyond_the_file_limit(void **state)
{
    struct rlimit before;
    vmo_peer_t peer = {0};

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit low = {(rlim_t)program.elf_bytes - 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    const vmo_status status = vmo_peer_spawn(rig.registry, &program, &peer);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_status(status, VMO_ERR_TOO_LARGE);
    no_child_is_left();
}

/* ---- Sockets taken over ------------------------------------------------------------------------------- */

static void assert_no_peer(int descriptor)
{
    vmo_peer_t peer = {0};

    assert_true(descriptor >= 0);
    assert_refused(vmo_peer_open(rig.registry, descriptor, &peer), VMO_ERR_INVALID);
    assert_int_equal(close(descriptor), 0); /* it stayed ours */
}

static void what_is_no_channel(void **state)
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
    const struct sockaddr_un anywhere = {.sun_family = AF_UNIX}; /* the kernel gives it a name */
    assert_int_equal(bind(listening, (const struct sockaddr *)&anywhere, sizeof anywhere.sun_family), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_no_peer(listening);
    assert_no_peer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_no_peer(ends[0]);
    assert_no_peer(ends[1]);
    assert_refused(vmo_peer_open(rig.registry, 987654, &peer), VMO_ERR_INVALID);
}

static int opens_a_stream(void)
{
    struct be_peer peer;
    const struct rlimit low = {3, 1024};
    const struct rlimit enough = {1024, 1024};

    if (dup2(rig.far, STDIN_FILENO) != STDIN_FILENO || setrlimit(RLIMIT_NOFILE, &low) != 0 ||
        be_peer_open(STDIN_FILENO, &peer) != VMO_ERR_NO_SLOTS || fcntl(STDIN_FILENO, F_GETFD) != 0) {
        return 1; /* it stays the caller's, unchanged */
    }
    if (setrlimit(RLIMIT_NOFILE, &enough) != 0 || be_peer_open(STDIN_FILENO, &peer) != VMO_OK) {
        return 2;
    }
    return peer.socket > STDERR_FILENO && fcntl(peer.socket, F_GETFD) == FD_CLOEXEC &&
                   fcntl(STDIN_FILENO, F_GETFD) < 0
               ? 0
               : 3;
}

/* As a service that gets its channel as standard input. */
static void channel_is_no_stream(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(opens_a_stream), 0);
}

/* A service and its client; neither is the parent of the other. */
static void connected_by_a_name(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t len = sizeof name;
    struct be_peer here;
    struct be_peer there;
    int32_t status = 0;

    (void)state;
    const int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&name, sizeof name.sun_family), 0);
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
    assert_status(be_peer_wait(&here, soon(), &status), VMO_ERR_UNSUPPORTED); /* no child of ours */
    assert_ok(be_peer_close(&here));
    assert_ok(be_peer_close(&there));
    assert_int_equal(close(listening), 0);
}

/* ---- The program -------------------------------------------------------------------------------- */

static int load_child(char *self)
{
    char path[4096];
    struct stat seen;

    (void)snprintf(path, sizeof path, "%s/lx_child", dirname(self));
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &seen) != 0) {
        perror(path);
        return 1;
    }
    program.elf_bytes = (size_t)seen.st_size;
    program.elf = mmap(NULL, program.elf_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    program.stack_pages = 16;
    close(file);
    return program.elf == MAP_FAILED;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(exit_status_and_signal),
        CASE(live_child_is_waited_for_until_the_deadline),
        CASE(vmo_goes_to_a_child),
        CASE(child_has_no_other_descriptor),
        CASE(parent_is_found_once),
        CASE(strange_descriptors_are_no_parent),
        CASE(end_is_seen_though_the_channel_is_open),
        CASE(last_word_of_an_ended_child),
        CASE(end_is_seen_while_the_queue_is_full),
        CASE(killed_child_is_gone),
        CASE(unreaped_until_waited_for),
        CASE(status_that_somebody_else_took),
        CASE(status_that_an_ignored_signal_takes),
        CASE(child_can_be_killed),
        CASE(child_after_its_channel),
        CASE(hang_up_kill_and_wait),
        CASE(child_has_all_streams),
        CASE(no_process_for_a_child),
        CASE(no_way_to_close_descriptors),
        CASE(child_that_never_executes),
        CASE(what_is_no_program),
        CASE(no_descriptors_for_a_child),
        CASE(program_beyond_the_file_limit),
        CASE(what_is_no_channel),
        CASE(channel_is_no_stream),
        CASE(connected_by_a_name),
    };
    (void)argc;
    return load_child(argv[0]) ? 1 : cmocka_run_group_tests_name("lx_peer", tests, NULL, NULL);
}
