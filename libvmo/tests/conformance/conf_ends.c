/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that end: while waited for, with VMOs, by themselves or by a fault (R11, R13). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 1)
#define WAIT_NS UINT64_C(2000000)
#define STATUS_OF_ITS_OWN 42

static void tell_end(uint32_t op, uint32_t status)
{
    const struct conf_order order = {.op = op, .arg = status};

    conf_tell(&order, VMO_NONE, 0);
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

static void hear_the_end(void)
{
    struct vmo_incoming incoming = {.tag = 99};

    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_PEER_GONE);
    CHECK_EQ(incoming.tag, 99);
}

static void dies_while_waited_for(void)
{
    tell_end(OP_END, STATUS_OF_ITS_OWN);
    hear_the_end();
    REFUSED(vmo_recv(world.a, world.to_peer, &(struct vmo_incoming){0}, conf_soon()), VMO_ERR_PEER_GONE);
    wait_and_close(STATUS_OF_ITS_OWN);
}

static void its_last_word_is_heard(void)
{
    const struct conf_order echo = {.op = OP_ECHO, .arg = 6};

    conf_tell(&echo, VMO_NONE, 0);
    tell_end(OP_END, 0);
    CHECK_EQ(conf_hear().value, 6);
    hear_the_end();
    wait_and_close(0);
}

static void faults_while_waited_for(void)
{
    int32_t status = 0;

    tell_end(OP_CRASH, 0);
    hear_the_end();
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
        CHECK_EQ((uint32_t)status, (uint32_t)-22);
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

/* Each call to a peer that has ended. None of them waits. */
static void refuse_all(vmo_t vmo)
{
    const struct vmo_message plain = {.tag = 1};
    const struct vmo_message carrying = {.tag = 1, .vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming = {.tag = 99};
    struct vmo_ticket ticket = {.name = 77};

    for (unsigned i = 0; i < 20; i++) { /* more than a queue takes */
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

static void gone_for_ever(uint32_t op, int32_t wanted)
{
    const vmo_t vmo = conf_filled(LEN);
    int32_t status = 99;

    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* the capability that goes along exists from here on */
    tell_end(op, 0);
    hear_the_end();
    refuse_all(vmo);
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
        CHECK_EQ((uint32_t)status, (uint32_t)wanted);
        refuse_all(vmo);
        REFUSED(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status), VMO_ERR_UNSUPPORTED);
    }
    conf_check_vmo(vmo, 0, LEN);
    conf_give_up(vmo); /* it was never sent */
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

static void gone_by_its_end(void)
{
    gone_for_ever(OP_END, 0);
}

static void gone_by_a_fault(void)
{
    gone_for_ever(OP_CRASH, -22);
}

/* vmo_send reports the end even if vmo_recv was not called before. */
static void gone_before_a_send(void)
{
    const vmo_t vmo = conf_filled(LEN);
    const struct vmo_message message = {.tag = 1, .vmo = vmo, .rights = VMO_RIGHT_READ};
    int32_t status = 99;

    tell_end(OP_END, 0);
    OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
    STATUS(vmo_send(world.a, world.to_peer, &message, FAR_NS), VMO_ERR_PEER_GONE);
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    conf_give_up(vmo);
}

static void transfer_to_the_dead(void)
{
    struct vmo_ticket ticket = {.name = 77};
    const vmo_t vmo = conf_filled(LEN);

    tell_end(OP_END, 0);
    hear_the_end();
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &ticket), VMO_ERR_PEER_GONE);
    CHECK_EQ(ticket.name, 77);
    wait_and_close(0);
    conf_give_up(vmo);
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

static void wait_or_its_refusal(void)
{
    int32_t status = 99;

    if (can(HAS_REAP)) {
        return; /* what it does then is the other cases' matter */
    }
    REFUSED(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status), VMO_ERR_UNSUPPORTED);
    CHECK_EQ(status, 99);
}

static void a_peer_or_its_refusal(void)
{
    vmo_peer_t peer = {UNTOUCHED, UNTOUCHED};

    for (unsigned i = 0; i < 20 && !can(HAS_PEER); i++) { /* where it can be started, the other cases do so */
        REFUSED(conf_port_start_peer(world.a, &peer), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(peer.id, UNTOUCHED);
    }
}

static void hangs_up(void)
{
    tell_end(OP_HANG_UP, 0);
    hear_the_end();
    wait_and_close(0);
}

static void destroy_after_the_channel(void)
{
    const vmo_t vmo = conf_filled(LEN);

    (void)conf_give(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    tell_end(OP_END, 0);
    wait_and_close(0);
    conf_give_up(vmo);
}

/* A message that was never received goes with the channel, and what it carried. */
static void destroy_what_never_arrived(void)
{
    const struct conf_order pause = {.op = OP_PAUSE, .range = {vmo_now_ns(world.a) + 50 * WAIT_NS, 0}};
    const struct conf_order take = {.op = OP_TAKE};
    const vmo_t vmo = conf_filled(LEN);

    conf_tell(&pause, VMO_NONE, 0);
    conf_tell(&take, vmo, VMO_RIGHT_READ);
    if (can(HAS_HOLDERS)) {
        REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    conf_check_vmo(vmo, 0, LEN);
    conf_give_up(vmo);
}

static void not_reaped(void)
{
    const vmo_t vmo = conf_filled(LEN);
    struct vmo_ticket ticket;

    OK(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &ticket));
    (void)ASK(VMO_OK, .op = OP_ACCEPT, .ticket = ticket);
    (void)ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN});
    tell_end(OP_END, 0);
    hear_the_end();
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_NOT_REAPED);
    conf_check_vmo(vmo, 0, LEN);
    wait_and_close(0);
    conf_give_up(vmo);
}

