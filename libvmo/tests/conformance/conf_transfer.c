/* SPDX-License-Identifier: Apache-2.0 */
/* vmo_transfer and vmo_accept (R6). */
#include "conformance/conf_groups.h"

#define LEN (2 * PAGE + 5)

static vmo_t vmo;
static struct vmo_ticket ticket;

static void begin(uint32_t rights)
{
    vmo = conf_filled(LEN);
    OK(vmo_transfer(world.a, vmo, world.to_peer, rights, &ticket));
}

static void end(void)
{
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    conf_release(vmo);
}

static void accept(vmo_status wanted)
{
    (void)ASK(wanted, .op = OP_ACCEPT, .ticket = ticket);
}

static void transfer_or_unsupported(void)
{
    if (can(HAS_TRANSFER)) {
        begin(VMO_RIGHTS_ALL);
        accept(VMO_OK);
        end();
        return;
    }
    vmo = conf_filled(LEN);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_READ, &ticket), VMO_ERR_UNSUPPORTED);
    conf_release(vmo);
}

static void ticket_members(void)
{
    begin(VMO_RIGHTS_ALL);
    CHECK_EQ(ticket.len_bytes, LEN);
    CHECK_EQ(ticket.rights, VMO_RIGHTS_ALL);
    CHECK_EQ(ticket.seal, VMO_SEAL_NONE);
    accept(VMO_OK);
    const struct conf_answer answer = ASK(VMO_OK, .op = OP_ASK);
    CHECK_EQ(answer.len, LEN);
    CHECK_EQ(answer.size, 3 * PAGE);
    CHECK_EQ(answer.rights, VMO_RIGHTS_ALL);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {PAGE, 64}).value, conf_pattern_hash(PAGE, 64));
    end();
}

static void read_only(void)
{
    begin(VMO_RIGHT_READ);
    accept(VMO_OK);
    CHECK_EQ(ASK(VMO_OK, .op = OP_ASK).rights, VMO_RIGHT_READ);
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_WRITE, .range = {0, 1});
    CHECK_EQ(ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN}).value, conf_pattern_hash(0, LEN));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    end();
}

static void writable(void)
{
    uint8_t byte = 0;

    begin(VMO_RIGHTS_ALL);
    accept(VMO_OK);
    (void)ASK(VMO_OK, .op = OP_WRITE, .arg = 0x66, .range = {LEN - 1, 1});
    OK(vmo_read(world.a, vmo, RANGE(LEN - 1, 1), &byte));
    CHECK_EQ(byte, 0x66);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    end();
}

static void sealed(void)
{
    struct vmo_ticket none = {.name = 77};

    vmo = conf_filled(LEN);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &none), VMO_ERR_SEALED);
    CHECK_EQ(none.name, 77);
    OK(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_READ, &ticket));
    CHECK_EQ(ticket.seal, VMO_SEAL_PEERS);
    accept(VMO_OK);
    CHECK_EQ(ASK(VMO_OK, .op = OP_ASK).seal, VMO_SEAL_PEERS);
    end();
}

static void arguments(void)
{
    vmo = conf_filled(LEN);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_READ, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, 0, &ticket), VMO_ERR_INVALID);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_WRITE, &ticket), VMO_ERR_INVALID);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, 4 | VMO_RIGHTS_ALL, &ticket), VMO_ERR_INVALID);
    REFUSED(vmo_accept(world.a, world.to_peer, NULL, &vmo), VMO_ERR_INVALID);
    REFUSED(vmo_accept(world.a, world.to_peer, &ticket, NULL), VMO_ERR_INVALID);
    conf_release(vmo);
}

/* After refusals the peer uses as many slots as before. */
static void refusals_use_nothing(void)
{
    struct vmo_ticket none = {.name = 77};

    begin(VMO_RIGHTS_ALL);
    accept(VMO_OK);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    const uint64_t count = ASK(VMO_OK, .op = OP_COUNT).value;
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, 0, &none), VMO_ERR_INVALID);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_WRITE, &none), VMO_ERR_INVALID);
    REFUSED(vmo_transfer(world.a, VMO_NONE, world.to_peer, VMO_RIGHT_READ, &none), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(none.name, 77);
    CHECK_EQ(ASK(VMO_OK, .op = OP_COUNT).value, count);
    OK(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &ticket));
    accept(VMO_OK);
    end();
}

static void accepted_twice(void)
{
    begin(VMO_RIGHTS_ALL);
    accept(VMO_OK);
    (void)ASK(VMO_ERR_PROTOCOL, .op = OP_ACCEPT, .held = 1, .ticket = ticket);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {0, 64}).value, conf_pattern_hash(0, 64));
    end();
}

static void accepted_after_close(void)
{
    begin(VMO_RIGHTS_ALL);
    accept(VMO_OK);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    accept(VMO_ERR_PROTOCOL);
    conf_release(vmo);
}

/* The peer refuses this ticket and uses as many slots as before. */
static void refuse_ticket(const struct vmo_ticket *false_ticket, vmo_status wanted)
{
    const uint64_t count = ASK(VMO_OK, .op = OP_COUNT).value;

    (void)ASK(wanted, .op = OP_ACCEPT, .ticket = *false_ticket);
    CHECK_EQ(ASK(VMO_OK, .op = OP_COUNT).value, count);
}

