/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs: create, write, read and destroy (K-20, K-21, K-29..K-31). */
#include "core/arena.h"
#include "core/audit_tables.h"
#include "core/endpoint.h"
#include "core/kernel_rig.h"
#include "core/port.h"

#define HUGE (UINT64_MAX - PAGE + 1)

static uint8_t *bytes_of(const struct task *task, uint64_t slot)
{
    return port_ptr(task->caps.slots[slot].base_pa);
}

static bool all(const uint8_t *bytes, int value, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static void create(void **state)
{
    (void)state;
    struct task *init = rig_init();
#define CREATE(answer, ...) REFUSES(answer, init, NX_SYS_VMO_CREATE, __VA_ARGS__)
    CREATE(-NX_EPERM, ANY_SLOT, 0);
    CREATE(-NX_EPERM, ANY_SLOT, UINT64_MAX);
    CREATE(-NX_EPERM, ANY_SLOT, HUGE);
    CREATE(-NX_EPERM, ANY_SLOT, HOST_ARENA_BYTES + 1);
    GIVES(2, init, NX_SYS_VMO_CREATE, ANY_SLOT, 1);
    GIVES(3, init, NX_SYS_VMO_CREATE, ANY_SLOT, PAGE + 1);
    assert_int_equal(init->caps.slots[2].bytes, PAGE);
    assert_int_equal(init->caps.slots[3].bytes, 2 * PAGE);
    assert_int_equal(init->caps.slots[3].rights, NX_RIGHT_MAP);
    assert_int_equal(init->caps.slots[3].kind, CAP_VMO);
    assert_true(all(bytes_of(init, 3), 0, 2 * PAGE));
    assert_int_equal(arena_vmos_live(), 2);
    assert_int_equal(audit.vmos[1].creator, 17);
    assert_int_equal(audit.vmos[1].bytes, 2 * PAGE);

    /* A chosen slot is overwritten without an error. */
    GIVES(30, init, NX_SYS_VMO_CREATE, 30, PAGE);
    GIVES(2, init, NX_SYS_VMO_CREATE, 2, PAGE);
    assert_int_equal(init->caps.slots[2].object, 4);
    assert_int_equal(arena_vmos_live(), 4);
}

/* The cost of a bad slot: nothing on a2, the bytes on a1. */
static void create_in_a_bad_slot(void **state)
{
    static const uint64_t bad[] = {256, UINT64_C(1) << 32, UINT64_MAX - 1};
    (void)state;
    struct task *init = rig_init();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (!rig_is_a1()) {
            CREATE(-NX_EPERM, bad[i], PAGE);
        } else {
            GIVES(-NX_EPERM, init, NX_SYS_VMO_CREATE, bad[i], PAGE);
        }
    }
    assert_int_equal(arena_bytes_used(), rig_is_a1() ? 3 * PAGE : 0);
    assert_int_equal(arena_vmos_live(), 0);
    assert_int_equal(audit.vmo_count.used, 0);
    rig_fill_slots(init);
    GIVES(-NX_ENOSPC, init, NX_SYS_VMO_CREATE, ANY_SLOT, PAGE);
    assert_int_equal(arena_bytes_used(), rig_is_a1() ? 4 * PAGE : 0);
}

static void the_arena_runs_out(void **state)
{
    (void)state;
    struct task *init = rig_init();
    if (rig_is_a1()) {
        (void)rig_vmo(init, 8 * MIB - PAGE);
        CREATE(-NX_EPERM, ANY_SLOT, PAGE + 1);
        rig_hazard(17, NX_SYS_VMO_CREATE, "K-20", "crosses-the-mapped-arena");
        CREATE(-NX_EPERM, 99, PAGE + 1);
        rig_hazard(17, NX_SYS_VMO_CREATE, "K-20", "crosses-the-mapped-arena");
    } else {
        (void)rig_vmo(init, 16 * MIB - PAGE);
    }
    (void)rig_vmo(init, PAGE);
    if (!rig_is_a1()) {
        CREATE(-NX_EPERM, ANY_SLOT, 1);
    }
}

