/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends a million random packets with random descriptors to a receiver in another process. The receiver must
 * not crash, wait past its deadline, leak, or map a refused VMO. It must be able to read each accepted VMO to
 * its last byte. The seed is fixed, so each run sends the same packets. LX_FUZZ_PACKETS and LX_FUZZ_SEED
 * change their number and the seed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_test.h"

#define PACKETS 1000000
#define SEED UINT64_C(0x766d6f6c696e7578)
#define LAST_TAG 0xFEEDF00Du
#define TICKET_TAG 0x7EC4E700u
#define PACKET_MAX 700
#define DESCRIPTORS_MAX 12 /* more than a message may carry */
#define POOL 12
#define OVERSHOOT_NS UINT64_C(2000000000) /* the receiver may be preempted so long */
#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static uint64_t random_state;

/* xorshift64*: the same numbers on every machine. */
static uint32_t random_bits(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)(random_state * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)((uint64_t)random_bits() * limit >> 32);
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

/* ---- The sender --------------------------------------------------------------------------------- */

struct packet {
    uint8_t bytes[PACKET_MAX];
    size_t len;
    int descriptors[DESCRIPTORS_MAX];
    size_t count;
};

/* A receiver may accept only the first four. */
static void fill_pool(int pool[POOL])
{
    int ends[2];
    FILE *file = tmpfile();
    char name[64];

    pool[0] = memory_with(4 * PAGE, STEADY);
    pool[1] = memory_with(4 * PAGE, STEADY | F_SEAL_FUTURE_WRITE);
    pool[2] = memory_with(4 * PAGE, STEADY | F_SEAL_WRITE);
    pool[3] = memory_with(PAGE, STEADY | F_SEAL_WRITE | F_SEAL_SEAL);
    pool[4] = memory_with(4 * PAGE, 0);
    pool[5] = memory_with(4 * PAGE, F_SEAL_GROW | F_SEAL_WRITE);
    pool[6] = memory_with(0, STEADY);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pool[7] = ends[0];
    pool[8] = fileno(file);
    pool[9] = rig.far; /* the channel itself */
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", pool[0]);
    pool[10] = open(name, O_WRONLY | O_CLOEXEC);
    pool[11] = open(name, O_PATH | O_CLOEXEC);
    assert_true(pool[10] >= 0 && pool[11] >= 0);
}

static void put(struct packet *packet, const void *bytes, size_t len)
{
    memcpy(packet->bytes, bytes, len);
    packet->len = len;
}

static uint64_t random_length(void)
{
    const uint64_t lengths[] = {1, PAGE, 4 * PAGE, 4 * PAGE + 1, 0, UINT64_MAX, UINT64_C(1) << 40};

    return lengths[one_in(4) ? below(7) : below(3)];
}

static void make_rubbish(struct packet *packet)
{
    packet->len = below(PACKET_MAX + 1);
    for (size_t i = 0; i < packet->len; i++) {
        packet->bytes[i] = (uint8_t)random_bits();
    }
}

static void make_message(struct packet *packet)
{
    struct wire wire = wire_data(below(1000));

    make_rubbish(packet); /* the body */
    wire.body_bytes = (uint16_t)below(VMO_BODY_MAX_BYTES + 1);
    packet->len = sizeof(wire) + wire.body_bytes;
    if (packet->count && !one_in(4)) {
        const struct wire handle =
            wire_handle(random_length(), 1 + 2 * below(2), (vmo_seal_strength)below(one_in(8) ? 4 : 3));
        wire.kind = handle.kind;
        wire.rights = handle.rights;
        wire.seal = handle.seal;
        wire.len_bytes = handle.len_bytes;
    }
    memcpy(packet->bytes, &wire, sizeof(wire));
    if (one_in(4)) { /* flip a bit of the header */
        packet->bytes[below(sizeof(wire))] ^= (uint8_t)(1u << below(8));
    }
    if (one_in(16)) { /* truncate the packet */
        packet->len = below((uint32_t)packet->len + 1);
    }
}

/* Several VMOs in one message; sometimes another number than it says. */
static void make_many(struct packet *packet)
{
    struct wire wire = wire_data(below(1000));
    const size_t says = one_in(8) ? below(DESCRIPTORS_MAX + 1) : packet->count;
    uint8_t *at = packet->bytes + sizeof(wire);

    wire.kind = WIRE_MANY;
    wire.len_bytes = says;
    wire.body_bytes = (uint16_t)below(VMO_BODY_MAX_BYTES + 1);
    for (size_t i = 0; i < says; i++) {
        const struct wire_item item = {.len_bytes = one_in(4) ? random_length() : PAGE,
                                       .rights = (uint16_t)(one_in(4) ? 1 + 2 * below(2) : 1),
                                       .seal = (uint16_t)(one_in(4) ? below(3) : 0),
                                       .zero = one_in(32)};
        memcpy(at, &item, sizeof(item));
        at += sizeof(item);
    }
    memset(at, 0x5a, wire.body_bytes);
    packet->len = (size_t)(at - packet->bytes) + wire.body_bytes;
    memcpy(packet->bytes, &wire, sizeof(wire));
    if (one_in(8)) { /* flip a bit */
        packet->bytes[below((uint32_t)(at - packet->bytes))] ^= (uint8_t)(1u << below(8));
    }
}

