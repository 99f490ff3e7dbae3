/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: storage, limits, handles (R1, R8). */
#define _GNU_SOURCE
#include "unit.h"

#include <stdalign.h>
#include <sys/mman.h>

#include "registry.h"

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
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct vmo_limits limits =
            limits_with(rows[i].objects, rows[i].mappings, rows[i].views, rows[i].peers);
        const size_t bytes = vmo_registry_bytes(&limits);
        if (rows[i].good) {
            assert_true(bytes > 0);
            assert_true(bytes <=
                        VMO_REGISTRY_BYTES(rows[i].objects, rows[i].mappings, rows[i].views, rows[i].peers));
        } else {
            assert_int_equal(bytes, 0);
            assert_refused_quietly(vmo_registry_init(storage, sizeof storage, &limits, &out),
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
    uint8_t before[sizeof storage];
    struct vmo_registry *out = world.a;

    (void)state;
    memset(storage, 0xee, sizeof storage);
    memset(before, 0xee, sizeof before);
    assert_refused_quietly(vmo_registry_init(NULL, bytes, &limits, &out), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage + 8, bytes, &limits, &out), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage, bytes, NULL, &out), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage, bytes, &limits, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_registry_init(storage, bytes - 1, &limits, &out), VMO_ERR_STORAGE);
    assert_refused_quietly(vmo_registry_init(storage, 0, &limits, &out), VMO_ERR_STORAGE);
    fake_fail_call(1, VMO_ERR_BACKEND);
    assert_refused(vmo_registry_init(storage, bytes, &limits, &out), VMO_ERR_BACKEND);
    assert_ptr_equal(out, world.a);
    assert_memory_equal(storage, before, sizeof storage);
    assert_ok(vmo_registry_init(storage, bytes, &limits, &out));
    assert_memory_equal(storage + bytes, before, sizeof storage - bytes);
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

/* Member by member: the struct has padding. */
static void assert_same_live(const struct vmo_live *a, const struct vmo_live *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->rights, b->rights);
    assert_memory_equal(&a->vmo, &b->vmo, sizeof a->vmo);
    assert_memory_equal(&a->view, &b->view, sizeof a->view);
    assert_memory_equal(&a->peer, &b->peer, sizeof a->peer);
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
    /* The VMO ends before its view; the entry that was given back is left out. */
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

/* Storage of a million entries a table of which the kernel has made only the first page: init touches no
 * more, and the entries that are used are made when they are used. */
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

/* Storage with any bytes in it. */
static void storage_may_hold_anything(void **state)
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

static void fini_waits_for_everything(void **state)
{
    const struct vmo_limits limits = limits_with(8, 8, 8, 4);
    const struct vmo_program program = {"elf", 3, 1};
    struct vmo_registry *registry = NULL;
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    vmo_peer_t peer = NO_PEER;

    (void)state;
    assert_ok(vmo_registry_init(storage, sizeof storage, &limits, &registry));
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
    /* The storage is the caller's again: a second fini and every handle are refused. */
    assert_refused_quietly(vmo_registry_fini(registry), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_close(registry, vmo), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_registry_fini(NULL), VMO_ERR_INVALID);
}

