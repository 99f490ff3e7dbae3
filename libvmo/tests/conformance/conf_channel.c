/* SPDX-License-Identifier: Apache-2.0 */
/* Messages without VMOs: bodies, deadlines, full queues, lists (R13). */
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

    conf_tell(&order, VMO_NONE, 0);
    for (uint64_t i = 0; i < MANY; i++) {
        CHECK_EQ(conf_hear().value, i);
    }
}

static void tag_and_body(void)
{
    const struct conf_order order = {.op = OP_ECHO, .arg = 3};
    struct vmo_incoming incoming;

    memset(&incoming, 0xee, sizeof incoming);
    conf_tell(&order, VMO_NONE, 0);
    OK(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()));
    CHECK_EQ(incoming.tag, OP_ECHO);
    CHECK_EQ(incoming.vmo.id, VMO_NONE.id);
    CHECK_EQ(incoming.body_bytes, sizeof(struct conf_answer));
}

static void refuse(struct vmo_message message, vmo_status wanted)
{
    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), wanted);
}

static void bodies_refused(void)
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

static void deadline_that_has_passed(void)
{
    struct vmo_incoming incoming = {.tag = 99};

    REFUSED(vmo_recv(world.a, world.to_peer, &incoming, 0), VMO_ERR_TIMED_OUT);
    REFUSED(vmo_recv(world.a, world.to_peer, &incoming, 1), VMO_ERR_TIMED_OUT);
    CHECK_EQ(incoming.tag, 99);
}

/* What is there already is had even when the deadline has passed. */
static void passed_deadline_and_a_message(void)
{
    const struct conf_order order = {.op = OP_MANY, .arg = 2};
    struct vmo_incoming incoming;

    conf_tell(&order, VMO_NONE, 0);
    (void)conf_hear();
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 8).value,
             1); /* the second of the two; the echo is there next */
    OK(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()));
    CHECK_EQ(incoming.tag, OP_ECHO);
}

static void time_goes_on(void)
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

/* Fills the queue of a peer that does not look. Everything that was accepted arrives, in order. */
static void full_queue(void)
{
    const struct conf_order pause = {.op = OP_PAUSE, .range = {vmo_now_ns(world.a) + 20 * WAIT_NS, 0}};
    uint32_t sent = 0;
    vmo_status status = VMO_OK;

    conf_tell(&pause, VMO_NONE, 0);
    while (sent < FLOOD_MAX) {
        const struct conf_order order = {.op = OP_ECHO, .arg = sent};
        const struct vmo_message message = {.tag = OP_ECHO, .body = &order, .body_bytes = sizeof order};
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
    for (uint32_t i = 0; i < sent; i++) {
        CHECK_EQ(conf_hear().value, i);
    }
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 77).value, 77);
}

/* The same with a VMO along: after the refusal it counts as sent nowhere. */
static void full_queue_and_a_vmo(void)
{
    const struct conf_order pause = {.op = OP_PAUSE, .range = {vmo_now_ns(world.a) + 20 * WAIT_NS, 0}};
    const struct conf_order order = {.op = OP_ECHO};
    const struct vmo_message plain = {.tag = OP_ECHO, .body = &order, .body_bytes = sizeof order};
    const vmo_t vmo = conf_filled(9);
    const struct vmo_message carrying = {.tag = OP_TAKE, .vmo = vmo, .rights = VMO_RIGHT_READ};
    uint32_t sent = 0;

    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    conf_tell(&pause, VMO_NONE, 0);
    while (sent < FLOOD_MAX &&
           vmo_send(world.a, world.to_peer, &plain, vmo_now_ns(world.a) + WAIT_NS) == VMO_OK) {
        sent++;
    }
    conf_before();
    const vmo_status status = vmo_send(world.a, world.to_peer, &carrying, vmo_now_ns(world.a) + WAIT_NS);
    CHECK(status == VMO_ERR_TIMED_OUT || status == VMO_ERR_QUEUE_FULL);
    conf_after(__FILE__, __LINE__, "vmo_send of a VMO into a full queue");
    for (uint32_t i = 0; i < sent; i++) {
        (void)conf_hear();
    }
    conf_check_vmo(vmo, 0, 9);
    conf_give_up(vmo);
}