static void make_grant(struct packet *packet, uint32_t *granted)
{
    struct wire_grant grant = {WIRE_GRANT_MAGIC, *granted + 1};

    if (one_in(8)) {
        grant.name = random_bits();
    }
    if (grant.name == *granted + 1 && packet->count == 1) {
        ++*granted;
    }
    put(packet, &grant, sizeof(grant));
}

/* The receiver tries to accept this ticket. */
static void make_ticket(struct packet *packet, uint32_t granted)
{
    struct wire wire = wire_data(TICKET_TAG);
    const struct vmo_ticket ticket = {.len_bytes = random_length(),
                                      .name = one_in(4) ? random_bits() : granted - below(3),
                                      .rights = (uint16_t)(1 + 2 * below(2)),
                                      .seal = (uint16_t)below(3)};

    packet->count = 0;
    wire.body_bytes = sizeof(ticket);
    memcpy(packet->bytes, &wire, sizeof(wire));
    memcpy(packet->bytes + sizeof(wire), &ticket, sizeof(ticket));
    packet->len = sizeof(wire) + sizeof(ticket);
}

static void make_packet(struct packet *packet, const int pool[POOL], uint32_t *granted)
{
    packet->count = one_in(2) ? 0 : one_in(8) ? below(DESCRIPTORS_MAX + 1) : 1;
    for (size_t i = 0; i < packet->count; i++) {
        packet->descriptors[i] = pool[one_in(2) ? below(4) : below(POOL)];
    }
    switch (below(8)) {
    case 0:
    case 1:
        make_rubbish(packet);
        break;
    case 2:
        make_grant(packet, granted);
        break;
    case 3:
        make_ticket(packet, *granted);
        break;
    default:
        if (packet->count > 1 && !one_in(4)) {
            make_many(packet);
        } else {
            make_message(packet);
        }
        break;
    }
}

static bool send_packet(int socket, const struct packet *packet)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(packet->descriptors))];
    } room = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)packet->bytes, .iov_len = packet->len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (packet->count) {
        message.msg_control = room.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * packet->count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * packet->count);
        memcpy(CMSG_DATA(header), packet->descriptors, sizeof(int) * packet->count);
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL) != (ssize_t)packet->len) {
        if (errno != EINTR && errno != ETOOMANYREFS) { /* ETOOMANYREFS ends when the receiver catches up */
            return false;
        }
    }
    return true;
}

static int send_all(uint32_t packets)
{
    const struct wire last = wire_data(LAST_TAG);
    struct packet packet;
    struct pollfd end = {.fd = rig.far, .events = POLLRDHUP};
    uint32_t granted = 0;
    int pool[POOL];

    close(rig.near);
    fill_pool(pool);
    for (uint32_t i = 0; i < packets; i++) {
        make_packet(&packet, pool, &granted);
        if (!send_packet(rig.far, &packet)) {
            return 1;
        }
    }
    packet.count = 0;
    put(&packet, &last, sizeof(last));
    if (!send_packet(rig.far, &packet)) {
        return 2;
    }
    return poll(&end, 1, 20000) == 1 ? 0 : 3;
}

/* ---- The receiver ------------------------------------------------------------------------------- */

static uint64_t counts[VMO_STATUS_COUNT];
static uint64_t taken;
static uint64_t claimed;
static uint64_t together; /* messages with several VMOs */

static bool is_allowed(vmo_status status)
{
    return status == VMO_OK || status == VMO_ERR_PROTOCOL || status == VMO_ERR_TOO_LARGE ||
           status == VMO_ERR_NOT_SEALED || status == VMO_ERR_TIMED_OUT || status == VMO_ERR_UNSUPPORTED;
}

/* Whatever was taken is all there. */
static void touch_and_close(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;
    uint64_t len = 0;

    assert_ok(vmo_len(rig.registry, vmo, &len));
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(len - 1, 1), &view));
    assert_int_equal(*vmo_view_data(rig.registry, view), 0);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_close(rig.registry, vmo));
}

static void try_claim(const struct vmo_incoming *in)
{
    struct vmo_ticket ticket;
    vmo_t vmo = VMO_NONE;

    memcpy(&ticket, in->body, sizeof(ticket));
    const vmo_status status = vmo_accept(rig.registry, rig.peer, &ticket, &vmo);
    assert_true(is_allowed(status));
    if (status == VMO_OK) {
        claimed++;
        touch_and_close(vmo);
    }
}