/* Every call that takes a handle, with one that names nothing. */
static void assert_all_refuse(struct vmo_registry *registry, vmo_t vmo, vmo_view_t view, vmo_peer_t peer)
{
    const struct vmo_message message = {.tag = 1};
    struct vmo_incoming incoming;
    struct vmo_ticket ticket;
    vmo_view_t view_out = {7, 7};
    vmo_seal_strength strength = VMO_SEAL_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;
    uint8_t byte = 9;
    uint64_t u64 = 7;
    uint32_t u32 = 7;
    int32_t i32 = 7;

    assert_refused_quietly(vmo_len(registry, vmo, &u64), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_size(registry, vmo, &u64), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_rights(registry, vmo, &u32), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_close(registry, vmo), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_destroy(registry, vmo), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_write(registry, vmo, RANGE(0, 1), &byte), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_read(registry, vmo, RANGE(0, 1), &byte), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_map_ro(registry, vmo, RANGE(0, 1), &view_out), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_map_rw(registry, vmo, RANGE(0, 1), &view_out), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_seal(registry, vmo, VMO_SEAL_PEERS), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_seal_of(registry, vmo, &strength), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_seal_enforced_by(registry, vmo, &by), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_slice(registry, view, RANGE(0, 1), &view_out), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_unmap(registry, view), VMO_ERR_BAD_HANDLE);
    assert_null(vmo_view_data(registry, view));
    assert_null(vmo_view_data_rw(registry, view));
    assert_int_equal(vmo_view_len(registry, view), 0);
    assert_refused_quietly(vmo_peer_allow(registry, peer), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_allow_shared(registry, peer), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_wait(registry, peer, 0, &i32), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_close(registry, peer), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_send(registry, peer, &message, 0), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_recv(registry, peer, &incoming, 0), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_transfer(registry, vmo, peer, VMO_RIGHT_READ, &ticket), VMO_ERR_BAD_HANDLE);
    assert_true(u64 == 7 && u32 == 7 && i32 == 7 && byte == 9 && view_out.id == 7);
}

static void handles_of_nothing(void **state)
{
    (void)state;
    assert_all_refuse(world.a, VMO_NONE, NO_VIEW, NO_PEER);
    assert_all_refuse(world.a, (vmo_t){UINT64_MAX, UINT64_MAX}, (vmo_view_t){UINT64_MAX, UINT64_MAX},
                      (vmo_peer_t){UINT64_MAX, UINT64_MAX});
    assert_all_refuse(NULL, VMO_NONE, NO_VIEW, NO_PEER);
    for (uint64_t guess = 0; guess < 64; guess++) {
        const uint64_t serial = world.to_b.registry - guess; /* this registry's, and those before it */
        const uint64_t id = guess << 32 | (guess + 1);
        assert_all_refuse(world.a, (vmo_t){id, serial}, (vmo_view_t){id, serial},
                          (vmo_peer_t){id ^ 1, serial});
    }
}

static void handles_of_another_registry(void **state)
{
    vmo_view_t view = NO_VIEW;
    const vmo_t vmo = vmo_filled(PAGE);
    vmo_t same_place = VMO_NONE;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    AS_B;
    assert_ok(vmo_create(world.b, PAGE, &same_place)); /* b's entry 0 is live as well */
    assert_all_refuse(world.b, vmo, view, world.to_b);
    AS_A;
    assert_all_refuse(world.a, same_place, NO_VIEW, world.to_a);
}

static void stale_handles(void **state)
{
    vmo_t old = VMO_NONE;
    vmo_t new = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    vmo_view_t view_new = NO_VIEW;
    vmo_peer_t peer = NO_PEER;

    (void)state;
    assert_ok(vmo_create(world.a, 1, &old));
    assert_ok(vmo_map_ro(world.a, old, RANGE(0, 1), &view));
    assert_ok(vmo_unmap(world.a, view));
    assert_ok(vmo_destroy(world.a, old));
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_all_refuse(world.a, old, view, world.to_b);
    /* The entries are in use again; the old handles stay dead, the new ones differ. */
    assert_ok(vmo_create(world.a, 1, &new));
    assert_ok(vmo_map_ro(world.a, new, RANGE(0, 1), &view_new));
    assert_ok(vmo_peer_spawn(world.a, &(struct vmo_program){"elf", 3, 1}, &peer));
    assert_int_not_equal(new.id, old.id);
    assert_int_not_equal(view_new.id, view.id);
    assert_int_not_equal(peer.id, world.to_b.id);
    assert_all_refuse(world.a, old, view, world.to_b);
}

/* A good handle with another number in its low bits: entries that are free, and past the end of the table,
 * where the next table begins with a live entry of generation 0. */
