/* SPDX-License-Identifier: Apache-2.0 */
/* The child that the tests spawn. LX_CHILD selects its part; without a parent it exits with 90. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lx.h"
#include "vmo/channel.h"

#define PARENT_SOCKET 3
#define STORAGE_BYTES VMO_REGISTRY_BYTES(4, 4, 4, 2)

static alignas(16) uint8_t storage[STORAGE_BYTES];
static struct vmo_registry *registry;
static vmo_peer_t parent;

static uint64_t soon(void)
{
    return vmo_now_ns(registry) + UINT64_C(20000000000);
}

static int say(uint32_t tag)
{
    const struct vmo_message message = {.tag = tag};

    return vmo_send(registry, parent, &message, soon()) == VMO_OK ? 0 : 91;
}

/* Waits for the parent to close the channel. */
static int until_gone(void)
{
    struct vmo_incoming in;

    return vmo_recv(registry, parent, &in, soon()) == VMO_ERR_PEER_GONE ? 0 : 92;
}

/* Counts open descriptors, without the one that the count uses. */
static uint32_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint32_t count = 0;

    if (!folder) {
        return UINT32_MAX;
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        count += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(folder);
    }
    closedir(folder);
    return count;
}

/* Receives a VMO and replies the sum of its bytes. */
static int sum(void)
{
    struct vmo_incoming in;
    vmo_view_t view = {0};
    uint64_t len = 0;
    uint32_t total = 0;

    if (vmo_recv(registry, parent, &in, soon()) != VMO_OK || vmo_len(registry, in.vmo, &len) != VMO_OK ||
        vmo_map_ro(registry, in.vmo, (struct vmo_range){0, len}, &view) != VMO_OK) {
        return 93;
    }
    for (uint64_t i = 0; i < len; i++) {
        total += vmo_view_data(registry, view)[i];
    }
    return say(total);
}

/* Replies with a bit for each standard stream that is open, and for the number of the next file if it is no
 * stream. */
static int streams(void)
{
    uint32_t found = 0;

    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        found |= fcntl(stream, F_GETFD) >= 0 ? 1u << stream : 0;
    }
    found |= open("/proc/self/exe", O_RDONLY | O_CLOEXEC) > STDERR_FILENO ? 8 : 0;
    return say(found);
}

/* The channel can be taken once, and a program that this one starts does not inherit it. */
static int parent_once(void)
{
    vmo_peer_t again;

    if (vmo_peer_parent(registry, &again) != VMO_ERR_UNSUPPORTED ||
        !(fcntl(PARENT_SOCKET, F_GETFD) & FD_CLOEXEC)) {
        return 94;
    }
    return say(1);
}

/* Exits, and leaves the channel open in a grandchild that reads nothing. */
static int leave_it_open(void)
{
    struct pollfd end = {.fd = PARENT_SOCKET, .events = POLLRDHUP};
    const pid_t child = fork();

    if (child == 0) {
        _exit(poll(&end, 1, 20000) == 1 ? 0 : 97);
    }
    return child > 0 ? 5 : 95;
}

/* Replies with the pid of its parent. */
static int identity(void)
{
    struct vmo_identity who;

    if (vmo_peer_identity(registry, parent, &who) != VMO_OK || who.source != VMO_IDENTITY_SOCKET ||
        who.uid != getuid()) {
        return 98;
    }
    return say((uint32_t)who.pid);
}

static int act(const char *what)
{
    if (strcmp(what, "identity") == 0) {
        return identity();
    }
    if (strcmp(what, "exit") == 0) {
        return 7;
    }
    if (strcmp(what, "die") == 0) {
        return raise(SIGKILL);
    }
    if (strcmp(what, "wait") == 0) {
        return until_gone();
    }
    if (strcmp(what, "sleep") == 0) { /* until a signal ends it */
        return pause();
    }
    if (strcmp(what, "streams") == 0) {
        return streams();
    }
    if (strcmp(what, "descriptors") == 0) {
        return say(count_descriptors());
    }
    if (strcmp(what, "sum") == 0) {
        return sum();
    }
    if (strcmp(what, "parent-once") == 0) {
        return parent_once();
    }
    return strcmp(what, "leave-open") == 0 ? leave_it_open() : 96;
}

int main(void)
{
    const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 2};
    const char *what = getenv("LX_CHILD");

    if (vmo_registry_init(storage, sizeof(storage), &limits, &registry) != VMO_OK ||
        vmo_peer_parent(registry, &parent) != VMO_OK) {
        return 90;
    }
    return act(what ? what : "");
}
