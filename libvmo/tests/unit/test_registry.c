/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: limits, storage, list of live handles, end (R8). */
#define _GNU_SOURCE
#include "unit.h"

#include <stdalign.h>
#include <sys/mman.h>

static alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(8, 8, 8, 4)];

static struct vmo_limits limits_with(uint32_t objects, uint32_t mappings, uint32_t views, uint32_t peers)
{
    return (struct vmo_limits){.objects = objects, .mappings = mappings, .views = views, .peers = peers};
}

static void bounds_of_limits(void **state)
{
    static const struct {
        uint32_t objects, mappings, views, peers;
        int good;
    } rows[] = {
        {1, 1, 1, 0, 1},          {1048576, 1048576, 1048576, 65536, 1},
        {0, 1, 1, 0, 0},          {1048577, 1, 1, 0, 0},
        {1, 0, 1, 0, 0},          {1, 1048577, 1, 0, 0},
        {1, 1, 0, 0, 0},          {1, 1, 1048577, 0, 0},
        {1, 1, 1, 65537, 0},      {UINT32_MAX, 1, 1, 1, 0},
        {1, UINT32_MAX, 1, 1, 0}, {1, 1, UINT32_MAX, 1, 0},
        {1, 1, 1, UINT32_MAX, 0},
    };
    struct vmo_registry *out = world.a;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vmo_limits limits =
            limits_with(rows[i].objects, rows[i].mappings, rows[i].views, rows[i].peers);
        const size_t bytes = vmo_registry_bytes(&limits);
        if (rows[i].good) {
            assert_true(bytes > 0);
            assert_true(bytes <=
                        VMO_REGISTRY_BYTES(rows[i].objects, rows[i].mappings, rows[i].views, rows[i].peers));
        } else {
            assert_int_equal(bytes, 0);
            assert_refused_quietly(vmo_registry_init(storage, sizeof(storage), &limits, &out),
                                   VMO_ERR_INVALID);
            assert_ptr_equal(out, world.a);
        }
    }
    assert_int_equal(vmo_registry_bytes(NULL), 0);
}

static void storage_refused(void **state)
{
    const struct vmo_limits limits = limits_with(8, 8, 8, 4);
    const size_t bytes = vmo_registry_bytes(&limits);
    uint8_t before[sizeof(storage)];
    struct vmo_registry *out = world.a;

    (void)state;
    memset(storage, 0xee, sizeof(storage));
    memset(before, 0xee, sizeof(before));
    assert_refused_quietly(vmo_registry_init(NULL, bytes, &limits, &out), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage + 8, bytes, &limits, &out), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage, bytes, NULL, &out), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage, bytes, &limits, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage, bytes - 1, &limits, &out), VMO_ERR_STORAGE);
    assert_refused_quietly(vmo_registry_init(storage, 0, &limits, &out), VMO_ERR_STORAGE);
    fake_fail_call(1, VMO_ERR_BACKEND);
    assert_refused(vmo_registry_init(storage, bytes, &limits, &out), VMO_ERR_BACKEND);
    assert_ptr_equal(out, world.a);
    assert_memory_equal(storage, before, sizeof(storage));
    assert_ok(vmo_registry_init(storage, bytes, &limits, &out));
    assert_memory_equal(storage + bytes, before, sizeof(storage) - bytes);
    assert_ok(vmo_registry_fini(out));
}

struct listed {
    uint32_t count;
    struct vmo_live live[8];
    char names[8][VMO_NAME_MAX_BYTES + 1];
};

static void list(void *context, const struct vmo_live *live)
{
    struct listed *listed = context;

    assert_true(listed->count < 8);
    listed->live[listed->count] = *live;
    (void)strcpy(listed->names[listed->count], live->name);
    listed->live[listed->count].name = listed->names[listed->count];
    listed->count++;
}

/* Compares member by member, since the struct has padding. */
static void assert_same_live(const struct vmo_live *a, const struct vmo_live *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->rights, b->rights);
    assert_memory_equal(&a->vmo, &b->vmo, sizeof(a->vmo));
    assert_memory_equal(&a->view, &b->view, sizeof(a->view));
    assert_memory_equal(&a->peer, &b->peer, sizeof(a->peer));
    assert_int_equal(a->len_bytes, b->len_bytes);
    assert_int_equal(a->size_bytes, b->size_bytes);
    assert_int_equal(a->handles, b->handles);
    assert_int_equal(a->views, b->views);
    assert_int_equal(a->received, b->received);
    assert_int_equal(a->sent_writable, b->sent_writable);
    assert_string_equal(a->name, b->name);
}