static void write_copies_in(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE);
    for (unsigned i = 0; i < 0x1800; i++) {
        rig_poke(init, U_BUF + 0x700 + i, &(uint8_t){(uint8_t)(i * 11)}, 1);
    }
    GIVES(0x1800, init, NX_SYS_VMO_WRITE, vmo, 0x123, U_BUF + 0x700,
          0x1800); /* across page borders on both sides */
    const uint8_t *bytes = bytes_of(init, vmo);
    assert_true(all(bytes, 0, 0x123) && all(bytes + 0x1923, 0, 2 * PAGE - 0x1923));
    for (unsigned i = 0; i < 0x1800; i++) {
        assert_int_equal(bytes[0x123 + i], (uint8_t)(i * 11));
    }
    assert_int_equal(audit.tasks[0].copied_into_vmo, 0x1800);
    assert_int_equal(audit.tasks[0].copied_from_vmo, 0);
    GIVES(1, init, NX_SYS_VMO_WRITE, vmo, 2 * PAGE - 1, U_BUF, 1); /* the last byte */
}

/* K-21: slot and range before the pointer; a length of 0 probes the size, whatever the pointer. */
static void refused_copies(void **state)
{
    static const uint64_t numbers[] = {NX_SYS_VMO_WRITE, NX_SYS_VMO_READ};
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE);
    for (size_t i = 0; i < (rig_is_a1() ? 1 : 2); i++) {
        const uint64_t nr = numbers[i];
        REFUSES(-NX_EPERM, init, nr, 99, 0, U_NOWHERE, 4);
        REFUSES(-NX_EPERM, init, nr, 0, 0, U_NOWHERE, 4);
        REFUSES(-NX_EPERM, init, nr, vmo, 2 * PAGE - 3, U_NOWHERE, 4);
        REFUSES(-NX_EPERM, init, nr, vmo, 0, 0, 2 * PAGE + 1);
        REFUSES(-NX_EPERM, init, nr, vmo, UINT64_MAX, U_BUF, 1);
        REFUSES(-NX_EPERM, init, nr, vmo, 1, U_BUF, UINT64_MAX);
        REFUSES(-NX_EPERM, init, nr, vmo, HUGE, U_BUF, 2 * PAGE);
        REFUSES(-NX_EINVAL, init, nr, vmo, 0, 0, 4);
        REFUSES(-NX_EINVAL, init, nr, vmo, 0, NX_USER_TOP - 3, 4);
        REFUSES(-NX_EINVAL, init, nr, vmo, 0, NX_USER_TOP, 4);
        REFUSES(-NX_EINVAL, init, nr, vmo, 0, UINT64_MAX - 1, 4);
        REFUSES(0, init, nr, vmo, 0, 0, 0);
        REFUSES(0, init, nr, vmo, 2 * PAGE, U_NOWHERE, 0);
        REFUSES(-NX_EPERM, init, nr, vmo, 2 * PAGE + 1, U_BUF, 0);
        assert_int_equal(audit.hazard_count.used, 2 * i);
        REFUSES(-NX_EINVAL, init, nr, vmo, 0, U_NOWHERE, 4);
        rig_hazard(17, nr, "K-64", "unmapped-pointer");
        REFUSES(-NX_EINVAL, init, nr, vmo, 0, RIG_DATA_VA + RIG_DATA_BYTES - 3,
                4); /* only the last byte is bad */
        rig_hazard(17, nr, "K-64", "unmapped-pointer");
    }
    assert_int_equal(audit.tasks[0].copied_into_vmo, 0);
}