/* Only this side's channel ends: the peer notices, and can still be waited for. */
static void hung_up_on(void)
{
    const vmo_t vmo = conf_filled(LEN);

    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    (void)conf_give(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_peer_hangup(world.a, world.to_peer));
    refuse_all(vmo);
    OK(vmo_peer_hangup(world.a, world.to_peer));
    refuse_all(vmo);
    conf_give_up(vmo);
    wait_and_close(0);
}

static void killed_or_its_refusal(void)
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

static void closed_twice(void)
{
    tell_end(OP_END, 0);
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
    {"a peer is started, or refused by name", a_peer_or_its_refusal, 0},
    {"the registry does not end while a peer lives", registry_with_a_peer, HAS_PEER},
    {"waited for until a deadline", wait_with_a_deadline, REAPS},
    {"waited for, or refused by name", wait_or_its_refusal, HAS_PEER},
    {"while waited for", dies_while_waited_for, HAS_PEER},
    {"the last word is heard", its_last_word_is_heard, HAS_PEER},
    {"by a fault while waited for", faults_while_waited_for, HAS_PEER},
    {"for ever, on every call", gone_by_its_end, HAS_PEER},
    {"by a fault, for ever, on every call", gone_by_a_fault, HAS_PEER},
    {"waited for, then sent to", gone_before_a_send, REAPS},
    {"before a transfer", transfer_to_the_dead, HAS_PEER | HAS_TRANSFER},
    {"by closing the channel", hangs_up, HAS_PEER},
};
const struct conf_group conf_ends = {"ends", cases, CONF_CASE_COUNT(cases)};

/* A group of its own: a kernel may limit the peers in one boot. */
static const struct conf_case last_cases[] = {
    {"what the peer closed can be destroyed after it", destroy_after_the_channel, HAS_PEER | HAS_MAP},
    {"what never arrived can be destroyed after it", destroy_what_never_arrived, HAS_PEER | HAS_DESTROY},
    {"what an ended child has mapped", not_reaped, REAPS | HAS_TRANSFER | HAS_MAP | HAS_UNMAP | HAS_DESTROY},
    {"hung up on, then waited for", hung_up_on, HAS_PEER | HAS_MAP},
    {"killed, or refused by name", killed_or_its_refusal, HAS_PEER},
    {"the peer is closed once", closed_twice, HAS_PEER},
};
const struct conf_group conf_ends_with_vmos = {"ends-with-vmos", last_cases, CONF_CASE_COUNT(last_cases)};
