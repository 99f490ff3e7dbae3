/* SPDX-License-Identifier: Apache-2.0 */
/* Seals by the creator: their order, effect and enforcer (R7). */
#include "conformance/conf_groups.h"

#define LEN (PAGE + 11)

static vmo_t vmo;

static void expect(vmo_seal_strength seal, vmo_enforcer by)
{
    vmo_seal_strength found_seal = VMO_SEAL_NONE;
    vmo_enforcer found_by = VMO_BY_NOBODY;

    OK(vmo_seal_of(world.a, vmo, &found_seal));
    OK(vmo_seal_enforced_by(world.a, vmo, &found_by));
    CHECK_EQ(found_seal, seal);
    CHECK_EQ(found_by, by);
}

static vmo_enforcer enforcer(void)
{
    return can(HAS_KERNEL_SEALS) ? VMO_BY_KERNEL : VMO_BY_LIBRARY;
}

static void begin(void)
{
    vmo = conf_filled(LEN);
    expect(VMO_SEAL_NONE, VMO_BY_NOBODY);
}

static void end(void)
{
    conf_release(vmo);
}

static void end_forever(void)
{
    if (can(HAS_MAP)) {
        conf_check_vmo(vmo, 0, LEN);
    }
    conf_close_forever(vmo);
}

static void peers_report(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    expect(VMO_SEAL_PEERS, enforcer());
    end();
}

static void peers_owner_writes(void)
{
    uint8_t byte = 0;
    uint32_t rights = 0;

    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(rights, VMO_RIGHTS_ALL);
    OK(vmo_write(world.a, vmo, RANGE(PAGE, 1), "x"));
    OK(vmo_read(world.a, vmo, RANGE(PAGE, 1), &byte));
    CHECK_EQ(byte, 'x');
    end();
}

static void peers_owner_maps_writable(void)
{
    uint8_t byte = 0;

    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const vmo_view_t view = conf_map_rw(vmo, 0, LEN);
    vmo_view_data_rw(world.a, view)[3] = 'y';
    OK(vmo_unmap(world.a, view));
    OK(vmo_read(world.a, vmo, RANGE(3, 1), &byte));
    CHECK_EQ(byte, 'y');
    end();
}

/* PEERS succeeds under any view of the creator. */
static void peers_under_views(void)
{
    begin();
    const vmo_view_t rw = conf_map_rw(vmo, 0, LEN);
    const vmo_view_t ro = conf_map_ro(vmo, 0, LEN);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    vmo_view_data_rw(world.a, rw)[0] = 'z';
    CHECK_EQ(((const volatile uint8_t *)vmo_view_data(world.a, ro))[0], 'z');
    OK(vmo_unmap(world.a, rw));
    OK(vmo_unmap(world.a, ro));
    end();
}

static void peers_again(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_OK); /* changes nothing */
    expect(VMO_SEAL_PEERS, enforcer());
    end();
}

static void no_writer(void)
{
    uint32_t rights = 0;
    uint8_t byte = 1;
    vmo_view_t view;

    begin();
    REFUSED(vmo_seal_with(world.a, vmo, VMO_SEAL_PEERS, 2), VMO_ERR_INVALID);
    OK(vmo_seal_with(world.a, vmo, VMO_SEAL_PEERS, VMO_SEAL_NO_WRITER));
    expect(VMO_SEAL_PEERS, enforcer());
    CHECK_EQ(conf_counters().kept_seal_bytes, 0);
    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(rights, VMO_RIGHT_READ);
    REFUSED(vmo_write(world.a, vmo, (struct vmo_range){0, 1}, &byte), VMO_ERR_SEALED);
    REFUSED(vmo_map_rw(world.a, vmo, (struct vmo_range){0, 1}, &view), VMO_ERR_SEALED);
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* it is */
    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(rights, VMO_RIGHT_READ);
    end();
}

static void no_writer_after_peers(void)
{
    uint32_t rights = 0;

    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    OK(vmo_seal_with(world.a, vmo, VMO_SEAL_PEERS, VMO_SEAL_NO_WRITER));
    expect(VMO_SEAL_PEERS, enforcer());
    CHECK_EQ(conf_counters().kept_seal_bytes, 0);
    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(rights, VMO_RIGHT_READ);
    end();
}

static void no_writer_under_a_view(void)
{
    vmo_view_t view;
    uint32_t rights = 0;

    begin();
    OK(vmo_map_rw(world.a, vmo, (struct vmo_range){0, LEN}, &view));
    REFUSED(vmo_seal_with(world.a, vmo, VMO_SEAL_PEERS, VMO_SEAL_NO_WRITER), VMO_ERR_BUSY);
    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(rights, VMO_RIGHTS_ALL);
    OK(vmo_unmap(world.a, view));
    OK(vmo_seal_with(world.a, vmo, VMO_SEAL_PEERS, VMO_SEAL_NO_WRITER));
    end();
}

static void forever_report(void)
{
    uint32_t rights = 0;

    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    expect(VMO_SEAL_FOREVER, enforcer());
    OK(vmo_rights(world.a, vmo, &rights));
    CHECK_EQ(rights, VMO_RIGHT_READ);
    end_forever();
}

