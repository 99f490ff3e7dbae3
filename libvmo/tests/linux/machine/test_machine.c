/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library on machines that lack something: each scenario under each condition, in a process of its own.
 * It works or returns a named status that the condition explains; it is never killed, and nothing is reported
 * as BACKEND.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "page.h"
#include "vmo/channel.h"

#define LEN (2 * PAGE + 3)
#define WHOLE ((struct vmo_range){0, LEN})
#define WATCHDOG_S 20
#define NOBODY 65534

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* ---- Scenarios: the first status that is not OK ---------------------------------------------------------
 */

static alignas(16) uint8_t storage[2][VMO_REGISTRY_BYTES(4, 8, 8, 2)];
static const struct vmo_limits limits = {.objects = 4, .mappings = 8, .views = 8, .peers = 2};
static uint8_t bytes[LEN];

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        const vmo_status status_ = (call);                                                                   \
        if (status_ != VMO_OK) {                                                                             \
            return status_;                                                                                  \
        }                                                                                                    \
    } while (0)

/* The bytes did not arrive: no status of the library says so. */
#define WRONG ((vmo_status)99)

static vmo_status check_bytes(struct vmo_registry *registry, vmo_t vmo)
{
    static uint8_t back[LEN];

    TRY(vmo_read(registry, vmo, WHOLE, back));
    return memcmp(back, bytes, LEN) == 0 ? VMO_OK : WRONG;
}

static vmo_status filled(struct vmo_registry *registry, vmo_t *vmo)
{
    memset(bytes, 7, sizeof(bytes));
    TRY(vmo_create(registry, LEN, vmo));
    return vmo_write(registry, *vmo, WHOLE, bytes);
}

static vmo_status memory(void)
{
    struct vmo_registry *registry = NULL;
    vmo_t vmo = VMO_NONE;
    vmo_view_t view;

    TRY(vmo_registry_init(storage[0], sizeof(storage[0]), &limits, &registry));
    TRY(filled(registry, &vmo));
    TRY(vmo_map_rw(registry, vmo, WHOLE, &view));
    vmo_view_data_rw(registry, view)[0] = 9;
    bytes[0] = 9;
    TRY(vmo_unmap(registry, view));
    TRY(vmo_seal(registry, vmo, VMO_SEAL_PEERS));
    TRY(vmo_write(registry, vmo, WHOLE, bytes));
    TRY(vmo_seal(registry, vmo, VMO_SEAL_FOREVER));
    TRY(check_bytes(registry, vmo));
    TRY(vmo_map_ro(registry, vmo, WHOLE, &view));
    TRY(vmo_unmap(registry, view));
    TRY(vmo_close(registry, vmo));
    return vmo_registry_fini(registry);
}

static vmo_status hand_over(void)
{
    struct vmo_registry *near = NULL, *far = NULL;
    vmo_peer_t to_far, to_near;
    vmo_t vmo = VMO_NONE;
    struct vmo_incoming incoming;
    int ends[2];

    TRY(vmo_registry_init(storage[0], sizeof(storage[0]), &limits, &near));
    TRY(vmo_registry_init(storage[1], sizeof(storage[1]), &limits, &far));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return VMO_OK; /* the condition took the test's own socket: nothing to try */
    }
    TRY(vmo_peer_open(near, ends[0], &to_far));
    TRY(vmo_peer_open(far, ends[1], &to_near));
    TRY(vmo_peer_allow(near, to_far));
    TRY(filled(near, &vmo));
    const struct vmo_message message = {.tag = 3, .vmo = vmo, .rights = VMO_RIGHT_READ};
    TRY(vmo_send(near, to_far, &message, 0));
    TRY(vmo_recv(far, to_near, &incoming, 0));
    TRY(check_bytes(far, incoming.vmo));
    TRY(vmo_close(far, incoming.vmo));
    TRY(vmo_close(near, vmo));
    TRY(vmo_peer_close(near, to_far));
    TRY(vmo_peer_close(far, to_near));
    TRY(vmo_registry_fini(near));
    return vmo_registry_fini(far);
}

