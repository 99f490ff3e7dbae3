/* SPDX-License-Identifier: Apache-2.0 */
/* Fills: the suite lends memory to the peer, which writes the payload, then the header, then answers. */
#include "conformance/conf_groups.h"

#define LEN (3 * PAGE + 1)
#define LENT_BYTES (CONF_PAYLOAD_OFF + LEN)
#define ROUNDS 6
#define WAIT_NS UINT64_C(2000000)

static vmo_t lent;

/* The peer keeps the VMO in place 0, and maps it there. */
static void lend(uint64_t bytes)
{
    lent = conf_create(bytes);
    (void)conf_hand_over(lent, VMO_RIGHTS_ALL);
}

static void lend_mapped(uint64_t bytes)
{
    lend(bytes);
    (void)ASK(VMO_OK, .op = OP_MAP_RW, .range = {0, bytes});
}

static void end_mapped(void)
{
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, lent));
}

static void fill(enum conf_fill how, uint64_t request, uint64_t len)
{
    (void)ASK(VMO_OK, .op = OP_FILL, .arg = how, .range = {request, len});
}

/* Copies the header once, then judges the copy: what lies in the VMO may change between two looks. */
static bool is_filled(vmo_t vmo, uint64_t request, struct conf_filled *header)
{
    uint64_t len = 0;

    OK(vmo_len(world.a, vmo, &len));
    OK(vmo_read(world.a, vmo, RANGE(0, sizeof(*header)), header));
    return header->request == request && header->len <= len - CONF_PAYLOAD_OFF;
}

/* Hashes the payload in place. */
static uint64_t hash_in_place(vmo_t vmo, const struct conf_filled *header)
{
    const vmo_view_t view = conf_map_ro(vmo, CONF_PAYLOAD_OFF, header->len);
    const uint64_t hash = conf_hash(vmo_view_data(world.a, view), header->len);

    OK(vmo_unmap(world.a, view));
    return hash;
}

static void check_filled(vmo_t vmo, uint64_t request, uint64_t len)
{
    struct conf_filled header;

    CHECK(is_filled(vmo, request, &header));
    CHECK_EQ(header.len, len);
    CHECK_EQ(header.hash, conf_pattern_hash(0, len));
    CHECK_EQ(hash_in_place(vmo, &header), header.hash);
}

static void check_not_filled(uint64_t request)
{
    struct conf_filled header;

    CHECK(!is_filled(lent, request, &header));
}

/* ---- Providers that keep to the pattern ---------------------------------------------------------- */

static void in_place(void)
{
    static const uint64_t lens[] = {1, PAGE - CONF_PAYLOAD_OFF, PAGE - CONF_PAYLOAD_OFF + 1, LEN};

    for (uint32_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        lend_mapped(CONF_PAYLOAD_OFF + lens[i]);
        check_not_filled(1);
        const uint64_t copies = conf_counters().copies;
        fill(FILL_ALL, 1, lens[i]);
        check_filled(lent, 1, lens[i]);
        CHECK_EQ(conf_counters().copies, copies + 1); /* the header alone */
        end_mapped();
    }
}

static void without_a_map(void)
{
    uint8_t bytes[PAGE];
    struct conf_filled header;

    lend(CONF_PAYLOAD_OFF + PAGE);
    fill(FILL_ALL, 1, PAGE);
    CHECK(is_filled(lent, 1, &header));
    CHECK_EQ(header.len, PAGE);
    OK(vmo_read(world.a, lent, RANGE(CONF_PAYLOAD_OFF, PAGE), bytes));
    conf_check_pattern(bytes, 0, PAGE);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, lent));
}

/* Lent once, filled many times: each header names its request, so an old one does not pass. */
static void lent_once_filled_often(void)
{
    lend_mapped(LENT_BYTES);
    const uint64_t handed = conf_counters().bulk_bytes;
    for (uint64_t request = 1; request <= ROUNDS; request++) {
        fill(FILL_ALL, request, LEN - request);
        check_filled(lent, request, LEN - request);
        fill(FILL_NOTHING, request + 1, LEN);
        check_not_filled(request + 1);
    }
    CHECK_EQ(conf_counters().bulk_bytes, handed);
    end_mapped();
}

