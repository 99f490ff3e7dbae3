/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver refuses too weak a seal, and messages that no core sends (R6, R7). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 3)

static vmo_t vmo;

/* ---- Required seals ----------------------------------------------------------------------------- */

static void require(vmo_seal_strength strength)
{
    (void)ASK(VMO_OK, .op = OP_REQUIRE, .arg = strength);
}

/* Checks that the peer refused one message with this status and uses as many slots and mappings as before. */
static void dropped_since(struct conf_answer then, vmo_status why)
{
    const struct conf_answer refused = ASK(why, .op = OP_REFUSALS);

    CHECK_EQ(refused.value, 1);
    const struct conf_answer now = ASK(VMO_OK, .op = OP_COUNT);
    CHECK_EQ(now.value, then.value);
    CHECK_EQ(now.len, then.len);
}

static void refused_for_its_seal(vmo_seal_strength sealed, vmo_seal_strength required)
{
    const struct conf_order order = {.op = OP_TAKE};

    vmo = conf_filled(LEN);
    if (sealed != VMO_SEAL_NONE) {
        OK(vmo_seal(world.a, vmo, sealed));
    }
    require(required);
    const struct conf_answer then = ASK(VMO_OK, .op = OP_COUNT);
    conf_send_order(&order, vmo, VMO_RIGHT_READ);
    dropped_since(then, VMO_ERR_NOT_SEALED);
    require(VMO_SEAL_NONE);
    conf_check_vmo(vmo, 0, LEN);
    OK(vmo_close(world.a, vmo));
}

static void accepted_with_its_seal(vmo_seal_strength sealed, vmo_seal_strength required)
{
    vmo = conf_filled(LEN);
    OK(vmo_seal(world.a, vmo, sealed));
    require(required);
    CHECK_EQ(conf_hand_over(vmo, VMO_RIGHT_READ).seal, sealed);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    require(VMO_SEAL_NONE);
    OK(vmo_close(world.a, vmo));
}

static void unsealed_peers(void)
{
    refused_for_its_seal(VMO_SEAL_NONE, VMO_SEAL_PEERS);
}

static void unsealed_forever(void)
{
    refused_for_its_seal(VMO_SEAL_NONE, VMO_SEAL_FOREVER);
}

static void peers_forever(void)
{
    refused_for_its_seal(VMO_SEAL_PEERS, VMO_SEAL_FOREVER);
}

static void peers_peers(void)
{
    accepted_with_its_seal(VMO_SEAL_PEERS, VMO_SEAL_PEERS);
}

static void forever_peers(void)
{
    accepted_with_its_seal(VMO_SEAL_FOREVER, VMO_SEAL_PEERS);
}

static void forever_forever(void)
{
    accepted_with_its_seal(VMO_SEAL_FOREVER, VMO_SEAL_FOREVER);
}

static void ticket_with_too_weak_a_seal(void)
{
    struct vmo_ticket ticket;

    vmo = conf_filled(LEN);
    OK(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &ticket));
    require(VMO_SEAL_PEERS);
    (void)ASK(VMO_ERR_NOT_SEALED, .op = OP_ACCEPT, .ticket = ticket);
    require(VMO_SEAL_NONE);
    (void)ASK(VMO_OK, .op = OP_ACCEPT, .ticket = ticket);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    conf_release(vmo);
}

static void invalid_required_seals(void)
{
    REFUSED(vmo_peer_require(world.a, world.to_peer, (vmo_seal_strength)3), VMO_ERR_INVALID);
    OK(vmo_peer_require(world.a, world.to_peer, VMO_SEAL_PEERS));
    CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = 5).value, 5); /* a message without a VMO needs no seal */
    OK(vmo_peer_require(world.a, world.to_peer, VMO_SEAL_NONE));
}

static void required_here(void)
{
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    struct vmo_incoming incoming = {.tag = 99};

    vmo = conf_filled(LEN);
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    OK(vmo_peer_require(world.a, world.to_peer, VMO_SEAL_PEERS));
    const uint64_t mark = conf_port_mark();
    conf_send_order(&order, VMO_NONE, 0);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_NOT_SEALED);
    CHECK_EQ(incoming.tag, 99);
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    CHECK_EQ(conf_port_mark(), mark);
    OK(vmo_peer_require(world.a, world.to_peer, VMO_SEAL_NONE));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, vmo));
}

/* ---- Messages that no core sends ---------------------------------------------------------------- */

static uint8_t raw[sizeof(struct wire) + VMO_BODY_MAX_BYTES];