static void read_copies_out(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE);
    memset(bytes_of(init, vmo) + PAGE - 5, 0x6B, 10);
    rig_fill(init, U_BUF, 0xEE, 20);
    GIVES(10, init, NX_SYS_VMO_READ, vmo, PAGE - 5, U_BUF + 5, 10);
    assert_true(rig_holds(init, U_BUF, 0xEE, 5) && rig_holds(init, U_BUF + 5, 0x6B, 10));
    assert_true(rig_holds(init, U_BUF + 15, 0xEE, 5));
    assert_int_equal(audit.tasks[0].copied_from_vmo, 10);
    REFUSES(-NX_EINVAL, init, NX_SYS_VMO_READ, vmo, 0, RIG_TEXT_VA,
            4); /* W^X applies to the kernel's copies, too */
    rig_hazard(17, NX_SYS_VMO_READ, "K-64", "protected-pointer");

    /* From an object into itself, through a mapping. */
    const int64_t va = CALL(init, NX_SYS_VM_MAP, vmo, 0, 2 * PAGE, NX_MAP_READ | NX_MAP_WRITE);
    GIVES(10, init, NX_SYS_VMO_WRITE, vmo, PAGE - 2, (uint64_t)va + PAGE - 5, 10);
    assert_true(all(bytes_of(init, vmo) + PAGE - 5, 0x6B, 13));
}

/* ---- destroy (K-29, K-30) ------------------------------------------------------------------------ */

static void destroy_gives_the_range_back(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 3 * PAGE), keeps = rig_vmo(init, PAGE);
    uint8_t *bytes = bytes_of(init, vmo);
    memset(bytes, 0x77, 3 * PAGE);
    GIVES(0, init, NX_SYS_VMO_DESTROY, vmo);
    assert_null(cap_find(&init->caps, vmo));
    assert_int_equal(arena_vmos_live(), 1);
    assert_int_equal(arena_bytes_used(), PAGE);
    assert_true(audit.vmos[0].destroyed && !audit.vmos[1].destroyed);
    const uint64_t again = rig_vmo(init, 2 * PAGE);
    assert_ptr_equal(bytes_of(init, again), bytes);
    assert_true(all(bytes, 0, 2 * PAGE));
    assert_int_equal(init->caps.slots[again].object, 3); /* with a new id */
    REFUSES(-NX_EPERM, init, NX_SYS_VMO_DESTROY, 99);
    REFUSES(-NX_EPERM, init, NX_SYS_VMO_DESTROY, 0);
    REFUSES(-NX_EPERM, init, NX_SYS_VMO_DESTROY, NX_SLOT_FACTORY);
    GIVES(0, init, NX_SYS_VMO_DESTROY, keeps);

    /* K-29: a capability without a right destroys, too. */
    const struct task *child = rig_child(init);
    const uint64_t bare = rig_vmo(init, PAGE);
    GIVES(1, init, NX_SYS_CAP_TRANSFER, child->pid, bare, 0);
    GIVES(0, init, NX_SYS_CAP_CLOSE, bare);
    GIVES(0, task_find(child->pid), NX_SYS_VMO_DESTROY, 1);
}

static void another_cap_forbids_it(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE);
#define DESTROY(answer) REFUSES(answer, init, NX_SYS_VMO_DESTROY, vmo)
    const uint64_t theirs = rig_give(vmo, child, NX_RIGHT_MAP);
    const int64_t va = CALL(init, NX_SYS_VM_MAP, vmo, 0, PAGE, NX_MAP_READ);
    DESTROY(-NX_EPERM); /* refused before the mapping is checked */
    GIVES(0, child, NX_SYS_CAP_CLOSE, theirs);
    DESTROY(-NX_EBUSY);
    GIVES(0, init, NX_SYS_VM_UNMAP, (uint64_t)va, PAGE);
    const uint64_t clone = (uint64_t)CALL(init, NX_SYS_CAP_CLONE, vmo);
    DESTROY(-NX_EPERM);
    GIVES(0, init, NX_SYS_CAP_CLOSE, clone);
    const uint64_t alias = (uint64_t)CALL(init, NX_SYS_VMO_SHARE_RO, vmo);
    DESTROY(-NX_EPERM);
    GIVES(0, init, NX_SYS_CAP_CLOSE, alias);
    GIVES(0, init, NX_SYS_VMO_DESTROY, vmo);
}

