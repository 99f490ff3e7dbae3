/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs sent to a peer by message (R6, R13). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 77)

static vmo_t vmo;

static void begin(void)
{
    vmo = conf_filled(LEN);
}

/* After the peer closes its handle, the VMO still counts as sent, so it is closed, not destroyed. */
static void end(void)
{
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, vmo));
}

static struct conf_answer check_answer(struct conf_answer answer, uint32_t rights, vmo_seal_strength seal)
{
    CHECK_EQ(answer.len, LEN);
    CHECK_EQ(answer.size, 2 * PAGE);
    CHECK_EQ(answer.rights, rights);
    CHECK_EQ(answer.seal, seal);
    return answer;
}

static void read_only(void)
{
    begin();
    const struct conf_answer answer =
        check_answer(conf_hand_over(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_NONE);
    CHECK_EQ(answer.enforcer, VMO_BY_NOBODY);
    end();
}

static void the_peer_reads(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {PAGE - 3, 9}).value, conf_pattern_hash(PAGE - 3, 9));
    (void)ASK(VMO_ERR_BOUNDS, .op = OP_READ, .range = {LEN, 1});
    (void)ASK(VMO_ERR_BOUNDS, .op = OP_READ, .range = {UINT64_MAX, 2});
    end();
}

static void the_peer_maps(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    CHECK_EQ(ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN}).value, conf_pattern_hash(0, LEN));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    (void)ASK(VMO_ERR_BOUNDS, .op = OP_MAP_RO, .range = {0, LEN + 1});
    (void)ASK(VMO_ERR_BAD_HANDLE, .op = OP_UNMAP);
    end();
}

static void the_peer_cannot_write(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_WRITE, .range = {0, 1});
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_MAP_RW, .range = {0, 1});
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_DUP, .arg = VMO_RIGHTS_ALL);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_SEAL, .arg = VMO_SEAL_PEERS);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_SEND, .arg = VMO_RIGHTS_ALL);
    conf_check_vmo(vmo, 0, LEN);
    end();
}

static void the_peer_cannot_destroy(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_DESTROY);
    conf_check_vmo(vmo, 0, LEN);
    end();
}

static void writable(void)
{
    uint8_t byte = 0;

    begin();
    (void)check_answer(conf_hand_over(vmo, VMO_RIGHTS_ALL), VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    (void)ASK(VMO_OK, .op = OP_WRITE, .arg = 0xd1, .range = {PAGE, 1});
    OK(vmo_read(world.a, vmo, RANGE(PAGE, 1), &byte));
    CHECK_EQ(byte, 0xd1);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_DESTROY);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_SEAL, .arg = VMO_SEAL_PEERS);
    end();
}

static void the_peer_stores(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHTS_ALL);
    (void)ASK(VMO_OK, .op = OP_MAP_RW, .range = {0, LEN});
    const vmo_view_t view = conf_map_ro(vmo, 0, LEN);
    (void)ASK(VMO_OK, .op = OP_POKE, .arg = 0xc7, .range = {PAGE + 2, 1});
    CHECK_EQ(((const volatile uint8_t *)vmo_view_data(world.a, view))[PAGE + 2], 0xc7);
    CHECK_EQ(vmo_view_data(world.a, view)[PAGE + 1], conf_pattern(PAGE + 1));
    OK(vmo_unmap(world.a, view));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    end();
}

/* Owner and peer share the memory. */
static void later_write_is_seen(void)
{
    const uint8_t bytes[3] = {9, 8, 7};

    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN});
    OK(vmo_write(world.a, vmo, RANGE(100, 3), bytes));
    CHECK_EQ(ASK(VMO_OK, .op = OP_PEEK, .range = {100, 3}).value, conf_hash(bytes, 3));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    end();
}

static void peer_keeps_what_the_sender_closed(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    OK(vmo_close(world.a, vmo));
    CHECK_EQ(ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN}).value, conf_pattern_hash(0, LEN));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    CHECK_EQ(ASK(VMO_OK, .op = OP_PEEK, .range = {0, LEN}).value, conf_pattern_hash(0, LEN));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
}

static void refuse(uint32_t rights, vmo_status wanted)
{
    const struct vmo_message message = {.vmo = vmo, .rights = rights};

    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), wanted);
}

