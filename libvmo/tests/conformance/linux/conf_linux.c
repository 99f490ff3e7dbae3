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
#include <unistd.h>

#include "conformance/conf.h"
#include "conformance/conf_peer_main.h"

#define DESCRIPTORS 64 /* limit that the suite can reach */
#define LINE_BYTES 512

static pid_t child = -1;
static int childs_end = -1;

const struct conf_port *conf_port(void)
{
    static const struct conf_port port = {
        .name = "linux",
        .features = HAS_MAP | HAS_UNMAP | HAS_DESTROY | HAS_PEER | HAS_TRANSFER | HAS_FILES |
                    HAS_KERNEL_SEALS | HAS_PEER_CREATE | HAS_TRANSFER_UP | HAS_NAMES | HAS_DESCRIPTORS |
                    HAS_MANY,
        .patience_ns = UINT64_C(30000000000), /* the machine may be busy */
        .bad_memory = UINTPTR_MAX / 2 + 1,
    };

    return &port;
}

/* Counts the mappings of memfds, since VMOs are memfds. */
static uint64_t memory_mappings(void)
{
    char line[LINE_BYTES];
    uint64_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");

    if (maps == NULL) {
        return 0;
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
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

/* ---- The peer ----------------------------------------------------------------------------------- */

static vmo_status open_childs_end(struct vmo_registry *registry, vmo_peer_t *out)
{
    return vmo_peer_open(registry, childs_end, out);
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

/* A closed channel ends the child. */
void conf_port_drop_peer(bool after_failure)
{
    if (after_failure && child > 0) {
        (void)kill(child, SIGKILL);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    child = -1;
}

void conf_port_crash(void)
{
    (void)kill(getpid(), SIGKILL);
}

int main(int argc, char **argv)
{
    const struct rlimit few = {.rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS};

    if (setrlimit(RLIMIT_NOFILE, &few) != 0) {
        return 1;
    }
    return conf_run(argc > 1 ? argv[1] : NULL);
}
