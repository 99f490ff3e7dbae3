/* SPDX-License-Identifier: Apache-2.0 */
/* Several handles to one VMO: each operation with each right (R6). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 30)

static vmo_t full, part;

static void begin(uint32_t rights)
{
    full = conf_filled(LEN);
    OK(vmo_dup(world.a, full, rights, &part));
}

static void end(void)
{
    conf_check_vmo(full, 0, LEN);
    OK(vmo_close(world.a, part));
    conf_release(full);
}

static void expect_rights(vmo_t vmo, uint32_t wanted)
{
    uint32_t rights = 0;

    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(rights, wanted);
}

/* ---- Operations with a read-only handle --------------------------------------------------------- */

static void ro_read(void)
{
    begin(VMO_RIGHT_READ);
    conf_check_vmo(part, 0, LEN);
    end();
}

static void ro_write(void)
{
    begin(VMO_RIGHT_READ);
    REFUSED(vmo_write(world.a, part, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    REFUSED(vmo_write(world.a, part, RANGE(0, 0), NULL), VMO_ERR_RIGHTS);
    REFUSED(vmo_write(world.a, part, RANGE(UINT64_MAX, 1), "x"), VMO_ERR_RIGHTS);
    end();
}

static void ro_map_ro(void)
{
    begin(VMO_RIGHT_READ);
    const vmo_view_t view = conf_map_ro(part, 0, LEN);
    conf_check_pattern(vmo_view_data(world.a, view), 0, LEN);
    OK(vmo_unmap(world.a, view));
    end();
}

static void ro_map_rw(void)
{
    vmo_view_t view = {UNTOUCHED, UNTOUCHED};

    begin(VMO_RIGHT_READ);
    REFUSED(vmo_map_rw(world.a, part, RANGE(0, 1), &view), VMO_ERR_RIGHTS);
    CHECK_EQ(view.id, UNTOUCHED);
    end();
}

static void ro_seal(void)
{
    vmo_seal_strength strength = VMO_SEAL_FOREVER;

    begin(VMO_RIGHT_READ);
    REFUSED(vmo_seal(world.a, part, VMO_SEAL_PEERS), VMO_ERR_RIGHTS);
    REFUSED(vmo_seal(world.a, part, VMO_SEAL_FOREVER), VMO_ERR_RIGHTS);
    OK(vmo_seal_of(world.a, full, &strength));
    CHECK_EQ(strength, VMO_SEAL_NONE);
    end();
}

static void ro_destroy(void)
{
    begin(VMO_RIGHT_READ);
    REFUSED(vmo_destroy(world.a, part), VMO_ERR_RIGHTS);
    end();
}

static void ro_last_handle(void)
{
    begin(VMO_RIGHT_READ);
    OK(vmo_close(world.a, full));
    REFUSED(vmo_destroy(world.a, part), VMO_ERR_RIGHTS);
    conf_check_vmo(part, 0, LEN);
    REFUSED(vmo_write(world.a, part, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    OK(vmo_close(world.a, part));
}

static void ro_dup(void)
{
    vmo_t third = {UNTOUCHED, UNTOUCHED};

    begin(VMO_RIGHT_READ);
    REFUSED(vmo_dup(world.a, part, VMO_RIGHTS_ALL, &third), VMO_ERR_RIGHTS);
    CHECK_EQ(third.id, UNTOUCHED);
    OK(vmo_dup(world.a, part, VMO_RIGHT_READ, &third));
    expect_rights(third, VMO_RIGHT_READ);
    OK(vmo_close(world.a, third));
    end();
}

static void ro_len(void)
{
    uint64_t len = 0, size = 0;

    begin(VMO_RIGHT_READ);
    OK(vmo_len(world.a, part, &len));
    OK(vmo_size(world.a, part, &size));
    CHECK_EQ(len, LEN);
    CHECK_EQ(size, 2 * PAGE);
    expect_rights(part, VMO_RIGHT_READ);
    expect_rights(full, VMO_RIGHTS_ALL);
    end();
}

static void ro_copy(void)
{
    vmo_t copy = VMO_NONE;

    begin(VMO_RIGHT_READ);
    OK(vmo_copy(world.a, part, &copy));
    expect_rights(copy, VMO_RIGHTS_ALL);
    conf_check_vmo(copy, 0, LEN);
    conf_release(copy);
    end();
}

static void ro_send(void)
{
    begin(VMO_RIGHT_READ);
    const struct vmo_message message = {.vmo = part, .rights = VMO_RIGHTS_ALL};
    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), VMO_ERR_RIGHTS);
    CHECK_EQ(conf_hand_over(part, VMO_RIGHT_READ).rights, VMO_RIGHT_READ);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ, .range = {10, 20}).value, conf_pattern_hash(10, 20));
    (void)ASK(VMO_ERR_RIGHTS, .op = OP_WRITE, .range = {0, 1});
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    conf_check_vmo(full, 0, LEN);
    OK(vmo_close(world.a, part));
    OK(vmo_close(world.a, full));
}

static void ro_transfer(void)
{
    struct vmo_ticket ticket = {.name = 77};

    begin(VMO_RIGHT_READ);
    REFUSED(vmo_transfer(world.a, part, world.to_peer, VMO_RIGHTS_ALL, &ticket), VMO_ERR_RIGHTS);
    CHECK_EQ(ticket.name, 77);
    end();
}

/* ---- Operations with a second handle with all rights -------------------------------------------- */

static void rw_write(void)
{
    uint8_t byte = 0;

    begin(VMO_RIGHTS_ALL);
    OK(vmo_write(world.a, part, RANGE(3, 1), "x"));
    OK(vmo_read(world.a, full, RANGE(3, 1), &byte));
    CHECK_EQ(byte, 'x');
    byte = conf_pattern(3);
    OK(vmo_write(world.a, full, RANGE(3, 1), &byte));
    end();
}