static void handles_past_the_table(void **state)
{
    const vmo_t vmo = vmo_filled(PAGE);
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    for (uint64_t flip = 1; flip <= UINT32_MAX; flip = flip < 64 ? flip + 1 : flip * 2 + 1) {
        assert_all_refuse(world.a, (vmo_t){vmo.id ^ flip, vmo.registry},
                          (vmo_view_t){view.id ^ flip, view.registry},
                          (vmo_peer_t){world.to_b.id ^ flip, world.to_b.registry});
    }
    assert_pattern(vmo_view_data(world.a, view), 0, 1);
}

/* Each generation of one entry gives another handle. */
static void generations_differ(void **state)
{
    vmo_t last = VMO_NONE;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        vmo_t vmo = VMO_NONE;
        assert_ok(vmo_create(world.a, 1, &vmo));
        assert_true(vmo.id != last.id);
        assert_status(vmo_close(world.a, last), VMO_ERR_BAD_HANDLE);
        assert_ok(vmo_destroy(world.a, vmo));
        last = vmo;
    }
    assert_int_equal(fake_live().lost, 0);
}

/* An entry is retired when its generations are used up: no handle ever comes twice. */
static void generations_used_up(void **state)
{
    struct handle *const handles = (void *)world.a->tables[TABLE_HANDLES].entries;
    vmo_t vmo = VMO_NONE, last = VMO_NONE;
    vmo_t all[16];

    (void)state;
    assert_ok(vmo_create(world.a, 1, &vmo));
    const uint32_t index = (uint32_t)vmo.id - 1;
    assert_ok(vmo_destroy(world.a, vmo));
    handles[index].entry.generation = UINT32_MAX - 1;
    assert_ok(vmo_create(world.a, 1, &last));
    assert_true(last.id == ((uint64_t)(UINT32_MAX - 1) << 32 | (index + 1)));
    assert_ok(vmo_destroy(world.a, last));
    assert_status(vmo_close(world.a, last), VMO_ERR_BAD_HANDLE);
    assert_status(vmo_close(world.a, (vmo_t){last.id + (UINT64_C(1) << 32), last.registry}),
                  VMO_ERR_BAD_HANDLE);
    /* The other fifteen of the sixteen handles serve on. */
    assert_ok(vmo_create(world.a, 1, &all[0]));
    for (unsigned i = 1; i < 15; i++) {
        assert_ok(vmo_dup(world.a, all[0], VMO_RIGHT_READ, &all[i]));
        assert_true((uint32_t)all[i].id != index + 1);
    }
    assert_refused_quietly(vmo_dup(world.a, all[0], VMO_RIGHT_READ, &all[15]), VMO_ERR_TABLE_FULL);
    assert_refused_quietly(vmo_create(world.a, 1, &all[15]), VMO_ERR_TABLE_FULL);
}

/* Registries one after the other in the same storage: the same index and generation, never the same handle.
 */
static void registries_never_share_a_handle(void **state)
{
    const struct vmo_limits limits = limits_with(1, 1, 1, 1);
    const uint8_t byte = 1;
    static uint64_t serials[70000];
    const size_t count = sizeof(serials) / sizeof(serials[0]);
    struct vmo_registry *registry = NULL;
    vmo_t vmo = VMO_NONE;
    uint64_t len = 7;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_ok(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
        assert_ok(vmo_wrap_bytes(registry, &byte, 1, &vmo));
        serials[i] = vmo.registry;
        assert_status(vmo_len(registry, (vmo_t){vmo.id, serials[0]}, &len),
                      i == 0 ? VMO_OK : VMO_ERR_BAD_HANDLE);
        if (i + 1 < count) {
            assert_ok(vmo_close(registry, vmo));
            assert_ok(vmo_registry_fini(registry));
        }
    }
    for (size_t i = 0; i + 1 < count; i++) {
        assert_status(vmo_len(registry, (vmo_t){vmo.id, serials[i]}, &len), VMO_ERR_BAD_HANDLE);
    }
    assert_ok(vmo_close(registry, vmo));
    assert_ok(vmo_registry_fini(registry));
}

