/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spawns a program: writes its bytes to a sealed memfd and executes that. The child inherits the standard
 * streams and, as descriptor 3, its end of the channel. A standard stream that the parent has closed is
 * /dev/null in the child, so that the first file that the child opens does not become its output. Linux
 * sizes the stack: stack_pages is ignored.
 *
 * The child is made by clone without an exit signal, not by fork. Until it executes the program, only a wait
 * with __WCLONE finds it, and no setting of SIGCHLD reaps it; exec makes it an ordinary child. So the parent
 * knows whether a child that has ended had executed the program.
 *
 * With CLONE_VFORK the parent's thread goes on only when the child has executed the program or has ended. The
 * end of file of a pipe would not do: a child that another thread forks meanwhile holds the pipe, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"

#define CHILD_SOCKET 3
#define CHILD_FREE 4 /* close-on-exec from here on */

/* Descriptors that live during a spawn. All are close-on-exec. */
struct launch {
    int image;
    int ours;        /* end of the channel */
    int theirs;      /* end of the channel */
    int exec_err_rd; /* pipe: the errno of a failed exec, or nothing after a successful one */
    int exec_err_wr; /* where the child writes it */
};

static void close_quietly(const int *descriptors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (descriptors[i] != BE_NONE) {
            lx_close_quiet(descriptors[i]);
        }
    }
}

/* ---- Before the clone --------------------------------------------------------------------------- */

/* Each round writes at least a byte, or a signal has interrupted it. */
static vmo_status fill(int image, const struct vmo_program *program)
{
    for (size_t done = 0; done < program->elf_bytes;) {
        const ssize_t n = write(image, (const uint8_t *)program->elf + done, program->elf_bytes - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? VMO_ERR_NO_MEMORY : lx_status(errno);
        }
    }
    return fcntl(image, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0
               ? VMO_OK
               : lx_status(errno);
}

/* Moves both off the standard streams. After a refusal both are closed or in *first and *second. */
static vmo_status keep_pair(const int made[2], int *first, int *second)
{
    *first = lx_above_stdio(made[0]);
    const int error = errno;
    *second = lx_above_stdio(made[1]);
    if (*first < 0 || *second < 0) {
        return lx_status(*first < 0 ? error : errno);
    }
    return VMO_OK;
}

static vmo_status prepare(const struct vmo_program *program, struct launch *launch)
{
    int made[2];
    const unsigned executable = lx_features() & LX_NOEXEC_SEAL ? MFD_EXEC : 0;

    vmo_status status = lx_memfd("vmo-program", executable, &launch->image);
    if (status == VMO_OK) {
        status = fill(launch->image, program);
    }
    if (status != VMO_OK) {
        return status;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, made) != 0) {
        return lx_status(errno);
    }
    status = keep_pair(made, &launch->ours, &launch->theirs);
    if (status != VMO_OK) {
        return status;
    }
    if (pipe2(made, O_CLOEXEC | O_NONBLOCK) != 0) {
        return lx_status(errno);
    }
    return keep_pair(made, &launch->exec_err_rd, &launch->exec_err_wr);
}

/* ---- The child before exec: async-signal-safe calls only -------------------------------------------- */

/* An entry of a folder, as getdents64 returns it. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t bytes; /* of the entry */
    uint8_t kind;
    char name[];
};
_Static_assert(offsetof(struct entry, name) == 19, "the kernel's struct linux_dirent64");

/* The number that a name of /proc/self/fd stands for, or -1. */
static int number_of(const char *name)
{
    int number = 0;

    for (size_t i = 0; name[i] != 0; i++) {
        if (name[i] < '0' || name[i] > '9' || number > INT32_MAX / 10 - 1) {
            return -1;
        }
        number = number * 10 + (name[i] - '0');
    }
    return number;
}

static int open_again(const char *path, int how)
{
    int made = -1;

    do {
        made = open(path, how);
    } while (made < 0 && errno == EINTR);
    return made;
}

/* Sets FD_CLOEXEC for every descriptor of the program, by /proc/self/fd. 0 or the errno. A folder that does
 * not list its own descriptor is another one. */
