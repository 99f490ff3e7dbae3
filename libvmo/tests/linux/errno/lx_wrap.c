/* SPDX-License-Identifier: Apache-2.0 */
/* Wrappers of the system calls of errnos.def. The linker puts them in the place of the calls (-Wl,--wrap). */
#define _GNU_SOURCE
#include "lx_wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lx_abi.h"

struct wrap_shared *wrap;
void (*wrap_on_wait)(void);

/* Each process has its own lane, since fork copies it. */
static enum lane lane;
/* Set in the process of a story and in its child. The driver's calls are not counted. */
static bool telling;
/* Set while dump_counts runs, whose calls are not the library's. */
static bool dumping;

static bool armed(void)
{
    return telling && wrap->armed && !dumping;
}

void wrap_begin(void)
{
    telling = true;
}

#define E(name) name,
#define CALL(name, errors) static const int errors_##name[] = {errors 0};
#define FCNTL(command, errors) static const int errors_##command[] = {errors 0};
#define RAW(name, errors) static const int errors_##name[] = {errors 0};
#include "errnos.def"
#undef CALL
#undef FCNTL
#undef RAW

const struct wrap_row wrap_rows[ROWS] = {
#define CALL(name, errors) {#name, errors_##name},
#define FCNTL(command, errors) {#command, errors_##command},
#define RAW(name, errors) {#name, errors_##name},
#include "errnos.def"
#undef CALL
#undef FCNTL
#undef RAW
};

/* ---- The plan ------------------------------------------------------------------------------------------ */

/* The error with which a story fails every call of a row, besides the plan; 0: none. */
static int standing[ROWS];
/* How the last struck call fails. */
static enum how struck_how;
static int struck_error;

void wrap_refuse(enum row row, int error)
{
    standing[row] = error;
}

/* True if the plan is for this call. */
static bool is_planned(enum row row, uint32_t nth)
{
    const struct wrap_plan *plan = &wrap->plan;
    const bool lasts = plan->how == HOW_ALWAYS && wrap->fired && wrap->step == plan->step;

    return plan->set && lane == plan->lane && row == plan->row && (nth == plan->nth || lasts);
}

/* Counts a call; true if it must fail. */
static bool strike(enum row row, const void *site)
{
    struck_how = HOW_ERROR;
    struck_error = standing[row];
    if (!armed()) {
        return struck_error != 0 && !dumping;
    }
    const uint32_t nth = wrap->count[lane]++;
    if (nth < TRACE_MAX) {
        wrap->trace[lane][nth] = (struct wrap_call){row, wrap->step, (uintptr_t)site};
    }
    if (is_planned(row, nth)) {
        wrap->fired++;
        struck_how = wrap->plan.how;
        struck_error = wrap->plan.error;
        if (struck_how == HOW_KILLED) {
            (void)raise(SIGKILL);
        }
        return true;
    }
    return struck_error != 0;
}

static bool is_error(void)
{
    return struck_how == HOW_ERROR || struck_how == HOW_ALWAYS;
}

static long fail(void)
{
    errno = struck_error;
    return -1;
}

/* Of len bytes, the number that a struck call still moves. */
static size_t part(size_t len)
{
    return struck_how == HOW_SHORT ? (len + 1) / 2 : 0;
}

#define SITE __builtin_return_address(0)

/* ---- Calls that fail before they do anything ----------------------------------------------------------- */

#define WRAP(type, name, parameters, arguments)                                                              \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters                                                                            \
    {                                                                                                        \
        return strike(ROW_##name, SITE) ? (type)fail() : __real_##name arguments;                            \
    }

WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(int, ftruncate, (int fd, off_t len), (fd, len))
WRAP(int, fstat, (int fd, struct stat *out), (fd, out))
WRAP(int, fstatfs, (int fd, struct statfs *out), (fd, out))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(ssize_t, readlink, (const char *path, char *out, size_t len), (path, out, len))
WRAP(int, dup2, (int fd, int to), (fd, to))
WRAP(int, dup3, (int fd, int to, int flags), (fd, to, flags))
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(int, munmap, (void *at, size_t len), (at, len))
WRAP(int, madvise, (void *at, size_t len, int advice), (at, len, advice))
WRAP(int, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
WRAP(int, getsockopt, (int fd, int level, int name, void *out, socklen_t *len), (fd, level, name, out, len))
WRAP(int, setsockopt, (int fd, int level, int name, const void *in, socklen_t len),
     (fd, level, name, in, len))
WRAP(int, shutdown, (int fd, int how), (fd, how))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *out, int flags), (fd, out, flags))
WRAP(ssize_t, recv, (int fd, void *out, size_t len, int flags), (fd, out, len, flags))
WRAP(ssize_t, send, (int fd, const void *in, size_t len, int flags), (fd, in, len, flags))
WRAP(int, epoll_create1, (int flags), (flags))
WRAP(int, epoll_ctl, (int group, int how, int fd, struct epoll_event *event), (group, how, fd, event))
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *out, int options), (type, id, out, options))
WRAP(int, kill, (pid_t pid, int signal), (pid, signal))
WRAP(int, fallocate, (int fd, int mode, off_t off, off_t len), (fd, mode, off, len))
WRAP(int, nanosleep, (const struct timespec *pause, struct timespec *rest), (pause, rest))
WRAP(long, sysconf, (int name), (name))
WRAP(int, clock_gettime, (clockid_t clock, struct timespec *out), (clock, out))

