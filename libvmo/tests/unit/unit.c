/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdalign.h>

#define STORAGE_BYTES VMO_REGISTRY_BYTES(64, 64, 64, 32)

static alignas(16) uint8_t storage_a[STORAGE_BYTES];
static alignas(16) uint8_t storage_b[STORAGE_BYTES];

struct world world;

const struct vmo_limits world_limits = {.objects = 8, .mappings = 8, .views = 8, .peers = 4};

static const struct vmo_program program = {"elf", 3, 4};

void world_remake(const struct vmo_limits *limits)
{
    struct be_peer found;

    fake_side(0);
    assert_ok(vmo_registry_init(storage_a, sizeof(storage_a), limits, &world.a));
    assert_ok(vmo_peer_spawn(world.a, &program, &world.to_b));
    assert_ok(vmo_peer_allow(world.a, world.to_b));
    fake_side(1);
    assert_ok(vmo_registry_init(storage_b, sizeof(storage_b), limits, &world.b));
    assert_ok(vmo_peer_parent(world.b, &world.to_a));
    assert_ok(vmo_peer_allow(world.b, world.to_a));
    assert_ok(be_parent(&found));
    world.raw_b = found;
    fake_side(0);
}

int world_make(void **state)
{
    (void)state;
    fake_reset();
    world_remake(&world_limits);
    return 0;
}

int world_make_small(void **state)
{
    struct fake_config *config = fake_config();

    (void)state;
    fake_reset();
    config->has_alias = false;
    config->has_read = false;
    config->has_unmap = false;
    config->has_destroy = false;
    config->check_maps = false;
    world_remake(&world_limits);
    return 0;
}

int world_drop(void **state)
{
    (void)state;
    fake_reset();
    return 0;
}

struct vmo_counters counters_of(const struct vmo_registry *registry)
{
    struct vmo_counters counters;

    memset(&counters, 0xff, sizeof(counters));
    vmo_counters_read(registry, &counters);
    return counters;
}

struct snapshot snapshot_take(void)
{
    return (struct snapshot){fake_live(), fake_contents(), counters_of(world.a), counters_of(world.b)};
}

void snapshot_check(const struct snapshot *before, const char *call, const char *file, int line)
{
    const struct snapshot now = snapshot_take();
    const char *changed = NULL;

    if (memcmp(&now.live, &before->live, sizeof(now.live)) != 0) {
        changed = "kernel state";
    } else if (now.contents != before->contents) {
        changed = "the bytes of a VMO";
    } else if (memcmp(&now.a, &before->a, sizeof(now.a)) != 0 ||
               memcmp(&now.b, &before->b, sizeof(now.b)) != 0) {
        changed = "a counter";
    }
    if (changed != NULL) {
        print_error("%s was refused, but changed %s\n", call, changed);
        _fail(file, line);
    }
}

uint8_t pattern_at(uint64_t off)
{
    return (uint8_t)(off * 7 + off / PAGE * 13 + 1);
}

vmo_t vmo_filled(uint64_t len_bytes)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    assert_ok(vmo_create(world.a, len_bytes, &vmo));
    assert_ok(vmo_map_rw(world.a, vmo, RANGE(0, len_bytes), &view));
    uint8_t *bytes = vmo_view_data_rw(world.a, view);
    assert_non_null(bytes);
    for (uint64_t off = 0; off < len_bytes; off++) {
        bytes[off] = pattern_at(off);
    }
    assert_ok(vmo_unmap(world.a, view));
    return vmo;
}

void assert_pattern(const uint8_t *bytes, uint64_t off, uint64_t len)
{
    assert_non_null(bytes);
    for (uint64_t i = 0; i < len; i++) {
        assert_int_equal(bytes[i], pattern_at(off + i));
    }
}

vmo_t hand_over(vmo_t vmo, uint32_t rights)
{
    const struct vmo_message message = {.tag = 77, .vmo = vmo, .rights = rights};
    struct vmo_incoming incoming;

    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    fake_side(1);
    assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    fake_side(0);
    assert_int_equal(incoming.tag, 77);
    assert_int_not_equal(incoming.vmo.id, 0);
    return incoming.vmo;
}
