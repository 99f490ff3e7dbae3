/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver refuses malformed packets and false claims. A refusal leaves no descriptor and no mapping, and
 * the channel stays usable. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lx_test.h"

#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* Checks that the queued packet is refused with this status, and that the next packet is received. */
static void assert_dropped_at(vmo_status expected, const char *file, int line)
{
    struct vmo_incoming in = {.tag = 123};
    const struct wire next = wire_data(4);

    const struct seen before = look();
    const vmo_status status = vmo_recv(rig.registry, rig.peer, &in, PAST_NS);
    struct seen after = look();
    after.counters.control_bytes = before.counters.control_bytes; /* a refused packet counts too */
    if (status != expected || in.tag != 123 || memcmp(&before, &after, sizeof(after)) != 0) {
        print_error("status %s, wanted %s; or the refusal changed something\n", vmo_status_name(status),
                    vmo_status_name(expected));
        _fail(file, line);
    }
    far_send(&next, sizeof(next), NULL, 0);
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, 4);
}
#define assert_dropped(expected) assert_dropped_at(expected, __FILE__, __LINE__)

/* ---- Packets ------------------------------------------------------------------------------------ */

static void rubbish(void **state)
{
    uint8_t bytes[1024] = {0};
    const struct wire data = wire_data(1);

    (void)state;
    far_send(bytes, 1, NULL, 0);
    assert_dropped(VMO_ERR_PROTOCOL);
    far_send(bytes, 31, NULL, 0);
    assert_dropped(VMO_ERR_PROTOCOL);
    far_send(bytes, 32, NULL, 0);
    assert_dropped(VMO_ERR_PROTOCOL);
    memcpy(bytes, &data, sizeof(data));
    far_send(bytes, sizeof(data) + 1, NULL, 0); /* one byte longer than the header says */
    assert_dropped(VMO_ERR_PROTOCOL);
}

static void too_long(void **state)
{
    uint8_t bytes[PAGE] = {0};
    struct wire data = wire_data(1);

    (void)state;
    data.body_bytes = VMO_BODY_MAX_BYTES; /* the truncated part alone would be valid */
    memcpy(bytes, &data, sizeof(data));
    far_send(bytes, sizeof(data) + VMO_BODY_MAX_BYTES + 1, NULL, 0);
    assert_dropped(VMO_ERR_PROTOCOL);
    data.body_bytes = VMO_BODY_MAX_BYTES + 1;
    memcpy(bytes, &data, sizeof(data));
    far_send(bytes, sizeof(data) + VMO_BODY_MAX_BYTES + 1, NULL, 0);
    assert_dropped(VMO_ERR_PROTOCOL);
    const int memory = memory_with(PAGE, STEADY);
    far_send(bytes, sizeof(bytes), &memory, 1);
    assert_dropped(VMO_ERR_PROTOCOL);
    assert_int_equal(close(memory), 0);
}

/* recvmsg returns 0 for an empty packet, as for the end of the channel. */
static void empty(void **state)
{
    const int memory = memory_with(PAGE, STEADY);

    (void)state;
    far_send("", 0, NULL, 0);
    assert_dropped(VMO_ERR_PROTOCOL);
    far_send("", 0, &memory, 1);
    assert_dropped(VMO_ERR_PROTOCOL);
    assert_int_equal(close(memory), 0);
}

static void wrong_number_of_descriptors(void **state)
{
    const int memory = memory_with(PAGE, STEADY);
    int many[FAR_MOST] = {memory};
    const struct wire data = wire_data(1);
    const struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);

    (void)state;
    far_send(&handle, sizeof(handle), NULL, 0);
    assert_dropped(VMO_ERR_PROTOCOL);
    far_send(&data, sizeof(data), &memory, 1);
    assert_dropped(VMO_ERR_PROTOCOL);
    for (size_t count = 2; count <= FAR_MOST; count++) {
        many[count - 1] = memory;
        far_send(&handle, sizeof(handle), many, count);
        assert_dropped(VMO_ERR_PROTOCOL);
    }
    struct {
        struct wire wire;
        struct wire_item items[9];
    } nine = {.wire = {.magic = WIRE_MAGIC, .kind = WIRE_MANY, .len_bytes = 9}};
    far_send(&nine, sizeof(nine), many, 9);
    assert_dropped(VMO_ERR_PROTOCOL);
    assert_int_equal(close(memory), 0);
}

/* The kernel adds such control messages only if a socket option asks for them. The library sets neither
 * option. The receiver must close the descriptor of SCM_PIDFD. */
