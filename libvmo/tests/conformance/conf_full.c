/* SPDX-License-Identifier: Apache-2.0 */
/* Full kernel tables and memory: each refusal has its status and changes nothing. */
#include "conformance/conf_groups.h"

#define MANY 600
#define CHILDREN 20
#define LARGE UINT64_C(0x200000) /* a page of the level above the leaf tables */

static struct vmo_registry *open_wide(void)
{
    static const struct vmo_limits limits = {.objects = MANY, .mappings = MANY, .views = MANY, .peers = 1};

    return conf_second(&limits);
}

static void write_mark(struct vmo_registry *registry, vmo_t vmo, uint32_t mark)
{
    OK(vmo_write(registry, vmo, RANGE(0, sizeof(mark)), &mark));
}

static void check_mark(struct vmo_registry *registry, vmo_t vmo, uint32_t wanted)
{
    uint32_t mark = 0;

    OK(vmo_read(registry, vmo, RANGE(0, sizeof(mark)), &mark));
    CHECK_EQ(mark, wanted);
}

/* Fills the kernel's table of capabilities. */
static void slots(void)
{
    static vmo_t vmos[MANY];
    struct vmo_registry *registry = open_wide();
    vmo_t more = {UNTOUCHED, UNTOUCHED};
    vmo_status status = VMO_OK;
    uint32_t count = 0;

    for (; count < MANY; count++) {
        status = vmo_create(registry, 8, &vmos[count]);
        if (status != VMO_OK) {
            break;
        }
        write_mark(registry, vmos[count], count + 7);
    }
    STATUS(status, VMO_ERR_NO_SLOTS);
    CHECK(count > 16 && count < MANY);
    STATUS(vmo_create(registry, 8, &more), VMO_ERR_NO_SLOTS);
    CHECK_EQ(more.id, UNTOUCHED);
    uint32_t mark = 0;
    OK(vmo_read(registry, vmos[0], RANGE(0, sizeof(mark)), &mark));
    CHECK_EQ(mark, 7);
    OK(vmo_close(registry, vmos[1])); /* frees one slot */
    OK(vmo_create(registry, 8, &vmos[1]));
    write_mark(registry, vmos[1], 8);
    check_mark(registry, vmos[count - 1], count + 6);
    for (uint32_t i = 0; i < count; i++) {
        if (i < 3 || i + 3 > count) {
            check_mark(registry, vmos[i], i + 7);
        }
        OK(vmo_close(registry, vmos[i]));
    }
    conf_fini(registry);
}

/* Enough refusals to use up the memory of a kernel that leaks in each. */
static void refused_creates_cost_nothing(void)
{
    static vmo_t vmos[MANY];
    struct vmo_registry *registry = open_wide();
    vmo_t more = VMO_NONE;
    uint32_t count = 0;

    while (count < MANY && vmo_create(registry, 8, &vmos[count]) == VMO_OK) {
        count++;
    }
    for (uint32_t i = 0; i < 3000; i++) {
        STATUS(vmo_create(registry, 8, &more), VMO_ERR_NO_SLOTS);
    }
    for (uint32_t i = 0; i < count; i++) {
        OK(vmo_close(registry, vmos[i]));
    }
    OK(vmo_create(registry, 2 * PAGE, &more));
    write_mark(registry, more, 11);
    check_mark(registry, more, 11);
    conf_release_in(registry, more);
    conf_fini(registry);
}

static void no_slot_for_a_seal(void)
{
    static vmo_t vmos[MANY];
    struct vmo_registry *registry = open_wide();
    vmo_seal_strength seal = VMO_SEAL_FOREVER;
    uint32_t count = 0;

    while (count < MANY && vmo_create(registry, 8, &vmos[count]) == VMO_OK) {
        count++;
    }
    write_mark(registry, vmos[0], 5);
    const vmo_status status = vmo_seal(registry, vmos[0], VMO_SEAL_PEERS);
    CHECK(status == VMO_ERR_NO_SLOTS || status == VMO_OK); /* a kernel may seal without a slot */
    OK(vmo_seal_of(registry, vmos[0], &seal));
    CHECK_EQ(seal, status == VMO_OK ? VMO_SEAL_PEERS : VMO_SEAL_NONE);
    for (uint32_t i = 1; i < count; i++) {
        OK(vmo_close(registry, vmos[i]));
    }
    OK(vmo_seal(registry, vmos[0], VMO_SEAL_PEERS));
    check_mark(registry, vmos[0], 5);
    OK(vmo_close(registry, vmos[0]));
    conf_fini(registry);
}

