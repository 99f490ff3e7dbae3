/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with several VMOs on Linux: at the limits of descriptors, and from a peer that lies. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lx_packet.h"
#include "lx_test.h"

#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)
#define ALL VMO_MANY_MAX

static struct vmo_incoming incoming;
static vmo_t got[ALL];
static uint32_t count;
static vmo_t vmos[ALL];
static struct vmo_item items[ALL];

static vmo_status receive(void)
{
    return vmo_recv_many(rig.registry, rig.peer, &incoming, got, &count, PAST_NS);
}

static void close_received(struct vmo_registry *registry)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(vmo_close(registry, got[i]));
    }
}

static void make(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        vmos[i] = filled(PAGE + i);
        items[i] = (struct vmo_item){vmos[i], VMO_RIGHT_READ};
    }
}

static void destroy(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        assert_ok(vmo_destroy(rig.registry, vmos[i]));
    }
}

static vmo_status send_items(uint32_t n)
{
    return vmo_send_many(rig.registry, rig.peer, &(struct vmo_message){.tag = n}, items, n, PAST_NS);
}

/* The number of the descriptor that comes after so many more, none of them a standard stream. */
static rlim_t number_after(uint32_t more)
{
    int held[ALL + 1] = {0};

    for (uint32_t i = 0; i <= more; i++) {
        held[i] = fcntl(rig.near, F_DUPFD_CLOEXEC, 3);
        assert_true(held[i] >= 3);
    }
    for (uint32_t i = 0; i <= more; i++) {
        assert_int_equal(close(held[i]), 0);
    }
    return (rlim_t)held[more];
}