static void invalid_rights(void)
{
    begin();
    refuse(0, VMO_ERR_INVALID);
    refuse(VMO_RIGHT_WRITE, VMO_ERR_INVALID);
    refuse(4 | VMO_RIGHT_READ, VMO_ERR_INVALID);
    refuse(UINT32_MAX, VMO_ERR_INVALID);
    conf_release(vmo); /* it does not count as sent */
}

static void stale_vmo(void)
{
    begin();
    OK(vmo_close(world.a, vmo));
    refuse(VMO_RIGHT_READ, VMO_ERR_BAD_HANDLE);
}

/* The peer uses as many slots and mappings after the refusals as before. */
static void refused_message_is_not_sent(void)
{
    const struct conf_answer then = ASK(VMO_OK, .op = OP_COUNT);

    begin();
    refuse(0, VMO_ERR_INVALID);
    refuse(VMO_RIGHT_WRITE, VMO_ERR_INVALID);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    refuse(VMO_RIGHTS_ALL, VMO_ERR_SEALED);
    const struct conf_answer now = ASK(VMO_OK, .op = OP_COUNT);
    CHECK_EQ(now.value, then.value);
    CHECK_EQ(now.len, then.len);
    (void)ASK(VMO_OK, .op = OP_REFUSALS, .arg = 0);
    conf_release(vmo);
}

