/* SPDX-License-Identifier: Apache-2.0 */
/* Several handles to one object: rights, shared mappings and seals, the last handle. */
#include "unit.h"

#define LEN (PAGE + 9)

static void assert_rights(vmo_t vmo, uint32_t wanted)
{
    uint32_t rights = 0;

    assert_ok(vmo_rights(world.a, vmo, &rights));
    assert_int_equal(rights, wanted);
}

static void narrowing(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t read_only = VMO_NONE, more = {99, 99};

    (void)state;
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &read_only));
    assert_rights(read_only, VMO_RIGHT_READ);
    assert_rights(vmo, VMO_RIGHTS_ALL);
    assert_refused_quietly(vmo_dup(world.a, read_only, VMO_RIGHTS_ALL, &more), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_write(world.a, read_only, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_seal(world.a, read_only, VMO_SEAL_PEERS), VMO_ERR_RIGHTS);
    assert_int_equal(more.id, 99);
}

static void makes_no_backend_call(void **state)
{
    vmo_t vmo = VMO_NONE, other = VMO_NONE;

    (void)state;
    assert_ok(vmo_create(world.a, LEN, &vmo));
    const uint32_t calls = fake_call_count();
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHTS_ALL, &other));
    assert_ok(vmo_close(world.a, vmo)); /* the other handle keeps the object */
    assert_int_equal(fake_call_count(), calls);
    assert_ok(vmo_close(world.a, other));
    assert_int_equal(fake_call_count(), calls + 1);
}

static void arguments(void **state)
{
    static const uint32_t senseless[] = {0, VMO_RIGHT_WRITE, 4, 5, UINT32_MAX};
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t other = {99, 99};

    (void)state;
    for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++) {
        assert_refused_quietly(vmo_dup(world.a, vmo, senseless[i], &other), VMO_ERR_INVALID);
    }
    assert_refused_quietly(vmo_dup(world.a, vmo, VMO_RIGHT_READ, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_dup(world.a, VMO_NONE, VMO_RIGHT_READ, &other), VMO_ERR_BAD_HANDLE);
    assert_int_equal(other.id, 99);
}

static void handles_run_out(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t more[16], last = {99, 99};
    uint32_t count = 0;

    (void)state;
    while (count < 15) { /* the table has two handles per object: 16 */
        assert_ok(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &more[count++]));
    }
    assert_refused_quietly(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &last), VMO_ERR_TABLE_FULL);
    assert_refused_quietly(vmo_create(world.a, 1, &last), VMO_ERR_TABLE_FULL);
    assert_int_equal(last.id, 99);
    assert_ok(vmo_close(world.a, more[7]));
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &last));
    assert_int_not_equal(last.id, more[7].id);
}

static void mappings_and_seals_are_shared(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t one = NO_VIEW, other = NO_VIEW;
    vmo_seal_strength seal = VMO_SEAL_NONE;
    vmo_t second = VMO_NONE;

    (void)state;
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHTS_ALL, &second));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &one));
    const uint64_t hits = counters_of(world.a).map_hits;
    assert_ok(vmo_map_ro(world.a, second, RANGE(0, LEN), &other));
    assert_int_equal(counters_of(world.a).map_hits, hits + 1);
    assert_refused_quietly(vmo_seal(world.a, second, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_ok(vmo_unmap(world.a, one));
    assert_ok(vmo_unmap(world.a, other));
    assert_ok(vmo_seal(world.a, second, VMO_SEAL_FOREVER));
    assert_ok(vmo_seal_of(world.a, vmo, &seal));
    assert_int_equal(seal, VMO_SEAL_FOREVER);
    assert_rights(vmo, VMO_RIGHT_READ);
    assert_refused_quietly(vmo_write(world.a, vmo, RANGE(0, 1), "x"), VMO_ERR_SEALED);
}

static void last_handle_destroys(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t read_only = VMO_NONE, full = VMO_NONE;

    (void)state;
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &read_only));
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHTS_ALL, &full));
    assert_refused_quietly(vmo_destroy(world.a, full), VMO_ERR_STILL_SHARED);
    assert_ok(vmo_close(world.a, vmo));
    assert_refused_quietly(vmo_destroy(world.a, read_only), VMO_ERR_RIGHTS);
    assert_ok(vmo_close(world.a, read_only));
    assert_ok(vmo_destroy(world.a, full));
    assert_int_equal(fake_live().objects, 0);
}

static void last_read_only_handle_cannot_destroy(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t read_only = VMO_NONE;

    (void)state;
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &read_only));
    assert_ok(vmo_close(world.a, vmo));
    assert_refused_quietly(vmo_destroy(world.a, read_only), VMO_ERR_RIGHTS);
    assert_ok(vmo_close(world.a, read_only));
}

/* The kernel answers -16 for two causes. Waiting for the child removes only the second. */
static void mapped_by_an_ended_child(void **state)
{
    const vmo_t vmo = vmo_filled(PAGE);
    struct vmo_ticket ticket;
    vmo_t theirs = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    int32_t exit_status = 0;

    (void)state;
    assert_ok(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHTS_ALL, &ticket));
    AS_B;
    assert_ok(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    assert_ok(vmo_map_rw(world.b, theirs, RANGE(0, 1), &view));
    assert_ok(vmo_close(world.b, theirs));
    AS_A;
    assert_status(vmo_destroy(world.a, vmo), VMO_ERR_STILL_MAPPED); /* a's kept mapping is gone */
    fake_kill_peer(3);
    assert_refused(vmo_destroy(world.a, vmo), VMO_ERR_NOT_REAPED);
    assert_ok(vmo_peer_wait(world.a, world.to_b, SOON_NS, &exit_status));
    assert_int_equal(exit_status, 3);
    assert_ok(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().objects, 0);
}

/* vmo_dup grants no right that vmo_rights does not report. */
static void no_write_after_forever(void **state)
{
    const vmo_t vmo = vmo_filled(PAGE);
    vmo_t more = {99, 99};

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    assert_refused_quietly(vmo_dup(world.a, vmo, VMO_RIGHTS_ALL, &more), VMO_ERR_RIGHTS);
    assert_int_equal(more.id, 99);
    assert_ok(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &more));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_BOTH(test) IN_WORLD(test), cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(no_write_after_forever),   IN_BOTH(narrowing),
        IN_BOTH(makes_no_backend_call),     IN_BOTH(arguments),
        IN_BOTH(handles_run_out),           IN_WORLD(mappings_and_seals_are_shared),
        IN_WORLD(last_handle_destroys),     IN_BOTH(last_read_only_handle_cannot_destroy),
        IN_WORLD(mapped_by_an_ended_child),
    };
    return cmocka_run_group_tests_name("unit/dup", tests, NULL, NULL);
}
