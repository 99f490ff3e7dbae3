/* SPDX-License-Identifier: Apache-2.0 */
/* Views: ranges, contents, aliases, lifetime (R3). */
#include "conformance/conf_groups.h"

#define LEN (3 * PAGE + 9)

static vmo_t vmo;

static void begin(void)
{
    vmo = conf_filled(LEN);
}

static void end(void)
{
    conf_check_vmo(vmo, 0, LEN);
    conf_release(vmo);
}

/* Maps exactly this range read-only and checks the pattern. */
static void check_view(uint64_t off, uint64_t len)
{
    const vmo_view_t view = conf_map_ro(vmo, off, len);

    CHECK_EQ(vmo_view_len(world.a, view), len);
    conf_check_pattern(vmo_view_data(world.a, view), off, len);
    CHECK(vmo_view_data_rw(world.a, view) == NULL);
    OK(vmo_unmap(world.a, view));
}

static void whole(void)
{
    begin();
    check_view(0, LEN);
    end();
}

static void one_byte(void)
{
    begin();
    check_view(0, 1);
    check_view(LEN - 1, 1);
    end();
}

static void around_a_page_boundary(void)
{
    begin();
    check_view(PAGE - 1, 2);
    check_view(PAGE, PAGE);
    check_view(PAGE - 1, PAGE + 2);
    end();
}

static void refuse(uint64_t off, uint64_t len, vmo_status wanted)
{
    vmo_view_t view = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_map_ro(world.a, vmo, RANGE(off, len), &view), wanted);
    REFUSED(vmo_map_rw(world.a, vmo, RANGE(off, len), &view), wanted);
    CHECK_EQ(view.id, UNTOUCHED);
}

static void no_bytes(void)
{
    begin();
    refuse(0, 0, VMO_ERR_ZERO_LENGTH);
    refuse(PAGE, 0, VMO_ERR_ZERO_LENGTH);
    refuse(LEN, 0, VMO_ERR_ZERO_LENGTH);
    end();
}

static void no_bytes_past_the_end(void)
{
    begin();
    refuse(LEN + 1, 0, VMO_ERR_BOUNDS);
    refuse(UINT64_MAX, 0, VMO_ERR_BOUNDS);
    end();
}

static void past_the_end(void)
{
    begin();
    refuse(LEN, 1, VMO_ERR_BOUNDS);
    refuse(0, LEN + 1, VMO_ERR_BOUNDS);
    refuse(LEN - 1, 2, VMO_ERR_BOUNDS);
    refuse(4 * PAGE, PAGE, VMO_ERR_BOUNDS);
    end();
}

static void rest_of_the_last_page(void)
{
    begin();
    refuse(0, 4 * PAGE, VMO_ERR_BOUNDS);
    refuse(3 * PAGE, PAGE, VMO_ERR_BOUNDS);
    end();
}

static void wrap_around(void)
{
    begin();
    refuse(UINT64_MAX, 1, VMO_ERR_BOUNDS);
    refuse(UINT64_MAX - PAGE + 1, PAGE, VMO_ERR_BOUNDS);
    refuse(1, UINT64_MAX, VMO_ERR_BOUNDS);
    refuse(PAGE, UINT64_MAX - PAGE + 1, VMO_ERR_BOUNDS);
    refuse(0, UINT64_MAX, VMO_ERR_BOUNDS);
    end();
}

