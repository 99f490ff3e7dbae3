/* SPDX-License-Identifier: Apache-2.0 */
/* Spawning programs on Linux: what a child inherits, and each refusal. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_program.h"

#define ELF_MACHINE 18
#define NOBODY 65534
#define WATCHDOG_S 20

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
    assert_int_equal(reply_tag(peer), total);
    assert_int_equal(waited_for(peer), 0);
    assert_ok(vmo_destroy(rig.registry, vmo));
    assert_ok(vmo_peer_close(rig.registry, peer));
}

static void child_has_no_other_descriptor(void **state)
{
    int leaks[6];

    (void)state;
    skip_under_valgrind();
    for (size_t i = 0; i < 6; i++) { /* without close-on-exec */
        leaks[i] = fcntl(rig.far, F_DUPFD, (int)(10 * i));
        assert_true(leaks[i] >= 0);
    }
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_CLOSE_RANGE | LX_NOEXEC_SEAL : 0);
        const vmo_peer_t peer = spawned("descriptors");
        assert_int_equal(reply_tag(peer), 4);
        assert_int_equal(waited_for(peer), 0);
        assert_ok(vmo_peer_close(rig.registry, peer));
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(close(leaks[i]), 0);
    }
}

/* In a forked process: spawns a child and returns its reply; 100 or 101 after a failure. */
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

/* The library opens /dev/null as each standard stream that the child would lack. */
static void child_has_all_streams(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(spawns_without_streams), 15 << 8);
    assert_int_equal(in_child(spawns_with_streams_that_close), 15 << 8);
}

/* RLIMIT_NPROC does not limit root: root becomes nobody. */
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

/* Without close_range and /proc nothing lists the descriptors that a child must not inherit. */
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
    const vmo_status empty = be_spawn(&program, &peer);
    if (rmdir("/proc/self/fd") != 0 || rmdir("/proc/self") != 0 || rmdir("/proc") != 0) {
        return 2;
    }
    lx_features_without(0);
    const vmo_status found = be_spawn(&program, &peer); /* its interpreter is missing */
    return missing == VMO_ERR_UNSUPPORTED && empty == VMO_ERR_UNSUPPORTED &&
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

/* Makes a filter of system calls handle execveat. False: this kernel has no filters. */
static bool filter_exec(uint32_t action)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog whole = {sizeof(filter) / sizeof(filter[0]), filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0;
}

static void die(int number)
{
    (void)number;
    (void)raise(SIGKILL);
}

/* What the filter does to execveat; and whether SIGCHLD is ignored. */
static uint32_t exec_action;
static bool ignore_sigchld;

static int spawns_with_exec_refused(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct sigaction act = {.sa_handler = die};
    struct be_peer peer;

    if (!filter_exec(exec_action)) {
        return 77;
    }
    if (sigaction(SIGSYS, &act, NULL) != 0 || (ignore_sigchld && sigaction(SIGCHLD, &ignore, NULL) != 0)) {
        return 78;
    }
    const vmo_status status = be_spawn(&program, &peer);
    return waitpid(-1, NULL, __WALL) < 0 ? (int)status : 79; /* no child is left */
}

/* vmo_peer_spawn fails if the child ends before exec, also if this program ignores SIGCHLD. */
static void child_that_ends_before_exec(void **state)
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
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        exec_action = cases[i / 2].answer;
        ignore_sigchld = i % 2;
        const int ended = in_child(spawns_with_exec_refused);
        if (ended == 77 << 8) {
            skip();
        }
        assert_int_equal(ended, cases[i / 2].expected << 8);
    }
}

/* ---- A child that another thread forks meanwhile ---------------------------------------------------- */

/* Set during a case: what the forked child reads until the case ends it. Its copy of all descriptors of the
 * spawn stays open. */
static int until = -1;
static pid_t holder = -1;

int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags)
{
    const int made = __real_pipe2(ends, flags);
    char none;

    if (made == 0 && until >= 0) {
        holder = fork();
        if (holder == 0) {
            (void)alarm(WATCHDOG_S);
            _exit(read(until, &none, 1) == 1 ? 0 : 1);
        }
    }
    return made;
}

static vmo_status spawns_while_forked(vmo_peer_t *peer)
{
    int ends[2];
    int ended = -1;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    until = ends[0];
    (void)alarm(WATCHDOG_S);
    const vmo_status status = vmo_peer_spawn(rig.registry, &program, peer);
    (void)alarm(0);
    until = -1;
    assert_int_equal(send(ends[1], "", 1, 0), 1);
    assert_int_equal(waitpid(holder, &ended, 0), holder);
    assert_int_equal(ended, 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    return status;
}

/* The forked child does not end before the spawn does. */
static void child_that_is_forked_meanwhile(void **state)
{
    const struct vmo_program whole = program;
    vmo_peer_t peer = {0};

    (void)state;
    skip_under_valgrind();
    assert_int_equal(setenv("LX_CHILD", "exit", 1), 0);
    assert_ok(spawns_while_forked(&peer));
    assert_int_equal(waited_for(peer), 7);
    assert_ok(vmo_peer_close(rig.registry, peer));
    program.elf_bytes = 64;
    assert_status(spawns_while_forked(&peer), VMO_ERR_INVALID);
    program = whole;
}

static void assert_no_child(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void bytes_that_are_no_program(void **state)
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
    assert_no_child();
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
    /* A spawn needs a memfd, two sockets, two ends of a pipe and a pidfd: each is missing once. */
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
    assert_no_child();
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
    assert_no_child();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(vmo_goes_to_a_child),           CASE(child_has_no_other_descriptor),
        CASE(child_has_all_streams),         CASE(no_process_for_a_child),
        CASE(no_way_to_close_descriptors),   CASE(child_that_ends_before_exec),
        CASE(bytes_that_are_no_program),     CASE(no_descriptors_for_a_child),
        CASE(program_beyond_the_file_limit), CASE(child_that_is_forked_meanwhile),
    };
    (void)argc;
    return program_load(argv[0]) ? cmocka_run_group_tests_name("lx_spawn", tests, NULL, NULL) : 1;
}
