/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs that go to a peer by message (R6, R13). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 77)

static vmo_t vmo;

static void begin(void)
{
    vmo = conf_filled(LEN);
}

/* The peer has closed its handle; here the VMO still counts as sent. */
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
        check_answer(conf_give(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_NONE);
    CHECK_EQ(answer.enforcer, VMO_BY_NOBODY);
    end();
}

static void the_peer_reads(void)
{
    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {PAGE - 3, 9}).value, conf_pattern_hash(PAGE - 3, 9));
    (void)ASK(VMO_ERR_BOUNDS, .op = OP_READ, .range = {LEN, 1});
    (void)ASK(VMO_ERR_BOUNDS, .op = OP_READ, .range = {UINT64_MAX, 2});
    end();
}

static void the_peer_maps(void)
{
    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    CHECK_EQ(ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN}).value, conf_pattern_hash(0, LEN));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    (void)ASK(VMO_ERR_BOUNDS, .op = OP_MAP_RO, .range = {0, LEN + 1});
    (void)ASK(VMO_ERR_BAD_HANDLE, .op = OP_UNMAP);
    end();
}

static void the_peer_cannot_write(void)
{
    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
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
    (void)conf_give(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_DESTROY);
    conf_check_vmo(vmo, 0, LEN);
    end();
}

static void writable(void)
{
    uint8_t byte = 0;

    begin();
    (void)check_answer(conf_give(vmo, VMO_RIGHTS_ALL), VMO_RIGHTS_ALL, VMO_SEAL_NONE);
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
    (void)conf_give(vmo, VMO_RIGHTS_ALL);
    (void)ASK(VMO_OK, .op = OP_MAP_RW, .range = {0, LEN});
    const vmo_view_t view = conf_map_ro(vmo, 0, LEN);
    (void)ASK(VMO_OK, .op = OP_POKE, .arg = 0xc7, .range = {PAGE + 2, 1});
    CHECK_EQ(((const volatile uint8_t *)vmo_view_data(world.a, view))[PAGE + 2], 0xc7);
    CHECK_EQ(vmo_view_data(world.a, view)[PAGE + 1], conf_pattern(PAGE + 1));
    OK(vmo_unmap(world.a, view));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    end();
}

/* The owner's later writes are the peer's, too: it is one memory. */
static void later_writes_are_seen(void)
{
    const uint8_t bytes[3] = {9, 8, 7};

    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    (void)ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN});
    OK(vmo_write(world.a, vmo, RANGE(100, 3), bytes));
    CHECK_EQ(ASK(VMO_OK, .op = OP_PEEK, .range = {100, 3}).value, conf_hash(bytes, 3));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    end();
}

static void the_peer_outlives_the_senders_handle(void)
{
    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
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

static void senseless_rights(void)
{
    begin();
    refuse(0, VMO_ERR_INVALID);
    refuse(VMO_RIGHT_WRITE, VMO_ERR_INVALID);
    refuse(4 | VMO_RIGHT_READ, VMO_ERR_INVALID);
    refuse(UINT32_MAX, VMO_ERR_INVALID);
    conf_give_up(vmo); /* it counts as sent nowhere */
}

static void stale_vmo(void)
{
    begin();
    OK(vmo_close(world.a, vmo));
    refuse(VMO_RIGHT_READ, VMO_ERR_BAD_HANDLE);
}

/* Each refusal before leaves the peer as it was: the next VMO finds it so. */
static void refusals_reach_nobody(void)
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
    conf_give_up(vmo);
}