/* Mappings through an alias, and of a child that has ended but was not waited for. */
static void a_mapping_forbids_it(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE), alias = (uint64_t)CALL(init, NX_SYS_VMO_SHARE_RO, vmo);
    const uint64_t theirs = rig_give(alias, child, NX_RIGHT_MAP);
    assert_true(CALL(child, NX_SYS_VM_MAP, theirs, 0, PAGE, NX_MAP_READ) > 0);
    GIVES(0, init, NX_SYS_CAP_CLOSE, alias);
    DESTROY(-NX_EPERM);
    rig_exit(child, 0); /* its capabilities are freed, its mapping is not */
    DESTROY(-NX_EBUSY);
    GIVES(18, init, NX_SYS_WAIT, 18);
    GIVES(0, init, NX_SYS_VMO_DESTROY, vmo);
}

static void closing_the_writable_cap_leaves_it_for_ever(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE), alias = (uint64_t)CALL(init, NX_SYS_VMO_SHARE_RO, vmo);
    GIVES(0, init, NX_SYS_CAP_CLOSE, vmo);
    REFUSES(-NX_EPERM, init, NX_SYS_VMO_DESTROY, alias);
    assert_int_equal(arena_vmos_live(), 1);
}

/* Two kinds of references that the real kernel does not count: refused here, and a hazard. */
static void references_the_real_kernel_does_not_count(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE), ep = rig_endpoint(4);
    const uint64_t clone = (uint64_t)CALL(init, NX_SYS_CAP_CLONE, vmo);
    assert_int_equal(rig_send(init, ep, 1, 0, (uint32_t)clone, 0, 0), 0);
    DESTROY(-NX_EPERM);
    rig_hazard(17, NX_SYS_VMO_DESTROY, "K-29", "destroys-what-a-message-carries");
    assert_int_equal(rig_recv(init, ep, 0, 0, 0), 0);
    GIVES(0, init, NX_SYS_CAP_CLOSE, clone);

    const uint64_t handle = (uint64_t)CALL(init, NX_SYS_AS_CREATE, 0);
    GIVES(0, init, NX_SYS_AS_MAP, handle, vmo, 0x40000000, PAGE, NX_PROT_READ, 1);
    DESTROY(-NX_EBUSY);
    rig_hazard(17, NX_SYS_VMO_DESTROY, "K-29", "destroys-what-as_map-shows");
}

/* A lost message drops its capability, so the object can be destroyed. */
static void a_lost_message_frees_its_capability(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE), ep = rig_endpoint(4);
    assert_int_equal(rig_send(init, ep, 1, 0, (uint32_t)CALL(init, NX_SYS_CAP_CLONE, vmo), 0, 0), 0);
    assert_int_equal(ep_count_moving_vmo(1), 1);
    GIVES(0, init, NX_SYS_EP_CLOSE, ep);
    GIVES(0, init, NX_SYS_VMO_DESTROY, vmo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(create),
        ON_EACH(create_in_a_bad_slot),
        ON_EACH(the_arena_runs_out),
        ON_EACH(write_copies_in),
        ON_EACH(refused_copies),
        ON_A2(read_copies_out),
        ON_A2(destroy_gives_the_range_back),
        ON_A2(another_cap_forbids_it),
        ON_A2(a_mapping_forbids_it),
        ON_A2(closing_the_writable_cap_leaves_it_for_ever),
        ON_A2(references_the_real_kernel_does_not_count),
        ON_A2(a_lost_message_frees_its_capability),
    };
    return cmocka_run_group_tests_name("core/vmo", tests, NULL, NULL);
}