static void create_refused(void **state)
{
    vmo_t vmo = {7, 7};

    (void)state;
    assert_refused_quietly(vmo_create(NULL, 1, &vmo), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_create(world.a, 1, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_create(world.a, 0, &vmo), VMO_ERR_ZERO_LENGTH);
    const uint64_t most = fake_config()->object_bytes_max;
    assert_refused_quietly(vmo_create(world.a, most + 1, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX - PAGE + 2, &vmo), VMO_ERR_TOO_LARGE);
    assert_int_equal(vmo.id, 7);
    assert_ok(vmo_create(world.a, most, &vmo));
    assert_ok(vmo_destroy(world.a, vmo));
}

/* A backend without a bound of its own: rounding up to pages must not wrap. */
static void create_refused_at_the_end_of_numbers(void **state)
{
    vmo_t vmo = {7, 7};

    (void)state;
    fake_reset();
    fake_config()->object_bytes_max = UINT64_MAX;
    world_remake(&world_limits);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX - PAGE + 2, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused(vmo_create(world.a, UINT64_MAX - PAGE + 1, &vmo), VMO_ERR_NO_MEMORY);
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX - PAGE + 1, &vmo), VMO_ERR_QUOTA);
}

static void length_and_size(void **state)
{
    static const struct {
        uint64_t len, size;
    } rows[] = {{1, 4096}, {4095, 4096}, {4096, 4096}, {4097, 8192}, {8192, 8192}, {8193, 12288}};
    uint64_t len = 0, size = 0;
    uint32_t rights = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vmo_t vmo = VMO_NONE;
        assert_ok(vmo_create(world.a, rows[i].len, &vmo));
        assert_ok(vmo_len(world.a, vmo, &len));
        assert_ok(vmo_size(world.a, vmo, &size));
        assert_ok(vmo_rights(world.a, vmo, &rights));
        assert_int_equal(len, rows[i].len);
        assert_int_equal(size, rows[i].size);
        assert_int_equal(rights, VMO_RIGHTS_ALL);
        assert_refused_quietly(vmo_len(world.a, vmo, NULL), VMO_ERR_INVALID);
        assert_refused_quietly(vmo_size(world.a, vmo, NULL), VMO_ERR_INVALID);
        assert_refused_quietly(vmo_rights(world.a, vmo, NULL), VMO_ERR_INVALID);
        assert_ok(vmo_destroy(world.a, vmo));
    }
}

static void limits_of_bytes(void **state)
{
    struct vmo_limits limits = world_limits;
    vmo_t first = VMO_NONE, second = {7, 7};

    (void)state;
    fake_reset();
    limits.object_bytes_max = 2 * PAGE - 1;
    limits.total_bytes_max = 3 * PAGE;
    world_remake(&limits);
    assert_refused_quietly(vmo_create(world.a, 2 * PAGE, &first), VMO_ERR_TOO_LARGE);
    assert_ok(vmo_create(world.a, 2 * PAGE - 1, &first));
    assert_refused_quietly(vmo_create(world.a, PAGE + 1, &second), VMO_ERR_QUOTA);
    assert_int_equal(second.id, 7);
    assert_ok(vmo_create(world.a, PAGE, &second));
    assert_refused_quietly(vmo_create(world.a, 1, &second), VMO_ERR_QUOTA);
    /* What is closed or destroyed counts no more. */
    assert_ok(vmo_destroy(world.a, second));
    assert_ok(vmo_create(world.a, 1, &second));
    assert_ok(vmo_close(world.a, first));
    assert_ok(vmo_create(world.a, PAGE + 1, &first));
}

static void full_table_keeps_what_it_has(void **state)
{
    vmo_t vmos[8];
    vmo_t more = {7, 7};
    uint64_t len = 0;

    (void)state;
    for (uint64_t i = 0; i < 8; i++) {
        assert_ok(vmo_create(world.a, i + 1, &vmos[i]));
    }
    assert_refused_quietly(vmo_create(world.a, 1, &more), VMO_ERR_TABLE_FULL);
    assert_int_equal(more.id, 7);
    for (uint64_t i = 0; i < 8; i++) {
        assert_ok(vmo_len(world.a, vmos[i], &len));
        assert_int_equal(len, i + 1);
    }
    assert_ok(vmo_destroy(world.a, vmos[3]));
    assert_ok(vmo_create(world.a, 99, &vmos[3]));
    assert_refused_quietly(vmo_create(world.a, 1, &more), VMO_ERR_TABLE_FULL);
    for (uint64_t i = 0; i < 8; i++) {
        assert_ok(vmo_destroy(world.a, vmos[i]));
    }
    assert_int_equal(fake_live().objects + fake_live().lost, 0);
}

