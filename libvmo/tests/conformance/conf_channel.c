/* SPDX-License-Identifier: Apache-2.0 */
/* Messages without VMOs: bodies, deadlines, full queues, permission to get VMOs (R13). */
#include "conformance/conf_groups.h"

#define WAIT_NS UINT64_C(2000000)
#define MANY 5
#define FLOOD_MAX 4096

static void echo(void)
{
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = i * 12345).value, i * 12345);
    }
}

static void in_order(void)
{
    const struct conf_order order = {.op = OP_MANY, .arg = MANY};

    conf_send_order(&order, VMO_NONE, 0);
    for (uint64_t i = 0; i < MANY; i++) {
        CHECK_EQ(conf_recv_answer().value, i);
    }
}

static void tag_and_body(void)
{
    const struct conf_order order = {.op = OP_ECHO, .arg = 3};
    struct vmo_incoming incoming;

    memset(&incoming, 0xee, sizeof(incoming));
    conf_send_order(&order, VMO_NONE, 0);
    OK(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()));
    CHECK_EQ(incoming.tag, OP_ECHO);
    CHECK_EQ(incoming.vmo.id, VMO_NONE.id);
    CHECK_EQ(incoming.body_bytes, sizeof(struct conf_answer));
}

static void looks_before_a_sleep(void)
{
    REFUSED(vmo_peer_looks(world.a, world.to_peer, 0), VMO_ERR_INVALID);
    REFUSED(vmo_peer_looks(world.a, world.to_peer, VMO_LOOKS_MAX + 1), VMO_ERR_INVALID);
    OK(vmo_peer_looks(world.a, world.to_peer, VMO_LOOKS_MAX));
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 5).value, 5);
    OK(vmo_peer_looks(world.a, world.to_peer, 1));
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 6).value, 6);
}

static void refuse(struct vmo_message message, vmo_status wanted)
{
    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), wanted);
}

static void refused_body_is_not_sent(void)
{
    static uint8_t body[VMO_BODY_MAX_BYTES + 1];

    refuse((struct vmo_message){.body = body, .body_bytes = VMO_BODY_MAX_BYTES + 1}, VMO_ERR_TOO_LARGE);
    refuse((struct vmo_message){.body = body, .body_bytes = UINT16_MAX}, VMO_ERR_TOO_LARGE);
    refuse((struct vmo_message){.body = NULL, .body_bytes = 1}, VMO_ERR_INVALID);
    refuse((struct vmo_message){.rights = VMO_RIGHT_READ}, VMO_ERR_INVALID);
    REFUSED(vmo_send(world.a, world.to_peer, NULL, conf_soon()), VMO_ERR_INVALID);
    REFUSED(vmo_recv(world.a, world.to_peer, NULL, conf_soon()), VMO_ERR_INVALID);
    CHECK_EQ(ASK(VMO_OK, .op = OP_REFUSALS).value, 0);
}

static void deadline_of_recv(void)
{
    struct vmo_incoming incoming = {.tag = 99};
    const uint64_t deadline = vmo_now_ns(world.a) + WAIT_NS;

    REFUSED(vmo_recv(world.a, world.to_peer, &incoming, deadline), VMO_ERR_TIMED_OUT);
    CHECK(vmo_now_ns(world.a) >= deadline);
    CHECK_EQ(incoming.tag, 99);
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 1).value, 1);
}

static void deadline_in_the_past(void)
{
    struct vmo_incoming incoming = {.tag = 99};

    REFUSED(vmo_recv(world.a, world.to_peer, &incoming, 0), VMO_ERR_TIMED_OUT);
    REFUSED(vmo_recv(world.a, world.to_peer, &incoming, 1), VMO_ERR_TIMED_OUT);
    CHECK_EQ(incoming.tag, 99);
}

/* Replies that are queued already are received in order. */
static void queued_replies_in_order(void)
{
    const struct conf_order order = {.op = OP_MANY, .arg = 2};
    struct vmo_incoming incoming;

    conf_send_order(&order, VMO_NONE, 0);
    (void)conf_recv_answer();
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 8).value,
             1); /* the second reply of OP_MANY; the echo comes next */
    OK(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()));
    CHECK_EQ(incoming.tag, OP_ECHO);
}