static size_t lay_out(struct wire wire)
{
    memset(raw, 0x20, sizeof(raw));
    memcpy(raw, &wire, sizeof(wire));
    return sizeof(wire) + wire.body_bytes;
}

static void send_refused(size_t len, bool carry, vmo_status why)
{
    const struct conf_answer then = ASK(VMO_OK, .op = OP_COUNT);

    conf_send_raw(carry ? vmo : VMO_NONE, true, raw, len);
    dropped_since(then, why);
}

static void send_malformed(struct wire wire)
{
    send_refused(lay_out(wire), false, VMO_ERR_PROTOCOL);
}

static void wrong_magic(void)
{
    send_malformed((struct wire){.magic = WIRE_MAGIC + 1, .kind = WIRE_DATA});
    send_malformed((struct wire){.magic = 0, .kind = WIRE_DATA});
}

static void unknown_kind(void)
{
    send_malformed((struct wire){.magic = WIRE_MAGIC, .kind = 0});
    send_malformed((struct wire){.magic = WIRE_MAGIC, .kind = 3});
    send_malformed((struct wire){.magic = WIRE_MAGIC, .kind = UINT16_MAX});
}

static void too_short(void)
{
    const size_t len = lay_out((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA});

    send_refused(len - 1, false, VMO_ERR_PROTOCOL);
    send_refused(4, false, VMO_ERR_PROTOCOL);
    send_refused(1, false, VMO_ERR_PROTOCOL);
}

static void false_body_length(void)
{
    size_t len = lay_out((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA, .body_bytes = 10});

    send_refused(len - 1, false, VMO_ERR_PROTOCOL);
    send_refused(len + 1, false, VMO_ERR_PROTOCOL);
    len = lay_out((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA, .body_bytes = VMO_BODY_MAX_BYTES});
    send_refused(len - 1, false, VMO_ERR_PROTOCOL);
}

static void data_with_a_claim(void)
{
    send_malformed((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA, .rights = VMO_RIGHT_READ});
    send_malformed((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA, .seal = VMO_SEAL_PEERS});
    send_malformed((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA, .len_bytes = 1});
    send_malformed((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA, .zero = 1});
}

static void missing_vmo(void)
{
    send_malformed(
        (struct wire){.magic = WIRE_MAGIC, .kind = WIRE_HANDLE, .rights = VMO_RIGHT_READ, .len_bytes = LEN});
}

static void data_with_a_vmo(void)
{
    vmo = conf_filled(LEN);
    send_refused(lay_out((struct wire){.magic = WIRE_MAGIC, .kind = WIRE_DATA}), true, VMO_ERR_PROTOCOL);
    conf_release(vmo);
}

static void malformed_with_a_vmo(void)
{
    vmo = conf_filled(LEN);
    (void)lay_out((struct wire){.magic = 7});
    send_refused(sizeof(raw), true, VMO_ERR_PROTOCOL);
    send_refused(1, true, VMO_ERR_PROTOCOL);
    conf_release(vmo);
}

static void claim(struct wire wire, vmo_status why)
{
    wire.magic = WIRE_MAGIC;
    wire.kind = WIRE_HANDLE;
    send_refused(lay_out(wire), true, why);
}

static void false_length(void)
{
    vmo = conf_filled(LEN);
    claim((struct wire){.rights = VMO_RIGHTS_ALL, .len_bytes = 2 * PAGE + 1}, VMO_ERR_PROTOCOL);
    claim((struct wire){.rights = VMO_RIGHTS_ALL, .len_bytes = UINT64_C(1) << 20}, VMO_ERR_PROTOCOL);
    claim((struct wire){.rights = VMO_RIGHTS_ALL, .len_bytes = 0}, VMO_ERR_PROTOCOL);
    claim((struct wire){.rights = VMO_RIGHTS_ALL, .len_bytes = UINT64_MAX}, VMO_ERR_TOO_LARGE);
    claim((struct wire){.rights = VMO_RIGHTS_ALL, .len_bytes = UINT64_MAX - PAGE}, VMO_ERR_TOO_LARGE);
    conf_check_vmo(vmo, 0, LEN);
    conf_release(vmo);
}

