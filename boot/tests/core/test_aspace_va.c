/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping at the caller's address: map on a1 (K-22, K-23) and as_map (K-17, K-27). */
#include "core/audit_tables.h"
#include "core/frames.h"
#include "core/kernel_rig.h"

#define VALID NX_MAP_VALID
#define R NX_MAP_READ
#define W NX_MAP_WRITE
#define X NX_MAP_EXEC
#define USER NX_MAP_USER
#define VA ((uint64_t)NX_A1_MAP_BASE)

/* K-22, in its order: each case also has later errors. */
static void refusals_of_map(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE);
#define MAP(answer, ...) REFUSES(answer, init, NX_SYS_MAP, __VA_ARGS__)
    MAP(-NX_EINVAL, 99, VA + 1, 0, W | X);
    MAP(-NX_EINVAL, 99, VA, 0, 256 | W | X);
    MAP(-NX_EPERM, 99, VA, 0, W | X);
    MAP(-NX_EPERM, vmo, VA, 0, VALID | USER | R | W | X);
    MAP(-NX_EINVAL, 99, UINT64_C(1) << 38, 0, VALID | W | X); /* not canonical: before all but alignment */
    MAP(-NX_EPERM, 99, VA, 0, 0);
    MAP(-NX_EPERM, 0, VA, 0, VALID | R);
    MAP(-NX_EPERM, vmo, VA, 2 * PAGE, 0);
    MAP(-NX_EPERM, vmo, VA, UINT64_MAX, VALID | R);
    MAP(-NX_EINVAL, vmo, VA, 0, R | USER);
    MAP(-NX_EINVAL, vmo, VA, 0, VALID | USER);
    MAP(-NX_EINVAL, vmo, UINT64_C(1) << 38, 0, VALID | R);
    MAP(-NX_EINVAL, vmo, UINT64_C(1) << 63, 0, VALID | R);
    MAP(-NX_EINVAL, vmo, RIG_DATA_VA, 0, VALID | R);
    MAP(-NX_EINVAL, vmo, 0x10000000, 0, VALID | R);
    MAP(-NX_EINVAL, vmo, 0x80000000, 0, VALID | R); /* the GiB of the kernel */
    assert_int_equal(rig_pte(init, VA), 0);
    GIVES(0, init, NX_SYS_MAP, vmo, VA, 0, VALID | USER | R);
    MAP(-NX_EINVAL, vmo, VA, 0, VALID | USER | R);
}

static void the_page_that_map_maps(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE), pa = init->caps.slots[vmo].base_pa;
    GIVES(0, init, NX_SYS_MAP, vmo, VA, 0, VALID | USER | R | NX_MAP_ACCESSED | NX_MAP_DIRTY | NX_MAP_GLOBAL);
    GIVES(0, init, NX_SYS_MAP, vmo, VA + PAGE, PAGE + 77, VALID | USER | R | W); /* rounded down */
    GIVES(0, init, NX_SYS_MAP, vmo, VA + 2 * PAGE, 0, VALID | USER | R | X);
    GIVES(0, init, NX_SYS_MAP, vmo, VA + 3 * PAGE, 0, VALID | USER | W);
    GIVES(0, init, NX_SYS_MAP, vmo, VA + 4 * PAGE, 0, VALID | R | W);
    assert_int_equal(rig_pa(init, VA), pa);
    assert_int_equal(rig_pte(init, VA) & 0x3FF, PTE_V | PTE_R | PTE_U); /* A, D and G clear */
    assert_int_equal(rig_pa(init, VA + PAGE), pa + PAGE);
    assert_int_equal(rig_pte(init, VA + PAGE) & 0x3FF, PTE_V | PTE_R | PTE_W | PTE_U);
    assert_int_equal(rig_pte(init, VA + 2 * PAGE) & 0x3FF, PTE_V | PTE_R | PTE_X | PTE_U);
    uint8_t byte = 1;
    assert_true(rig_fetch(init, VA + 2 * PAGE) && !rig_store(init, VA + 2 * PAGE, &byte, 1));
    assert_false(rig_store(init, VA + 3 * PAGE, &byte,
                           1)); /* only W, or no USER: the map succeeds, the access faults */
    assert_false(rig_load(init, VA + 4 * PAGE, &byte, 1));
    REFUSES(-NX_EINVAL, init, NX_SYS_VMO_WRITE, vmo, 0, VA + 4 * PAGE, 4);
    rig_hazard(17, NX_SYS_VMO_WRITE, "K-64", "protected-pointer");
}