static void clock_advances(void)
{
    const uint64_t first = vmo_now_ns(world.a);
    uint64_t now = first;

    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t next = vmo_now_ns(world.a);
        CHECK(next >= now);
        now = next;
    }
    CHECK(now > first);
}

/* The peer receives nothing until open_gate. The gate is writable, since some kernels can read that alone. */
static vmo_t pause_peer(void)
{
    const vmo_t gate = conf_create(1);

    (void)conf_hand_over(gate, VMO_RIGHTS_ALL);
    (void)ASK(VMO_OK, .op = OP_PAUSE);
    return gate;
}

static void open_gate(vmo_t gate)
{
    static const uint8_t opened = 1;

    OK(vmo_write(world.a, gate, RANGE(0, sizeof(opened)), &opened));
}

/* A VMO that was sent is closed, not destroyed. */
static void close_gate(vmo_t gate)
{
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, gate));
}

/* Fills the queue of a peer that does not receive. Each accepted message arrives, in order. */
static void full_queue(void)
{
    const vmo_t gate = pause_peer();
    uint32_t sent = 0;
    vmo_status status = VMO_OK;

    while (sent < FLOOD_MAX) {
        const struct conf_order order = {.op = OP_ECHO, .arg = sent};
        const struct vmo_message message = {.tag = OP_ECHO, .body = &order, .body_bytes = sizeof(order)};
        conf_before();
        status = vmo_send(world.a, world.to_peer, &message, vmo_now_ns(world.a) + WAIT_NS);
        if (status != VMO_OK) {
            break;
        }
        sent++;
    }
    CHECK(status == VMO_ERR_TIMED_OUT || status == VMO_ERR_QUEUE_FULL);
    conf_after(__FILE__, __LINE__, "vmo_send into a full queue");
    CHECK(sent > 0);
    open_gate(gate);
    for (uint32_t i = 0; i < sent; i++) {
        CHECK_EQ(conf_recv_answer().value, i);
    }
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 77).value, 77);
    close_gate(gate);
}

/* The same with a VMO: after the refusal it does not count as sent. */
static void full_queue_and_a_vmo(void)
{
    const vmo_t gate = pause_peer();
    const struct conf_order order = {.op = OP_ECHO};
    const struct vmo_message plain = {.tag = OP_ECHO, .body = &order, .body_bytes = sizeof(order)};
    const vmo_t vmo = conf_filled(9);
    const struct vmo_message carrying = {.tag = OP_TAKE, .vmo = vmo, .rights = VMO_RIGHT_READ};
    uint32_t sent = 0;

    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    while (sent < FLOOD_MAX &&
           vmo_send(world.a, world.to_peer, &plain, vmo_now_ns(world.a) + WAIT_NS) == VMO_OK) {
        sent++;
    }
    conf_before();
    const vmo_status status = vmo_send(world.a, world.to_peer, &carrying, vmo_now_ns(world.a) + WAIT_NS);
    CHECK(status == VMO_ERR_TIMED_OUT || status == VMO_ERR_QUEUE_FULL);
    conf_after(__FILE__, __LINE__, "vmo_send of a VMO into a full queue");
    open_gate(gate);
    for (uint32_t i = 0; i < sent; i++) {
        (void)conf_recv_answer();
    }
    close_gate(gate);
    conf_check_vmo(vmo, 0, 9);
    conf_release(vmo);
}

static void body_in_kernel_memory(void)
{
    const struct vmo_message message = {
        .tag = OP_ECHO, .body = (const void *)conf_port()->bad_memory, .body_bytes = 8};

    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), VMO_ERR_INVALID);
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 78).value, 78);
}

/* ---- Permission, and ways to a peer -------------------------------------------------------------- */