/* The free descriptor after this many lower ones: whatever leaks moves the first beyond any bound. */
static int free_descriptor(size_t after)
{
    int held[LX_PARKED_MAX + 1];

    for (size_t i = 0; i <= after; i++) {
        held[i] = fcntl(rig.near, F_DUPFD_CLOEXEC, 0);
        assert_true(held[i] >= 0);
    }
    for (size_t i = 0; i <= after; i++) {
        assert_int_equal(close(held[i]), 0);
    }
    return held[after];
}

/* After vmo_recv refused a message with several VMOs: takes it, or drops it for what is false in it. */
static void receive_several(void)
{
    struct vmo_incoming in = {.tag = 0, .vmo = VMO_NONE};
    vmo_t vmos[VMO_MANY_MAX];
    uint32_t count = 0;

    const vmo_status status = vmo_recv_many(rig.registry, rig.peer, &in, vmos, &count, PAST_NS);
    assert_true(is_allowed(status) && status != VMO_ERR_UNSUPPORTED && status != VMO_ERR_TIMED_OUT);
    assert_true(status == VMO_OK ? count >= 2 && count <= VMO_MANY_MAX : count == 0);
    together += status == VMO_OK;
    for (uint32_t i = 0; i < count; i++) {
        taken++;
        touch_and_close(vmos[i]);
    }
}

/* Returns whether it was the last packet. */
static bool receive_one(uint32_t turn)
{
    struct vmo_incoming in = {.tag = 0, .vmo = VMO_NONE};
    const uint64_t deadline = turn % 16 ? be_now_ns() + UINT64_C(10000000) : PAST_NS;
    const uint64_t begin = be_now_ns();

    const vmo_status status = vmo_recv(rig.registry, rig.peer, &in, deadline);
    assert_true(be_now_ns() <= (deadline > begin ? deadline : begin) + OVERSHOOT_NS);
    assert_true(is_allowed(status));
    counts[status]++;
    if (status != VMO_OK) {
        assert_true(in.tag == 0 && in.vmo.id == VMO_NONE.id);
        if (status == VMO_ERR_UNSUPPORTED) {
            receive_several();
        }
        return false;
    }
    if (in.vmo.id != VMO_NONE.id) {
        taken++;
        touch_and_close(in.vmo);
    } else if (in.tag == TICKET_TAG && in.body_bytes == sizeof(struct vmo_ticket)) {
        try_claim(&in);
    }
    return in.tag == LAST_TAG;
}

static uint32_t from_environment(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);

    return text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

static void random_packets(void **state)
{
    const uint32_t packets = from_environment("LX_FUZZ_PACKETS", PACKETS);
    int ended = -1;
    uint32_t turn = 0;

    (void)state;
    random_state = SEED ^ from_environment("LX_FUZZ_SEED", 0);
    const pid_t sender = fork();
    assert_true(sender >= 0);
    if (sender == 0) {
        _exit(send_all(packets));
    }
    assert_int_equal(close(rig.far), 0);
    rig.far = -1;
    const int highest = free_descriptor(LX_PARKED_MAX); /* so many transfers may wait for their claims */
    const uint32_t mappings = look().mappings;
    while (!receive_one(turn)) {
        turn++;
        if (turn % 64 == 0) {
            assert_true(free_descriptor(0) <= highest);
        }
        if (turn % 4096 == 0) {
            assert_ok(vmo_peer_require(rig.registry, rig.peer, (vmo_seal_strength)(turn / 4096 % 3)));
            assert_int_equal(look().mappings, mappings);
        }
    }
    assert_int_equal(shutdown(rig.near, SHUT_RDWR), 0);
    assert_int_equal(waitpid(sender, &ended, 0), sender);
    assert_int_equal(ended, 0);
    /* All kinds of answers came, or this was no test. */
    assert_true(taken > packets / 100 && claimed > packets / 1000 && together > packets / 10000);
    assert_true(counts[VMO_OK] > packets / 20 && counts[VMO_ERR_PROTOCOL] > packets / 10);
    assert_true(counts[VMO_ERR_NOT_SEALED] > packets / 1000 && counts[VMO_ERR_TOO_LARGE] > packets / 10000);
    struct vmo_counters counters;
    vmo_counters_read(rig.registry, &counters);
    /* What was refused was never mapped. A hit: the same memory twice in one message. */
    assert_int_equal(counters.map_misses + counters.map_hits, taken + claimed);
    assert_true(counters.map_hits < together * VMO_MANY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(random_packets, rig_make, rig_drop)};

    return cmocka_run_group_tests_name("lx_receive", tests, NULL, NULL);
}