/* The client is a child, the provider its parent. */
static void the_client_is_a_child(void)
{
    const struct conf_order send = {.op = OP_SEND, .arg = VMO_RIGHTS_ALL};
    const uint8_t bytes[3] = {conf_pattern(0), conf_pattern(1), conf_pattern(2)};
    const struct conf_filled header = {7, sizeof(bytes), 0};

    (void)ASK(VMO_OK, .op = OP_CREATE, .range = {0, LENT_BYTES});
    conf_send_order(&send, VMO_NONE, 0);
    const vmo_t its = conf_recv_vmo();
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    OK(vmo_write(world.a, its, RANGE(CONF_PAYLOAD_OFF, sizeof(bytes)), bytes));
    OK(vmo_write(world.a, its, RANGE(0, sizeof(header)), &header));
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {CONF_PAYLOAD_OFF, sizeof(bytes)}).value,
             conf_pattern_hash(0, sizeof(bytes)));
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, sizeof(header)}).value,
             conf_hash((const uint8_t *)&header, sizeof(header)));
    OK(vmo_close(world.a, its));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
}

/* ---- When the bytes may be trusted --------------------------------------------------------------- */

/* Even after the provider has closed its capability: it may have passed it on. */
static void lent_memory_is_never_sealed(void)
{
    lend_mapped(LENT_BYTES);
    fill(FILL_ALL, 1, LEN);
    REFUSED(vmo_seal(world.a, lent, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    (void)ASK(VMO_ERR_BAD_HANDLE, .op = OP_FILL, .arg = FILL_ALL, .range = {2, LEN});
    REFUSED(vmo_seal(world.a, lent, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    REFUSED(vmo_seal(world.a, lent, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    check_filled(lent, 1, LEN);
    OK(vmo_close(world.a, lent));
}

/* The copy is checked and used, and stays as it was. */
static void writes_after_the_answer(void)
{
    vmo_t copy = VMO_NONE;
    struct conf_filled header;

    lend_mapped(LENT_BYTES);
    fill(FILL_ALL, 1, LEN);
    check_filled(lent, 1, LEN);
    OK(vmo_copy(world.a, lent, &copy));
    OK(vmo_seal(world.a, copy, VMO_SEAL_FOREVER));
    (void)ASK(VMO_OK, .op = OP_POKE, .arg = conf_pattern(PAGE) ^ 1, .range = {CONF_PAYLOAD_OFF + PAGE, 1});
    CHECK(is_filled(lent, 1, &header));
    CHECK(hash_in_place(lent, &header) != header.hash);
    fill(FILL_LONG_HEADER, 1, LEN);
    check_not_filled(1);
    check_filled(copy, 1, LEN);
    conf_close_forever(copy);
    end_mapped();
}

/* ---- Providers that do not keep to it ------------------------------------------------------------ */

static void answers_early(void)
{
    lend_mapped(LENT_BYTES);
    fill(FILL_NOTHING, 1, LEN);
    check_not_filled(1);
    fill(FILL_HALF, 1, LEN);
    check_not_filled(1);
    fill(FILL_ALL, 1, LEN);
    check_filled(lent, 1, LEN);
    end_mapped();
}

static void header_without_a_payload(void)
{
    struct conf_filled header;

    lend_mapped(LENT_BYTES);
    fill(FILL_HEADER_ALONE, 1, LEN);
    CHECK(is_filled(lent, 1, &header));
    CHECK(hash_in_place(lent, &header) != header.hash);
    end_mapped();
}

/* A client that forgets to check the length gets no view past the end. */
static void false_length(void)
{
    struct conf_filled header;
    vmo_view_t view = {.id = UNTOUCHED};

    lend_mapped(LENT_BYTES);
    fill(FILL_LONG_HEADER, 1, LEN);
    check_not_filled(1);
    OK(vmo_read(world.a, lent, RANGE(0, sizeof(header)), &header));
    REFUSED(vmo_map_ro(world.a, lent, RANGE(CONF_PAYLOAD_OFF, header.len), &view), VMO_ERR_BOUNDS);
    REFUSED(vmo_map_ro(world.a, lent, RANGE(CONF_PAYLOAD_OFF, LEN + 1), &view), VMO_ERR_BOUNDS);
    CHECK_EQ(view.id, UNTOUCHED);
    end_mapped();
}

/* It costs the client its deadline. The answer that comes late is that of the old request. */
static void never_answers(void)
{
    const struct conf_order take = {.op = OP_TAKE, .held = 1};
    const struct conf_order order = {.op = OP_FILL, .range = {1, LEN}};
    const vmo_t gate = conf_create(1);
    struct vmo_incoming incoming = {.tag = 99};

    lend_mapped(LENT_BYTES);
    conf_send_order(&take, gate, VMO_RIGHT_READ);
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    (void)ASK(VMO_OK, .op = OP_PAUSE, .held = 1);
    conf_send_order(&order, VMO_NONE, 0);
    const uint64_t deadline = vmo_now_ns(world.a) + WAIT_NS;
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, deadline), VMO_ERR_TIMED_OUT);
    CHECK(vmo_now_ns(world.a) >= deadline);
    CHECK_EQ(incoming.tag, 99);
    check_not_filled(1);
    OK(vmo_write(world.a, gate, RANGE(0, 1), "x"));
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    check_filled(lent, 1, LEN);
    check_not_filled(2);
    (void)ASK(VMO_OK, .op = OP_CLOSE, .held = 1);
    OK(vmo_close(world.a, gate));
    end_mapped();
}

static void lent_read_only(void)
{
    lent = conf_create(LENT_BYTES);
    (void)conf_hand_over(lent, VMO_RIGHT_READ);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_MAP_RW, .range = {0, LENT_BYTES});
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_FILL, .range = {1, LEN});
    check_not_filled(1);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, lent));
}