static void peer_not_allowed(void)
{
    struct vmo_ticket ticket = {.name = 77};
    const vmo_t vmo = conf_filled(5);

    OK(vmo_peer_close(world.a, world.to_peer)); /* a peer that is not allowed replaces it */
    conf_peer_closed();
    OK(conf_port_start_peer(world.a, &world.to_peer));
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), VMO_ERR_NOT_AUTHORISED);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_READ, &ticket), VMO_ERR_NOT_AUTHORISED);
    CHECK_EQ(ticket.name, 77);
    const struct vmo_message plain = {.tag = 1}; /* allowed; it is no order, so the peer ends */
    OK(vmo_send(world.a, world.to_peer, &plain, conf_soon()));
    conf_release(vmo);
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

static void no_free_peer_entry(void)
{
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};
    struct vmo_limits limits = conf_limits;

    limits.peers = 0;
    struct vmo_registry *registry = conf_second(&limits);
    REFUSED(conf_port_start_peer(registry, &peer), VMO_ERR_TABLE_FULL);
    CHECK_EQ(peer.id, UNTOUCHED);
    conf_fini(registry);
}

static void refused_ways_to_a_peer(void)
{
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_peer_parent(world.a, &peer), VMO_ERR_UNSUPPORTED); /* the suite has no parent */
    REFUSED(vmo_peer_parent(world.a, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_peer_open(world.a, -1, &peer), VMO_ERR_INVALID);
    REFUSED(vmo_peer_open(world.a, 0, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_peer_spawn(world.a, NULL, &peer), VMO_ERR_INVALID);
    const struct vmo_program none = {"elf", 0, 4}, no_stack = {"elf", 3, 0}, huge_stack = {"elf", 3, 1025};
    REFUSED(vmo_peer_spawn(world.a, &none, &peer), VMO_ERR_INVALID);
    REFUSED(vmo_peer_spawn(world.a, &no_stack, &peer), VMO_ERR_INVALID);
    REFUSED(vmo_peer_spawn(world.a, &huge_stack, &peer), VMO_ERR_INVALID);
    CHECK_EQ(peer.id, UNTOUCHED);
}

static void program_in_kernel_memory(void)
{
    const struct vmo_program program = {(const void *)conf_port()->bad_memory, PAGE, 4};
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_peer_spawn(world.a, &program, &peer), VMO_ERR_INVALID);
    CHECK_EQ(peer.id, UNTOUCHED);
}

static void malformed_programs(void)
{
    struct vmo_program program;
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    for (uint32_t i = 0; conf_port_bad_program(i, &program); i++) {
        REFUSED(vmo_peer_spawn(world.a, &program, &peer), VMO_ERR_INVALID);
    }
    CHECK_EQ(peer.id, UNTOUCHED);
}

static const struct conf_case cases[] = {
    {"request and reply", echo, HAS_PEER},
    {"messages arrive in order", in_order, HAS_PEER},
    {"tag and body", tag_and_body, HAS_PEER},
    {"looks before a sleep", looks_before_a_sleep, HAS_PEER},
    {"a refused body is not sent", refused_body_is_not_sent, HAS_PEER},
    {"a body in kernel memory", body_in_kernel_memory, HAS_PEER | HAS_USER_CHECK},
    {"a deadline passes during vmo_recv", deadline_of_recv, HAS_PEER},
    {"a deadline in the past", deadline_in_the_past, HAS_PEER},
    {"queued replies are received in order", queued_replies_in_order, HAS_PEER},
    {"the clock advances", clock_advances, 0},
    {"a full queue loses nothing", full_queue, HAS_PEER},
    {"a VMO for a full queue", full_queue_and_a_vmo, HAS_PEER},
    {"no free peer entry", no_free_peer_entry, 0},
    {"refused ways to a peer", refused_ways_to_a_peer, 0},
    {"a program in kernel memory", program_in_kernel_memory, HAS_USER_CHECK},
    {"malformed programs", malformed_programs, HAS_LOADER},
    {"a peer that is not allowed", peer_not_allowed, HAS_PEER},
};
const struct conf_group conf_channel = {"channel", cases, CONF_CASE_COUNT(cases)};