/* WRAP cannot declare these two, since glibc uses its own types for their parameters. */
int __real_getrlimit(int resource, struct rlimit *out);
int __wrap_getrlimit(int resource, struct rlimit *out);
int __wrap_getrlimit(int resource, struct rlimit *out)
{
    return strike(ROW_getrlimit, SITE) ? (int)fail() : __real_getrlimit(resource, out);
}

int __real_getpeername(int fd, struct sockaddr *out, socklen_t *len);
int __wrap_getpeername(int fd, struct sockaddr *out, socklen_t *len);
int __wrap_getpeername(int fd, struct sockaddr *out, socklen_t *len)
{
    return strike(ROW_getpeername, SITE) ? (int)fail() : __real_getpeername(fd, out, len);
}

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_malloc(size_t len)
{
    if (strike(ROW_malloc, SITE)) {
        (void)fail();
        return NULL;
    }
    return __real_malloc(len);
}

void *__real_mmap(void *at, size_t len, int protection, int flags, int fd, off_t off);
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t off);
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t off)
{
    if (strike(ROW_mmap, SITE)) {
        (void)fail();
        return MAP_FAILED;
    }
    return __real_mmap(at, len, protection, flags, fd, off);
}

/* ---- Calls that close, move part of the bytes, wait or fork -------------------------------------------- */

/* The kernel closes the descriptor even if close fails, except with EBADF. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    const bool struck = strike(ROW_close, SITE);
    const int closed = __real_close(fd);

    return struck ? (int)fail() : closed;
}

ssize_t __real_read(int fd, void *to, size_t len);
ssize_t __wrap_read(int fd, void *to, size_t len);
ssize_t __wrap_read(int fd, void *to, size_t len)
{
    if (!strike(ROW_read, SITE)) {
        return __real_read(fd, to, len);
    }
    return is_error() ? fail() : part(len) ? __real_read(fd, to, part(len)) : 0;
}

ssize_t __real_write(int fd, const void *from, size_t len);
ssize_t __wrap_write(int fd, const void *from, size_t len);
ssize_t __wrap_write(int fd, const void *from, size_t len)
{
    if (!strike(ROW_write, SITE)) {
        return __real_write(fd, from, len);
    }
    return is_error() ? fail() : part(len) ? __real_write(fd, from, part(len)) : 0;
}

ssize_t __real_pread(int fd, void *to, size_t len, off_t off);
ssize_t __wrap_pread(int fd, void *to, size_t len, off_t off);
ssize_t __wrap_pread(int fd, void *to, size_t len, off_t off)
{
    if (!strike(ROW_pread, SITE)) {
        return __real_pread(fd, to, len, off);
    }
    return is_error() ? fail() : part(len) ? __real_pread(fd, to, part(len), off) : 0;
}

ssize_t __real_pwrite(int fd, const void *from, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *from, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *from, size_t len, off_t off)
{
    if (!strike(ROW_pwrite, SITE)) {
        return __real_pwrite(fd, from, len, off);
    }
    return is_error() ? fail() : part(len) ? __real_pwrite(fd, from, part(len), off) : 0;
}

ssize_t __real_sendfile(int to, int from, off_t *at, size_t len);
ssize_t __wrap_sendfile(int to, int from, off_t *at, size_t len);
ssize_t __wrap_sendfile(int to, int from, off_t *at, size_t len)
{
    if (!strike(ROW_sendfile, SITE)) {
        return __real_sendfile(to, from, at, len);
    }
    return is_error() ? fail() : part(len) ? __real_sendfile(to, from, at, part(len)) : 0;
}

ssize_t __real_process_vm_readv(pid_t pid, const struct iovec *here, unsigned long here_count,
                                const struct iovec *there, unsigned long there_count, unsigned long flags);
ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *here, unsigned long here_count,
                                const struct iovec *there, unsigned long there_count, unsigned long flags);
ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *here, unsigned long here_count,
                                const struct iovec *there, unsigned long there_count, unsigned long flags)
{
    if (!strike(ROW_process_vm_readv, SITE)) {
        return __real_process_vm_readv(pid, here, here_count, there, there_count, flags);
    }
    if (is_error() || part(here->iov_len) == 0) {
        return is_error() ? fail() : 0;
    }
    const struct iovec some = {here->iov_base, part(here->iov_len)};
    return __real_process_vm_readv(pid, &some, 1, there, there_count, flags);
}

/* A packet is sent whole or not at all, so only the returned count is short. */
ssize_t __real_sendmsg(int fd, const struct msghdr *in, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *in, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *in, int flags)
{
    const bool struck = strike(ROW_sendmsg, SITE);

    if (struck && is_error()) {
        return fail();
    }
    const ssize_t sent = __real_sendmsg(fd, in, flags);
    return struck && sent > 0 ? sent - 1 : sent;
}