static void other_control_messages(void **state)
{
    const int options[] = {SO_PASSCRED, SO_PASSPIDFD};
    const int on = 1;
    const int off = 0;
    const struct wire data = wire_data(1);
    const struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    const int memory = memory_with(PAGE, STEADY);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        if (setsockopt(rig.near, SOL_SOCKET, options[i], &on, sizeof(on)) != 0) {
            assert_int_equal(options[i], SO_PASSPIDFD); /* an older kernel lacks it */
            continue;
        }
        struct vmo_incoming in;
        const uint32_t before = look().descriptors;
        far_send(&data, sizeof(data), NULL, 0);
        far_send(&handle, sizeof(handle), &memory, 1);
        assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
        assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
        assert_int_equal(look().descriptors, before);
        assert_int_equal(setsockopt(rig.near, SOL_SOCKET, options[i], &off, sizeof(off)), 0);
    }
    assert_int_equal(close(memory), 0);
}

/* Receives while RLIMIT_NOFILE is `limit`. */
static vmo_status recv_with_limit(rlim_t limit, struct vmo_incoming *in, uint64_t deadline_ns)
{
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit low = {limit, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    const vmo_status status = vmo_recv(rig.registry, rig.peer, in, deadline_ns);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    return status;
}

/* A message that needs a descriptor stays queued until one is free, also if the limit is below the open
 * descriptors. Later messages stay behind it. */
static void no_descriptor_free(void **state)
{
    struct vmo_incoming in;
    struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    const struct wire word = wire_data(6);

    (void)state;
    skip_under_valgrind();
    const int memory = memory_with(PAGE, STEADY);
    handle.tag = 5;
    far_send(&handle, sizeof(handle), &memory, 1);
    far_send(&word, sizeof(word), NULL, 0);
    const struct seen seen = look();
    const int lowest = dup(memory);
    assert_int_equal(close(lowest), 0);
    const rlim_t limits[] = {(rlim_t)lowest, 3, 1, 0};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const vmo_status status = recv_with_limit(limits[i], &in, PAST_NS);
        assert_status(status, VMO_ERR_NO_SLOTS);
        assert_same(&seen, "vmo_recv", __FILE__, __LINE__);
    }
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, 5);
    assert_ok(vmo_close(rig.registry, in.vmo));
    assert_ok(recv_with_limit(0, &in, PAST_NS)); /* a message without a VMO needs no descriptor */
    assert_int_equal(in.tag, 6);
    const uint64_t deadline = be_now_ns() + UINT64_C(3000000);
    assert_status(recv_with_limit(0, &in, deadline), VMO_ERR_TIMED_OUT); /* poll fails under this limit */
    assert_true(be_now_ns() >= deadline);
    far_close();
    assert_status(recv_with_limit(0, &in, soon()), VMO_ERR_PEER_GONE);
    assert_int_equal(close(memory), 0);
}

/* Runs in a child. If the kernel gives a received descriptor the number of a closed standard stream, the
 * library moves it. */
static int receives_without_streams(void)
{
    struct be_peer peer = {.pid = BE_NONE, .socket = rig.near, .watch = BE_NONE};
    const struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    const struct rlimit before = {1024, 1024};
    const struct rlimit low = {3, 1024};
    const int memory = memory_with(PAGE, STEADY);
    struct be_object object = BE_NO_OBJECT;
    uint8_t bytes[512];
    size_t len = 0;

    far_send(&handle, sizeof(handle), &memory, 1);
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        close(stream);
    }
    if (setrlimit(RLIMIT_NOFILE, &low) != 0 ||
        be_recv(&peer, bytes, sizeof(bytes), &len, &object, PAST_NS) != VMO_ERR_NO_SLOTS) {
        return 1; /* the numbers of the streams do not count as free */
    }
    if (fcntl(0, F_GETFD) >= 0 || fcntl(1, F_GETFD) >= 0 || fcntl(2, F_GETFD) >= 0) {
        return 2;
    }
    if (setrlimit(RLIMIT_NOFILE, &before) != 0 ||
        be_recv(&peer, bytes, sizeof(bytes), &len, &object, PAST_NS) != VMO_OK || object.alias < 3 ||
        fcntl(object.alias, F_GETFD) != FD_CLOEXEC) {
        return 3;
    }
    if (be_recv_take(&peer) != VMO_OK ||
        be_recv(&peer, bytes, sizeof(bytes), &len, &object, PAST_NS) != VMO_ERR_TIMED_OUT) {
        return 4;
    }
    return fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0 ? 0 : 5;
}

static void received_descriptor_is_never_a_stream(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(receives_without_streams), 0);
}

/* A VMO stays queued while the registry has no free entry. */
static void no_entry_free(void **state)
{
    struct vmo_incoming in;
    struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    vmo_t fill[16];

    (void)state;
    const int memory = memory_with(PAGE, STEADY);
    handle.tag = 9;
    far_send(&handle, sizeof(handle), &memory, 1);
    for (size_t i = 0; i < 16; i++) {
        assert_ok(vmo_wrap_bytes(rig.registry, "b", 1, &fill[i]));
    }
    assert_refused(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_TABLE_FULL);
    assert_refused(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_TABLE_FULL);
    assert_ok(vmo_close(rig.registry, fill[0]));
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, 9);
    assert_ok(vmo_close(rig.registry, in.vmo));
    for (size_t i = 1; i < 16; i++) {
        assert_ok(vmo_close(rig.registry, fill[i]));
    }
    assert_int_equal(close(memory), 0);
}

