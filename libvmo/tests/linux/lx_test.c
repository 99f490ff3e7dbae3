/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "lx_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_packet.h"

#define STORAGE_BYTES VMO_REGISTRY_BYTES(16, 16, 16, 4)

static alignas(16) uint8_t near_storage[STORAGE_BYTES];
static alignas(16) uint8_t far_storage[STORAGE_BYTES];
static const struct vmo_limits limits = {.objects = 16, .mappings = 16, .views = 16, .peers = 4};

struct rig rig;
static struct vmo_registry *far_registry;
static struct seen at_start;

/* ---- Counting ----------------------------------------------------------------------------------- */

static uint32_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint32_t count = 0;

    assert_non_null(folder);
    while (readdir(folder)) {
        count++;
    }
    closedir(folder);
    return count;
}

/* Memfds and the files of these tests have no name left: the kernel says so in their lines. */
uint32_t count_mappings(const char *with)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    uint32_t count = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        count += strstr(line, "(deleted)") != NULL && strstr(line, with) != NULL;
    }
    (void)fclose(maps);
    return count;
}

struct seen look(void)
{
    struct seen seen;

    memset(&seen, 0, sizeof(seen));
    seen.descriptors = count_descriptors();
    seen.mappings = count_mappings("");
    vmo_counters_read(rig.registry, &seen.counters);
    return seen;
}

void assert_same(const struct seen *before, const char *call, const char *file, int line)
{
    const struct seen now = look();
    const char *changed = NULL;

    if (now.descriptors != before->descriptors) {
        changed = "the number of descriptors";
    } else if (now.mappings != before->mappings) {
        changed = "the number of mappings";
    } else if (memcmp(&now.counters, &before->counters, sizeof(now.counters)) != 0) {
        changed = "a counter";
    }
    if (changed) {
        print_error("%s changed %s\n", call, changed);
        _fail(file, line);
    }
}

void skip_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    if (preloaded && strstr(preloaded, "vgpreload")) {
        skip();
    }
}

uint64_t soon(void)
{
    return be_now_ns() + UINT64_C(20000000000);
}

/* ---- The rig ------------------------------------------------------------------------------------ */

int rig_make(void **state)
{
    int ends[2];

    (void)state;
    lx_features_without(0);
    rig.registry = NULL;
    at_start = look();
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_ok(vmo_registry_init(near_storage, sizeof(near_storage), &limits, &rig.registry));
    assert_ok(vmo_peer_open(rig.registry, ends[0], &rig.peer));
    assert_ok(vmo_peer_allow(rig.registry, rig.peer));
    rig.near = ends[0];
    rig.far = ends[1];
    return 0;
}

int rig_drop(void **state)
{
    (void)state;
    lx_features_without(0);
    if (vmo_peer_close(rig.registry, rig.peer) != VMO_OK || vmo_registry_fini(rig.registry) != VMO_OK) {
        print_error("the case left something alive in the registry\n");
        return 1;
    }
    if (rig.far >= 0) {
        close(rig.far);
    }
    const struct seen now = look();
    if (now.descriptors != at_start.descriptors || now.mappings != at_start.mappings) {
        print_error("the case left %d descriptors and %d mappings\n",
                    (int)(now.descriptors - at_start.descriptors), (int)(now.mappings - at_start.mappings));
        return 1;
    }
    return 0;
}

struct vmo_registry *far_make(vmo_peer_t *peer)
{
    assert_ok(vmo_registry_init(far_storage, sizeof(far_storage), &limits, &far_registry));
    assert_ok(vmo_peer_open(far_registry, rig.far, peer));
    assert_ok(vmo_peer_allow(far_registry, *peer));
    rig.far = -1;
    return far_registry;
}

void far_drop(vmo_peer_t peer)
{
    assert_ok(vmo_peer_close(far_registry, peer));
    assert_ok(vmo_registry_fini(far_registry));
}

/* ---- VMOs --------------------------------------------------------------------------------------- */

