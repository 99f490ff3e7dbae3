/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spawns a program: writes its bytes to a sealed memfd and executes that. The child inherits the standard
 * streams and, as descriptor 3, its end of the channel. Linux sizes the stack: stack_pages is ignored.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"

#define CHILD_SOCKET 3
#define CHILD_FREE 4 /* close-on-exec from here on */

/* Descriptors that live during a spawn. */
struct launch {
    int image;
    int ours;        /* end of the channel */
    int theirs;      /* end of the channel */
    int exec_err_rd; /* pipe: the errno of a failed exec, or end of file after a successful one */
    int exec_err_wr; /* where the child writes it; a successful exec closes it */
};

static void close_quietly(const int *descriptors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (descriptors[i] != BE_NONE) {
            lx_close_quiet(descriptors[i]);
        }
    }
}

/* ---- Before the fork ---------------------------------------------------------------------------- */

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
               : VMO_ERR_BACKEND;
}

static vmo_status prepare(const struct vmo_program *program, struct launch *launch)
{
    int ends[2];
    int pipe_ends[2];
    const unsigned executable = lx_features() & LX_NOEXEC_SEAL ? MFD_EXEC : 0;

    vmo_status status = lx_memfd("vmo-program", executable, &launch->image);
    if (status == VMO_OK) {
        status = fill(launch->image, program);
    }
    if (status != VMO_OK) {
        return status;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return lx_status(errno);
    }
    launch->ours = ends[0];
    launch->theirs = ends[1];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        return lx_status(errno);
    }
    launch->exec_err_rd = pipe_ends[0];
    launch->exec_err_wr = pipe_ends[1];
    return VMO_OK;
}

/* ---- The child before exec: async-signal-safe calls only -------------------------------------------- */

static void close_on_exec(long descriptors)
{
    if ((lx_features() & LX_CLOSE_RANGE) &&
        syscall(SYS_close_range, CHILD_FREE, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        return;
    }
    for (int i = CHILD_FREE; i < descriptors; i++) {
        (void)fcntl(i, F_SETFD, FD_CLOEXEC); /* most of them are not open */
    }
}

static _Noreturn void child_exec(const struct launch *launch, long descriptors)
{
    static char name[] = "vmo-peer";
    char *const arguments[] = {name, NULL};
    /* Move them above CHILD_SOCKET first: one of them may be that descriptor. */
    const int image = fcntl(launch->image, F_DUPFD_CLOEXEC, CHILD_FREE);
    const int socket = fcntl(launch->theirs, F_DUPFD_CLOEXEC, CHILD_FREE);
    const int err_wr = fcntl(launch->exec_err_wr, F_DUPFD_CLOEXEC, CHILD_FREE);

    if (image >= 0 && socket >= 0 && err_wr >= 0 && dup2(socket, CHILD_SOCKET) == CHILD_SOCKET) {
        close_on_exec(descriptors);
        (void)syscall(SYS_execveat, image, "", arguments, environ, AT_EMPTY_PATH);
    }
    const int error = errno;
    const ssize_t n = write(err_wr >= 0 ? err_wr : launch->exec_err_wr, &error, sizeof(error));
    _exit(n == (ssize_t)sizeof(error) ? 126 : 127);
}

/* ---- The parent after the fork ------------------------------------------------------------------ */

static vmo_status refusal(int error)
{
    switch (error) {
    case ENOEXEC:
    case EINVAL:
    case ENOENT: /* its interpreter */
    case ELIBBAD:
        return VMO_ERR_INVALID;
    case EACCES:
    case EPERM:
    case ENOSYS:
        return VMO_ERR_UNSUPPORTED;
    case E2BIG:
        return VMO_ERR_TOO_LARGE;
    default:
        return lx_status(error);
    }
}

/* Waits until the child runs the program, or reports why it cannot. */
static vmo_status wait_for_exec(int exec_err_rd)
{
    int error = 0;
    ssize_t n = 0;

    do {
        n = read(exec_err_rd, &error, sizeof(error));
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        return VMO_OK;
    }
    return n == (ssize_t)sizeof(error) ? refusal(error) : VMO_ERR_BACKEND;
}

static void reap_refused(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int32_t watch(pid_t pid)
{
    const long made = lx_features() & LX_PIDFD ? syscall(SYS_pidfd_open, pid, 0) : -1;

    return made >= 0 ? (int32_t)made : LX_WATCH_BY_PID;
}

static vmo_status launch_child(struct launch *launch, struct be_peer *out)
{
    const long descriptors = sysconf(_SC_OPEN_MAX);
    const pid_t pid = fork();

    if (pid < 0) {
        return lx_status(errno);
    }
    if (pid == 0) {
        child_exec(launch, descriptors);
    }
    lx_close_quiet(launch->exec_err_wr);
    launch->exec_err_wr = BE_NONE;
    const vmo_status status = wait_for_exec(launch->exec_err_rd);
    if (status != VMO_OK) {
        reap_refused(pid);
        return status;
    }
    *out = (struct be_peer){.pid = pid, .socket = launch->ours, .watch = watch(pid)};
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
