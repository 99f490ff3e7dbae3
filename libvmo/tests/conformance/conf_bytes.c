/* SPDX-License-Identifier: Apache-2.0 */
/* vmo_read and vmo_write, and their bounds (R2). */
#include "conformance/conf_groups.h"

#define LEN (2 * PAGE + 7)

static uint8_t buffer[4 * PAGE];
static vmo_t vmo;

static void begin(void)
{
    memset(buffer, 0x5a, sizeof(buffer));
    vmo = conf_filled(LEN);
}

/* Checks that no refusal changed the VMO. */
static void end(void)
{
    conf_check_vmo(vmo, 0, LEN);
    conf_release(vmo);
}

static void check_buffer(void)
{
    for (size_t i = 0; i < sizeof(buffer); i++) {
        CHECK_EQ(buffer[i], 0x5a);
    }
}

static void refuse_both(uint64_t off, uint64_t len, vmo_status wanted)
{
    REFUSED(vmo_read(world.a, vmo, RANGE(off, len), buffer), wanted);
    REFUSED(vmo_write(world.a, vmo, RANGE(off, len), buffer), wanted);
    check_buffer();
}

static void first_and_last_byte(void)
{
    begin();
    OK(vmo_read(world.a, vmo, RANGE(0, 1), buffer));
    conf_check_pattern(buffer, 0, 1);
    OK(vmo_read(world.a, vmo, RANGE(LEN - 1, 1), buffer));
    conf_check_pattern(buffer, LEN - 1, 1);
    end();
}

static void all_at_once(void)
{
    begin();
    OK(vmo_read(world.a, vmo, RANGE(0, LEN), buffer));
    conf_check_pattern(buffer, 0, LEN);
    for (uint64_t i = LEN; i < sizeof(buffer); i++) {
        CHECK_EQ(buffer[i], 0x5a);
    }
    end();
}

static void across_pages(void)
{
    begin();
    for (uint64_t off = PAGE - 3; off <= PAGE + 1; off++) {
        OK(vmo_read(world.a, vmo, RANGE(off, PAGE), buffer));
        conf_check_pattern(buffer, off, PAGE);
    }
    end();
}

static void write_touches_its_range(void)
{
    uint8_t around[12];

    begin();
    OK(vmo_write(world.a, vmo, RANGE(PAGE - 4, 8), buffer));
    OK(vmo_read(world.a, vmo, RANGE(PAGE - 6, 12), around));
    conf_check_pattern(around, PAGE - 6, 2);
    for (size_t i = 2; i < 10; i++) {
        CHECK_EQ(around[i], 0x5a);
    }
    conf_check_pattern(around + 10, PAGE + 4, 2);
    for (uint64_t i = 0; i < 8; i++) {
        buffer[i] = conf_pattern(PAGE - 4 + i);
    }
    OK(vmo_write(world.a, vmo, RANGE(PAGE - 4, 8), buffer));
    end();
}

static void byte_past_the_end(void)
{
    begin();
    refuse_both(LEN, 1, VMO_ERR_BOUNDS);
    end();
}

static void reaching_past_the_end(void)
{
    begin();
    refuse_both(LEN - 1, 2, VMO_ERR_BOUNDS);
    refuse_both(0, LEN + 1, VMO_ERR_BOUNDS);
    refuse_both(PAGE, LEN - PAGE + 1, VMO_ERR_BOUNDS);
    end();
}

/* The VMO ends before its last page does. */
static void rest_of_the_page(void)
{
    begin();
    refuse_both(LEN, 3 * PAGE - LEN, VMO_ERR_BOUNDS);
    refuse_both(0, 3 * PAGE, VMO_ERR_BOUNDS);
    end();
}

static void far_offsets(void)
{
    begin();
    refuse_both(3 * PAGE, 1, VMO_ERR_BOUNDS);
    refuse_both(UINT64_C(1) << 40, 1, VMO_ERR_BOUNDS);
    refuse_both(UINT64_MAX, 1, VMO_ERR_BOUNDS);
    end();
}