/* K-23: any free canonical address. */
static void odd_addresses(void **state)
{
    static const uint64_t vas[] = {0,          NX_USER_STACK_TOP, 0x7FFFF000,
                                   0xC0000000, 0x3FFFFFF000,      ~UINT64_C(0xFFF)};
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE);
    for (size_t i = 0; i < sizeof(vas) / sizeof(vas[0]); i++) {
        GIVES(0, init, NX_SYS_MAP, vmo, vas[i], 0, VALID | USER | R);
        assert_int_equal(rig_pa(init, vas[i]), init->caps.slots[vmo].base_pa);
        MAP(-NX_EINVAL, vmo, vas[i], 0, VALID | USER | R);
    }
    REFUSES(-NX_EINVAL, init, NX_SYS_VMO_WRITE, vmo, 0, 0, 4); /* not valid as a pointer argument */
    REFUSES(-NX_EINVAL, init, NX_SYS_VMO_WRITE, vmo, 0, 0xC0000000, 4);
}

static void no_frames_for_tables(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE), self = 1;
    uint64_t taken[HOST_FRAMES_BYTES / NX_PAGE_BYTES], n = 0;
    while (frames_available() > 3) {
        taken[n++] = frames_alloc();
    }
    if (rig_is_a1()) {
        MAP(-NX_ENOMEM, vmo, VA, 0, VALID | USER | R);
    } else {
        REFUSES(-NX_ENOMEM, init, NX_SYS_VM_MAP, vmo, 0, PAGE, R);
    }
    REFUSES(-NX_ENOMEM, init, NX_SYS_AS_MAP, self, vmo, VA, PAGE, NX_PROT_READ, 1);
    while (frames_available() > 0) {
        taken[n++] = frames_alloc();
    }
    GIVES(-NX_ENOMEM, init, NX_SYS_AS_CREATE, 0);
    while (n > 0) {
        frames_free(taken[--n]);
    }
}

/* Contiguous pages are one line of the audit; others are not. */
static void pages_in_the_audit(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, 4 * PAGE), theirs = rig_give(vmo, child, NX_RIGHT_MAP);
    const uint64_t flags = VALID | USER | R;
    GIVES(0, init, NX_SYS_MAP, vmo, VA, 0, flags);
    GIVES(0, child, NX_SYS_MAP, theirs, VA, 0, flags | W);
    GIVES(0, init, NX_SYS_MAP, vmo, VA + PAGE, PAGE, flags);
    GIVES(0, init, NX_SYS_MAP, vmo, VA + 2 * PAGE, 3 * PAGE, flags); /* not the next page of the object */
    GIVES(0, init, NX_SYS_MAP, vmo, VA + 9 * PAGE, 0, flags);        /* not the next address */
    GIVES(0, init, NX_SYS_MAP, vmo, VA + 10 * PAGE, PAGE, flags | W);
    assert_int_equal(audit.map_count.used, 5);
    assert_int_equal(audit.maps[0].bytes, 2 * PAGE);
    assert_int_equal(audit.maps[0].via, AUDIT_VIA_MAP);
    assert_int_equal(audit.maps[1].pid, child->pid);
    assert_int_equal(audit.maps[2].off, 3 * PAGE);
    assert_int_equal(audit.maps[4].prot, NX_PROT_READ | NX_PROT_WRITE);
}