static void sealed_goes_read_only(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    refuse(VMO_RIGHTS_ALL, VMO_ERR_SEALED);
    const struct conf_answer answer =
        check_answer(conf_give(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_PEERS);
    CHECK_EQ(answer.enforcer, can(HAS_KERNEL_SEALS) ? VMO_BY_KERNEL : VMO_BY_LIBRARY);
    OK(vmo_write(world.a, vmo, RANGE(0, 1), "x")); /* the owner still may */
    end();
}

static void forever_goes_read_only(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    refuse(VMO_RIGHTS_ALL, VMO_ERR_SEALED);
    (void)check_answer(conf_give(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    end();
}

/* Where a description of the peer's own can be made, the permission changes nothing. */
static void a_peer_that_may_share(void)
{
    begin();
    OK(vmo_peer_allow_shared(world.a, world.to_peer));
    (void)check_answer(conf_give(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_NONE);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const struct conf_answer answer =
        check_answer(conf_give(vmo, VMO_RIGHT_READ), VMO_RIGHT_READ, VMO_SEAL_PEERS);
    CHECK_EQ(answer.enforcer, can(HAS_KERNEL_SEALS) ? VMO_BY_KERNEL : VMO_BY_LIBRARY);
    end();
}

static void writable_forbids_seals(void)
{
    vmo_seal_strength seal = VMO_SEAL_FOREVER;

    begin();
    (void)conf_give(vmo, VMO_RIGHTS_ALL);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    OK(vmo_seal_of(world.a, vmo, &seal));
    CHECK_EQ(seal, VMO_SEAL_NONE);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY); /* nobody can know where it went */
    OK(vmo_close(world.a, vmo));
}

static void read_only_allows_seals(void)
{
    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    end();
}

/* Where a destroy takes memory from its holders, only a closed channel proves that no message carries it. */
static void sent_and_not_destroyed(void)
{
    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED); /* the channel lives: nobody has acknowledged */
    conf_check_vmo(vmo, 0, LEN);
    OK(vmo_close(world.a, vmo));
}

static void destroyed_by_its_sender(void)
{
    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    if (can(HAS_HOLDERS)) {
        REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
        OK(vmo_close(world.a, vmo));
    } else {
        OK(vmo_destroy(world.a, vmo));
    }
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
}

static void comes_back(void)
{
    uint32_t rights = 0;

    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    conf_tell(&order, VMO_NONE, 0);
    const vmo_t again = conf_take_back();
    STATUS((vmo_status)conf_hear().status, VMO_OK);
    OK(vmo_rights(world.a, again, &rights));
    CHECK_EQ(rights, VMO_RIGHT_READ);
    conf_check_vmo(again, 0, LEN);
    REFUSED(vmo_write(world.a, again, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    REFUSED(vmo_seal(world.a, again, VMO_SEAL_PEERS), VMO_ERR_RIGHTS);
    REFUSED(vmo_destroy(world.a, again), VMO_ERR_RIGHTS);
    OK(vmo_close(world.a, again));
    end();
}

static void the_peers_own(void)
{
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHTS_ALL};

    (void)ASK(VMO_OK, .op = OP_CREATE, .range = {0, LEN});
    (void)ASK(VMO_OK, .op = OP_WRITE, .arg = 0x31, .range = {PAGE + 1, 1});
    conf_tell(&order, VMO_NONE, 0);
    const vmo_t its = conf_take_back();
    STATUS((vmo_status)conf_hear().status, VMO_OK);
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

static void several_at_once(void)
{
    static const uint64_t lens[PEER_HELD] = {1, PAGE, PAGE + 1, 3 * PAGE};
    vmo_t vmos[PEER_HELD];

    for (uint32_t i = 0; i < PEER_HELD; i++) {
        const struct conf_order order = {.op = OP_TAKE, .held = i};
        vmos[i] = conf_filled(lens[i]);
        conf_tell(&order, vmos[i], VMO_RIGHT_READ);
    }
    for (uint32_t i = 0; i < PEER_HELD; i++) {
        const struct conf_answer answer = conf_hear();
        STATUS((vmo_status)answer.status, VMO_OK);
        CHECK_EQ(answer.len, lens[i]);
    }
    for (uint32_t i = 0; i < PEER_HELD; i++) {
        CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .held = i, .range = {0, 1}).value, conf_pattern_hash(0, 1));
        (void)ASK(VMO_OK, .op = OP_CLOSE, .held = i);
        OK(vmo_close(world.a, vmos[i]));
    }
}

/* A message that the registry has no entry for stays queued, and the messages behind it with it. */
static void a_full_table_keeps_the_message(void)
{
    static const uint8_t byte = 1;
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    struct vmo_incoming incoming = {.tag = 99};
    vmo_t fill[OBJECTS];

    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    for (unsigned i = 1; i < OBJECTS; i++) { /* `vmo` has an entry, too */
        OK(vmo_wrap_bytes(world.a, &byte, 1, &fill[i]));
    }
    conf_tell(&order, VMO_NONE, 0);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_TABLE_FULL);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_TABLE_FULL);
    CHECK_EQ(incoming.tag, 99);
    OK(vmo_close(world.a, fill[1]));
    const vmo_t again = conf_take_back();
    STATUS((vmo_status)conf_hear().status, VMO_OK);
    conf_check_vmo(again, 0, LEN);
    OK(vmo_close(world.a, again));
    for (unsigned i = 2; i < OBJECTS; i++) {
        OK(vmo_close(world.a, fill[i]));
    }
    end();
}

