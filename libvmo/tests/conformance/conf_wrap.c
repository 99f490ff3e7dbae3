/* SPDX-License-Identifier: Apache-2.0 */
/* Wrapped bytes, file ranges, and the counted copy (R5). */
#include "conformance/conf_groups.h"

#define LEN (2 * PAGE + 33)

static uint8_t memory[LEN + 1];
static vmo_t vmo;

static void fill(void)
{
    for (uint64_t i = 0; i < LEN; i++) {
        memory[i] = conf_pattern(i);
    }
}

static void begin(void)
{
    fill();
    OK(vmo_wrap_bytes(world.a, memory, LEN, &vmo));
}

static void end(void)
{
    conf_check_pattern(memory, 0, LEN);
    OK(vmo_close(world.a, vmo));
}

static void facts(void)
{
    uint64_t len = 0, size = UNTOUCHED;
    uint32_t rights = 0;
    vmo_seal_strength seal = VMO_SEAL_FOREVER;
    vmo_enforcer by = VMO_BY_KERNEL;

    begin();
    OK(vmo_len(world.a, vmo, &len));
    OK(vmo_size(world.a, vmo, &size));
    OK(vmo_rights(world.a, vmo, &rights));
    OK(vmo_seal_of(world.a, vmo, &seal));
    OK(vmo_seal_enforced_by(world.a, vmo, &by));
    CHECK_EQ(len, LEN);
    CHECK_EQ(size, 0); /* it has no pages */
    CHECK_EQ(rights, VMO_RIGHT_READ);
    CHECK_EQ(seal, VMO_SEAL_NONE);
    CHECK_EQ(by, VMO_BY_NOBODY);
    end();
}

static void no_kernel_table_is_used(void)
{
    const uint64_t mark = conf_port_mark();

    begin();
    CHECK_EQ(conf_port_mark(), mark);
    end();
    CHECK_EQ(conf_port_mark(), mark);
}

static void view_is_the_callers_memory(void)
{
    begin();
    const vmo_view_t view = conf_map_ro(vmo, 3, PAGE);
    CHECK(vmo_view_data(world.a, view) == memory + 3);
    CHECK(vmo_view_data_rw(world.a, view) == NULL);
    CHECK_EQ(vmo_view_len(world.a, view), PAGE);
    OK(vmo_unmap(world.a, view));
    end();
}

static void read_and_bounds(void)
{
    uint8_t byte = 0xee;
    vmo_view_t view = {UNTOUCHED, UNTOUCHED};

    begin();
    conf_check_vmo(vmo, 0, LEN);
    REFUSED(vmo_read(world.a, vmo, RANGE(LEN, 1), &byte), VMO_ERR_BOUNDS);
    REFUSED(vmo_read(world.a, vmo, RANGE(UINT64_MAX, 2), &byte), VMO_ERR_BOUNDS);
    REFUSED(vmo_map_ro(world.a, vmo, RANGE(1, LEN), &view), VMO_ERR_BOUNDS);
    REFUSED(vmo_map_ro(world.a, vmo, RANGE(LEN, 0), &view), VMO_ERR_ZERO_LENGTH);
    CHECK_EQ(byte, 0xee);
    CHECK_EQ(view.id, UNTOUCHED);
    end();
}

static void cannot_be_written(void)
{
    vmo_view_t view = {UNTOUCHED, UNTOUCHED};
    vmo_t other = {UNTOUCHED, UNTOUCHED};

    begin();
    REFUSED(vmo_write(world.a, vmo, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    REFUSED(vmo_map_rw(world.a, vmo, RANGE(0, 1), &view), VMO_ERR_RIGHTS);
    REFUSED(vmo_dup(world.a, vmo, VMO_RIGHTS_ALL, &other), VMO_ERR_RIGHTS);
    CHECK_EQ(view.id, UNTOUCHED);
    end();
}

static void cannot_be_sealed_or_destroyed(void)
{
    begin();
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_UNSUPPORTED);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_UNSUPPORTED);
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_UNSUPPORTED);
    end();
}

