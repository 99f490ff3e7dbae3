/* SPDX-License-Identifier: Apache-2.0 */
/* Handles: unknown, foreign and stale ones are refused; no two are equal (R8). */
#include "unit.h"

#include <stdalign.h>

#include "registry.h"

/* Each call that takes a handle refuses these. */
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
    assert_refused_quietly(vmo_seal_with(registry, vmo, VMO_SEAL_PEERS, 0), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_seal_of(registry, vmo, &strength), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_seal_enforced_by(registry, vmo, &by), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_slice(registry, view, RANGE(0, 1), &view_out), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_unmap(registry, view), VMO_ERR_BAD_HANDLE);
    assert_null(vmo_view_data(registry, view));
    assert_null(vmo_view_data_rw(registry, view));
    assert_int_equal(vmo_view_len(registry, view), 0);
    assert_refused_quietly(vmo_peer_allow(registry, peer), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_allow_shared(registry, peer), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_looks(registry, peer, 1), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_wait(registry, peer, 0, &i32), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_close(registry, peer), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_send(registry, peer, &message, 0), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_recv(registry, peer, &incoming, 0), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_transfer(registry, vmo, peer, VMO_RIGHT_READ, &ticket), VMO_ERR_BAD_HANDLE);
    assert_true(u64 == 7 && u32 == 7 && i32 == 7 && byte == 9 && view_out.id == 7);
}

static void unknown_handles(void **state)
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
    /* The entries are in use again: the new handles differ, and the old ones are still refused. */
    assert_ok(vmo_create(world.a, 1, &new));
    assert_ok(vmo_map_ro(world.a, new, RANGE(0, 1), &view_new));
    assert_ok(vmo_peer_spawn(world.a, &(struct vmo_program){"elf", 3, 1}, &peer));
    assert_int_not_equal(new.id, old.id);
    assert_int_not_equal(view_new.id, view.id);
    assert_int_not_equal(peer.id, world.to_b.id);
    assert_all_refuse(world.a, old, view, world.to_b);
}

/* A valid handle with other low bits names a free entry, or one past the end of the table. There the next
 * table begins, with a live entry of generation 0. */
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

/* Each generation of an entry gives a different handle. */
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

/* An entry is retired after its last generation, so no handle is ever reused. */
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
    /* The other fifteen entries of the table remain usable. */
    assert_ok(vmo_create(world.a, 1, &all[0]));
    for (unsigned i = 1; i < 15; i++) {
        assert_ok(vmo_dup(world.a, all[0], VMO_RIGHT_READ, &all[i]));
        assert_true((uint32_t)all[i].id != index + 1);
    }
    assert_refused_quietly(vmo_dup(world.a, all[0], VMO_RIGHT_READ, &all[15]), VMO_ERR_TABLE_FULL);
    assert_refused_quietly(vmo_create(world.a, 1, &all[15]), VMO_ERR_TABLE_FULL);
}

/* Successive registries in one storage reuse index and generation, but never a handle. */
static void registries_never_share_a_handle(void **state)
{
    static alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(1, 1, 1, 1)];
    const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1, .peers = 1};
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

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(unknown_handles),
        IN_WORLD(handles_of_another_registry),
        IN_WORLD(stale_handles),
        IN_WORLD(handles_past_the_table),
        IN_WORLD(generations_differ),
        IN_WORLD(generations_used_up),
        IN_WORLD(registries_never_share_a_handle),
    };
    return cmocka_run_group_tests_name("unit/handles", tests, NULL, NULL);
}