static int close_each_on_exec(void)
{
    alignas(struct entry) char bytes[2048];
    const int folder = open_again("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool true_folder = false;

    if (folder < 0) {
        return errno == ENOENT || errno == EACCES ? ENOSYS : errno;
    }
    for (;;) {
        const long got = syscall(SYS_getdents64, folder, bytes, sizeof(bytes));
        if (got <= 0) {
            return got < 0 ? errno : true_folder ? 0 : ENOSYS;
        }
        for (long at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(const void *)(bytes + at);
            const int number = number_of(entry->name);
            true_folder = true_folder || number == folder;
            if (number >= CHILD_FREE && fcntl(number, F_SETFD, FD_CLOEXEC) != 0) {
                return errno;
            }
            at += entry->bytes;
        }
    }
}

/* Never loops up to a limit of descriptors, which may be 2^30. */
static int close_on_exec(void)
{
    if ((lx_features() & LX_CLOSE_RANGE) &&
        syscall(SYS_close_range, CHILD_FREE, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        return 0;
    }
    return close_each_on_exec();
}

/* Opens /dev/null for each standard stream that the program would not inherit. Without /dev a descriptor of
 * the root folder takes the number: it can neither be read nor written. 0 or the errno. */
static int open_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        const int flags = fcntl(stream, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC)) {
            continue;
        }
        if (flags >= 0) {
            lx_close_quiet(stream);
        }
        int made = open_again("/dev/null", O_RDWR); /* the lowest free number */
        if (made < 0) {
            made = open_again("/", O_PATH);
        }
        if (made != stream) {
            return made < 0 ? errno : EBADF;
        }
    }
    return 0;
}

/* Moves a descriptor away from the number that the channel gets. */
static int off_channel(int descriptor)
{
    if (descriptor != CHILD_SOCKET) {
        return descriptor;
    }
    const int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, CHILD_FREE);
    if (moved < 0 && errno == EINVAL) {
        errno = EMFILE; /* the limit is 4 or less */
    }
    return moved;
}

/* Puts the channel in its place. */
static bool place_channel(int theirs)
{
    int placed = -1;

    do {
        placed = dup2(theirs, CHILD_SOCKET);
    } while (placed < 0 && errno == EINTR);
    return placed == CHILD_SOCKET;
}

/* Returns only if the program cannot be executed: the errno. */
static int execute(int image, int theirs)
{
    static char name[] = "vmo-peer";
    char *const arguments[] = {name, NULL};

    if (image < 0 || theirs < 0 || !place_channel(theirs)) {
        return errno;
    }
    int error = open_streams();
    if (error == 0) {
        error = close_on_exec();
    }
    if (error == 0) {
        (void)syscall(SYS_execveat, image, "", arguments, environ, AT_EMPTY_PATH);
        error = errno;
    }
    return error;
}

static _Noreturn void child_exec(const struct launch *launch)
{
    const int err_wr = off_channel(launch->exec_err_wr);
    const int image = off_channel(launch->image);
    const int theirs = off_channel(launch->theirs);
    const int error = err_wr >= 0 ? execute(image, theirs) : errno;
    ssize_t n = 0;

    do {
        n = write(err_wr >= 0 ? err_wr : launch->exec_err_wr, &error, sizeof(error));
    } while (n < 0 && errno == EINTR);
    _exit(n == (ssize_t)sizeof(error) ? 126 : 127);
}

/* ---- The parent after the clone ----------------------------------------------------------------- */

static vmo_status refusal(int error)
{
    switch (error) {
    case ENOEXEC:
    case EINVAL:
    case ELIBBAD:
    case ENOENT: /* from here on: its interpreter */
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EIO:
    case ETXTBSY:
        return VMO_ERR_INVALID;
    case EACCES:
    case EPERM:
    case ENOSYS:
        return VMO_ERR_UNSUPPORTED;
    case E2BIG:
        return VMO_ERR_TOO_LARGE;
    case EAGAIN: /* RLIMIT_NPROC, or the control group's limit of processes */
        return VMO_ERR_NO_SLOTS;
    default:
        return lx_status(error);
    }
}