static void wrap_around(void)
{
    begin();
    refuse_both(UINT64_MAX, 2, VMO_ERR_BOUNDS);
    refuse_both(UINT64_MAX - 3, 8, VMO_ERR_BOUNDS);
    refuse_both(1, UINT64_MAX, VMO_ERR_BOUNDS);
    refuse_both(PAGE, UINT64_MAX - PAGE + 1, VMO_ERR_BOUNDS);
    refuse_both(LEN, UINT64_MAX - LEN + 2, VMO_ERR_BOUNDS);
    end();
}

static void longest_lengths(void)
{
    begin();
    refuse_both(0, UINT64_MAX, VMO_ERR_BOUNDS);
    refuse_both(0, UINT64_MAX - 1, VMO_ERR_BOUNDS);
    refuse_both(0, UINT64_C(1) << 63, VMO_ERR_BOUNDS);
    end();
}

static void check_empty(uint64_t off)
{
    REFUSED(vmo_read(world.a, vmo, RANGE(off, 0), buffer), VMO_OK); /* changes no counter */
    REFUSED(vmo_write(world.a, vmo, RANGE(off, 0), buffer), VMO_OK);
    REFUSED(vmo_read(world.a, vmo, RANGE(off, 0), NULL), VMO_OK);
    REFUSED(vmo_write(world.a, vmo, RANGE(off, 0), NULL), VMO_OK);
    check_buffer();
}

static void empty_inside(void)
{
    begin();
    check_empty(0);
    check_empty(PAGE);
    check_empty(LEN - 1);
    end();
}

static void empty_at_the_end(void)
{
    begin();
    check_empty(LEN);
    end();
}

static void empty_past_the_end(void)
{
    begin();
    refuse_both(LEN + 1, 0, VMO_ERR_BOUNDS);
    refuse_both(3 * PAGE, 0, VMO_ERR_BOUNDS);
    refuse_both(UINT64_MAX, 0, VMO_ERR_BOUNDS);
    end();
}