static void each_live_handle(void **state)
{
    const vmo_t vmo = vmo_filled(PAGE + 1);
    struct listed listed = {0};
    vmo_view_t view = NO_VIEW;
    vmo_t reader = VMO_NONE;

    (void)state;
    assert_refused_quietly(vmo_registry_each(NULL, list, &listed), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_each(world.a, NULL, &listed), VMO_ERR_INVALID);
    assert_int_equal(listed.count, 0);
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &reader));
    assert_ok(vmo_map_rw(world.a, vmo, RANGE(1, 2), &view));
    assert_ok(vmo_registry_each(world.a, list, &listed));
    assert_int_equal(listed.count, 4);
    const struct vmo_live first = {.kind = VMO_LIVE_VMO,
                                   .rights = VMO_RIGHTS_ALL,
                                   .vmo = vmo,
                                   .len_bytes = PAGE + 1,
                                   .size_bytes = 2 * PAGE,
                                   .handles = 2,
                                   .views = 1,
                                   .name = "vmo"};
    const struct vmo_live seen = {.kind = VMO_LIVE_VIEW,
                                  .rights = VMO_RIGHTS_ALL,
                                  .view = view,
                                  .len_bytes = 2,
                                  .size_bytes = 2 * PAGE, /* vmo_filled made the mapping */
                                  .handles = 2,
                                  .views = 1,
                                  .name = "vmo"};
    assert_same_live(&listed.live[0], &first);
    assert_int_equal(listed.live[1].vmo.id, reader.id);
    assert_int_equal(listed.live[1].rights, VMO_RIGHT_READ);
    assert_same_live(&listed.live[2], &seen);
    assert_int_equal(listed.live[3].kind, VMO_LIVE_PEER);
    assert_int_equal(listed.live[3].peer.id, world.to_b.id);
    /* The VMO is closed before its view. A freed entry is not listed. */
    assert_ok(vmo_close(world.a, vmo));
    assert_ok(vmo_close(world.a, reader));
    listed.count = 0;
    assert_ok(vmo_registry_each(world.a, list, &listed));
    assert_int_equal(listed.count, 2);
    assert_int_equal(listed.live[0].view.id, view.id);
    assert_int_equal(listed.live[0].handles, 0);
    assert_int_equal(listed.live[0].views, 1);
    assert_string_equal(listed.live[0].name, "");
    assert_ok(vmo_unmap(world.a, view));
}

/* The tables have a million entries, but only the first page of the storage is accessible. Init must touch no
 * more; an entry is initialised when it is first used. */
static void init_touches_no_entry(void **state)
{
    const struct vmo_limits limits = limits_with(1048576, 1048576, 1048576, 65536);
    const size_t bytes = vmo_registry_bytes(&limits);
    void *const at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct vmo_registry *registry = NULL;
    vmo_t vmo = VMO_NONE;

    (void)state;
    assert_true(at != MAP_FAILED);
    assert_int_equal(mprotect(at, PAGE, PROT_READ | PROT_WRITE), 0);
    assert_ok(vmo_registry_init(at, bytes, &limits, &registry));
    assert_status(vmo_close(registry, (vmo_t){1048577, world.to_b.registry + 2}), VMO_ERR_BAD_HANDLE);
    assert_ok(vmo_registry_fini(registry));
    assert_int_equal(mprotect(at, bytes, PROT_READ | PROT_WRITE), 0);
    assert_ok(vmo_registry_init(at, bytes, &limits, &registry));
    assert_ok(vmo_create(registry, 1, &vmo));
    assert_ok(vmo_destroy(registry, vmo));
    assert_ok(vmo_registry_fini(registry));
    assert_int_equal(munmap(at, bytes), 0);
}