/* Makes the child. The pid, 0 in the child, or -1 with errno set. *watch: its pidfd, or LX_WATCH_BY_PID. */
static pid_t clone_child(int32_t *watch)
{
    int pidfd = BE_NONE;
    const unsigned long flags = CLONE_VFORK | (lx_features() & LX_PIDFD ? CLONE_PIDFD : 0);
    const long pid = syscall(SYS_clone, flags, NULL, &pidfd, NULL, NULL);

    if (pid > 0) {
        const int kept = lx_above_stdio(pidfd);
        *watch = kept >= 0 ? kept : LX_WATCH_BY_PID;
    }
    return (pid_t)pid;
}

/* waitpid, repeated while signals interrupt it. The child has ended or is about to: the wait is short. */
static pid_t reap(pid_t pid, int *end, int options)
{
    pid_t found = 0;

    do {
        found = waitpid(pid, end, options);
    } while (found < 0 && errno == EINTR);
    return found;
}

/* Reaps a child that does not become a peer. One that has reported an error ends without being killed. */
static vmo_status end_child(pid_t pid, bool ends, vmo_status status)
{
    int end = 0;

    if (kill(pid, SIGKILL) != 0 && !ends) {
        return lx_status(errno);
    }
    if (reap(pid, &end, __WALL) != pid && errno != ECHILD && reap(pid, &end, (int)__WCLONE) != pid) {
        return lx_status(errno);
    }
    return status;
}

/* For a child that has reported no error: it has executed the program, or was killed before. __WCLONE finds
 * only a child that has not executed the program: see the top of this file. */
static vmo_status check_executed(pid_t pid)
{
    int end = 0;

    if (reap(pid, &end, (int)__WCLONE) == pid) {
        /* SIGSYS: a filter of system calls forbids exec. */
        return WIFSIGNALED(end) && WTERMSIG(end) == SIGSYS ? VMO_ERR_UNSUPPORTED : VMO_ERR_PEER_GONE;
    }
    return errno == ECHILD ? VMO_OK : end_child(pid, false, lx_status(errno));
}

/* Finds out whether the child runs the program, or why it cannot. After a refusal the child is reaped. */
static vmo_status check_exec(int exec_err_rd, pid_t pid)
{
    int error = 0;
    ssize_t n = 0;

    do {
        n = read(exec_err_rd, &error, sizeof(error));
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        return check_executed(pid);
    }
    return end_child(pid, n > 0, n < 0 ? lx_status(errno) : refusal(error));
}

static vmo_status launch_child(struct launch *launch, struct be_peer *out)
{
    int32_t watch = BE_NONE;
    const pid_t pid = clone_child(&watch);

    if (pid < 0) {
        return refusal(errno);
    }
    if (pid == 0) {
        child_exec(launch);
    }
    const vmo_status status = check_exec(launch->exec_err_rd, pid);
    if (status != VMO_OK) {
        if (watch >= 0) {
            lx_close_quiet(watch);
        }
        return status;
    }
    *out = (struct be_peer){.pid = pid, .socket = launch->ours, .watch = watch};
    launch->ours = BE_NONE;
    return VMO_OK;
}

vmo_status be_spawn(const struct vmo_program *program, struct be_peer *out)
{
    struct launch launch = {BE_NONE, BE_NONE, BE_NONE, BE_NONE, BE_NONE};

    if (program->elf_bytes < 4 || memcmp(program->elf, "\177ELF", 4) != 0) {
        return VMO_ERR_INVALID;
    }
    if (!lx_within_file_limit(program->elf_bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    vmo_status status = prepare(program, &launch);
    if (status == VMO_OK) {
        status = launch_child(&launch, out);
    }
    const int left[] = {launch.image, launch.ours, launch.theirs, launch.exec_err_rd, launch.exec_err_wr};
    close_quietly(left, sizeof(left) / sizeof(left[0]));
    return status;
}