static void null_memory(void)
{
    begin();
    REFUSED(vmo_read(world.a, vmo, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    REFUSED(vmo_write(world.a, vmo, RANGE(LEN - 1, 1), NULL), VMO_ERR_INVALID);
    end();
}

static void refuse_bad_memory(uint64_t len)
{
    void *bad = (void *)conf_port()->bad_memory;

    REFUSED(vmo_read(world.a, vmo, RANGE(0, len), bad), VMO_ERR_INVALID);
    REFUSED(vmo_read(world.a, vmo, RANGE(LEN - len, len), bad), VMO_ERR_INVALID);
}

static void bad_memory(void)
{
    const void *bad = (const void *)conf_port()->bad_memory;

    begin();
    refuse_bad_memory(1);
    refuse_bad_memory(PAGE);
    REFUSED(vmo_write(world.a, vmo, RANGE(0, 1), bad), VMO_ERR_INVALID);
    REFUSED(vmo_write(world.a, vmo, RANGE(0, LEN), bad), VMO_ERR_INVALID);
    end();
}

/* If the kernel enforces this seal, the library reads through a mapping. */
static void bad_memory_sealed(void)
{
    begin();
    OK(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    refuse_bad_memory(1);
    conf_check_vmo(vmo, 0, LEN);
    refuse_bad_memory(PAGE); /* now with a kept mapping */
    conf_close_forever(vmo);
}

/* The library checks the bounds before the buffer. */
static void null_memory_past_the_end(void)
{
    begin();
    REFUSED(vmo_read(world.a, vmo, RANGE(LEN, 1), NULL), VMO_ERR_BOUNDS);
    REFUSED(vmo_write(world.a, vmo, RANGE(LEN, 1), NULL), VMO_ERR_BOUNDS);
    end();
}

static void every_offset_of_a_page(void)
{
    uint8_t byte = 0;

    begin();
    for (uint64_t off = 0; off < LEN; off += 61) {
        OK(vmo_read(world.a, vmo, RANGE(off, 1), &byte));
        CHECK_EQ(byte, conf_pattern(off));
    }
    end();
}

static void each_copy_counts(void)
{
    begin();
    const struct vmo_counters then = conf_counters();
    OK(vmo_write(world.a, vmo, RANGE(0, 0), NULL));
    OK(vmo_read(world.a, vmo, RANGE(5, 11), buffer));
    OK(vmo_read(world.a, vmo, RANGE(0, LEN), buffer));
    CHECK_EQ(conf_counters().copies, then.copies + 2);
    OK(vmo_write(world.a, vmo, RANGE(0, LEN), buffer));
    CHECK_EQ(conf_counters().copies, then.copies + 3);
    CHECK_EQ(conf_counters().bulk_bytes, then.bulk_bytes);
    CHECK_EQ(conf_counters().control_bytes, then.control_bytes);
    end();
}

static void unaligned_memory(void)
{
    begin();
    OK(vmo_read(world.a, vmo, RANGE(3, PAGE), buffer + 1));
    conf_check_pattern(buffer + 1, 3, PAGE);
    OK(vmo_write(world.a, vmo, RANGE(3, PAGE), buffer + 1));
    end();
}

static void a_write_is_seen_through_a_view(void)
{
    begin();
    const vmo_view_t view = conf_map_ro(vmo, 0, LEN);
    OK(vmo_write(world.a, vmo, RANGE(PAGE, 4), buffer));
    CHECK_EQ(vmo_view_data(world.a, view)[PAGE], 0x5a);
    CHECK_EQ(vmo_view_data(world.a, view)[PAGE - 1], conf_pattern(PAGE - 1));
    for (uint64_t i = 0; i < 4; i++) {
        buffer[i] = conf_pattern(PAGE + i);
    }
    OK(vmo_write(world.a, vmo, RANGE(PAGE, 4), buffer));
    OK(vmo_unmap(world.a, view));
    end();
}

static void a_store_is_seen_by_a_read(void)
{
    uint8_t byte = 0;

    begin();
    const vmo_view_t view = conf_map_rw(vmo, PAGE, 2);
    vmo_view_data_rw(world.a, view)[1] = 0x77;
    OK(vmo_read(world.a, vmo, RANGE(PAGE + 1, 1), &byte));
    CHECK_EQ(byte, 0x77);
    vmo_view_data_rw(world.a, view)[1] = conf_pattern(PAGE + 1);
    OK(vmo_unmap(world.a, view));
    end();
}

static const struct conf_case cases[] = {
    {"the first and the last byte", first_and_last_byte, 0},
    {"the whole VMO, and no byte more", all_at_once, 0},
    {"across pages", across_pages, 0},
    {"a write changes only its range", write_touches_its_range, 0},
    {"one byte past the end", byte_past_the_end, 0},
    {"reaching past the end", reaching_past_the_end, 0},
    {"the rest of the last page", rest_of_the_page, 0},
    {"far offsets", far_offsets, 0},
    {"ranges that wrap around", wrap_around, 0},
    {"the longest lengths", longest_lengths, 0},
    {"an empty range inside", empty_inside, 0},
    {"an empty range at the end", empty_at_the_end, 0},
    {"an empty range past the end", empty_past_the_end, 0},
    {"a NULL buffer", null_memory, 0},
    {"a buffer in kernel memory", bad_memory, 0},
    {"a buffer in kernel memory, sealed FOREVER", bad_memory_sealed, HAS_MAP},
    {"a NULL buffer past the end", null_memory_past_the_end, 0},
    {"single bytes throughout", every_offset_of_a_page, 0},
    {"each copy counts once", each_copy_counts, 0},
    {"an unaligned buffer", unaligned_memory, 0},
    {"a write is seen through a view", a_write_is_seen_through_a_view, HAS_MAP},
    {"a store through a view is seen by a read", a_store_is_seen_by_a_read, HAS_MAP},
};
const struct conf_group conf_bytes = {"bytes", cases, CONF_CASE_COUNT(cases)};