/* For ECHILD, reaps the child first, as if the program had done so. */
pid_t __real_waitpid(pid_t pid, int *out, int options);
pid_t __wrap_waitpid(pid_t pid, int *out, int options);
pid_t __wrap_waitpid(pid_t pid, int *out, int options)
{
    if (!strike(ROW_waitpid, SITE)) {
        return __real_waitpid(pid, out, options);
    }
    if (struck_error == ECHILD) {
        (void)__real_waitpid(pid, NULL, options);
    }
    return (pid_t)fail();
}

static void run_other_side(void)
{
    if (wrap_on_wait != NULL) {
        const bool was_armed = wrap->armed;
        wrap->armed = false;
        wrap_on_wait();
        wrap->armed = was_armed;
    }
}

int __real_poll(struct pollfd *looks, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *looks, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *looks, nfds_t count, int timeout)
{
    return strike(ROW_poll, SITE) ? (int)fail() : __real_poll(looks, count, timeout);
}

int __real_ppoll(struct pollfd *looks, nfds_t count, const struct timespec *at_most, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *looks, nfds_t count, const struct timespec *at_most, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *looks, nfds_t count, const struct timespec *at_most, const sigset_t *mask)
{
    if (strike(ROW_ppoll, SITE)) {
        return (int)fail();
    }
    run_other_side();
    return __real_ppoll(looks, count, at_most, mask);
}

/* Coverage builds write their counts before exec and _exit, which run no exit handlers, and before a fork, so
 * that the child counts from zero. */
void __gcov_dump(void) __attribute__((weak));
void __gcov_reset(void) __attribute__((weak));

static void dump_counts(void)
{
    if (__gcov_dump != NULL && __gcov_reset != NULL) {
        dumping = true;
        __gcov_dump();
        __gcov_reset();
        dumping = false;
    }
}

/* ---- Calls with a list of arguments -------------------------------------------------------------------- */

static int fcntl_row(int command)
{
    switch (command) {
#define CALL(name, errors)
#define FCNTL(command, errors)                                                                               \
    case command:                                                                                            \
        return ROW_##command;
#define RAW(name, errors)
#include "errnos.def"
#undef FCNTL
#undef RAW
    default:
        return -1;
    }
}

static int raw_row(long number)
{
    switch (number) {
#define FCNTL(command, errors)
#define RAW(name, errors)                                                                                    \
    case SYS_##name:                                                                                         \
        return ROW_##name;
#include "errnos.def"
#undef CALL
#undef FCNTL
#undef RAW
    default:
        return -1;
    }
}

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap__exit(int status)
{
    dump_counts();
    __real__exit(status);
}

/* Aborts at a command or number without a row, which the suite would not test. */
static bool strike_row(int row, const void *site)
{
    if (row < 0 && armed()) {
        abort();
    }
    return row >= 0 && strike((enum row)row, site);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list list;

    va_start(list, command);
    const long argument = va_arg(list, long);
    va_end(list);
    return strike_row(fcntl_row(command), SITE) ? (int)fail() : __real_fcntl(fd, command, argument);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list list;

    va_start(list, request);
    void *const argument = va_arg(list, void *);
    va_end(list);
    return strike(ROW_ioctl, SITE) ? (int)fail() : __real_ioctl(fd, request, argument);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list list;

    va_start(list, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    return strike(ROW_open, SITE) ? (int)fail() : __real_open(path, flags, mode);
}

void *__real_mremap(void *at, size_t old_len, size_t len, int flags, ...);
void *__wrap_mremap(void *at, size_t old_len, size_t len, int flags, ...);
void *__wrap_mremap(void *at, size_t old_len, size_t len, int flags, ...)
{
    if (strike(ROW_mremap, SITE)) {
        (void)fail();
        return MAP_FAILED;
    }
    return __real_mremap(at, old_len, len, flags);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    long argument[6];
    va_list list;

    va_start(list, number);
    for (size_t i = 0; i < 6; i++) {
        argument[i] = va_arg(list, long);
    }
    va_end(list);
    if (strike_row(raw_row(number), SITE)) {
        return fail();
    }
    const bool in_step = armed();
    if (number == SYS_execveat || (number == SYS_clone && in_step)) {
        dump_counts();
    }
    const long result =
        __real_syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
    if (number == SYS_clone && result == 0 && in_step) {
        lane = LANE_CHILD;
    }
    return result;
}

/* ---- The shared memory ------------------------------------------------------------------------------- */

void wrap_open(void)
{
    void *at = __real_mmap(NULL, sizeof(*wrap), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED) {
        abort();
    }
    wrap = at;
}