/* A peer is closed while a message stays: nothing of the message is left. */
static void a_kept_message_goes_with_its_peer(void)
{
    static const uint8_t byte = 1;
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    struct vmo_incoming incoming;
    vmo_t fill[OBJECTS];

    begin();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    for (unsigned i = 1; i < OBJECTS; i++) {
        OK(vmo_wrap_bytes(world.a, &byte, 1, &fill[i]));
    }
    conf_tell(&order, VMO_NONE, 0);
    STATUS(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()), VMO_ERR_TABLE_FULL);
    for (unsigned i = 1; i < OBJECTS; i++) {
        OK(vmo_close(world.a, fill[i]));
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    OK(vmo_close(world.a, vmo));
}

static void bulk_bytes_are_counted(void)
{
    begin();
    const struct vmo_counters then = conf_counters();
    (void)conf_give(vmo, VMO_RIGHT_READ);
    const struct vmo_counters now = conf_counters();
    CHECK_EQ(now.bulk_bytes, then.bulk_bytes + 2 * PAGE);
    CHECK_EQ(now.copy_fallbacks, then.copy_fallbacks);
    CHECK_EQ(now.control_bytes - then.control_bytes,
             2 * sizeof(struct wire) + sizeof(struct conf_order) + sizeof(struct conf_answer));
    end();
}

/* The memory keeps its name on its way to the peer and back. */
static void the_name_goes_along(void)
{
    const struct vmo_create_options options = {.name = "frames"};
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};

    OK(vmo_create_with(world.a, LEN, &options, &vmo));
    (void)conf_give(vmo, VMO_RIGHT_READ);
    conf_tell(&order, VMO_NONE, 0);
    const vmo_t back = conf_take_back();
    STATUS((vmo_status)conf_hear().status, VMO_OK);
    conf_check_names("frames");
    OK(vmo_close(world.a, back));
    end();
}

#define PEER_MAPS (HAS_PEER | HAS_MAP)

static const struct conf_case cases[] = {
    {"read-only: what the peer is told", read_only, PEER_MAPS},
    {"read-only: the peer reads, within bounds", the_peer_reads, PEER_MAPS},
    {"read-only: the peer maps, within bounds", the_peer_maps, PEER_MAPS},
    {"read-only: the peer cannot write", the_peer_cannot_write, PEER_MAPS},
    {"read-only: the peer cannot destroy", the_peer_cannot_destroy, PEER_MAPS},
    {"writable: both sides write", writable, HAS_PEER},
    {"writable: a store of the peer's is seen here", the_peer_stores, PEER_MAPS},
    {"a later write of the owner's is seen there", later_writes_are_seen, PEER_MAPS},
    {"the peer keeps what the sender closed", the_peer_outlives_the_senders_handle, PEER_MAPS},
    {"rights that mean nothing", senseless_rights, HAS_PEER},
    {"a handle that was closed", stale_vmo, HAS_PEER},
    {"refusals reach nobody", refusals_reach_nobody, HAS_PEER},
    {"sealed PEERS goes read-only", sealed_goes_read_only, PEER_MAPS},
    {"sealed FOREVER goes read-only", forever_goes_read_only, PEER_MAPS},
    {"a peer that may share a description", a_peer_that_may_share, PEER_MAPS},
    {"sent writable forbids seals", writable_forbids_seals, HAS_PEER},
    {"sent read-only allows seals", read_only_allows_seals, PEER_MAPS},
    {"sent and not destroyed", sent_and_not_destroyed, PEER_MAPS | HAS_HOLDERS},
    {"the peer keeps what the sender destroyed, or it is refused", destroyed_by_its_sender, PEER_MAPS},
    {"comes back as a received one", comes_back, PEER_MAPS},
    {"the name goes along", the_name_goes_along, HAS_PEER | HAS_NAMES},
    {"made by the peer", the_peers_own, HAS_PEER | HAS_PEER_CREATE},
    {"a peer makes one, or its refusal by name", create_in_a_peer, HAS_PEER},
    {"several at once arrive in order", several_at_once, PEER_MAPS},
    {"bulk bytes are counted, not copied", bulk_bytes_are_counted, PEER_MAPS},
    {"the table is full: the message stays until a close", a_full_table_keeps_the_message, PEER_MAPS},
    {"a message that stays goes with its peer", a_kept_message_goes_with_its_peer, PEER_MAPS},
};
const struct conf_group conf_messages = {"messages", cases, CONF_CASE_COUNT(cases)};
