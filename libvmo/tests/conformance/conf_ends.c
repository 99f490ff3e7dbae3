/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that end, by exit, fault or kill, with and without VMOs (R11, R13). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 1)
#define WAIT_NS UINT64_C(2000000)
#define EXIT_STATUS 42

static void send_end(uint32_t op, uint32_t status)
{
    const struct conf_order order = {.op = op, .arg = status};

    conf_send_order(&order, VMO_NONE, 0);
}

static void wait_and_close(int32_t wanted)
{
    int32_t status = 99;

    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
        CHECK_EQ((uint32_t)status, (uint32_t)wanted);
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

static void expect_peer_gone(void)
{
    struct vmo_incoming incoming = {.tag = 99};

    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_PEER_GONE);
    CHECK_EQ(incoming.tag, 99);
}

static void ends_during_recv(void)
{
    send_end(OP_END, EXIT_STATUS);
    expect_peer_gone();
    REFUSED(vmo_recv(world.a, world.to_peer, &(struct vmo_incoming){0}, conf_soon()), VMO_ERR_PEER_GONE);
    wait_and_close(EXIT_STATUS);
}

static void last_message_is_received(void)
{
    const struct conf_order echo = {.op = OP_ECHO, .arg = 6};

    conf_send_order(&echo, VMO_NONE, 0);
    send_end(OP_END, 0);
    CHECK_EQ(conf_recv_answer().value, 6);
    expect_peer_gone();
    wait_and_close(0);
}

static void faults_during_recv(void)
{
    int32_t status = 0;

    send_end(OP_CRASH, 0);
    expect_peer_gone();
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
        CHECK_EQ((uint32_t)status, (uint32_t)-22);
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

/* Each call reports that the peer has ended. None waits. */
static void refuse_all(vmo_t vmo)
{
    const struct vmo_message plain = {.tag = 1};
    const struct vmo_message carrying = {.tag = 1, .vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming = {.tag = 99};
    struct vmo_ticket ticket = {.name = 77};

    for (unsigned i = 0; i < 20; i++) { /* more than fit into a queue */
        REFUSED(vmo_send(world.a, world.to_peer, &carrying, FAR_NS), VMO_ERR_PEER_GONE);
        REFUSED(vmo_send(world.a, world.to_peer, &plain, FAR_NS), VMO_ERR_PEER_GONE);
        REFUSED(vmo_recv(world.a, world.to_peer, &incoming, FAR_NS), VMO_ERR_PEER_GONE);
        if (can(HAS_TRANSFER)) {
            REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_READ, &ticket), VMO_ERR_PEER_GONE);
        }
    }
    CHECK_EQ(incoming.tag, 99);
    CHECK_EQ(ticket.name, 77);
}

static void gone_on_each_call(uint32_t op, int32_t wanted)
{
    const vmo_t vmo = conf_filled(LEN);
    int32_t status = 99;

    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* makes the capability to send before slots are counted */
    send_end(op, 0);
    expect_peer_gone();
    refuse_all(vmo);
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
        CHECK_EQ((uint32_t)status, (uint32_t)wanted);
        refuse_all(vmo);
        REFUSED(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status), VMO_ERR_UNSUPPORTED);
    }
    conf_check_vmo(vmo, 0, LEN);
    conf_release(vmo); /* it was never sent */
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

static void gone_by_its_end(void)
{
    gone_on_each_call(OP_END, 0);
}

static void gone_by_a_fault(void)
{
    gone_on_each_call(OP_CRASH, -22);
}

/* vmo_send reports the end without a vmo_recv before it. */
static void gone_before_a_send(void)
{
    const vmo_t vmo = conf_filled(LEN);
    const struct vmo_message message = {.tag = 1, .vmo = vmo, .rights = VMO_RIGHT_READ};
    int32_t status = 99;

    send_end(OP_END, 0);
    OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
    STATUS(vmo_send(world.a, world.to_peer, &message, FAR_NS), VMO_ERR_PEER_GONE);
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    conf_release(vmo);
}

static void transfer_to_an_ended_peer(void)
{
    struct vmo_ticket ticket = {.name = 77};
    const vmo_t vmo = conf_filled(LEN);

    send_end(OP_END, 0);
    expect_peer_gone();
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &ticket), VMO_ERR_PEER_GONE);
    CHECK_EQ(ticket.name, 77);
    wait_and_close(0);
    conf_release(vmo);
}

static void wait_with_a_deadline(void)
{
    int32_t status = 99;
    const uint64_t deadline = vmo_now_ns(world.a) + WAIT_NS;

    REFUSED(vmo_peer_wait(world.a, world.to_peer, deadline, &status), VMO_ERR_TIMED_OUT);
    CHECK(vmo_now_ns(world.a) >= deadline);
    CHECK_EQ(status, 99);
    REFUSED(vmo_peer_wait(world.a, world.to_peer, 0, &status), VMO_ERR_TIMED_OUT);
    REFUSED(vmo_peer_wait(world.a, world.to_peer, deadline, NULL), VMO_ERR_INVALID);
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 2).value, 2);
}

static void wait_or_unsupported(void)
{
    int32_t status = 99;

    if (can(HAS_REAP)) {
        return; /* other cases test vmo_peer_wait */
    }
    REFUSED(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status), VMO_ERR_UNSUPPORTED);
    CHECK_EQ(status, 99);
}

