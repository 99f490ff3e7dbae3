/* SPDX-License-Identifier: Apache-2.0 */
/* The suite on Linux: the peer is a forked process at the other end of a socket. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conformance/conf.h"
#include "conformance/conf_peer_main.h"

#define DESCRIPTORS 64 /* few enough that the suite can use them up */
#define LINE_BYTES 512
#define NS_PER_S UINT64_C(1000000000)

static pid_t child = -1;
static int childs_end = -1;

const struct conf_port *conf_port(void)
{
    static const struct conf_port port = {
        .name = "linux",
        .features = HAS_MAP | HAS_UNMAP | HAS_DESTROY | HAS_PEER | HAS_TRANSFER | HAS_FILES |
                    HAS_KERNEL_SEALS | HAS_PEER_CREATE | HAS_TRANSFER_UP | HAS_NAMES,
        .bad_memory = UINTPTR_MAX / 2 + 1,
    };

    return &port;
}

/* Mappings of memory that has no name in the file system: VMOs are memfds. */
static uint64_t memory_mappings(void)
{
    char line[LINE_BYTES];
    uint64_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");

    if (!maps) {
        return 0;
    }
    while (fgets(line, sizeof line, maps)) {
        found += strstr(line, "/memfd:") != NULL;
    }
    (void)fclose(maps);
    return found;
}

struct conf_held conf_port_held(void)
{
    struct conf_held held = {0, memory_mappings()};

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        held.slots += fcntl(fd, F_GETFD) >= 0;
    }
    return held;
}

uint64_t conf_port_mark(void)
{
    const int lowest = fcntl(STDIN_FILENO, F_DUPFD, 0);

    if (lowest >= 0) {
        (void)close(lowest);
    }
    return (uint64_t)lowest;
}

void conf_port_between(void) {}

/* ---- The peer ----------------------------------------------------------------------------------- */

static vmo_status open_childs_end(struct vmo_registry *registry, vmo_peer_t *out)
{
    return vmo_peer_open(registry, childs_end, out);
}

bool conf_port_bad_program(uint32_t i, struct vmo_program *out)
{
    (void)i, (void)out;
    return false; /* no kernel here loads it */
}

vmo_status conf_port_start_peer(struct vmo_registry *registry, vmo_peer_t *out)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return VMO_ERR_NO_SLOTS;
    }
    (void)fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        childs_end = ends[1];
        _exit(conf_peer_main(open_childs_end));
    }
    (void)close(ends[1]);
    const vmo_status status = pid < 0 ? VMO_ERR_BACKEND : vmo_peer_open(registry, ends[0], out);
    if (status != VMO_OK) {
        (void)close(ends[0]);
        if (pid > 0) {
            (void)waitpid(pid, NULL, 0);
        }
        return status;
    }
    child = pid;
    return VMO_OK;
}

/* Where the channel is closed the child sees that and ends. */
void conf_port_forget_peer(bool after_failure)
{
    if (after_failure && child > 0) {
        (void)kill(child, SIGKILL);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    child = -1;
}

void conf_port_pause(uint64_t until_ns)
{
    const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                                   .tv_nsec = (long)(until_ns % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

void conf_port_crash(void)
{
    (void)kill(getpid(), SIGKILL);
}

/* ---- Files -------------------------------------------------------------------------------------- */

int conf_port_file(const void *bytes, size_t len)
{
    FILE *stream = tmpfile();

    if (!stream) {
        return -1;
    }
    const bool written = fwrite(bytes, 1, len, stream) == len && fflush(stream) == 0;
    const int file = written ? fcntl(fileno(stream), F_DUPFD_CLOEXEC, 0) : -1;
    (void)fclose(stream);
    return file;
}

void conf_port_truncate(int file, size_t len)
{
    CHECK(ftruncate(file, (off_t)len) == 0);
}

void conf_port_close_file(int file)
{
    (void)close(file);
}

int main(int argc, char **argv)
{
    const struct rlimit few = {.rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS};

    if (setrlimit(RLIMIT_NOFILE, &few) != 0) {
        return 1;
    }
    return conf_run(argc > 1 ? argv[1] : NULL);
}