/* An empty packet does not count as the end of the channel, even if the peer has closed its end. */
static void empty_before_the_last_message(void **state)
{
    const struct wire word = wire_data(3);
    struct vmo_incoming in;

    (void)state;
    far_send("", 0, NULL, 0);
    far_send(&word, sizeof(word), NULL, 0);
    far_close();
    assert_refused(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, 3);
    assert_refused(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PEER_GONE);
}

/* ---- Objects ------------------------------------------------------------------------------------ */

/* Sends the descriptor with these claims, and closes it here. */
static void send_claim(int descriptor, uint64_t len_bytes, uint32_t rights, vmo_seal_strength seal)
{
    const struct wire handle = wire_handle(len_bytes, rights, seal);

    assert_true(descriptor >= 0);
    far_send(&handle, sizeof(handle), &descriptor, 1);
    assert_int_equal(close(descriptor), 0);
}

static void descriptors_of_other_kinds(void **state)
{
    FILE *file = tmpfile();
    int ends[2];

    (void)state;
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)PAGE), 0);
    send_claim(dup(fileno(file)), PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    send_claim(ends[0], PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
    send_claim(ends[1], PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
    send_claim(dup(rig.far), PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
    send_claim(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
    send_claim(open("/dev/zero", O_RDWR | O_CLOEXEC), PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
}

/* Opens the memory again in another mode, and closes the first descriptor. */
static int reopened(int memory, int how)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", memory);
    const int found = open(name, how | O_CLOEXEC);
    assert_int_equal(close(memory), 0);
    return found;
}

static void memory_that_cannot_be_read(void **state)
{
    (void)state;
    send_claim(reopened(memory_with(PAGE, STEADY), O_WRONLY), PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
    send_claim(reopened(memory_with(PAGE, STEADY), O_PATH), PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
}

static void memory_that_could_shrink(void **state)
{
    (void)state;
    send_claim(memory_with(PAGE, 0), PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
    send_claim(memory_with(PAGE, F_SEAL_GROW | F_SEAL_WRITE), PAGE, VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    assert_dropped(VMO_ERR_PROTOCOL);
    const int unsealable = memfd_create("vmo-far", MFD_CLOEXEC);
    assert_int_equal(ftruncate(unsealable, (off_t)PAGE), 0);
    send_claim(unsealable, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
}

/* The sender can set O_APPEND on the shared file description. A write then goes to the end of the file, and
 * only F_SEAL_GROW makes the kernel refuse it. */
static void writable_memory_that_could_grow(void **state)
{
    (void)state;
    send_claim(memory_with(PAGE, F_SEAL_SHRINK), PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
}

/* Pages of another size cannot be mapped at the library's offsets. */
static void memory_of_huge_pages(void **state)
{
    const uint64_t huge = UINT64_C(2) << 20;

    (void)state;
    const int memory = memfd_create("vmo-far", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
    if (memory < 0) {
        skip();
    }
    assert_int_equal(ftruncate(memory, (off_t)huge), 0);
    assert_int_equal(fcntl(memory, F_ADD_SEALS, STEADY), 0);
    send_claim(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
}

static void false_length(void **state)
{
    const uint64_t lengths[] = {PAGE + 1, 2 * PAGE, UINT64_C(1) << 39};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        send_claim(memory_with(PAGE, STEADY), lengths[i], VMO_RIGHT_READ, VMO_SEAL_NONE);
        assert_dropped(VMO_ERR_PROTOCOL);
    }
    send_claim(memory_with(PAGE - 1, STEADY), PAGE - 1, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL); /* no multiple of the page size */
    send_claim(memory_with(PAGE, STEADY), UINT64_MAX, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_TOO_LARGE);
    send_claim(memory_with(PAGE, STEADY), 0, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_PROTOCOL);
}

static void false_seal(void **state)
{
    (void)state;
    send_claim(memory_with(PAGE, STEADY), PAGE, VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    assert_dropped(VMO_ERR_PROTOCOL);
    send_claim(memory_with(PAGE, STEADY | F_SEAL_FUTURE_WRITE), PAGE, VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    assert_dropped(VMO_ERR_PROTOCOL);
    if (lx_features() & LX_PEERS_SEAL) {
        send_claim(memory_with(PAGE, STEADY), PAGE, VMO_RIGHT_READ, VMO_SEAL_PEERS);
        assert_dropped(VMO_ERR_PROTOCOL);
    }
    assert_ok(vmo_peer_require(rig.registry, rig.peer, VMO_SEAL_FOREVER));
    send_claim(memory_with(PAGE, STEADY | F_SEAL_FUTURE_WRITE), PAGE, VMO_RIGHT_READ, VMO_SEAL_PEERS);
    assert_dropped(VMO_ERR_NOT_SEALED);
    send_claim(memory_with(PAGE, STEADY), PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_dropped(VMO_ERR_NOT_SEALED);
}

/* ---- Valid claims ------------------------------------------------------------------------------- */

struct honest {
    int seals;
    uint32_t rights;
    vmo_seal_strength claimed;
    uint32_t rights_here;
    vmo_enforcer by;
};

static void true_claims(void **state)
{
    const struct honest cases[] = {
        {STEADY, VMO_RIGHTS_ALL, VMO_SEAL_NONE, VMO_RIGHTS_ALL, VMO_BY_NOBODY},
        {STEADY, VMO_RIGHT_READ, VMO_SEAL_NONE, VMO_RIGHT_READ, VMO_BY_NOBODY},
        {STEADY | F_SEAL_FUTURE_WRITE, VMO_RIGHT_READ, VMO_SEAL_PEERS, VMO_RIGHT_READ, VMO_BY_KERNEL},
        {STEADY | F_SEAL_WRITE, VMO_RIGHT_READ, VMO_SEAL_PEERS, VMO_RIGHT_READ, VMO_BY_KERNEL},
        {STEADY | F_SEAL_WRITE, VMO_RIGHT_READ, VMO_SEAL_FOREVER, VMO_RIGHT_READ, VMO_BY_KERNEL},
        /* The kernel grants fewer rights than the sender claims. */
        {STEADY | F_SEAL_WRITE, VMO_RIGHTS_ALL, VMO_SEAL_NONE, VMO_RIGHT_READ, VMO_BY_NOBODY},
        {STEADY | F_SEAL_FUTURE_WRITE, VMO_RIGHTS_ALL, VMO_SEAL_NONE, VMO_RIGHT_READ, VMO_BY_NOBODY},
    };

    (void)state;
    const int next = dup(rig.far); /* the next descriptor gets this number */
    assert_int_equal(close(next), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vmo_incoming in;
        uint32_t rights = 0;
        vmo_enforcer by = VMO_BY_LIBRARY;
        vmo_view_t view = NO_VIEW;
        send_claim(memory_with(2 * PAGE, cases[i].seals), 2 * PAGE - 9, cases[i].rights, cases[i].claimed);
        assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
        assert_int_equal(fcntl(next, F_GETFD), FD_CLOEXEC);
        assert_ok(vmo_rights(rig.registry, in.vmo, &rights));
        assert_int_equal(rights, cases[i].rights_here);
        assert_ok(vmo_seal_enforced_by(rig.registry, in.vmo, &by));
        assert_int_equal(by, cases[i].by);
        assert_ok(vmo_map_ro(rig.registry, in.vmo, RANGE(0, 2 * PAGE - 9), &view));
        assert_int_equal(vmo_view_data(rig.registry, view)[PAGE], 0);
        assert_ok(vmo_unmap(rig.registry, view));
        assert_ok(vmo_close(rig.registry, in.vmo));
    }
}

static void older_kernel_trusts_the_sender_about_peers(void **state)
{
    struct vmo_incoming in;
    vmo_enforcer by = VMO_BY_NOBODY;

    (void)state;
    lx_features_without(LX_PEERS_SEAL);
    send_claim(memory_with(PAGE, STEADY), PAGE, VMO_RIGHT_READ, VMO_SEAL_PEERS);
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_ok(vmo_seal_enforced_by(rig.registry, in.vmo, &by));
    assert_int_equal(by, VMO_BY_LIBRARY);
    assert_ok(vmo_close(rig.registry, in.vmo));
    send_claim(memory_with(PAGE, STEADY), PAGE, VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    assert_dropped(VMO_ERR_PROTOCOL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rubbish),
        CASE(too_long),
        CASE(empty),
        CASE(wrong_number_of_descriptors),
        CASE(other_control_messages),
        CASE(no_descriptor_free),
        CASE(received_descriptor_is_never_a_stream),
        CASE(no_entry_free),
        CASE(empty_before_the_last_message),
        CASE(descriptors_of_other_kinds),
        CASE(memory_that_cannot_be_read),
        CASE(memory_that_could_shrink),
        CASE(writable_memory_that_could_grow),
        CASE(memory_of_huge_pages),
        CASE(false_length),
        CASE(false_seal),
        CASE(true_claims),
        CASE(older_kernel_trusts_the_sender_about_peers),
    };
    return cmocka_run_group_tests_name("lx_refusals", tests, NULL, NULL);
}