static void false_rights_and_seals(void)
{
    vmo = conf_filled(LEN);
    claim((struct wire){.rights = 0, .len_bytes = LEN}, VMO_ERR_PROTOCOL);
    claim((struct wire){.rights = VMO_RIGHT_WRITE, .len_bytes = LEN}, VMO_ERR_PROTOCOL);
    claim((struct wire){.rights = 7, .len_bytes = LEN}, VMO_ERR_PROTOCOL);
    claim((struct wire){.rights = VMO_RIGHT_READ, .seal = 3, .len_bytes = LEN}, VMO_ERR_PROTOCOL);
    claim((struct wire){.rights = VMO_RIGHTS_ALL, .seal = 1, .len_bytes = LEN}, VMO_ERR_PROTOCOL);
    conf_release(vmo);
}

/* A claim of less than the size is valid: the receiver can access only that length. */
static void shorter_claim(void)
{
    const struct conf_order order = {.op = OP_TAKE};
    const struct wire wire = {.magic = WIRE_MAGIC,
                              .kind = WIRE_HANDLE,
                              .body_bytes = sizeof(order),
                              .tag = OP_TAKE,
                              .rights = VMO_RIGHTS_ALL,
                              .len_bytes = 10};
    const size_t len = lay_out(wire);

    vmo = conf_filled(LEN);
    memcpy(raw + sizeof(wire), &order, sizeof(order));
    conf_send_raw(vmo, true, raw, len);
    const struct conf_answer answer = conf_recv_answer();
    STATUS((vmo_status)answer.status, VMO_OK);
    CHECK_EQ(answer.len, 10);
    CHECK_EQ(answer.size, PAGE);
    (void)ASK(VMO_ERR_BOUNDS, .op = OP_READ, .range = {10, 1});
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 10}).value, conf_pattern_hash(0, 10));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    conf_release(vmo);
}

/* Messages of all kinds, from a fixed seed: the peer keeps nothing, and obeys the next order. */
static void many_random_messages(void)
{
    uint64_t seed = 0x1234567;

    vmo = conf_filled(LEN);
    const struct conf_answer then = ASK(VMO_OK, .op = OP_COUNT);
    for (unsigned round = 0; round < 60; round++) {
        for (size_t i = 0; i < sizeof(raw); i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            raw[i] = (uint8_t)(seed >> 56);
        }
        const struct wire half_right = {.magic = WIRE_MAGIC, .kind = (uint16_t)(round % 4)};
        memcpy(raw, &half_right, round % 3 ? 6 : 0);
        conf_send_raw(round % 2 ? vmo : VMO_NONE, true, raw, 1 + (seed >> 33) % (sizeof(raw) - 1));
    }
    CHECK_EQ(ASK(VMO_ERR_PROTOCOL, .op = OP_REFUSALS).value, 60);
    const struct conf_answer now = ASK(VMO_OK, .op = OP_COUNT);
    CHECK_EQ(now.value, then.value);
    CHECK_EQ(now.len, then.len);
    conf_check_vmo(vmo, 0, LEN);
    conf_release(vmo);
}

#define PEER_MAPS (HAS_PEER | HAS_MAP)

static const struct conf_case cases[] = {
    {"PEERS required, unsealed received", unsealed_peers, HAS_PEER},
    {"FOREVER required, unsealed received", unsealed_forever, HAS_PEER},
    {"FOREVER required, PEERS received", peers_forever, HAS_PEER},
    {"PEERS required, PEERS received", peers_peers, PEER_MAPS},
    {"PEERS required, FOREVER received", forever_peers, PEER_MAPS},
    {"FOREVER required, FOREVER received", forever_forever, PEER_MAPS},
    {"a ticket with too weak a seal", ticket_with_too_weak_a_seal, HAS_PEER | HAS_TRANSFER},
    {"invalid required seals", invalid_required_seals, HAS_PEER},
    {"this side requires a seal", required_here, PEER_MAPS},
    {"a wrong magic number", wrong_magic, HAS_PEER},
    {"an unknown kind", unknown_kind, HAS_PEER},
    {"shorter than a header", too_short, HAS_PEER},
    {"a false body length", false_body_length, HAS_PEER},
    {"data with a claim", data_with_a_claim, HAS_PEER},
    {"a missing VMO", missing_vmo, HAS_PEER},
    {"data with a VMO", data_with_a_vmo, HAS_PEER},
    {"a malformed message with a VMO", malformed_with_a_vmo, HAS_PEER},
    {"a false length", false_length, HAS_PEER},
    {"false rights and seals", false_rights_and_seals, HAS_PEER},
    {"a claim shorter than the VMO", shorter_claim, HAS_PEER},
    {"many random messages", many_random_messages, HAS_PEER},
};
const struct conf_group conf_claims = {"claims", cases, CONF_CASE_COUNT(cases)};