/* A mapping beyond the audit's table works until the kernel's own table is full. */
static void more_maps_than_are_recorded(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE), apart = 2 * PAGE, flags = VALID | USER | R;
    for (uint64_t i = 0; i < REGION_MAPS_MAX; i++) {
        GIVES(0, init, NX_SYS_MAP, vmo, VA + i * apart, 0, flags);
    }
    assert_int_equal(region_count_kind(&init->space->regions, REGION_MAP), REGION_MAPS_MAX);
    assert_int_equal(audit.map_count.used, AUDIT_MAPS_MAX);
    assert_int_equal(audit.map_count.lost, REGION_MAPS_MAX - AUDIT_MAPS_MAX);
    MAP(-NX_ENOMEM, vmo, VA + REGION_MAPS_MAX * apart, 0, flags);
    REFUSES(-NX_ENOMEM, init, NX_SYS_AS_MAP, 1, vmo, VA + REGION_MAPS_MAX * apart, PAGE, NX_PROT_READ, 1);
    assert_true(rig_child(init)->pid > init->pid); /* an image uses other entries */

    assert_true(rig_load(init, VA, &(char){0}, 1));
    aspace_collect_all();
    assert_int_equal(audit.maps[0].usage.accessed, 1);
    assert_int_equal(audit.maps[1].usage.accessed, 0);
}

/* ---- as_map -------------------------------------------------------------------------------------- */

static void refusals_of_as_map(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE), handle = (uint64_t)CALL(init, NX_SYS_AS_CREATE, 0);
#define AS_MAP(answer, ...) REFUSES(answer, init, NX_SYS_AS_MAP, __VA_ARGS__)
    AS_MAP(-NX_EINVAL, handle, vmo, VA + 1, PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EINVAL, handle, vmo, VA, 0, NX_PROT_READ, 1);
    AS_MAP(-NX_EINVAL, handle, vmo, VA, PAGE, 0, 1);
    AS_MAP(-NX_EINVAL, handle, vmo, VA, PAGE, 8, 1); /* unknown bits are ignored */
    AS_MAP(-NX_EPERM, handle, vmo, VA, PAGE, NX_PROT_WRITE | NX_PROT_EXEC, 1);
    AS_MAP(-NX_EINVAL, 0, vmo, VA, PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EINVAL, 99, vmo, VA, PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EINVAL, 129, vmo, VA, PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EPERM, 99, 99, VA, PAGE, NX_PROT_READ, 1); /* the slot before the handle */
    AS_MAP(-NX_EINVAL, handle, 99, VA, PAGE + 1, NX_PROT_READ, 1);
    AS_MAP(-NX_EPERM, handle, 99, VA, PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EPERM, handle, 0, VA, PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EINVAL, handle, vmo, NX_USER_TOP - PAGE, 2 * PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EINVAL, handle, vmo, ~UINT64_C(0xFFF), PAGE, NX_PROT_READ, 1);
}