/* Fills the kernel's table of mappings; each mapping is in use. */
static void maps(void)
{
    static vmo_view_t views[MANY];
    struct vmo_registry *registry = open_wide();
    vmo_view_t more = {UNTOUCHED, UNTOUCHED};
    vmo_t vmo = VMO_NONE;
    vmo_status status = VMO_OK;
    uint32_t count = 0;

    OK(vmo_create(registry, MANY * PAGE, &vmo));
    write_mark(registry, vmo, 99);
    while (count < MANY) {
        status = vmo_map_ro(registry, vmo, RANGE(count * PAGE, 4), &views[count]);
        if (status != VMO_OK) {
            break;
        }
        count++;
    }
    STATUS(status, VMO_ERR_NO_SLOTS);
    CHECK(count > 16);
    STATUS(vmo_map_ro(registry, vmo, RANGE(count * PAGE, 4), &more), status);
    CHECK_EQ(more.id, UNTOUCHED);
    CHECK_EQ(*(const uint32_t *)(const void *)vmo_view_data(registry, views[0]), 99);
    OK(vmo_unmap(registry, views[3]));
    OK(vmo_map_ro(registry, vmo, RANGE(count * PAGE, 4), &views[3])); /* evicts the unused one */
    CHECK_EQ(*vmo_view_data(registry, views[3]), 0);
    for (uint32_t i = 0; i < count; i++) {
        OK(vmo_unmap(registry, views[i]));
    }
    conf_release_in(registry, vmo);
    conf_fini(registry);
}

/* The library may have to map a received VMO to check its length. The message stays queued until it can. */
static void no_map_for_a_message(void)
{
    static vmo_view_t views[MANY];
    const struct conf_order order = {.op = OP_SEND, .arg = VMO_RIGHT_READ};
    struct vmo_registry *registry = open_wide();
    const vmo_t sent = conf_filled(PAGE);
    struct vmo_incoming incoming;
    vmo_t vmo = VMO_NONE;
    uint32_t count = 0;

    OK(vmo_create(registry, MANY * PAGE, &vmo));
    (void)conf_hand_over(sent, VMO_RIGHT_READ);
    while (count < MANY && vmo_map_ro(registry, vmo, RANGE(count * PAGE, 4), &views[count]) == VMO_OK) {
        count++;
    }
    CHECK(count > 16 && count < MANY);
    conf_send_order(&order, VMO_NONE, 0);
    vmo_status status = vmo_recv(world.a, world.to_peer, &incoming, conf_soon());
    CHECK(status == VMO_OK || status == VMO_ERR_NO_SLOTS);
    for (uint32_t i = 0; i < count; i++) {
        OK(vmo_unmap(registry, views[i]));
    }
    conf_release_in(registry, vmo);
    conf_fini(registry);
    if (status == VMO_ERR_NO_SLOTS) {
        OK(vmo_recv(world.a, world.to_peer, &incoming, conf_soon()));
    }
    CHECK(incoming.vmo.id != VMO_NONE.id);
    STATUS((vmo_status)conf_recv_answer().status, VMO_OK);
    conf_check_vmo(incoming.vmo, 0, PAGE);
    OK(vmo_close(world.a, incoming.vmo));
    (void)ASK(VMO_OK, .op = OP_CLOSE);
    OK(vmo_close(world.a, sent));
}

static void map_once(uint64_t len)
{
    const vmo_t vmo = conf_create(len);
    vmo_view_t view = NO_VIEW;

    write_mark(world.a, vmo, 5);
    STATUS(vmo_map_rw(world.a, vmo, RANGE(0, len), &view), VMO_OK);
    uint8_t *bytes = vmo_view_data_rw(world.a, view);
    CHECK_EQ(bytes[0], 5);
    bytes[len - 1] = 6;
    CHECK_EQ(bytes[len / 2], 0);
    OK(vmo_unmap(world.a, view));
    conf_release(vmo);
}

/* On some kernels small mappings leave page tables that a large mapping cannot use. */
static void large_after_small(void)
{
    static const uint64_t lens[] = {PAGE,  LARGE + PAGE,  2 * LARGE, 2 * LARGE + PAGE, 4 * LARGE,
                                    LARGE, 3 * LARGE + 5, PAGE,      5 * LARGE + 1};

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        map_once(lens[i]);
    }
}