/* Ended by a fault, it holds nothing: where memory can be freed, this gives it back. */
static void dies(enum conf_fill how)
{
    const struct conf_order order = {.op = OP_FILL_CRASH, .arg = how, .range = {1, LEN}};
    struct vmo_incoming incoming = {.tag = 99};

    lend_mapped(LENT_BYTES);
    conf_send_order(&order, VMO_NONE, 0);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_PEER_GONE);
    CHECK_EQ(incoming.tag, 99);
    if (how == FILL_ALL) {
        check_filled(lent, 1, LEN);
    } else {
        check_not_filled(1);
    }
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &(int32_t){0}));
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    conf_release(lent);
}

static void dies_before_the_header(void)
{
    dies(FILL_HALF);
}

static void dies_before_the_answer(void)
{
    dies(FILL_ALL);
}

#define MAPS (HAS_PEER | HAS_MAP)

static const struct conf_case cases[] = {
    {"filled and read in place", in_place, MAPS},
    {"filled and read without a map", without_a_map, HAS_PEER},
    {"lent once, filled often", lent_once_filled_often, MAPS},
    {"the client is a child", the_client_is_a_child, HAS_PEER | HAS_PEER_CREATE},
    {"lent memory is never sealed", lent_memory_is_never_sealed, MAPS},
    {"a provider that writes after its answer", writes_after_the_answer, MAPS},
    {"a provider that answers early", answers_early, MAPS},
    {"a header without a payload", header_without_a_payload, MAPS},
    {"a header with a false length", false_length, MAPS},
    {"a provider that never answers", never_answers, MAPS},
    {"a provider that was lent READ alone", lent_read_only, MAPS},
    {"a provider that dies before the header", dies_before_the_header, MAPS},
    {"a provider that dies before the answer", dies_before_the_answer, MAPS},
};
const struct conf_group conf_fill = {"fill", cases, CONF_CASE_COUNT(cases)};