static void cannot_be_handed_over(void)
{
    struct vmo_ticket ticket = {.name = 77};

    begin();
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    REFUSED(vmo_send(world.a, world.to_peer, &message, conf_soon()), VMO_ERR_UNSUPPORTED);
    REFUSED(vmo_transfer(world.a, vmo, world.to_peer, VMO_RIGHT_READ, &ticket), VMO_ERR_UNSUPPORTED);
    CHECK_EQ(ticket.name, 77);
    end();
}

static void refuse(const void *bytes, uint64_t len, vmo_status wanted)
{
    vmo_t out = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_wrap_bytes(world.a, bytes, len, &out), wanted);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void arguments(void)
{
    refuse(NULL, 5, VMO_ERR_INVALID);
    refuse(memory, 0, VMO_ERR_ZERO_LENGTH);
    refuse(memory, UINT64_MAX, VMO_ERR_BOUNDS);
    refuse(memory, UINT64_MAX - (uint64_t)(uintptr_t)memory + 1, VMO_ERR_BOUNDS);
    REFUSED(vmo_wrap_bytes(world.a, memory, 1, NULL), VMO_ERR_INVALID);
}

static void kernel_memory(void)
{
    const void *bad = (const void *)conf_port()->bad_memory;
    vmo_t out = {UNTOUCHED, UNTOUCHED};

    REFUSED(vmo_wrap_bytes(world.a, bad, 1, &out), VMO_ERR_INVALID);
    REFUSED(vmo_wrap_bytes(world.a, bad, PAGE, &out), VMO_ERR_INVALID);
    REFUSED(vmo_wrap_bytes(world.a, memory, conf_port()->bad_memory, &out), VMO_ERR_INVALID);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void not_counted_against_the_total(void)
{
    struct vmo_limits limits = conf_limits;
    vmo_t one = VMO_NONE, wrapped = VMO_NONE;

    limits.total_bytes_max = PAGE;
    struct vmo_registry *registry = conf_second(&limits);
    OK(vmo_create(registry, 1, &one));
    OK(vmo_wrap_bytes(registry, memory, LEN, &wrapped)); /* it has no pages */
    OK(vmo_close(registry, wrapped));
    OK(vmo_close(registry, one));
    conf_fini(registry);
}

static void view_after_close(void)
{
    begin();
    const vmo_view_t view = conf_map_ro(vmo, 1, 5);
    OK(vmo_close(world.a, vmo));
    conf_check_pattern(vmo_view_data(world.a, view), 1, 5);
    OK(vmo_unmap(world.a, view));
    conf_check_pattern(memory, 0, LEN);
}

/* A later change by the caller is visible, since nothing was copied. */
static void not_a_copy(void)
{
    uint8_t byte = 0;

    begin();
    memory[9] = 0x99;
    OK(vmo_read(world.a, vmo, RANGE(9, 1), &byte));
    CHECK_EQ(byte, 0x99);
    memory[9] = conf_pattern(9);
    end();
}

/* ---- Copies ------------------------------------------------------------------------------------- */

static void copy_of_borrowed(void)
{
    vmo_t copy = VMO_NONE;
    uint64_t size = 0;

    begin();
    const struct vmo_counters then = conf_counters();
    OK(vmo_copy(world.a, vmo, &copy));
    CHECK_EQ(conf_counters().copies, then.copies + 1);
    OK(vmo_size(world.a, copy, &size));
    CHECK_EQ(size, 3 * PAGE);
    memory[0]++;
    conf_check_vmo(copy, 0, LEN);
    memory[0]--;
    OK(vmo_seal(world.a, copy, VMO_SEAL_PEERS));
    conf_release(copy);
    end();
}

static void copy_of_a_sealed_one(void)
{
    vmo_t copy = VMO_NONE;
    vmo_seal_strength seal = VMO_SEAL_FOREVER;
    const vmo_t sealed = conf_filled(LEN);

    OK(vmo_seal(world.a, sealed, VMO_SEAL_FOREVER));
    OK(vmo_copy(world.a, sealed, &copy));
    OK(vmo_seal_of(world.a, copy, &seal));
    CHECK_EQ(seal, VMO_SEAL_NONE);
    OK(vmo_write(world.a, copy, RANGE(0, 1), "x"));
    conf_check_vmo(sealed, 0, LEN);
    conf_check_vmo(copy, 1, LEN - 1);
    conf_release(copy);
    conf_close_forever(sealed);
}

static void copy_over_the_limit(void)
{
    struct vmo_limits limits = conf_limits;
    vmo_t one = VMO_NONE, copy = {UNTOUCHED, UNTOUCHED};

    limits.total_bytes_max = PAGE;
    struct vmo_registry *registry = conf_second(&limits);
    OK(vmo_create(registry, 1, &one));
    REFUSED(vmo_copy(registry, one, &copy), VMO_ERR_QUOTA);
    REFUSED(vmo_copy(registry, one, NULL), VMO_ERR_INVALID);
    CHECK_EQ(copy.id, UNTOUCHED);
    OK(vmo_close(registry, one));
    conf_fini(registry);
}

static void copy_needs_no_view(void)
{
    vmo_view_t views[VIEWS];
    vmo_t copy = VMO_NONE;

    begin();
    for (uint32_t i = 0; i < VIEWS; i++) {
        views[i] = conf_map_ro(vmo, i, 1);
    }
    OK(vmo_copy(world.a, vmo, &copy));
    for (uint32_t i = 0; i < VIEWS; i++) {
        OK(vmo_unmap(world.a, views[i]));
    }
    conf_check_vmo(copy, 0, LEN);
    conf_release(copy);
    end();
}

/* ---- Files -------------------------------------------------------------------------------------- */

static int file;

static void begin_file(uint64_t off, uint64_t len)
{
    fill();
    file = conf_port_file(memory, LEN);
    CHECK(file >= 0);
    OK(vmo_wrap_file(world.a, file, RANGE(off, len), &vmo));
}

static void end_file(void)
{
    OK(vmo_close(world.a, vmo));
    conf_port_close_file(file);
}

static void file_or_unsupported(void)
{
    vmo_t out = {UNTOUCHED, UNTOUCHED};

    if (can(HAS_FILES)) {
        begin_file(0, LEN);
        conf_check_vmo(vmo, 0, LEN);
        end_file();
        return;
    }
    REFUSED(vmo_wrap_file(world.a, 0, RANGE(0, 1), &out), VMO_ERR_UNSUPPORTED);
    CHECK_EQ(out.id, UNTOUCHED);
}

static void file_range_is_mapped(void)
{
    begin_file(PAGE - 5, PAGE + 10);
    const struct vmo_counters then = conf_counters();
    const vmo_view_t view = conf_map_ro(vmo, 0, PAGE + 10);
    conf_check_pattern(vmo_view_data(world.a, view), PAGE - 5, PAGE + 10);
    const vmo_view_t inner = conf_map_ro(vmo, 7, 20);
    conf_check_pattern(vmo_view_data(world.a, inner), PAGE + 2, 20);
    CHECK_EQ(conf_counters().copies, then.copies);
    OK(vmo_unmap(world.a, view));
    OK(vmo_unmap(world.a, inner));
    conf_check_vmo(vmo, 0, 0);
    end_file();
}

static void file_range_is_read(void)
{
    uint8_t bytes[10];

    begin_file(PAGE + 1, 10);
    OK(vmo_read(world.a, vmo, RANGE(0, 10), bytes));
    conf_check_pattern(bytes, PAGE + 1, 10);
    REFUSED(vmo_read(world.a, vmo, RANGE(1, 10), bytes), VMO_ERR_BOUNDS);
    REFUSED(vmo_write(world.a, vmo, RANGE(0, 1), bytes), VMO_ERR_RIGHTS);
    end_file();
}

static void file_arguments(void)
{
    vmo_t out = {UNTOUCHED, UNTOUCHED};

    begin_file(0, 1);
    REFUSED(vmo_wrap_file(world.a, file, RANGE(0, 0), &out), VMO_ERR_ZERO_LENGTH);
    REFUSED(vmo_wrap_file(world.a, file, RANGE(0, LEN + 1), &out), VMO_ERR_BOUNDS);
    REFUSED(vmo_wrap_file(world.a, file, RANGE(LEN, 1), &out), VMO_ERR_BOUNDS);
    REFUSED(vmo_wrap_file(world.a, file, RANGE(UINT64_MAX, 2), &out), VMO_ERR_BOUNDS);
    REFUSED(vmo_wrap_file(world.a, -1, RANGE(0, 1), &out), VMO_ERR_INVALID);
    REFUSED(vmo_wrap_file(world.a, file, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    CHECK_EQ(out.id, UNTOUCHED);
    end_file();
}

static void file_is_borrowed(void)
{
    begin_file(0, LEN);
    REFUSED(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_UNSUPPORTED);
    REFUSED(vmo_destroy(world.a, vmo), VMO_ERR_UNSUPPORTED);
    end_file();
}

static void file_truncated(void)
{
    uint8_t bytes[4] = {1, 2, 3, 4};

    begin_file(0, LEN);
    conf_port_truncate(file, PAGE + 2);
    conf_check_vmo(vmo, 0, PAGE + 2);
    REFUSED(vmo_read(world.a, vmo, RANGE(PAGE, 4), bytes), VMO_ERR_BOUNDS);
    REFUSED(vmo_read(world.a, vmo, RANGE(2 * PAGE, 1), bytes), VMO_ERR_BOUNDS);
    end_file();
}

static void copy_of_a_file(void)
{
    vmo_t copy = VMO_NONE;

    begin_file(10, PAGE);
    OK(vmo_copy(world.a, vmo, &copy));
    end_file();
    const vmo_view_t view = conf_map_ro(copy, 0, PAGE);
    conf_check_pattern(vmo_view_data(world.a, view), 10, PAGE);
    OK(vmo_unmap(world.a, view));
    conf_release(copy);
}

static void copy_of_a_truncated_file(void)
{
    vmo_t copy = {UNTOUCHED, UNTOUCHED};

    begin_file(0, LEN);
    conf_port_truncate(file, 5);
    STATUS(vmo_copy(world.a, vmo, &copy), VMO_ERR_BOUNDS);
    CHECK_EQ(copy.id, UNTOUCHED);
    end_file();
}

static const struct conf_case cases[] = {
    {"bytes: length, no pages, READ only", facts, 0},
    {"bytes: no kernel table is used", no_kernel_table_is_used, 0},
    {"bytes: a view is the caller's memory", view_is_the_callers_memory, 0},
    {"bytes: reads and bounds", read_and_bounds, 0},
    {"bytes: cannot be written", cannot_be_written, 0},
    {"bytes: cannot be sealed or destroyed", cannot_be_sealed_or_destroyed, 0},
    {"bytes: cannot be handed over", cannot_be_handed_over, HAS_PEER},
    {"bytes: arguments", arguments, 0},
    {"bytes: kernel memory", kernel_memory, HAS_USER_CHECK},
    {"bytes: not counted against the limit of all VMOs", not_counted_against_the_total, 0},
    {"bytes: a view after close", view_after_close, 0},
    {"bytes: not a copy", not_a_copy, 0},
    {"copy: of borrowed bytes", copy_of_borrowed, HAS_MAP},
    {"copy: of a sealed VMO", copy_of_a_sealed_one, HAS_MAP},
    {"copy: over the limit of all VMOs", copy_over_the_limit, 0},
    {"copy: without a free view", copy_needs_no_view, 0},
    {"file: wrapped, or unsupported", file_or_unsupported, 0},
    {"file: a range is mapped", file_range_is_mapped, HAS_FILES},
    {"file: a range is read", file_range_is_read, HAS_FILES},
    {"file: arguments", file_arguments, HAS_FILES},
    {"file: cannot be sealed or destroyed", file_is_borrowed, HAS_FILES},
    {"file: truncated after it was wrapped", file_truncated, HAS_FILES},
    {"file: a copy", copy_of_a_file, HAS_FILES},
    {"file: a copy of a truncated one", copy_of_a_truncated_file, HAS_FILES},
};
const struct conf_group conf_wrap = {"wrap", cases, CONF_CASE_COUNT(cases)};