static void as_map_and_its_overlaps(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE), handle = (uint64_t)CALL(init, NX_SYS_AS_CREATE, 0);
    const struct aspace *space = aspace_find(handle);
    const int64_t taken = rig_is_a1() ? -NX_EINVAL : -NX_EEXIST;
    GIVES(0, init, NX_SYS_AS_MAP, handle, vmo, VA, 100 * PAGE, NX_PROT_READ | NX_PROT_WRITE, 1); /* clamped */
    assert_int_equal(rig_pte_of(space, VA) & 0x3FF, PTE_V | PTE_R | PTE_W | PTE_U);
    assert_int_equal(rig_pte_of(space, VA + PAGE) & PTE_V, PTE_V);
    assert_int_equal(rig_pte_of(space, VA + 2 * PAGE), 0);
    assert_int_equal(rig_pte(init, VA), 0); /* not in the caller's own space */
    assert_int_equal(audit.maps[0].bytes, 2 * PAGE);
    assert_int_equal(audit.maps[0].via, AUDIT_VIA_AS_MAP);
    AS_MAP(taken, handle, vmo, VA + PAGE, PAGE, NX_PROT_READ, 1);
    GIVES(taken, init, NX_SYS_AS_MAP, handle, vmo, VA - PAGE, 2 * PAGE, NX_PROT_READ, 1);
    assert_int_equal(rig_pte_of(space, VA - PAGE) & PTE_V, PTE_V); /* no rollback */
    AS_MAP(taken, handle, vmo, VA + PAGE, PAGE, 0, 1);             /* an overlap and no right */
    GIVES(0, init, NX_SYS_AS_MAP, UINT64_C(1) << 32 | handle, vmo, VA + 2 * PAGE, PAGE, NX_PROT_READ | 8, 2);
    assert_int_equal(rig_pte_of(space, VA + 2 * PAGE) & 0x3FF, PTE_V | PTE_R); /* without USER */
    if (rig_is_a1()) {
        GIVES(0, init, NX_SYS_AS_MAP, handle, vmo, NX_A2_MAP_BASE, PAGE, NX_PROT_READ, 1);
        return;
    }
    AS_MAP(-NX_EEXIST, handle, vmo, NX_A2_MAP_BASE, PAGE, NX_PROT_READ, 1); /* inside the window */
    AS_MAP(-NX_EEXIST, handle, vmo, NX_A2_MAP_BASE - PAGE, 2 * PAGE, NX_PROT_READ, 1);
    AS_MAP(-NX_EEXIST, handle, vmo, NX_USER_TOP - PAGE, PAGE, NX_PROT_READ, 1);
    for (unsigned i = 2; i < 64; i++) {
        GIVES(0, init, NX_SYS_AS_MAP, handle, vmo, VA + 2 * i * PAGE, PAGE, NX_PROT_READ, 1);
    }
    GIVES(0, init, NX_SYS_AS_MAP, handle, vmo, VA + 0x1000000, PAGE, NX_PROT_READ, 1); /* the table is full */
    assert_int_equal(rig_pte_of(space, VA + 0x1000000) & PTE_V, PTE_V);
}

/* K-27: handles are small, and their creator is not checked. Such a mapping cannot be unmapped. */
static void as_map_into_another_task(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t theirs = (uint64_t)CALL(child, NX_SYS_AS_SELF, 0), vmo = rig_vmo(init, PAGE);
    assert_true(theirs > 0 && theirs < 128);
    assert_int_not_equal(theirs, (uint64_t)CALL(init, NX_SYS_AS_SELF, 0));
    AS_MAP(-NX_EEXIST, theirs, vmo, RIG_DATA_VA, PAGE, NX_PROT_READ, 1);
    GIVES(0, init, NX_SYS_AS_MAP, theirs, vmo, VA, PAGE, NX_PROT_READ, 1);
    assert_int_equal(rig_pa(child, VA), init->caps.slots[vmo].base_pa);
    assert_int_equal(audit.maps[0].pid, child->pid);
    REFUSES(-NX_EPERM, child, NX_SYS_VM_UNMAP, VA, PAGE);
}

static void address_spaces_until_the_table_is_full(void **state)
{
    (void)state;
    for (uint64_t handle = 2; handle <= ASPACES_MAX; handle++) {
        GIVES((int64_t)handle, rig_init(), NX_SYS_AS_CREATE, 0);
    }
    REFUSES(-NX_ENOMEM, rig_init(), NX_SYS_AS_CREATE, 0);
    REFUSES(-NX_EINVAL, rig_init(), NX_SYS_EXEC, U_BUF, 64, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A1(refusals_of_map),
        ON_A1(the_page_that_map_maps),
        ON_A1(odd_addresses),
        ON_EACH(no_frames_for_tables),
        ON_A1(pages_in_the_audit),
        ON_A1(more_maps_than_are_recorded),
        ON_EACH(refusals_of_as_map),
        ON_EACH(as_map_and_its_overlaps),
        ON_A2(as_map_into_another_task),
        ON_A2(address_spaces_until_the_table_is_full),
    };
    return cmocka_run_group_tests_name("core/aspace at an address", tests, NULL, NULL);
}