static uint8_t elf[1 << 17];
static size_t elf_bytes;

static vmo_status child(void)
{
    const struct vmo_program program = {elf, elf_bytes, 1};
    struct vmo_registry *registry = NULL;
    vmo_peer_t peer;
    int32_t status = -1;

    TRY(vmo_registry_init(storage[0], sizeof(storage[0]), &limits, &registry));
    TRY(vmo_peer_spawn(registry, &program, &peer));
    const vmo_status waited =
        vmo_peer_wait(registry, peer, vmo_now_ns(registry) + UINT64_C(10000000000), &status);
    TRY(vmo_peer_close(registry, peer));
    TRY(vmo_registry_fini(registry));
    return waited == VMO_OK && status != 0 ? WRONG : waited;
}

/* A child that was forked while a writable view and the mapping of a PEERS seal lived, and that still runs.
 */
static vmo_status forked(void)
{
    struct vmo_registry *registry = NULL;
    vmo_t plain = VMO_NONE, sealed = VMO_NONE;
    vmo_view_t view;
    int ends[2];
    char word = 0;

    TRY(vmo_registry_init(storage[0], sizeof(storage[0]), &limits, &registry));
    TRY(filled(registry, &plain));
    TRY(filled(registry, &sealed));
    TRY(vmo_map_rw(registry, plain, WHOLE, &view));
    TRY(vmo_seal(registry, sealed, VMO_SEAL_PEERS));
    if (pipe(ends) != 0) {
        return VMO_OK; /* nothing to try */
    }
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[1]);
        _exit(read(ends[0], &word, 1) == 0 ? 0 : 1); /* until the parent has sealed */
    }
    (void)close(ends[0]);
    TRY(vmo_unmap(registry, view));
    TRY(vmo_seal(registry, plain, VMO_SEAL_FOREVER));
    TRY(vmo_seal(registry, sealed, VMO_SEAL_FOREVER));
    TRY(check_bytes(registry, plain));
    (void)close(ends[1]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    TRY(vmo_close(registry, plain));
    TRY(vmo_close(registry, sealed));
    return vmo_registry_fini(registry);
}

static const struct scenario {
    const char *name;
    vmo_status (*run)(void);
} scenarios[] = {{"memory", memory}, {"hand over", hand_over}, {"fork", forked}, {"child", child}};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* ---- Conditions ---------------------------------------------------------------------------------------- */

static void must(bool done)
{
    if (!done) {
        _exit(100);
    }
}

/* A macro: the resource has a type of the C library's own. */
#define LIMIT_TO(resource, most)                                                                             \
    do {                                                                                                     \
        const struct rlimit limit_ = {.rlim_cur = (most), .rlim_max = (most)};                               \
        must(setrlimit((resource), &limit_) == 0);                                                           \
    } while (0)

/* A filter that answers one system call with an errno. */
static void refuse(int number, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void nothing(long value)
{
    (void)value;
}

/* value: a bit for each standard stream. */
static void streams_closed(long value)
{
    for (int fd = 0; fd < 3; fd++) {
        must(!(value >> fd & 1) || close(fd) == 0);
    }
}

static void file_size(long value)
{
    LIMIT_TO(RLIMIT_FSIZE, (rlim_t)value);
}

static void descriptors(long value)
{
    LIMIT_TO(RLIMIT_NOFILE, (rlim_t)value);
}

/* value: pages more than the process has now. */
static void address_space(long value)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");

    must(statm != NULL && fscanf(statm, "%lu", &pages) == 1 && fclose(statm) == 0);
    LIMIT_TO(RLIMIT_AS, (pages + (rlim_t)value) * PAGE);
}

static void locked_memory(long value)
{
    LIMIT_TO(RLIMIT_MEMLOCK, (rlim_t)value);
}

/* Root may have any number of processes. */
static void processes(long value)
{
    must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
    LIMIT_TO(RLIMIT_NPROC, (rlim_t)value);
}