static void kernel_tables_full(void **state)
{
    vmo_t vmo = {7, 7}, other = VMO_NONE;

    (void)state;
    fake_config()->arena_bytes = 2 * PAGE;
    assert_ok(vmo_create(world.a, PAGE + 1, &other));
    assert_refused(vmo_create(world.a, 1, &vmo), VMO_ERR_NO_MEMORY);
    fake_config()->arena_bytes = 64 * PAGE;
    fake_config()->slots = 5; /* bootstrap, three of the peer, one VMO */
    assert_refused(vmo_create(world.a, 1, &vmo), VMO_ERR_NO_SLOTS);
    assert_int_equal(vmo.id, 7);
    assert_ok(vmo_destroy(world.a, other));
    assert_ok(vmo_create(world.a, 1, &vmo));
}

static void destroy_and_close(void **state)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    const struct fake_live before = fake_live();

    (void)state;
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_STILL_MAPPED);
    assert_ok(vmo_unmap(world.a, view));
    assert_int_equal(fake_live().mappings, before.mappings + 1); /* kept */
    assert_ok(vmo_destroy(world.a, vmo));
    const struct fake_live after = fake_live();
    assert_memory_equal(&after, &before, sizeof after);
    /* Closed, the memory is out of reach and not given back. */
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_ok(vmo_close(world.a, vmo));
    assert_refused_quietly(vmo_close(world.a, vmo), VMO_ERR_BAD_HANDLE);
    assert_int_equal(fake_live().lost, 1);
    assert_int_equal(fake_live().slots, before.slots);
}

static void destroy_unsupported(void **state)
{
    vmo_t vmo = VMO_NONE;

    (void)state;
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_refused(vmo_destroy(world.a, vmo), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_close(world.a, vmo));
}

static void counters_and_platform(void **state)
{
    const struct vmo_counters zero = {0};
    struct vmo_counters counters = counters_of(world.a);

    (void)state;
    assert_memory_equal(&counters, &zero, sizeof zero);
    assert_string_equal(vmo_platform(world.a), "fake");
    assert_string_equal(vmo_platform(NULL), "");
    vmo_counters_read(world.a, NULL);
    memset(&counters, 0x11, sizeof counters);
    const struct vmo_counters untouched = counters;
    vmo_counters_read(NULL, &counters);
    assert_memory_equal(&counters, &untouched, sizeof counters);
    const uint64_t now = vmo_now_ns(world.a);
    assert_true(vmo_now_ns(world.a) > now);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(bounds_of_limits),
        IN_WORLD(storage_refused),
        IN_WORLD(each_live_handle),
        IN_WORLD(init_touches_no_entry),
        IN_WORLD(storage_may_hold_anything),
        IN_WORLD(new_and_free),
        IN_WORLD(fini_waits_for_everything),
        IN_WORLD(handles_of_nothing),
        IN_WORLD(handles_of_another_registry),
        IN_WORLD(stale_handles),
        IN_WORLD(handles_past_the_table),
        IN_WORLD(generations_differ),
        IN_WORLD(generations_used_up),
        IN_WORLD(registries_never_share_a_handle),
        IN_WORLD(create_refused),
        IN_WORLD(create_refused_at_the_end_of_numbers),
        IN_WORLD(length_and_size),
        IN_WORLD(limits_of_bytes),
        IN_WORLD(full_table_keeps_what_it_has),
        IN_WORLD(kernel_tables_full),
        IN_WORLD(destroy_and_close),
        cmocka_unit_test_setup_teardown(destroy_unsupported, world_make_small, world_drop),
        IN_WORLD(counters_and_platform),
    };
    return cmocka_run_group_tests_name("unit/registry", tests, NULL, NULL);
}