/* Makes a call while so many more descriptors are free; returns the status. */
static vmo_status with_free(uint32_t more, vmo_status (*call)(void))
{
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit low = {number_after(more), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    const vmo_status status = call();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    return status;
}

/* ---- The far end -------------------------------------------------------------------------------- */

struct raw {
    struct wire wire;
    struct wire_item items[ALL + 1];
};

/* A message with this many VMOs of a page. */
static struct raw raw_many(uint32_t n)
{
    struct raw raw = {.wire = {.magic = WIRE_MAGIC, .kind = WIRE_MANY, .tag = 7, .len_bytes = n}};

    for (uint32_t i = 0; i < n; i++) {
        raw.items[i] = (struct wire_item){.len_bytes = PAGE, .rights = VMO_RIGHTS_ALL};
    }
    return raw;
}

/* Sends it with `carried` descriptors of different memories. */
static void far_many(const struct raw *raw, uint32_t n, uint32_t carried)
{
    int memories[ALL + 1] = {0};

    for (uint32_t i = 0; i < carried; i++) {
        memories[i] = memory_with(PAGE, STEADY);
    }
    far_send(raw, sizeof(raw->wire) + n * sizeof(raw->items[0]), memories, carried);
    for (uint32_t i = 0; i < carried; i++) {
        assert_int_equal(close(memories[i]), 0);
    }
}

static void far_word(uint32_t tag)
{
    const struct wire word = wire_data(tag);

    far_send(&word, sizeof(word), NULL, 0);
}

/* ---- Both ends ---------------------------------------------------------------------------------- */

static void any_number_arrives_in_order(void **state)
{
    vmo_peer_t to_near;
    uint8_t bytes[2 * PAGE];
    struct vmo_registry *far = far_make(&to_near);

    (void)state;
    make(ALL);
    for (uint32_t i = 0; i < 12; i++) { /* so that the sender has given notice that none follow */
        assert_ok(vmo_send(rig.registry, rig.peer, &(struct vmo_message){.tag = 1}, PAST_NS));
        assert_ok(vmo_recv(far, to_near, &incoming, PAST_NS));
    }
    for (uint32_t n = 0; n <= ALL; n++) {
        assert_ok(send_items(n));
        assert_ok(vmo_recv_many(far, to_near, &incoming, got, &count, PAST_NS));
        assert_int_equal(count, n);
        assert_int_equal(incoming.tag, n);
        for (uint32_t i = 0; i < n; i++) {
            assert_ok(vmo_read(far, got[i], RANGE(0, PAGE + i), bytes));
            assert_pattern(bytes, 0, PAGE + i);
        }
        close_received(far);
    }
    destroy(ALL);
    far_drop(to_near);
}

/* The same VMO for reading and for writing, as two descriptors of one file. */
static void same_vmo_twice(void **state)
{
    vmo_peer_t to_near;
    struct vmo_registry *far = far_make(&to_near);
    uint8_t byte = 0;

    (void)state;
    make(1);
    items[1] = items[2] = (struct vmo_item){vmos[0], VMO_RIGHTS_ALL};
    assert_ok(send_items(3));
    assert_ok(vmo_recv_many(far, to_near, &incoming, got, &count, PAST_NS));
    assert_int_equal(count, 3);
    assert_status(vmo_write(far, got[0], RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    assert_ok(vmo_write(far, got[2], RANGE(0, 1), "w"));
    assert_ok(vmo_read(rig.registry, vmos[0], RANGE(0, 1), &byte));
    assert_int_equal(byte, 'w');
    close_received(far);
    destroy(1);
    far_drop(to_near);
}

/* ---- Sending ------------------------------------------------------------------------------------ */

static vmo_status send_three(void)
{
    return send_items(3);
}

/* Each VMO needs a description for the peer: for a writer's the descriptor is closed again. */
static void no_descriptor_free_to_send(void **state)
{
    struct raw raw;

    (void)state;
    skip_under_valgrind();
    make(3);
    items[1].rights = VMO_RIGHTS_ALL;
    const struct seen before = look();
    for (uint32_t more = 0; more < 3; more++) {
        assert_status(with_free(more, send_three), VMO_ERR_NO_SLOTS);
        assert_same(&before, "vmo_send_many", __FILE__, __LINE__);
        assert_int_equal(recv(rig.far, &raw, sizeof(raw), MSG_DONTWAIT), -1);
    }
    assert_ok(with_free(3, send_three));
    assert_int_equal(recv(rig.far, &raw, sizeof(raw), MSG_DONTWAIT),
                     sizeof(raw.wire) + 3 * sizeof(raw.items[0]));
    assert_int_equal(raw.items[1].rights, VMO_RIGHTS_ALL);
    destroy(3);
}

static void full_queue_takes_nothing(void **state)
{
    (void)state;
    make(3);
    (void)fill_queue();
    items[1].rights = VMO_RIGHTS_ALL;
    assert_refused(send_items(3), VMO_ERR_TIMED_OUT);
    assert_ok(vmo_seal(rig.registry, vmos[1], VMO_SEAL_PEERS)); /* it does not count as sent */
    destroy(3);
}

static void closed_end_is_gone(void **state)
{
    (void)state;
    make(2);
    far_close();
    assert_refused(send_items(2), VMO_ERR_PEER_GONE);
    assert_refused(receive(), VMO_ERR_PEER_GONE);
    assert_ok(vmo_peer_hangup(rig.registry, rig.peer));
    assert_refused(send_items(2), VMO_ERR_PEER_GONE);
    assert_refused(receive(), VMO_ERR_PEER_GONE);
    destroy(2);
}

/* ---- Receiving ---------------------------------------------------------------------------------- */

static vmo_status receive_plain(void)
{
    return vmo_recv(rig.registry, rig.peer, &incoming, PAST_NS);
}

/* Until there is a free descriptor for each VMO the message stays queued, and all behind it. */
static void no_descriptor_free_for_the_kth(void **state)
{
    const struct raw raw = raw_many(4);

    (void)state;
    skip_under_valgrind();
    far_many(&raw, 4, 4);
    far_word(9);
    const struct seen before = look();
    for (uint32_t more = 0; more < 4; more++) {
        assert_status(with_free(more, receive), VMO_ERR_NO_SLOTS);
        assert_same(&before, "vmo_recv_many", __FILE__, __LINE__);
        assert_status(with_free(more, receive_plain), VMO_ERR_NO_SLOTS);
        assert_same(&before, "vmo_recv", __FILE__, __LINE__);
    }
    assert_ok(with_free(4, receive));
    assert_int_equal(count, 4);
    close_received(rig.registry);
    assert_ok(receive_plain());
    assert_int_equal(incoming.tag, 9);
}

static void no_entry_free_for_the_kth(void **state)
{
    const struct raw raw = raw_many(3);
    vmo_t fill[16];

    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        assert_ok(vmo_wrap_bytes(rig.registry, "b", 1, &fill[i]));
    }
    far_many(&raw, 3, 3);
    for (uint32_t room = 0; room < 3; room++) {
        assert_refused(receive(), VMO_ERR_TABLE_FULL);
        assert_ok(vmo_close(rig.registry, fill[room]));
    }
    assert_ok(receive());
    assert_int_equal(count, 3);
    close_received(rig.registry);
    for (uint32_t i = 3; i < 16; i++) {
        assert_ok(vmo_close(rig.registry, fill[i]));
    }
}

/* Runs in a child: received descriptors get the numbers of closed standard streams. */
static int receives_without_streams(void)
{
    struct be_peer peer = {.pid = BE_NONE, .socket = rig.near, .watch = BE_NONE};
    const struct rlimit before = {1024, 1024};
    struct be_object objects[ALL];
    const struct raw raw = raw_many(3);
    uint8_t bytes[1024];
    size_t len = 0;

    far_many(&raw, 3, 3);
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        close(stream);
    }
    const rlim_t first = number_after(0);
    for (uint32_t more = 0; more < 3; more++) { /* the numbers of the streams do not count as free */
        const struct rlimit low = {number_after(more), 1024};
        if (setrlimit(RLIMIT_NOFILE, &low) != 0 ||
            be_recv_many(&peer, bytes, sizeof(bytes), &len, objects, &count, PAST_NS) != VMO_ERR_NO_SLOTS) {
            return 1;
        }
        if (setrlimit(RLIMIT_NOFILE, &before) != 0 || number_after(0) != first || fcntl(0, F_GETFD) >= 0 ||
            fcntl(1, F_GETFD) >= 0 || fcntl(2, F_GETFD) >= 0) {
            return 2;
        }
    }
    if (be_recv_many(&peer, bytes, sizeof(bytes), &len, objects, &count, PAST_NS) != VMO_OK || count != 3) {
        return 3;
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (objects[i].alias < 3 || fcntl(objects[i].alias, F_GETFD) != FD_CLOEXEC) {
            return 4;
        }
    }
    return 0;
}

static void received_descriptors_are_never_streams(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(receives_without_streams), 0);
}

