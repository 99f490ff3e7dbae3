/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with several VMOs: all arrive, or none (R6, R13). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 77)

static vmo_t vmos[VMO_MANY_MAX];
static struct vmo_item items[VMO_MANY_MAX];
static struct vmo_incoming incoming;
static vmo_t got[VMO_MANY_MAX];
static uint32_t count;

static void make(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        vmos[i] = conf_filled(LEN + i);
        items[i] = (struct vmo_item){vmos[i], VMO_RIGHT_READ};
    }
}

static void close_mine(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        OK(vmo_close(world.a, vmos[i]));
    }
}

/* Sends an order with the first `n` VMOs. */
static vmo_status send_order(uint32_t op, uint32_t n)
{
    const struct conf_order order = {.op = op};
    const struct vmo_message message = {.tag = op, .body = &order, .body_bytes = sizeof(order)};

    return vmo_send_many(world.a, world.to_peer, &message, items, n, conf_soon());
}

static vmo_status receive(void)
{
    return vmo_recv_many(world.a, world.to_peer, &incoming, got, &count, conf_soon());
}

/* The peer takes the first `n` VMOs into its places 0 to n - 1. */
static void hand_over(uint32_t n)
{
    (void)ASK(VMO_OK, .op = OP_NEXT_MANY);
    OK(send_order(OP_TAKE_MANY, n));
    const struct conf_answer answer = conf_recv_answer();
    STATUS((vmo_status)answer.status, VMO_OK);
    CHECK_EQ(answer.value, n);
}

static void peer_closes(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        (void)ASK(VMO_OK, .op = OP_CLOSE, .held = i);
    }
}

static void several_or_unsupported(void)
{
    const uint32_t sizes[] = {2, 3, VMO_MANY_MAX};

    make(VMO_MANY_MAX);
    for (uint32_t i = 0; i < 3; i++) {
        if (!can(HAS_MANY)) {
            REFUSED(send_order(OP_TAKE_MANY, sizes[i]), VMO_ERR_UNSUPPORTED);
            continue;
        }
        hand_over(sizes[i]);
        for (uint32_t k = 0; k < sizes[i]; k++) {
            const struct conf_answer answer = ASK(VMO_OK, .op = OP_ASK, .held = k);
            CHECK_EQ(answer.len, LEN + k);
            CHECK_EQ(answer.rights, VMO_RIGHT_READ);
            CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .held = k, .range = {LEN + k - 64, 64}).value,
                     conf_pattern_hash(LEN + k - 64, 64));
        }
        peer_closes(sizes[i]);
    }
    close_mine(VMO_MANY_MAX);
}

/* On every platform: what one call sends for one VMO or none, the other receives. */
static void one_and_none(void)
{
    make(1);
    OK(send_order(OP_TAKE, 1));
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(send_order(OP_ECHO, 0));
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);

    const struct conf_order order = {.op = OP_TAKE_MANY};
    (void)ASK(VMO_OK, .op = OP_NEXT_MANY);
    conf_send_order(&order, vmos[0], VMO_RIGHT_READ);
    CHECK_EQ(conf_recv_answer().value, 1);
    (void)ASK(VMO_OK, .op = OP_NEXT_MANY);
    conf_send_order(&order, VMO_NONE, 0);
    CHECK_EQ(conf_recv_answer().value, 0);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    close_mine(1);
}

static void arguments(void)
{
    const struct vmo_message message = {.tag = 1};
    struct vmo_message wrong = {.rights = VMO_RIGHT_READ};

    make(1);
    REFUSED(vmo_send_many(world.a, NO_PEER, &message, items, 1, 0), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_send_many(world.a, world.to_peer, NULL, items, 1, 0), VMO_ERR_INVALID);
    REFUSED(vmo_send_many(world.a, world.to_peer, &message, NULL, 1, 0), VMO_ERR_INVALID);
    REFUSED(vmo_send_many(world.a, world.to_peer, &wrong, items, 1, 0), VMO_ERR_INVALID);
    wrong = (struct vmo_message){.vmo = vmos[0], .rights = VMO_RIGHT_READ};
    REFUSED(vmo_send_many(world.a, world.to_peer, &wrong, items, 1, 0), VMO_ERR_INVALID);
    REFUSED(vmo_send_many(world.a, world.to_peer, &message, items, VMO_MANY_MAX + 1, 0), VMO_ERR_TOO_LARGE);
    items[0].rights = VMO_RIGHT_WRITE;
    REFUSED(vmo_send_many(world.a, world.to_peer, &message, items, 1, 0), VMO_ERR_INVALID);
    items[0] = (struct vmo_item){VMO_NONE, VMO_RIGHT_READ};
    REFUSED(vmo_send_many(world.a, world.to_peer, &message, items, 1, 0), VMO_ERR_BAD_HANDLE);
    conf_release(vmos[0]); /* it does not count as sent */

    incoming.tag = 99;
    count = 77;
    REFUSED(vmo_recv_many(world.a, NO_PEER, &incoming, got, &count, 0), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_recv_many(world.a, world.to_peer, NULL, got, &count, 0), VMO_ERR_INVALID);
    REFUSED(vmo_recv_many(world.a, world.to_peer, &incoming, NULL, &count, 0), VMO_ERR_INVALID);
    REFUSED(vmo_recv_many(world.a, world.to_peer, &incoming, got, NULL, 0), VMO_ERR_INVALID);
    REFUSED(vmo_recv_many(world.a, world.to_peer, &incoming, got, &count, 0), VMO_ERR_TIMED_OUT);
    CHECK(incoming.tag == 99 && count == 77);
}