uint8_t pattern_at(uint64_t off)
{
    return (uint8_t)(off * 7 + off / PAGE * 13 + 1);
}

vmo_t filled(uint64_t len_bytes)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    assert_ok(vmo_create(rig.registry, len_bytes, &vmo));
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, len_bytes), &view));
    uint8_t *bytes = vmo_view_data_rw(rig.registry, view);
    for (uint64_t i = 0; i < len_bytes; i++) {
        bytes[i] = pattern_at(i);
    }
    assert_ok(vmo_unmap(rig.registry, view));
    return vmo;
}

void assert_pattern(const uint8_t *bytes, uint64_t off, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        assert_int_equal(bytes[i], pattern_at(off + i));
    }
}

/* ---- The far end -------------------------------------------------------------------------------- */

struct wire wire_data(uint32_t tag)
{
    return (struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA, .tag = tag};
}

struct wire wire_handle(uint64_t len_bytes, uint32_t rights, vmo_seal_strength seal)
{
    return (struct wire){.magic = WIRE_MAGIC,
                         .kind = WIRE_HANDLE,
                         .rights = (uint16_t)rights,
                         .seal = (uint16_t)seal,
                         .len_bytes = len_bytes};
}

union room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * FAR_MOST)];
};

void far_send(const void *bytes, size_t len, const int *descriptors, size_t count)
{
    union room room = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

    assert_true(count <= FAR_MOST);
    if (count) {
        packet.msg_control = room.bytes;
        packet.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    assert_int_equal(sendmsg(rig.far, &packet, MSG_NOSIGNAL | MSG_DONTWAIT), (ssize_t)len);
}

int far_recv(void *bytes, size_t max, size_t *len)
{
    union room room;
    struct iovec part = {.iov_base = bytes, .iov_len = max};
    struct msghdr packet = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)};
    int descriptor = -1;

    const ssize_t got = recvmsg(rig.far, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    assert_true(got >= 0);
    *len = (size_t)got;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
    if (header) {
        assert_int_equal(header->cmsg_type, SCM_RIGHTS);
        assert_int_equal(header->cmsg_len, CMSG_LEN(sizeof(int)));
        memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
    }
    return descriptor;
}

ssize_t far_hear(void *bytes, size_t max, int flags)
{
    ssize_t len = 0;

    do {
        len = recv(rig.far, bytes, max, flags);
    } while (len >= 0 && lx_packet_is(LX_NOTICE, bytes, (size_t)len));
    return len;
}

int far_given(vmo_t vmo, uint32_t rights)
{
    const struct vmo_message message = {.vmo = vmo, .rights = rights};
    struct wire wire;
    size_t len = 0;

    assert_ok(vmo_send(rig.registry, rig.peer, &message, PAST_NS));
    const int descriptor = far_recv(&wire, sizeof(wire), &len);
    assert_true(descriptor >= 0);
    return descriptor;
}

int reopen(int descriptor, int how)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", descriptor);
    const int made = open(name, how | O_CLOEXEC);
    assert_true(made >= 0);
    return made;
}

void far_close(void)
{
    assert_int_equal(close(rig.far), 0);
    rig.far = -1;
}

uint32_t fill_queue(void)
{
    const struct vmo_message message = {.tag = 1};
    vmo_status status = VMO_OK;
    uint32_t count = 0;

    for (; status == VMO_OK; count++) {
        assert_true(count < 100000);
        status = vmo_send(rig.registry, rig.peer, &message, PAST_NS);
    }
    assert_status(status, VMO_ERR_TIMED_OUT);
    return count - 1;
}

int in_child(int (*part)(void))
{
    int ended = -1;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        _exit(part());
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    return ended;
}

int memory_with(uint64_t size_bytes, int seals)
{
    const int made = memfd_create("vmo-far", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(made >= 0);
    assert_int_equal(ftruncate(made, (off_t)size_bytes), 0);
    assert_int_equal(fcntl(made, F_ADD_SEALS, seals), 0);
    return made;
}