/* Uses up the memory. */
static void memory(void)
{
    static vmo_t vmos[MANY];
    struct vmo_registry *registry = open_wide();
    vmo_t more = {UNTOUCHED, UNTOUCHED};
    vmo_status status = VMO_OK;
    uint32_t count = 0;

    for (; count < MANY; count++) {
        status = vmo_create(registry, conf_port()->full_bytes, &vmos[count]);
        if (status != VMO_OK) {
            break;
        }
        write_mark(registry, vmos[count], count + 3);
    }
    STATUS(status, VMO_ERR_NO_MEMORY);
    CHECK(count >= 1);
    STATUS(vmo_create(registry, conf_port()->full_bytes, &more), VMO_ERR_NO_MEMORY);
    CHECK_EQ(more.id, UNTOUCHED);
    for (uint32_t i = 0; i < count; i++) {
        check_mark(registry, vmos[i], i + 3);
    }
    if (can(HAS_DESTROY | HAS_UNMAP)) {
        OK(vmo_destroy(registry, vmos[0]));
        OK(vmo_create(registry, conf_port()->full_bytes, &vmos[0]));
        check_mark(registry, vmos[0], 0); /* zeroed */
    }
    for (uint32_t i = 0; i < count; i++) {
        conf_release_in(registry, vmos[i]);
    }
    conf_fini(registry);
}

static uint32_t fill_memory(struct vmo_registry *registry, vmo_t *vmos)
{
    uint32_t count = 0;

    for (uint64_t bytes = conf_port()->full_bytes; bytes >= 8 * PAGE; bytes /= 2) {
        while (count < MANY && vmo_create(registry, bytes, &vmos[count]) == VMO_OK) {
            count++;
        }
    }
    CHECK(count < MANY);
    return count;
}

/* A kernel may allocate a child from the memory of VMOs. A refused spawn must leak nothing. */
static void a_child_without_memory(void)
{
    static vmo_t vmos[MANY];
    struct vmo_registry *registry = open_wide();
    const uint32_t count = fill_memory(registry, vmos);
    vmo_status status = VMO_ERR_NO_MEMORY;

    for (uint32_t i = 0; i < 20 && status != VMO_OK; i++) {
        conf_before();
        status = conf_try_peer();
        if (status != VMO_OK) {
            STATUS(status, can(HAS_PEER) ? VMO_ERR_NO_MEMORY : VMO_ERR_UNSUPPORTED);
            conf_after(__FILE__, __LINE__, "vmo_peer_spawn without memory");
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        conf_release_in(registry, vmos[i]);
    }
    conf_fini(registry);
    if (status == VMO_OK) {
        const struct conf_order end = {.op = OP_END};
        conf_send_order(&end, VMO_NONE, 0);
        OK(vmo_peer_close(world.a, world.to_peer));
        conf_peer_closed();
    }
}

static void end_child(void)
{
    const struct conf_order end = {.op = OP_END};
    int32_t status = -1;

    conf_send_order(&end, VMO_NONE, 0);
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &status));
        CHECK_EQ(status, 0);
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
}

/* A kernel that never takes page tables back runs out of them. The library refuses each spawn that they do
 * not cover, and keeps those that a mapping needs. */
static void children_one_after_another(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < CHILDREN; i++) {
        conf_before();
        const vmo_status status = conf_try_peer();
        if (status == VMO_OK) {
            CHECK_EQ(i, count); /* no spawn succeeds after a refused one */
            count++;
            end_child();
        } else {
            STATUS(status, VMO_ERR_UNSUPPORTED);
            conf_after(__FILE__, __LINE__, "vmo_peer_spawn without page tables");
        }
    }
    if (!can(HAS_PEER)) {
        CHECK_EQ(count, 0);
    } else if (conf_port()->children == 0) {
        CHECK_EQ(count, CHILDREN);
    } else {
        CHECK(count >= conf_port()->children && count < CHILDREN);
    }
    if (can(HAS_MAP)) {
        map_once(PAGE);
    }
}

static const struct conf_case slot_cases[] = {
    {"no free kernel slot", slots, 0},
    {"refused creates cost nothing", refused_creates_cost_nothing, 0},
    {"no slot for a seal", no_slot_for_a_seal, 0},
    {"children one after another", children_one_after_another, 0},
};
static const struct conf_case map_cases[] = {
    {"large mappings after small ones", large_after_small, HAS_MAP | HAS_UNMAP | HAS_DESTROY},
    {"no free kernel mapping", maps, HAS_MAP | HAS_UNMAP | HAS_FEW_MAPS},
    {"no mapping for a message", no_map_for_a_message, HAS_PEER | HAS_MAP | HAS_UNMAP | HAS_FEW_MAPS},
};
static const struct conf_case memory_cases[] = {
    {"no free kernel memory", memory, HAS_LITTLE_MEMORY},
    {"no memory for a child", a_child_without_memory, HAS_LITTLE_MEMORY},
};
const struct conf_group conf_full_slots = {"full-slots", slot_cases, CONF_CASE_COUNT(slot_cases)};
const struct conf_group conf_full_maps = {"full-maps", map_cases, CONF_CASE_COUNT(map_cases)};
const struct conf_group conf_full_memory = {"full-memory", memory_cases, CONF_CASE_COUNT(memory_cases)};