static void sealed_is_sent_read_only(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    refuse(VMO_RIGHTS_ALL, VMO_ERR_SEALED);
    const struct conf_answer answer =
        check_answer(conf_hand_over(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_PEERS);
    CHECK_EQ(answer.enforcer, can(HAS_KERNEL_SEALS) ? VMO_BY_KERNEL : VMO_BY_LIBRARY);
    OK(vmo_write(world.a, vmo, RANGE(0, 1), "x")); /* the owner can still write */
    end();
}

static void forever_is_sent_read_only(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    refuse(VMO_RIGHTS_ALL, VMO_ERR_SEALED);
    (void)check_answer(conf_hand_over(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    end();
}

/* The permission changes nothing if the backend can give the peer its own open file description. */
static void peer_allowed_shared(void)
{
    begin();
    OK(vmo_peer_allow_shared(world.a, world.to_peer));
    (void)check_answer(conf_hand_over(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_NONE);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const struct conf_answer answer =
        check_answer(conf_hand_over(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_PEERS);
    CHECK_EQ(answer.enforcer, can(HAS_KERNEL_SEALS) ? VMO_BY_KERNEL : VMO_BY_LIBRARY);
    end();
}

static void writable_forbids_seals(void)
{
    vmo_seal_strength seal = VMO_SEAL_FOREVER;

    begin();
    (void)conf_hand_over(vmo, VMO_RIGHTS_ALL);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    OK(vmo_seal_of(world.a, vmo, &seal));
    CHECK_EQ(seal, VMO_SEAL_NONE);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY); /* the peer may have passed it on */
    OK(vmo_close(world.a, vmo));
}

static void read_only_allows_seals(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    end();
}

/* If destroy takes memory away from others, only a closed channel proves that no message carries the VMO. */
static void sent_vmo_cannot_be_destroyed(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED); /* the channel is still open */
    conf_check_vmo(vmo, 0, LEN);
    OK(vmo_close(world.a, vmo));
}

static void peer_keeps_what_the_sender_destroyed(void)
{
    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    if (can(HAS_HOLDERS)) {
        REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
        OK(vmo_close(world.a, vmo));
    } else {
        OK(vmo_destroy(world.a, vmo));
    }
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
}

static void sent_back(void)
{
    uint32_t rights = 0;

    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    conf_send_order(&order, VMO_NONE, 0);
    const vmo_t again = conf_recv_vmo();
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    OK(vmo_rights(world.a, again, &rights));
    CHECK_EQ(rights, VMO_RIGHT_READ);
    conf_check_vmo(again, 0, LEN);
    REFUSED(vmo_write(world.a, again, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    REFUSED(vmo_seal(world.a, again, VMO_SEAL_PEERS), VMO_ERR_RIGHTS);
    REFUSED(vmo_destroy(world.a, again), VMO_ERR_RIGHTS);
    OK(vmo_close(world.a, again));
    end();
}

static void created_by_the_peer(void)
{
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHTS_ALL};

    (void)ASK(VMO_OK, .op = OP_CREATE, .range = {0, LEN});
    (void)ASK(VMO_OK, .op = OP_WRITE, .arg = 0x31, .range = {PAGE + 1, 1});
    conf_send_order(&order, VMO_NONE, 0);
    const vmo_t its = conf_recv_vmo();
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    uint8_t bytes[2] = {0xff, 0xff};
    OK(vmo_read(world.a, its, RANGE(PAGE, 2), bytes));
    CHECK_EQ(bytes[0], 0);
    CHECK_EQ(bytes[1], 0x31);
    REFUSED(vmo_destroy(world.a, its), VMO_ERR_RIGHTS);
    OK(vmo_close(world.a, its));
    if (can(HAS_HOLDERS)) {
        (void)ASK(VMO_ERR_STILL_SHARED, .op = OP_DESTROY);
        (void)ASK(VMO_OK, .op = OP_CLOSE);
    } else {
        (void)ASK(VMO_OK, .op = OP_DESTROY);
    }
}

static void create_in_a_peer(void)
{
    if (can(HAS_PEER_CREATE)) {
        const struct conf_answer then = ASK(VMO_OK, .op = OP_COUNT);
        (void)ASK(VMO_OK, .op = OP_CREATE, .range = {0, LEN});
        CHECK(ASK(VMO_OK, .op = OP_COUNT).value == (then.value ? then.value + 1 : 0));
        (void)ASK(VMO_OK, .op = OP_CLOSE);
        return;
    }
    (void)ASK(VMO_ERR_UNSUPPORTED, .op = OP_CREATE, .range = {0, LEN});
}

#define SEVERAL 4

static void several_at_once(void)
{
    static const uint64_t lens[SEVERAL] = {1, PAGE, PAGE + 1, 3 * PAGE};
    vmo_t vmos[SEVERAL];

    for (uint32_t i = 0; i < SEVERAL; i++) {
        const struct conf_order order = {.op = OP_TAKE, .held = i};
        vmos[i] = conf_filled(lens[i]);
        conf_send_order(&order, vmos[i], VMO_RIGHT_READ);
    }
    for (uint32_t i = 0; i < SEVERAL; i++) {
        const struct conf_answer answer = conf_recv_answer();
        STATUS((vmo_status)answer.status, VMO_OK);
        CHECK_EQ(answer.len, lens[i]);
    }
    for (uint32_t i = 0; i < SEVERAL; i++) {
        CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .held = i, .range = {0, 1}).value, conf_pattern_hash(0, 1));
        (void)ASK(VMO_OK, .op = OP_CLOSE, .held = i);
        OK(vmo_close(world.a, vmos[i]));
    }
}

/* Fills the tables of objects and handles beside `vmo`, which the peer sends back: a backend that knows it
 * again needs only a handle. */
static void fill_tables(vmo_t fill[OBJECTS], vmo_t handles[OBJECTS])
{
    static const uint8_t byte = 1;

    for (unsigned i = 1; i < OBJECTS; i++) { /* `vmo` has the other entry */
        OK(vmo_wrap_bytes(world.a, &byte, 1, &fill[i]));
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        OK(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &handles[i]));
    }
}

static void close_all(const vmo_t *vmos, unsigned first)
{
    for (unsigned i = first; i < OBJECTS; i++) {
        OK(vmo_close(world.a, vmos[i]));
    }
}

/* Without a free entry in the registry the message stays queued, and so do the messages behind it. */
static void a_full_table_keeps_the_message(void)
{
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    struct vmo_incoming incoming = {.tag = 99};
    vmo_t fill[OBJECTS], handles[OBJECTS];

    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    fill_tables(fill, handles);
    conf_send_order(&order, VMO_NONE, 0);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_TABLE_FULL);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_TABLE_FULL);
    CHECK_EQ(incoming.tag, 99);
    OK(vmo_close(world.a, fill[1]));
    const vmo_t again = conf_recv_vmo();
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    conf_check_vmo(again, 0, LEN);
    OK(vmo_close(world.a, again));
    close_all(fill, 2);
    close_all(handles, 0);
    end();
}