static void one_refused_none_sent(void)
{
    const struct conf_answer then = ASK(VMO_OK, .op = OP_COUNT);

    make(3);
    hand_over(3);
    peer_closes(3);
    OK(vmo_seal(world.a, vmos[2], VMO_SEAL_PEERS));
    items[0].rights = VMO_RIGHTS_ALL;
    items[2].rights = VMO_RIGHTS_ALL;
    REFUSED(send_order(OP_TAKE_MANY, 3), VMO_ERR_SEALED);
    items[2] = (struct vmo_item){VMO_NONE, VMO_RIGHT_READ};
    REFUSED(send_order(OP_TAKE_MANY, 3), VMO_ERR_BAD_HANDLE);
    OK(vmo_seal(world.a, vmos[0], VMO_SEAL_PEERS)); /* it was not handed over writable */
    const struct conf_answer now = ASK(VMO_OK, .op = OP_COUNT);
    CHECK_EQ(now.value, then.value);
    (void)ASK(VMO_OK, .op = OP_REFUSALS);
    close_mine(3);
}

/* The peer has three VMOs, and sends them and an answer. */
static void let_the_peer_send(void)
{
    const struct conf_order order = {.op = OP_SEND_MANY, .arg = 3};

    for (uint32_t i = 0; i < 3; i++) {
        (void)ASK(VMO_OK, .op = OP_CREATE, .held = i, .range = {0, LEN + i});
    }
    conf_send_order(&order, VMO_NONE, 0);
}

static void end_the_peers(void)
{
    CHECK_EQ(count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t len = 0;
        OK(vmo_len(world.a, got[i], &len));
        CHECK_EQ(len, LEN + i);
        OK(vmo_close(world.a, got[i]));
    }
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    peer_closes(3);
}

static void a_plain_receive_leaves_it(void)
{
    let_the_peer_send();
    incoming.tag = 99;
    for (uint32_t i = 0; i < 3; i++) {
        STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(incoming.tag, 99);
    }
    OK(receive());
    CHECK_EQ(incoming.vmo.id, got[0].id);
    end_the_peers();
}

static void a_full_table_keeps_it(void)
{
    static const uint8_t byte = 1;
    vmo_t fill[OBJECTS];

    for (uint32_t i = 0; i < OBJECTS; i++) {
        OK(vmo_wrap_bytes(world.a, &byte, 1, &fill[i]));
    }
    let_the_peer_send();
    count = 77;
    for (uint32_t i = 0; i < 3; i++) {
        STATUS(receive(), VMO_ERR_TABLE_FULL);
        REFUSED(receive(), VMO_ERR_TABLE_FULL);
        CHECK_EQ(count, 77);
        OK(vmo_close(world.a, fill[i]));
    }
    OK(receive());
    end_the_peers();
    for (uint32_t i = 3; i < OBJECTS; i++) {
        OK(vmo_close(world.a, fill[i]));
    }
}

/* The peer demands a seal that the last VMO lacks. */
static void a_weak_seal_drops_it(void)
{
    make(2);
    OK(vmo_seal(world.a, vmos[0], VMO_SEAL_PEERS));
    (void)ASK(VMO_OK, .op = OP_REQUIRE, .arg = VMO_SEAL_PEERS);
    const struct conf_answer then = ASK(VMO_OK, .op = OP_COUNT);
    (void)ASK(VMO_OK, .op = OP_NEXT_MANY);
    OK(send_order(OP_TAKE_MANY, 2));
    CHECK_EQ(ASK(VMO_ERR_NOT_SEALED, .op = OP_REFUSALS).value, 1);
    const struct conf_answer now = ASK(VMO_OK, .op = OP_COUNT);
    CHECK_EQ(now.value, then.value);
    CHECK_EQ(now.len, then.len);
    (void)ASK(VMO_OK, .op = OP_REQUIRE, .arg = VMO_SEAL_NONE);
    close_mine(2);
}

#define PEER_MAPS (HAS_PEER | HAS_MAP)
#define PEER_MANY (PEER_MAPS | HAS_MANY)

static const struct conf_case cases[] = {
    {"up to eight VMOs, or unsupported", several_or_unsupported, PEER_MAPS},
    {"one VMO and none", one_and_none, PEER_MAPS},
    {"arguments", arguments, HAS_PEER},
    {"one VMO is refused, none is sent", one_refused_none_sent, PEER_MANY},
    {"a plain receive leaves the message", a_plain_receive_leaves_it, PEER_MANY},
    {"a full table keeps the message", a_full_table_keeps_it, PEER_MANY},
    {"one seal too weak drops the message", a_weak_seal_drops_it, PEER_MANY},
};
const struct conf_group conf_many = {"many", cases, CONF_CASE_COUNT(cases)};