/* After a change of user /proc/self is root's. */
static void no_longer_root(long value)
{
    (void)value;
    must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void child_ignored(long value)
{
    (void)value;
    must(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
}

static void reap_all(int number)
{
    const int error = errno;

    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    errno = error;
}

static void child_reaped(long value)
{
    (void)value;
    must(signal(SIGCHLD, reap_all) != SIG_ERR);
}

static void refused_enosys(long value)
{
    refuse((int)value, ENOSYS);
}

static void refused_eperm(long value)
{
    refuse((int)value, EPERM);
}

static void no_close_range(long value)
{
    struct rlimit limit;

    (void)value;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    refuse(SYS_close_range, ENOSYS);
}

static void no_proc(long value)
{
    (void)value;
    must(unshare(CLONE_NEWNS) == 0 && mount("none", "/proc", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    must(umount2("/proc", MNT_DETACH) == 0);
}

/* ---- The matrix ---------------------------------------------------------------------------------------- */

#define S(name) (UINT64_C(1) << VMO_ERR_##name)
#define OK UINT64_C(1)

struct condition {
    const char *name;
    void (*make)(long value);
    long first; /* every value from the first to the last */
    long last;
    uint64_t may[SCENARIOS]; /* statuses that each scenario may end with */
    bool needs_root;
    bool ends_well; /* the last value is enough for all scenarios */
};

#define EACH(may)                                                                                            \
    {                                                                                                        \
        may, may, may, may                                                                                   \
    }

static const struct condition conditions[] = {
    {"nothing is missing", nothing, 0, 0, EACH(OK), false, true},
    {"standard streams are closed", streams_closed, 1, 7, EACH(OK), false, true},
    {"RLIMIT_FSIZE", file_size, 0, 1, EACH(S(TOO_LARGE)), false, false},
    {"RLIMIT_NOFILE", descriptors, 0, 24, EACH(OK | S(NO_SLOTS)), false, true},
    {"RLIMIT_AS", address_space, 0, 64, EACH(OK | S(NO_MEMORY)), false, true},
    {"RLIMIT_MEMLOCK", locked_memory, 0, 0, EACH(OK), false, true},
    {"RLIMIT_NPROC", processes, 0, 0, {OK, OK | S(UNSUPPORTED), OK, S(NO_SLOTS)}, true, false},
    {"privileges were dropped", no_longer_root, 0, 0, {OK, OK | S(UNSUPPORTED), OK, OK}, true, false},
    {"SIGCHLD is ignored", child_ignored, 0, 0, {OK, OK, OK, S(PEER_GONE)}, false, false},
    {"SIGCHLD is handled", child_reaped, 0, 0, {OK, OK, OK, OK | S(PEER_GONE)}, false, false},
    {"no close_range and many descriptors", no_close_range, 0, 0, EACH(OK), false, true},
    {"no /proc", no_proc, 0, 0, {OK, S(UNSUPPORTED), OK, OK}, true, false},
};

/* System calls that a filter may refuse, and what each scenario may then end with; 0: the scenario is not
 * tried. What has no substitute is UNSUPPORTED. */
#define MAYBE (OK | S(UNSUPPORTED))
static const struct refused {
    const char *name;
    int number;
    uint64_t may[SCENARIOS];
} refused[] = {
    {"memfd_create", SYS_memfd_create, EACH(S(UNSUPPORTED))},
    {"pidfd_open", SYS_pidfd_open, EACH(OK)},
    {"close_range", SYS_close_range, EACH(OK)},
    {"execveat", SYS_execveat, {OK, OK, OK, S(UNSUPPORTED)}},
    {"sendmsg", SYS_sendmsg, {OK, S(UNSUPPORTED), OK, OK}},
    {"recvmsg", SYS_recvmsg, {OK, S(UNSUPPORTED), OK, OK}},
    {"sendto", SYS_sendto, {OK, OK, OK, OK}},
    {"recvfrom", SYS_recvfrom, {OK, S(UNSUPPORTED), OK, OK}},
    {"getpeername", SYS_getpeername, {OK, MAYBE | S(INVALID), OK, OK}},
    {"socketpair", SYS_socketpair, {OK, OK, OK, S(UNSUPPORTED)}},
    {"pipe2", SYS_pipe2, {OK, OK, OK, MAYBE}},
    {"ftruncate", SYS_ftruncate, {S(UNSUPPORTED), S(UNSUPPORTED), S(UNSUPPORTED), MAYBE}},
    {"madvise", SYS_madvise, {MAYBE, MAYBE, MAYBE, OK}},
    {"mremap", SYS_mremap, EACH(OK)},
    {"waitid", SYS_waitid, {OK, OK, OK, MAYBE}},
    {"pread64", SYS_pread64, {MAYBE, MAYBE, MAYBE, 0}}, /* the loader of the child's program needs it */
    {"pwrite64", SYS_pwrite64, {MAYBE | S(SEALED), MAYBE | S(SEALED), MAYBE | S(SEALED), OK}},
    {"fchmod", SYS_fchmod, {OK, MAYBE, OK, OK}},
};

static unsigned ran;
static bool all_good = true;

/* The status of a scenario under a condition, or -1 if it did not end by itself. */
static int run(const struct scenario *scenario, void (*make)(long value), long value)
{
    int ended = 0;

    (void)fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)alarm(WATCHDOG_S);
        make(value);
        _exit((int)scenario->run());
    }
    if (pid < 0 || waitpid(pid, &ended, 0) != pid || !WIFEXITED(ended)) {
        printf("# %s, %ld: signal %d\n", scenario->name, value, WTERMSIG(ended));
        return -1;
    }
    return WEXITSTATUS(ended);
}

static bool judge(const struct scenario *scenario, void (*make)(long value), long value, uint64_t may)
{
    const int status = run(scenario, make, value);

    if (status >= 0 && status < VMO_STATUS_COUNT && may >> status & 1) {
        return true;
    }
    if (status >= 0) {
        printf("# %s, %ld: %s\n", scenario->name, value,
               status == 100 ? "the condition could not be made" : vmo_status_name((vmo_status)status));
    }
    return false;
}

static void report(bool good, const char *condition, const char *more, const char *scenario)
{
    all_good = all_good && good;
    printf("%s %u - %s%s: %s\n", good ? "ok" : "not ok", ++ran, condition, more, scenario);
}

static void try_condition(const struct condition *condition)
{
    if (condition->needs_root && geteuid() != 0) {
        printf("# not tried: %s: needs root\n", condition->name);
        return;
    }
    for (size_t i = 0; i < SCENARIOS; i++) {
        bool good = true;
        for (long value = condition->first; value <= condition->last; value++) {
            const bool enough = condition->ends_well && value == condition->last;
            good = judge(&scenarios[i], condition->make, value, enough ? OK : condition->may[i]) && good;
        }
        report(good, condition->name, "", scenarios[i].name);
    }
}

static void try_refused(const struct refused *call)
{
    for (size_t i = 0; i < SCENARIOS; i++) {
        if (call->may[i] == 0) {
            continue;
        }
        report(judge(&scenarios[i], refused_enosys, call->number, call->may[i]), call->name, " is missing",
               scenarios[i].name);
        report(judge(&scenarios[i], refused_eperm, call->number, call->may[i]), call->name, " is refused",
               scenarios[i].name);
    }
}

/* What a child is: a program that ends at once. */
static bool read_program(void)
{
    const int file = open("/bin/true", O_RDONLY | O_CLOEXEC);
    const ssize_t len = file >= 0 ? read(file, elf, sizeof(elf)) : -1;

    elf_bytes = len > 0 ? (size_t)len : 0;
    return len > 0 && elf_bytes < sizeof(elf) && close(file) == 0;
}

int main(void)
{
    if (!read_program()) {
        puts("Bail out! cannot read /bin/true");
        return 2;
    }
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        try_condition(&conditions[i]);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        try_refused(&refused[i]);
    }
    printf("1..%u\n", ran);
    return all_good ? 0 : 1;
}
