/* SPDX-License-Identifier: Apache-2.0 */
/* Repeats operations many times: the use of kernel tables does not grow. */
#include "conformance/conf_groups.h"

#define ROUNDS 10000

static struct conf_held then;

static void begin(void)
{
    then = conf_port_held();
}

static void end(void)
{
    const struct conf_held now = conf_port_held();

    CHECK_EQ(now.slots, then.slots);
    CHECK_EQ(now.mappings, then.mappings);
}

static void create_and_destroy(void)
{
    begin();
    for (unsigned i = 0; i < ROUNDS; i++) { /* more than the memory at once */
        const vmo_t vmo = conf_create(16 * PAGE);
        OK(vmo_destroy(world.a, vmo));
    }
    end();
}

static void create_map_and_destroy(void)
{
    begin();
    for (unsigned i = 0; i < ROUNDS / 10; i++) {
        const vmo_t vmo = conf_create(PAGE + i % PAGE);
        const vmo_view_t view = conf_map_rw(vmo, 0, PAGE);
        uint8_t *data = vmo_view_data_rw(world.a, view);
        CHECK_EQ(data[i % PAGE], 0);
        data[i % PAGE] = 1;
        OK(vmo_unmap(world.a, view));
        OK(vmo_destroy(world.a, vmo));
    }
    end();
}

/* Each map reuses the kept mapping. */
static void map_and_unmap(void)
{
    const vmo_t vmo = conf_filled(PAGE);

    OK(vmo_unmap(world.a, conf_map_ro(vmo, 0, PAGE)));
    const struct vmo_counters before = conf_counters();
    begin();
    for (unsigned i = 0; i < ROUNDS; i++) {
        const vmo_view_t view = conf_map_ro(vmo, i % PAGE, 1);
        CHECK_EQ(*vmo_view_data(world.a, view), conf_pattern(i % PAGE));
        OK(vmo_unmap(world.a, view));
    }
    end();
    CHECK_EQ(conf_counters().map_hits, before.map_hits + ROUNDS);
    CHECK_EQ(conf_counters().map_misses, before.map_misses);
    conf_release(vmo);
}

/* Each map evicts a mapping: there are more ranges than the table has entries. */
static void map_and_evict(void)
{
    const vmo_t vmo = conf_create((MAPPINGS + 1) * PAGE);
    struct vmo_counters before;

    for (uint64_t i = 0; i < MAPPINGS; i++) {
        OK(vmo_unmap(world.a, conf_map_ro(vmo, i * PAGE, 1)));
    }
    before = conf_counters();
    begin();
    for (unsigned i = 0; i < ROUNDS; i++) {
        OK(vmo_unmap(world.a, conf_map_ro(vmo, (MAPPINGS + i) % (MAPPINGS + 1) * PAGE, 1)));
    }
    end();
    CHECK_EQ(conf_counters().map_misses, before.map_misses + ROUNDS);
    CHECK_EQ(conf_counters().map_evictions, before.map_evictions + ROUNDS);
    CHECK_EQ(conf_counters().abandoned_bytes, 0);
    conf_release(vmo);
}

static void write_and_read(void)
{
    const vmo_t vmo = conf_create(PAGE);
    uint64_t found = 0;

    OK(vmo_read(world.a, vmo, RANGE(0, 8), &found)); /* without a read call this makes a mapping */
    begin();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        OK(vmo_write(world.a, vmo, RANGE(i % 512 * 8, 8), &i));
        OK(vmo_read(world.a, vmo, RANGE(i % 512 * 8, 8), &found));
        CHECK_EQ(found, i);
    }
    end();
    conf_release(vmo);
}

static void dup_and_close(void)
{
    const vmo_t vmo = conf_create(1);
    vmo_t other = VMO_NONE, last = VMO_NONE;

    begin();
    for (unsigned i = 0; i < ROUNDS; i++) {
        OK(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &other));
        CHECK(other.id != last.id); /* a handle is never reused */
        OK(vmo_close(world.a, other));
        last = other;
    }
    end();
    conf_release(vmo);
}

static void refused_calls(void)
{
    const vmo_t vmo = conf_filled(10);
    vmo_view_t view = NO_VIEW;
    uint8_t byte = 0;

    begin();
    for (unsigned i = 0; i < ROUNDS / 10; i++) {
        STATUS(vmo_read(world.a, vmo, RANGE(10, 1), &byte), VMO_ERR_BOUNDS);
        STATUS(vmo_map_ro(world.a, vmo, RANGE(0, 11), &view), VMO_ERR_BOUNDS);
        STATUS(vmo_map_ro(world.a, VMO_NONE, RANGE(0, 1), &view), VMO_ERR_BAD_HANDLE);
        STATUS(vmo_create(world.a, UINT64_MAX, &(vmo_t){0}), VMO_ERR_TOO_LARGE);
    }
    end();
    conf_check_vmo(vmo, 0, 10);
    conf_release(vmo);
}

static void messages(void)
{
    begin();
    for (uint32_t i = 0; i < ROUNDS / 20; i++) {
        CHECK_EQ(ASK(VMO_OK, .op = OP_ECHO, .arg = i).value, i);
    }
    end();
}

static void hand_over_map_and_close(vmo_t vmo)
{
    (void)conf_hand_over(vmo, VMO_RIGHT_READ);
    CHECK_EQ(ASK(VMO_OK, .op = OP_MAP_RO, .range = {0, 8}).value, conf_pattern_hash(0, 8));
    (void)ASK(VMO_OK, .op = OP_UNMAP);
    (void)ASK(VMO_OK, .op = OP_CLOSE);
}

static void hand_over_and_close(void)
{
    const vmo_t vmo = conf_filled(PAGE);

    OK(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    hand_over_map_and_close(vmo); /* a backend may keep the read-only capability that it makes here */
    begin();
    for (unsigned i = 0; i < ROUNDS / 100; i++) {
        hand_over_map_and_close(vmo);
    }
    end();
    OK(vmo_close(world.a, vmo));
}

static void copies(void)
{
    static const uint8_t byte = 9;
    vmo_t wrapped = VMO_NONE, copy = VMO_NONE;

    OK(vmo_wrap_bytes(world.a, &byte, 1, &wrapped));
    begin();
    for (unsigned i = 0; i < ROUNDS / 100; i++) {
        OK(vmo_copy(world.a, wrapped, &copy));
        OK(vmo_destroy(world.a, copy));
    }
    end();
    OK(vmo_close(world.a, wrapped));
}

#define FREES (HAS_MAP | HAS_UNMAP | HAS_DESTROY)

static const struct conf_case cases[] = {
    {"10,000 times create and destroy", create_and_destroy, HAS_DESTROY},
    {"1,000 times create, map and destroy", create_map_and_destroy, FREES},
    {"10,000 times map and unmap, kept", map_and_unmap, HAS_MAP},
    {"10,000 times map and unmap, evicted", map_and_evict, HAS_MAP | HAS_UNMAP},
    {"10,000 times write and read", write_and_read, 0},
    {"10,000 times dup and close", dup_and_close, 0},
    {"1,000 times four refused calls", refused_calls, 0},
    {"100 times copy and destroy", copies, FREES},
    {"500 requests and replies", messages, HAS_PEER},
    {"100 times hand over, map and close", hand_over_and_close, HAS_PEER | HAS_MAP | HAS_UNMAP},
};
const struct conf_group conf_rounds = {"rounds", cases, CONF_CASE_COUNT(cases)};