static void plain_receive_leaves_it(void **state)
{
    const struct raw raw = raw_many(2);

    (void)state;
    far_many(&raw, 2, 2);
    far_word(9);
    for (uint32_t i = 0; i < 3; i++) {
        assert_refused(receive_plain(), VMO_ERR_UNSUPPORTED);
    }
    assert_ok(receive());
    assert_int_equal(incoming.tag, 7);
    assert_int_equal(count, 2);
    close_received(rig.registry);
    assert_ok(receive_plain());
    assert_int_equal(incoming.tag, 9);
}

/* ---- A peer that lies --------------------------------------------------------------------------- */

/* Both ways to receive drop the message, and keep nothing of it. */
static void assert_dropped(const struct raw *raw, uint32_t n, uint32_t carried)
{
    vmo_status (*const ways[])(void) = {receive, receive_plain};

    for (uint32_t i = 0; i < 2; i++) {
        far_many(raw, n, carried);
        far_word(9);
        const struct seen before = look();
        incoming.tag = 3;
        count = 77;
        assert_status(ways[i](), VMO_ERR_PROTOCOL);
        struct seen after = look();
        after.counters.control_bytes = before.counters.control_bytes;
        assert_memory_equal(&after, &before, sizeof(after));
        assert_true(incoming.tag == 3 && count == 77);
        assert_ok(ways[i]());
        assert_int_equal(incoming.tag, 9);
    }
}

static void fewer_or_more_than_it_says(void **state)
{
    (void)state;
    for (uint32_t says = 2; says <= ALL + 1; says++) {
        const struct raw raw = raw_many(says);
        for (uint32_t carried = 0; carried <= ALL + 1; carried++) {
            if (carried != says || says > ALL) {
                assert_dropped(&raw, says, carried);
            }
        }
    }
}

static void several_for_one_or_none(void **state)
{
    struct raw raw = {.wire = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE)};

    (void)state;
    assert_dropped(&raw, 0, 2);
    raw.wire = wire_data(1);
    assert_dropped(&raw, 0, 2);
    raw = raw_many(2);
    raw.wire.len_bytes = UINT64_MAX;
    assert_dropped(&raw, 2, 2);
}

/* A grant carries one descriptor, a notice none. */
static void own_packets_with_several(void **state)
{
    const struct wire_grant grant = {WIRE_GRANT_MAGIC, 1};
    const struct lx_packet notice = {LX_NOTICE, LX_NONE_FOLLOW};
    const int memory = memory_with(PAGE, STEADY);
    const int two[2] = {memory, memory};

    (void)state;
    far_send(&grant, sizeof(grant), two, 2);
    assert_refused(receive(), VMO_ERR_PROTOCOL);
    far_send(&notice, sizeof(notice), two, 2);
    assert_refused(receive(), VMO_ERR_TIMED_OUT);
    const struct raw raw = raw_many(2);
    far_many(&raw, 2, 2); /* the notice did not count */
    assert_refused(receive_plain(), VMO_ERR_UNSUPPORTED);
    assert_ok(receive());
    close_received(rig.registry);
    assert_int_equal(close(memory), 0);
}

/* After the notice that none follow, a message is taken at once: what cannot be received is lost. */
static void several_against_the_notice(void **state)
{
    const struct lx_packet notice = {LX_NOTICE, LX_NONE_FOLLOW};
    const struct raw raw = raw_many(3);

    (void)state;
    far_send(&notice, sizeof(notice), NULL, 0);
    far_word(1);
    assert_ok(receive_plain());
    far_many(&raw, 3, 3);
    far_many(&raw, 3, 3);
    far_many(&raw, 3, 3);
    const struct seen before = look();
    assert_status(receive_plain(), VMO_ERR_PROTOCOL);
    assert_status(with_free(2, receive), VMO_ERR_PROTOCOL);
    assert_int_equal(look().descriptors, before.descriptors);
    assert_ok(receive());
    assert_int_equal(count, 3);
    close_received(rig.registry);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(any_number_arrives_in_order), CASE(same_vmo_twice),
        CASE(no_descriptor_free_to_send),  CASE(full_queue_takes_nothing),
        CASE(closed_end_is_gone),          CASE(no_descriptor_free_for_the_kth),
        CASE(no_entry_free_for_the_kth),   CASE(received_descriptors_are_never_streams),
        CASE(plain_receive_leaves_it),     CASE(fewer_or_more_than_it_says),
        CASE(several_for_one_or_none),     CASE(own_packets_with_several),
        CASE(several_against_the_notice),
    };
    return cmocka_run_group_tests_name("lx_many", tests, NULL, NULL);
}