static void start_or_unsupported(void)
{
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    for (unsigned i = 0; i < 20 && !can(HAS_PEER); i++) { /* other cases start peers */
        REFUSED(conf_port_start_peer(world.a, &peer), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(peer.id, UNTOUCHED);
    }
}

static void hangs_up(void)
{
    send_end(OP_HANG_UP, 0);
    expect_peer_gone();
    wait_and_close(0);
}

static void destroy_closed_by_the_peer(void)
{
    const vmo_t vmo = conf_filled(LEN);

    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    send_end(OP_END, 0);
    wait_and_close(0);
    conf_release(vmo);
}

/* Closing the channel discards an unreceived message with its VMO. */
static void destroy_never_received(void)
{
    const struct conf_order pause = {.op = OP_PAUSE, .range = {vmo_now_ns(world.a) + 50 * WAIT_NS, 0}};
    const struct conf_order take = {.op = OP_TAKE};
    const vmo_t vmo = conf_filled(LEN);

    conf_send_order(&pause, VMO_NONE, 0);
    conf_send_order(&take, vmo, VMO_RIGHT_READ);
    if (can(HAS_HOLDERS)) {
        REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    conf_check_vmo(vmo, 0, LEN);
    conf_release(vmo);
}

static void destroy_mapped_by_an_ended_child(void)
{
    const vmo_t vmo = conf_filled(LEN);
    struct vmo_ticket ticket;

    OK(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &ticket));
    (void)ASK(VMO_OK, .op = OP_ACCEPT, .ticket = ticket);
    (void)ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN});
    send_end(OP_END, 0);
    expect_peer_gone();
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_NOT_REAPED);
    conf_check_vmo(vmo, 0, LEN);
    wait_and_close(0);
    conf_release(vmo);
}

/* Hanging up closes the channel alone: the peer then ends, and can still be waited for. */
static void hang_up_then_wait(void)
{
    const vmo_t vmo = conf_filled(LEN);

    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_peer_hangup(world.a, world.to_peer));
    refuse_all(vmo);
    OK(vmo_peer_hangup(world.a, world.to_peer));
    refuse_all(vmo);
    conf_release(vmo);
    wait_and_close(0);
}

static void kill_or_unsupported(void)
{
    int32_t status = 99;

    if (!can(HAS_KILL)) {
        REFUSED(vmo_peer_kill(world.a, world.to_peer), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 5).value, 5);
        return;
    }
    OK(vmo_peer_hangup(world.a, world.to_peer));
    OK(vmo_peer_kill(world.a, world.to_peer));
    OK(vmo_peer_kill(world.a, world.to_peer));
    OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
    CHECK_EQ((uint32_t)status, (uint32_t)-9);
    REFUSED(vmo_peer_kill(world.a, world.to_peer), VMO_ERR_UNSUPPORTED);
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

static void close_twice(void)
{
    send_end(OP_END, 0);
    wait_and_close(0);
    REFUSED(vmo_peer_close(world.a, world.to_peer), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_peer_allow(world.a, world.to_peer), VMO_ERR_BAD_HANDLE);
}

static void registry_with_a_peer(void)
{
    REFUSED(vmo_registry_fini(world.a), VMO_ERR_BUSY);
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 3).value, 3);
}

#define REAPS (HAS_PEER | HAS_REAP)

static const struct conf_case cases[] = {
    {"start a peer, or unsupported", start_or_unsupported, 0},
    {"vmo_registry_fini with a live peer", registry_with_a_peer, HAS_PEER},
    {"wait until a deadline", wait_with_a_deadline, REAPS},
    {"wait for a peer, or unsupported", wait_or_unsupported, HAS_PEER},
    {"a peer ends during vmo_recv", ends_during_recv, HAS_PEER},
    {"the last message is received", last_message_is_received, HAS_PEER},
    {"a peer faults during vmo_recv", faults_during_recv, HAS_PEER},
    {"every later call reports the end", gone_by_its_end, HAS_PEER},
    {"every later call reports the end by a fault", gone_by_a_fault, HAS_PEER},
    {"send after wait", gone_before_a_send, REAPS},
    {"transfer to an ended peer", transfer_to_an_ended_peer, HAS_PEER | HAS_TRANSFER},
    {"a peer closes its channel", hangs_up, HAS_PEER},
};
const struct conf_group conf_ends = {"ends", cases, CONF_CASE_COUNT(cases)};

/* A group of its own: a kernel may limit the peers in one boot. */
static const struct conf_case last_cases[] = {
    {"destroy a VMO that the ended peer had closed", destroy_closed_by_the_peer, HAS_PEER | HAS_MAP},
    {"destroy a VMO that was never received", destroy_never_received, HAS_PEER | HAS_DESTROY},
    {"destroy a VMO that an ended child has mapped", destroy_mapped_by_an_ended_child,
     REAPS | HAS_TRANSFER | HAS_MAP | HAS_UNMAP | HAS_DESTROY},
    {"hang up, then wait", hang_up_then_wait, HAS_PEER | HAS_MAP},
    {"kill a peer, or unsupported", kill_or_unsupported, HAS_PEER},
    {"close a peer twice", close_twice, HAS_PEER},
};
const struct conf_group conf_ends_with_vmos = {"ends-with-vmos", last_cases, CONF_CASE_COUNT(last_cases)};