static void forever_forbids_writes(void)
{
    vmo_view_t view = {UNTOUCHED, UNTOUCHED};

    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    REFUSED(vmo_write(world.a, vmo, RANGE(0, 1), "x"), VMO_ERR_SEALED);
    REFUSED(vmo_write(world.a, vmo, RANGE(0, 0), NULL), VMO_ERR_SEALED);
    REFUSED(vmo_map_rw(world.a, vmo, RANGE(0, 1), &view), VMO_ERR_SEALED);
    CHECK_EQ(view.id, UNTOUCHED);
    end_forever();
}

static void forever_can_be_read(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    conf_check_vmo(vmo, 0, LEN);
    const vmo_view_t view = conf_map_ro(vmo, 1, LEN - 1);
    conf_check_pattern(vmo_view_data(world.a, view), 1, LEN - 1);
    OK(vmo_unmap(world.a, view));
    end_forever();
}

static void forever_again(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_OK);
    end_forever();
}

static void stronger_after_weaker(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    expect(VMO_SEAL_FOREVER, enforcer());
    end_forever();
}

static void weaker_after_stronger(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_SEALED);
    expect(VMO_SEAL_FOREVER, enforcer());
    end_forever();
}

static void invalid_strengths(void)
{
    begin();
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_NONE), VMO_ERR_INVALID);
    REFUSED(vmo_seal(world.a, vmo, (vmo_seal_strength)3), VMO_ERR_INVALID);
    REFUSED(vmo_seal_of(world.a, vmo, NULL), VMO_ERR_INVALID);
    REFUSED(vmo_seal_enforced_by(world.a, vmo, NULL), VMO_ERR_INVALID);
    expect(VMO_SEAL_NONE, VMO_BY_NOBODY);
    end();
}

static void refuse_forever_under(vmo_view_t view)
{
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    expect(VMO_SEAL_NONE, VMO_BY_NOBODY);
    OK(vmo_write(world.a, vmo, RANGE(0, 1), vmo_view_data(world.a, view)));
    OK(vmo_unmap(world.a, view));
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    end_forever();
}

static void forever_under_a_writable_view(void)
{
    begin();
    refuse_forever_under(conf_map_rw(vmo, 0, 1));
}

static void forever_under_a_read_only_view(void)
{
    begin();
    refuse_forever_under(conf_map_ro(vmo, 0, 1));
}

static void forever_under_a_slice(void)
{
    vmo_view_t part = NO_VIEW;

    begin();
    const vmo_view_t view = conf_map_ro(vmo, 0, LEN);
    OK(vmo_slice(world.a, view, RANGE(0, 1), &part));
    OK(vmo_unmap(world.a, view));
    refuse_forever_under(part);
}

static void forever_drops_kept_mappings(void)
{
    begin();
    OK(vmo_unmap(world.a, conf_map_rw(vmo, 0, LEN)));
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    conf_check_vmo(vmo, 0, LEN);
    end_forever();
}

static void destroy_after_peers(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    OK(vmo_destroy(world.a, vmo));
}

/* If the kernel enforces the seal, no task can destroy the VMO. If the library does, the creator can, unless
 * the kernel never frees memory. */
static void destroy_after_forever(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    if (can(HAS_KERNEL_SEALS)) {
        const vmo_status status = vmo_destroy(world.a, vmo);
        if (status == VMO_OK) { /* on some kernels a seal does not prevent destroy */
            CHECK(can(HAS_DESTROY));
            return;
        }
        STATUS(status, VMO_ERR_SEALED);
    } else if (can(HAS_DESTROY)) {
        OK(vmo_destroy(world.a, vmo));
        return;
    } else {
        REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_UNSUPPORTED);
    }
    end_forever();
}

static const struct conf_case cases[] = {
    {"PEERS: strength and enforcer", peers_report, 0},
    {"PEERS: the owner can still write", peers_owner_writes, 0},
    {"PEERS: the owner maps writable", peers_owner_maps_writable, HAS_MAP},
    {"PEERS: under views", peers_under_views, HAS_MAP},
    {"PEERS: sealed twice", peers_again, 0},
    {"PEERS: no writer", no_writer, 0},
    {"PEERS: no writer, later", no_writer_after_peers, 0},
    {"PEERS: no writer under a view", no_writer_under_a_view, HAS_MAP},
    {"FOREVER: strength, enforcer and rights", forever_report, 0},
    {"FOREVER: writes are refused", forever_forbids_writes, 0},
    {"FOREVER: reads succeed", forever_can_be_read, HAS_MAP},
    {"FOREVER: sealed twice", forever_again, 0},
    {"FOREVER after PEERS", stronger_after_weaker, 0},
    {"PEERS after FOREVER is refused", weaker_after_stronger, 0},
    {"invalid strengths", invalid_strengths, 0},
    {"FOREVER: under a writable view", forever_under_a_writable_view, HAS_MAP},
    {"FOREVER: under a read-only view", forever_under_a_read_only_view, HAS_MAP},
    {"FOREVER: under a slice", forever_under_a_slice, HAS_MAP},
    {"FOREVER: drops unused mappings", forever_drops_kept_mappings, HAS_MAP},
    {"PEERS: destroy", destroy_after_peers, HAS_DESTROY},
    {"FOREVER: destroy", destroy_after_forever, 0},
};
const struct conf_group conf_seals = {"seals", cases, CONF_CASE_COUNT(cases)};