static void rw_map_rw(void)
{
    begin(VMO_RIGHTS_ALL);
    const vmo_view_t one = conf_map_rw(full, 0, LEN);
    const vmo_view_t other = conf_map_rw(part, 0, LEN);
    CHECK(vmo_view_data(world.a, one) == vmo_view_data(world.a, other)); /* they share a mapping */
    OK(vmo_unmap(world.a, one));
    OK(vmo_unmap(world.a, other));
    end();
}

static void rw_destroy_the_last(void)
{
    begin(VMO_RIGHTS_ALL);
    OK(vmo_close(world.a, full));
    conf_check_vmo(part, 0, LEN);
    conf_release(part);
}

static void seal_is_seen_through_all(void)
{
    vmo_seal_strength strength = VMO_SEAL_NONE;

    begin(VMO_RIGHT_READ);
    OK(vmo_seal(world.a, full, VMO_SEAL_PEERS));
    OK(vmo_seal_of(world.a, part, &strength));
    CHECK_EQ(strength, VMO_SEAL_PEERS);
    end();
}

static void forever_takes_write_from_all(void)
{
    begin(VMO_RIGHTS_ALL);
    OK(vmo_seal(world.a, part, VMO_SEAL_FOREVER));
    expect_rights(full, VMO_RIGHT_READ);
    expect_rights(part, VMO_RIGHT_READ);
    REFUSED(vmo_write(world.a, full, RANGE(0, 1), "x"), VMO_ERR_SEALED);
    conf_check_vmo(full, 0, LEN);
    OK(vmo_close(world.a, full));
    conf_check_vmo(part, 0, LEN);
    conf_close_forever(part);
}

/* ---- Making handles ----------------------------------------------------------------------------- */

static void invalid_rights(void)
{
    static const uint32_t rights[] = {0, VMO_RIGHT_WRITE, 4, 5, 7, UINT32_MAX};
    vmo_t third = {UNTOUCHED, UNTOUCHED};

    begin(VMO_RIGHTS_ALL);
    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        REFUSED(vmo_dup(world.a, full, rights[i], &third), VMO_ERR_INVALID);
    }
    REFUSED(vmo_dup(world.a, full, VMO_RIGHT_READ, NULL), VMO_ERR_INVALID);
    CHECK_EQ(third.id, UNTOUCHED);
    end();
}

static void no_kernel_table_is_used(void)
{
    begin(VMO_RIGHT_READ);
    const uint64_t mark = conf_port_mark();
    vmo_t third = VMO_NONE;
    OK(vmo_dup(world.a, full, VMO_RIGHTS_ALL, &third));
    CHECK_EQ(conf_port_mark(), mark);
    OK(vmo_close(world.a, third));
    CHECK_EQ(conf_port_mark(), mark);
    end();
}

static void handles_run_out(void)
{
    vmo_t more[2 * OBJECTS], last = {UNTOUCHED, UNTOUCHED};
    uint32_t count = 0;

    begin(VMO_RIGHT_READ);
    for (; count < 2 * OBJECTS - 2; count++) {
        OK(vmo_dup(world.a, full, VMO_RIGHTS_ALL, &more[count]));
    }
    REFUSED(vmo_dup(world.a, full, VMO_RIGHT_READ, &last), VMO_ERR_TABLE_FULL);
    REFUSED(vmo_create(world.a, 1, &last), VMO_ERR_TABLE_FULL); /* objects are free, handles are not */
    REFUSED(vmo_wrap_bytes(world.a, "x", 1, &last), VMO_ERR_TABLE_FULL);
    CHECK_EQ(last.id, UNTOUCHED);
    conf_check_vmo(more[count - 1], 0, LEN);
    for (uint32_t i = 0; i < count; i++) {
        OK(vmo_close(world.a, more[i]));
    }
    end();
}

static void close_the_last_handle(void)
{
    begin(VMO_RIGHT_READ);
    OK(vmo_close(world.a, full));
    REFUSED(vmo_close(world.a, full), VMO_ERR_BAD_HANDLE);
    conf_check_vmo(part, 0, LEN);
    OK(vmo_close(world.a, part));
    REFUSED(vmo_close(world.a, part), VMO_ERR_BAD_HANDLE);
}

static const struct conf_case cases[] = {
    {"READ only: read", ro_read, 0},
    {"READ only: write", ro_write, 0},
    {"READ only: map read-only", ro_map_ro, HAS_MAP},
    {"READ only: map writable", ro_map_rw, 0},
    {"READ only: seal", ro_seal, 0},
    {"READ only: destroy", ro_destroy, 0},
    {"READ only: as the last handle", ro_last_handle, 0},
    {"READ only: dup", ro_dup, 0},
    {"READ only: length, size and rights", ro_len, 0},
    {"READ only: copy", ro_copy, HAS_MAP},
    {"READ only: send", ro_send, HAS_PEER | HAS_MAP},
    {"READ only: transfer", ro_transfer, HAS_PEER | HAS_TRANSFER},
    {"all rights: write", rw_write, 0},
    {"all rights: map writable", rw_map_rw, HAS_MAP},
    {"all rights: release as the last handle", rw_destroy_the_last, 0},
    {"a seal is seen through every handle", seal_is_seen_through_all, 0},
    {"FOREVER takes WRITE from every handle", forever_takes_write_from_all, HAS_MAP},
    {"invalid rights", invalid_rights, 0},
    {"no kernel table is used", no_kernel_table_is_used, 0},
    {"handles run out before objects", handles_run_out, 0},
    {"close the last handle", close_the_last_handle, 0},
};
const struct conf_group conf_dup = {"dup", cases, CONF_CASE_COUNT(cases)};