static void false_length(void)
{
    begin(VMO_RIGHTS_ALL);
    struct vmo_ticket false_ticket = ticket;
    false_ticket.len_bytes = 3 * PAGE + 1;
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    false_ticket.len_bytes = UINT64_C(0x100000);
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    false_ticket.len_bytes = 0;
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    false_ticket.len_bytes = UINT64_MAX;
    refuse_ticket(&false_ticket, VMO_ERR_TOO_LARGE);
    accept(VMO_OK); /* the true ticket is still valid */
    end();
}

static void false_read_only_length(void)
{
    begin(VMO_RIGHT_READ);
    struct vmo_ticket false_ticket = ticket;
    false_ticket.len_bytes = 3 * PAGE + 1;
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    accept(VMO_OK);
    end();
}

static void false_rights(void)
{
    begin(VMO_RIGHTS_ALL);
    struct vmo_ticket false_ticket = ticket;
    false_ticket.rights = 0;
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    false_ticket.rights = VMO_RIGHT_WRITE;
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    false_ticket.rights = 7;
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    false_ticket.rights = VMO_RIGHTS_ALL;
    false_ticket.seal = VMO_SEAL_PEERS; /* a sealed VMO is never writable */
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    false_ticket.rights = VMO_RIGHT_READ;
    false_ticket.seal = 3;
    refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
    accept(VMO_OK);
    end();
}

static void false_name(void)
{
    begin(VMO_RIGHTS_ALL);
    struct vmo_ticket false_ticket = ticket;
    static const uint32_t names[] = {0, 1, 2, 60, 255, 256, 1u << 30, UINT32_MAX};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i] != ticket.name) {
            false_ticket.name = names[i];
            refuse_ticket(&false_ticket, VMO_ERR_PROTOCOL);
        }
    }
    accept(VMO_OK);
    end();
}

static void destroy_while_the_peer_holds_it(void)
{
    begin(VMO_RIGHTS_ALL);
    accept(VMO_OK);
    REFUSED(vmo_destroy(world.a, vmo), can(HAS_DESTROY) ? VMO_ERR_STILL_SHARED : VMO_ERR_UNSUPPORTED);
    (void)ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, LEN});
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    REFUSED(vmo_destroy(world.a, vmo), can(HAS_DESTROY) ? VMO_ERR_STILL_MAPPED : VMO_ERR_UNSUPPORTED);
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    conf_check_vmo(vmo, 0, LEN);
    conf_release(vmo);
}

static void bulk_bytes_are_counted(void)
{
    vmo = conf_filled(LEN);
    const struct vmo_counters then = conf_counters();
    OK(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHTS_ALL, &ticket));
    const struct vmo_counters now = conf_counters();
    CHECK_EQ(now.bulk_bytes, then.bulk_bytes + 3 * PAGE);
    CHECK_EQ(now.control_bytes, then.control_bytes);
    CHECK_EQ(now.copies, then.copies);
    accept(VMO_OK);
    end();
}

static void to_the_parent(void)
{
    vmo = conf_filled(LEN);
    (void)conf_hand_over(vmo, VMO_RIGHTS_ALL);
    if (!can(HAS_TRANSFER_UP)) { /* a child cannot be sure of its parent's pid */
        (void)ASK(VMO_ERR_UNSUPPORTED, .op = OP_TRANSFER, .arg = VMO_RIGHTS_ALL);
    } else {
        const struct conf_answer answer = ASK(VMO_OK, .op = OP_TRANSFER, .arg = VMO_RIGHTS_ALL);
        const struct vmo_ticket its = {
            .len_bytes = LEN, .name = (uint32_t)answer.value, .rights = VMO_RIGHTS_ALL};
        vmo_t back = VMO_NONE;
        OK(vmo_accept(world.a, world.to_peer, &its, &back));
        conf_check_vmo(back, 0, LEN);
        OK(vmo_close(world.a, back));
    }
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, vmo));
}

#define TRANSFERS (HAS_PEER | HAS_TRANSFER)

static const struct conf_case cases[] = {
    {"transfer, or unsupported", transfer_or_unsupported, HAS_PEER},
    {"the members of the ticket", ticket_members, TRANSFERS},
    {"read-only", read_only, TRANSFERS | HAS_MAP},
    {"writable", writable, TRANSFERS},
    {"sealed", sealed, TRANSFERS | HAS_MAP},
    {"arguments", arguments, HAS_PEER},
    {"refusals use nothing at the peer", refusals_use_nothing, TRANSFERS},
    {"accepted twice", accepted_twice, TRANSFERS},
    {"accepted after close", accepted_after_close, TRANSFERS},
    {"a ticket with a false length", false_length, TRANSFERS},
    {"a read-only ticket with a false length", false_read_only_length, TRANSFERS | HAS_MAP},
    {"a ticket with false rights and seal", false_rights, TRANSFERS},
    {"a ticket with a false name", false_name, TRANSFERS},
    {"destroy while the peer holds or maps it", destroy_while_the_peer_holds_it,
     TRANSFERS | HAS_MAP | HAS_UNMAP | HAS_HOLDERS},
    {"bulk bytes are counted, not copied", bulk_bytes_are_counted, TRANSFERS},
    {"from a child to its parent, or unsupported", to_the_parent, HAS_PEER},
};
const struct conf_group conf_transfer = {"transfer", cases, CONF_CASE_COUNT(cases)};