static void body_of_the_kernel(void)
{
    const struct vmo_message message = {
        .tag = OP_ECHO, .body = (const void *)conf_port()->bad_memory, .body_bytes = 8};

    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), VMO_ERR_INVALID);
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 78).value, 78);
}

/* ---- The list of those who may get VMOs ---------------------------------------------------------- */

static void not_on_the_list(void)
{
    struct vmo_ticket ticket = {.name = 77};
    const vmo_t vmo = conf_filled(5);

    OK(vmo_peer_close(world.a, world.to_peer)); /* one that is not allowed takes its place */
    conf_peer_closed();
    OK(conf_port_start_peer(world.a, &world.to_peer));
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), VMO_ERR_NOT_AUTHORISED);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_READ, &ticket), VMO_ERR_NOT_AUTHORISED);
    CHECK_EQ(ticket.name, 77);
    const struct vmo_message plain = {.tag = 1}; /* words may go: the peer takes them for no order and ends */
    OK(vmo_send(world.a, world.to_peer, &plain, conf_soon()));
    conf_give_up(vmo);
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

static void peers_run_out(void)
{
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};
    struct vmo_limits limits = conf_limits;

    limits.peers = 0;
    struct vmo_registry *registry = conf_second(&limits);
    REFUSED(conf_port_start_peer(registry, &peer), VMO_ERR_TABLE_FULL);
    CHECK_EQ(peer.id, UNTOUCHED);
    conf_fini(registry);
}

static void ways_that_do_not_exist(void)
{
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_peer_parent(world.a, &peer), VMO_ERR_UNSUPPORTED); /* nobody spawned the suite */
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

static void program_of_the_kernel(void)
{
    const struct vmo_program program = {(const void *)conf_port()->bad_memory, PAGE, 4};
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_peer_spawn(world.a, &program, &peer), VMO_ERR_INVALID);
    CHECK_EQ(peer.id, UNTOUCHED);
}

static void programs_that_a_kernel_would_not_bear(void)
{
    struct vmo_program program;
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    for (uint32_t i = 0; conf_port_bad_program(i, &program); i++) {
        REFUSED(vmo_peer_spawn(world.a, &program, &peer), VMO_ERR_INVALID);
    }
    CHECK_EQ(peer.id, UNTOUCHED);
}

static const struct conf_case cases[] = {
    {"question and answer", echo, HAS_PEER},
    {"in order", in_order, HAS_PEER},
    {"tag and body", tag_and_body, HAS_PEER},
    {"bodies that are refused reach nobody", bodies_refused, HAS_PEER},
    {"a body in the kernel's memory", body_of_the_kernel, HAS_PEER | HAS_USER_CHECK},
    {"a deadline passes while waiting", deadline_of_recv, HAS_PEER},
    {"a deadline that has passed", deadline_that_has_passed, HAS_PEER},
    {"answers wait for each other", passed_deadline_and_a_message, HAS_PEER},
    {"time goes on", time_goes_on, 0},
    {"a full queue loses nothing", full_queue, HAS_PEER},
    {"a full queue and a VMO", full_queue_and_a_vmo, HAS_PEER},
    {"peers run out", peers_run_out, 0},
    {"ways to a peer that do not exist", ways_that_do_not_exist, 0},
    {"a program in the kernel's memory", program_of_the_kernel, HAS_USER_CHECK},
    {"programs that a kernel would not bear", programs_that_a_kernel_would_not_bear, HAS_LOADER},
    {"a peer that is not on the list", not_on_the_list, HAS_PEER},
};
const struct conf_group conf_channel = {"channel", cases, CONF_CASE_COUNT(cases)};