static void null_out(void)
{
    begin();
    REFUSED(vmo_map_ro(world.a, vmo, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    REFUSED(vmo_map_rw(world.a, vmo, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    end();
}

static void writable(void)
{
    begin();
    const vmo_view_t view = conf_map_rw(vmo, 5, PAGE);
    uint8_t *data = vmo_view_data_rw(world.a, view);
    CHECK(data != NULL && data == vmo_view_data(world.a, view));
    conf_check_pattern(data, 5, PAGE);
    data[0] = 0xab;
    data[PAGE - 1] = 0xcd;
    OK(vmo_unmap(world.a, view));
    uint8_t bytes[2] = {0};
    OK(vmo_read(world.a, vmo, RANGE(5, 1), &bytes[0]));
    OK(vmo_read(world.a, vmo, RANGE(PAGE + 4, 1), &bytes[1]));
    CHECK_EQ(bytes[0], 0xab);
    CHECK_EQ(bytes[1], 0xcd);
    bytes[0] = conf_pattern(5);
    bytes[1] = conf_pattern(PAGE + 4);
    OK(vmo_write(world.a, vmo, RANGE(5, 1), &bytes[0]));
    OK(vmo_write(world.a, vmo, RANGE(PAGE + 4, 1), &bytes[1]));
    end();
}

/* A read-only and a writable view of one byte show the same memory. */
static void aliases(void)
{
    begin();
    const vmo_view_t ro = conf_map_ro(vmo, PAGE, PAGE);
    const vmo_view_t rw = conf_map_rw(vmo, 0, 2 * PAGE);
    vmo_view_data_rw(world.a, rw)[PAGE + 17] = 0x3c;
    CHECK_EQ(((const volatile uint8_t *)vmo_view_data(world.a, ro))[17], 0x3c);
    CHECK_EQ(vmo_view_data(world.a, ro)[16], conf_pattern(PAGE + 16));
    vmo_view_data_rw(world.a, rw)[PAGE + 17] = conf_pattern(PAGE + 17);
    OK(vmo_unmap(world.a, rw));
    conf_check_pattern(vmo_view_data(world.a, ro), PAGE, PAGE);
    OK(vmo_unmap(world.a, ro));
    end();
}

static void unmap_twice(void)
{
    begin();
    const vmo_view_t view = conf_map_ro(vmo, 0, 10);
    OK(vmo_unmap(world.a, view));
    REFUSED(vmo_unmap(world.a, view), VMO_ERR_BAD_HANDLE);
    CHECK(vmo_view_data(world.a, view) == NULL);
    CHECK_EQ(vmo_view_len(world.a, view), 0);
    end();
}

static void view_after_close(void)
{
    vmo_view_t part = NO_VIEW, more = {UNTOUCHED, UNTOUCHED};

    begin();
    const vmo_view_t view = conf_map_ro(vmo, 7, 2 * PAGE);
    OK(vmo_close(world.a, vmo));
    conf_check_pattern(vmo_view_data(world.a, view), 7, 2 * PAGE);
    OK(vmo_slice(world.a, view, RANGE(PAGE, 5), &part));
    REFUSED(vmo_map_ro(world.a, vmo, RANGE(7, 1), &more), VMO_ERR_BAD_HANDLE);
    OK(vmo_unmap(world.a, view));
    conf_check_pattern(vmo_view_data(world.a, part), 7 + PAGE, 5);
    OK(vmo_unmap(world.a, part));
}

static void writable_view_after_close(void)
{
    begin();
    const vmo_view_t view = conf_map_rw(vmo, 0, PAGE);
    OK(vmo_close(world.a, vmo));
    vmo_view_data_rw(world.a, view)[3] = 0x11;
    CHECK_EQ(vmo_view_data(world.a, view)[3], 0x11);
    CHECK_EQ(vmo_view_data(world.a, view)[4], conf_pattern(4));
    OK(vmo_unmap(world.a, view));
}

static void registry_with_a_view(void)
{
    begin();
    const vmo_view_t view = conf_map_ro(vmo, 0, 1);
    OK(vmo_close(world.a, vmo));
    REFUSED(vmo_registry_fini(world.a), VMO_ERR_BUSY);
    conf_check_pattern(vmo_view_data(world.a, view), 0, 1);
    OK(vmo_unmap(world.a, view));
}

static void table_full(void)
{
    vmo_view_t views[VIEWS], more = {UNTOUCHED, UNTOUCHED};

    begin();
    for (uint32_t i = 0; i < VIEWS; i++) {
        views[i] = conf_map_ro(vmo, i * 100, 50);
    }
    REFUSED(vmo_map_ro(world.a, vmo, RANGE(0, 1), &more), VMO_ERR_TABLE_FULL);
    REFUSED(vmo_slice(world.a, views[0], RANGE(0, 1), &more), VMO_ERR_TABLE_FULL);
    CHECK_EQ(more.id, UNTOUCHED);
    for (uint32_t i = 0; i < VIEWS; i++) {
        conf_check_pattern(vmo_view_data(world.a, views[i]), i * 100, 50);
    }
    OK(vmo_unmap(world.a, views[4]));
    views[4] = conf_map_ro(vmo, 1, 1);
    for (uint32_t i = 0; i < VIEWS; i++) {
        OK(vmo_unmap(world.a, views[i]));
    }
    end();
}

/* Each view needs its own mapping, so the table of mappings fills before the table of views. */
static void mappings_full(void)
{
    struct vmo_limits limits = conf_limits;
    struct vmo_registry *registry = NULL;
    vmo_view_t views[2], more = {UNTOUCHED, UNTOUCHED};
    vmo_t its = VMO_NONE;

    limits.mappings = 2;
    registry = conf_second(&limits);
    OK(vmo_create(registry, 3 * PAGE, &its));
    OK(vmo_map_ro(registry, its, RANGE(0, 1), &views[0]));
    OK(vmo_map_ro(registry, its, RANGE(PAGE, 1), &views[1]));
    REFUSED(vmo_map_ro(registry, its, RANGE(2 * PAGE, 1), &more), VMO_ERR_TABLE_FULL);
    CHECK_EQ(more.id, UNTOUCHED);
    OK(vmo_unmap(registry, views[0]));
    OK(vmo_map_ro(registry, its, RANGE(2 * PAGE, 1), &views[0])); /* evicts the unused one */
    CHECK_EQ(*vmo_view_data(registry, views[0]), 0);
    OK(vmo_unmap(registry, views[0]));
    OK(vmo_unmap(registry, views[1]));
    OK(vmo_close(registry, its));
    conf_fini(registry);
}

/* Limits unused mappings to one, then to none. */
static void keep_limits(void)
{
    const struct conf_held before = conf_port_held();

    begin();
    if (!can(HAS_UNMAP)) {
        REFUSED(vmo_keep_limits(world.a, 0, 0), VMO_ERR_UNSUPPORTED);
        REFUSED(vmo_trim(world.a), VMO_ERR_UNSUPPORTED);
        end();
        return;
    }
    OK(vmo_keep_limits(world.a, 1, PAGE));
    for (uint32_t i = 0; i < 3; i++) {
        const vmo_view_t view = conf_map_ro(vmo, i * PAGE, 1);
        OK(vmo_unmap(world.a, view));
        CHECK(conf_port_held().mappings <= before.mappings + 1);
    }
    OK(vmo_trim(world.a));
    CHECK_EQ(conf_port_held().mappings, before.mappings);
    OK(vmo_keep_limits(world.a, 0, 0));
    const vmo_view_t view = conf_map_ro(vmo, 0, 3 * PAGE);
    OK(vmo_unmap(world.a, view));
    CHECK_EQ(conf_port_held().mappings, before.mappings);
    end();
}

/* ---- vmo_copy_in -------------------------------------------------------------------------------- */

static const vmo_reader readers[] = {VMO_READER_NEAR, VMO_READER_FAR};
static uint8_t copied[2 * PAGE];

static void copy_in(void)
{
    begin();
    const vmo_view_t view = conf_map_rw(vmo, 5, 2 * PAGE);
    const struct vmo_counters then = conf_counters();
    memset(copied, 0x5a, sizeof(copied));
    for (size_t i = 0; i < 2; i++) {
        OK(vmo_copy_in(world.a, view, RANGE(7, PAGE), copied + 1, readers[i]));
        CHECK_EQ(conf_counters().copies, then.copies + 2 * i + 1);
        const uint8_t *data = vmo_view_data(world.a, view);
        conf_check_pattern(data, 5, 7);
        CHECK(data[7] == 0x5a && data[7 + PAGE - 1] == 0x5a);
        conf_check_pattern(data + 7 + PAGE, 12 + PAGE, PAGE - 7);
        for (uint64_t at = 0; at < PAGE; at++) {
            copied[at] = conf_pattern(12 + at);
        }
        OK(vmo_copy_in(world.a, view, RANGE(7, PAGE), copied, readers[i]));
        conf_check_pattern(data, 5, 2 * PAGE);
        memset(copied, 0x5a, sizeof(copied));
        OK(vmo_copy_in(world.a, view, RANGE(2 * PAGE, 0), NULL, readers[i]));
    }
    OK(vmo_unmap(world.a, view));
    conf_release(vmo); /* no read, for which some kernels would need another mapping */
}

static void copy_in_refused(void)
{
    begin();
    const vmo_view_t view = conf_map_rw(vmo, 5, PAGE), read_only = conf_map_ro(vmo, 0, PAGE);
    const struct vmo_counters then = conf_counters();
    for (size_t i = 0; i < 2; i++) {
        REFUSED(vmo_copy_in(world.a, read_only, RANGE(0, 1), copied, readers[i]), VMO_ERR_RIGHTS);
        REFUSED(vmo_copy_in(world.a, view, RANGE(PAGE, 1), copied, readers[i]), VMO_ERR_BOUNDS);
        REFUSED(vmo_copy_in(world.a, view, RANGE(1, UINT64_MAX), copied, readers[i]), VMO_ERR_BOUNDS);
        REFUSED(vmo_copy_in(world.a, view, RANGE(0, 1), NULL, readers[i]), VMO_ERR_INVALID);
    }
    REFUSED(vmo_copy_in(world.a, view, RANGE(0, 1), copied, (vmo_reader)2), VMO_ERR_INVALID);
    OK(vmo_unmap(world.a, view));
    REFUSED(vmo_copy_in(world.a, view, RANGE(0, 1), copied, VMO_READER_FAR), VMO_ERR_BAD_HANDLE);
    CHECK_EQ(conf_counters().copies, then.copies);
    OK(vmo_unmap(world.a, read_only));
    conf_release(vmo);
}

static const struct conf_case cases[] = {
    {"of the whole", whole, HAS_MAP},
    {"of one byte", one_byte, HAS_MAP},
    {"across pages", around_a_page_boundary, HAS_MAP},
    {"of an empty range", no_bytes, 0},
    {"of an empty range past the end", no_bytes_past_the_end, 0},
    {"past the end", past_the_end, 0},
    {"of the rest of the last page", rest_of_the_last_page, 0},
    {"of ranges that wrap around", wrap_around, 0},
    {"NULL for the handle", null_out, 0},
    {"writable", writable, HAS_MAP},
    {"two views of the same memory", aliases, HAS_MAP},
    {"unmap twice", unmap_twice, HAS_MAP},
    {"a view after close", view_after_close, HAS_MAP},
    {"a writable view after close", writable_view_after_close, HAS_MAP},
    {"vmo_registry_fini with a live view", registry_with_a_view, HAS_MAP},
    {"a full table loses nothing", table_full, HAS_MAP},
    {"a full table of mappings loses nothing", mappings_full, HAS_MAP},
    {"limits of kept mappings", keep_limits, HAS_MAP},
    {"vmo_copy_in", copy_in, HAS_MAP},
    {"vmo_copy_in refused", copy_in_refused, HAS_MAP},
};
const struct conf_group conf_views = {"views", cases, CONF_CASE_COUNT(cases)};