/* The storage need not be zeroed. */
static void storage_need_not_be_zeroed(void **state)
{
    const struct vmo_limits limits = limits_with(8, 8, 8, 4);
    struct vmo_registry *registry = NULL;

    (void)state;
    for (int fill = 0; fill < 256; fill += 5) {
        vmo_t vmo = VMO_NONE, more = VMO_NONE;
        vmo_view_t view = NO_VIEW;
        memset(storage, fill, sizeof(storage));
        assert_ok(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
        assert_ok(vmo_create(registry, 2 * PAGE, &vmo));
        assert_ok(vmo_dup(registry, vmo, VMO_RIGHT_READ, &more));
        for (unsigned i = 0; i < 2; i++) {
            assert_ok(vmo_map_rw(registry, vmo, RANGE(i * PAGE, PAGE), &view));
            assert_ok(vmo_unmap(registry, view));
        }
        for (uint64_t id = 3; id <= 16; id++) {
            assert_status(vmo_close(registry, (vmo_t){id, vmo.registry}), VMO_ERR_BAD_HANDLE);
        }
        assert_ok(vmo_close(registry, more));
        assert_ok(vmo_destroy(registry, vmo));
        assert_ok(vmo_registry_fini(registry));
    }
    assert_int_equal(fake_live().mappings, 0);
}

static void new_and_free(void **state)
{
    struct vmo_limits limits = limits_with(1048576, 1048576, 1048576, 65536);
    struct vmo_registry *registry = world.a;
    vmo_t vmo = VMO_NONE;

    (void)state;
    assert_ok(vmo_registry_new(&limits, &registry));
    assert_ok(vmo_create(registry, 1, &vmo));
    assert_refused_quietly(vmo_registry_free(registry), VMO_ERR_BUSY);
    assert_ok(vmo_destroy(registry, vmo));
    assert_ok(vmo_registry_free(registry));
    assert_refused_quietly(vmo_registry_free(NULL), VMO_ERR_INVALID);
    registry = world.a;
    fake_fail_call(1, VMO_ERR_NO_SLOTS);
    assert_refused(vmo_registry_new(&limits, &registry), VMO_ERR_NO_SLOTS);
    limits.views = 0;
    assert_refused_quietly(vmo_registry_new(&limits, &registry), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_new(NULL, &registry), VMO_ERR_INVALID);
    limits.views = 1;
    assert_refused_quietly(vmo_registry_new(&limits, NULL), VMO_ERR_INVALID);
    assert_ptr_equal(registry, world.a);
}

static void fini_refused_while_busy(void **state)
{
    const struct vmo_limits limits = limits_with(8, 8, 8, 4);
    const struct vmo_program program = {"elf", 3, 1};
    struct vmo_registry *registry = NULL;
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    vmo_peer_t peer = NO_PEER;

    (void)state;
    assert_ok(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
    assert_ok(vmo_create(registry, 1, &vmo));
    assert_ok(vmo_map_ro(registry, vmo, RANGE(0, 1), &view));
    assert_refused_quietly(vmo_registry_fini(registry), VMO_ERR_BUSY);
    assert_ok(vmo_close(registry, vmo));
    assert_refused_quietly(vmo_registry_fini(registry), VMO_ERR_BUSY);
    assert_ok(vmo_unmap(registry, view));
    assert_ok(vmo_peer_spawn(registry, &program, &peer));
    assert_refused_quietly(vmo_registry_fini(registry), VMO_ERR_BUSY);
    assert_ok(vmo_peer_close(registry, peer));
    assert_ok(vmo_registry_fini(registry));
    assert_int_equal(fake_live().mappings, 0);
    /* The storage belongs to the caller again: a second fini and every handle are refused. */
    assert_refused_quietly(vmo_registry_fini(registry), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_close(registry, vmo), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_registry_fini(NULL), VMO_ERR_INVALID);
}

static void counters_and_platform(void **state)
{
    const struct vmo_counters zero = {0};
    struct vmo_counters counters = counters_of(world.a);

    (void)state;
    assert_memory_equal(&counters, &zero, sizeof(zero));
    assert_string_equal(vmo_platform(world.a), "fake");
    assert_string_equal(vmo_platform(NULL), "");
    vmo_counters_read(world.a, NULL);
    memset(&counters, 0x11, sizeof(counters));
    const struct vmo_counters untouched = counters;
    vmo_counters_read(NULL, &counters);
    assert_memory_equal(&counters, &untouched, sizeof(counters));
    const uint64_t now = vmo_now_ns(world.a);
    assert_true(vmo_now_ns(world.a) > now);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(bounds_of_limits),           IN_WORLD(storage_refused),
        IN_WORLD(each_live_handle),           IN_WORLD(init_touches_no_entry),
        IN_WORLD(storage_need_not_be_zeroed), IN_WORLD(new_and_free),
        IN_WORLD(fini_refused_while_busy),    IN_WORLD(counters_and_platform),
    };
    return cmocka_run_group_tests_name("unit/registry", tests, NULL, NULL);
}