/* Closing a peer with a queued message leaves nothing of the message. */
static void closing_a_peer_discards_its_message(void)
{
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    struct vmo_incoming incoming;
    vmo_t fill[OBJECTS], handles[OBJECTS];

    begin();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    fill_tables(fill, handles);
    conf_send_order(&order, VMO_NONE, 0);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_TABLE_FULL);
    close_all(fill, 1);
    close_all(handles, 0);
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    OK(vmo_close(world.a, vmo));
}

static void bulk_bytes_are_counted(void)
{
    begin();
    const struct vmo_counters then = conf_counters();
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    const struct vmo_counters now = conf_counters();
    CHECK_EQ(now.bulk_bytes, then.bulk_bytes + 2 * PAGE);
    CHECK_EQ(now.copies, then.copies);
    CHECK_EQ(now.control_bytes - then.control_bytes,
             2 * sizeof(struct wire) + sizeof(struct conf_order) + sizeof(struct conf_answer));
    end();
}

/* The name is sent with the VMO to the peer and back. */
static void name_is_sent(void)
{
    const struct vmo_create_options options = {.name = "frames"};
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};

    OK(vmo_create_with(world.a, LEN, &options, &vmo));
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    conf_send_order(&order, VMO_NONE, 0);
    const vmo_t back = conf_recv_vmo();
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    conf_check_names("frames");
    OK(vmo_close(world.a, back));
    end();
}

#define PEER_MAPS (HAS_PEER | HAS_MAP)

static const struct conf_case cases[] = {
    {"read-only: length, size, rights and seal", read_only, PEER_MAPS},
    {"read-only: the peer reads, within bounds", the_peer_reads, PEER_MAPS},
    {"read-only: the peer maps, within bounds", the_peer_maps, PEER_MAPS},
    {"read-only: the peer cannot write", the_peer_cannot_write, PEER_MAPS},
    {"read-only: the peer cannot destroy", the_peer_cannot_destroy, PEER_MAPS},
    {"writable: both sides write", writable, HAS_PEER},
    {"writable: the owner sees the peer's store", the_peer_stores, PEER_MAPS},
    {"the peer sees the owner's later write", later_write_is_seen, PEER_MAPS},
    {"the peer keeps a VMO that the sender closed", peer_keeps_what_the_sender_closed, PEER_MAPS},
    {"invalid rights", invalid_rights, HAS_PEER},
    {"a closed handle", stale_vmo, HAS_PEER},
    {"a refused message is not sent", refused_message_is_not_sent, HAS_PEER},
    {"a VMO sealed PEERS is sent read-only", sealed_is_sent_read_only, PEER_MAPS},
    {"a VMO sealed FOREVER is sent read-only", forever_is_sent_read_only, PEER_MAPS},
    {"a peer allowed by vmo_peer_allow_shared", peer_allowed_shared, PEER_MAPS},
    {"no seal after a writable send", writable_forbids_seals, HAS_PEER},
    {"a seal after a read-only send", read_only_allows_seals, PEER_MAPS},
    {"a sent VMO cannot be destroyed", sent_vmo_cannot_be_destroyed, PEER_MAPS | HAS_HOLDERS},
    {"the peer keeps a VMO that the sender destroyed, or destroy is refused",
     peer_keeps_what_the_sender_destroyed, PEER_MAPS},
    {"a VMO that the peer sends back", sent_back, PEER_MAPS},
    {"the name is sent with the VMO", name_is_sent, HAS_PEER | HAS_NAMES},
    {"a VMO created by the peer", created_by_the_peer, HAS_PEER | HAS_PEER_CREATE},
    {"a peer creates a VMO, or unsupported", create_in_a_peer, HAS_PEER},
    {"several VMOs arrive in order", several_at_once, PEER_MAPS},
    {"bulk bytes are counted, not copied", bulk_bytes_are_counted, PEER_MAPS},
    {"a full table keeps the message until a close", a_full_table_keeps_the_message, PEER_MAPS},
    {"closing a peer discards its queued message", closing_a_peer_discards_its_message, PEER_MAPS},
};
const struct conf_group conf_messages = {"messages", cases, CONF_CASE_COUNT(cases)};
