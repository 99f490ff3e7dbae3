/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping on a2: vm_map and vm_unmap (K-24..K-26), read-only aliases (K-28). Others: test_aspace_va.c. */
#include "core/audit_tables.h"
#include "core/kernel_rig.h"

#define R NX_MAP_READ
#define W NX_MAP_WRITE
#define SUPER ((uint64_t)NX_SUPERPAGE_BYTES)
#define BASE ((uint64_t)NX_A2_MAP_BASE)

static uint64_t maps_at(struct task *task, uint64_t slot, uint64_t off, uint64_t len, uint64_t flags)
{
    const int64_t va = CALL(task, NX_SYS_VM_MAP, slot, off, len, flags);
    assert_true(va > 0);
    return (uint64_t)va;
}

static uint64_t base_of(const struct task *task, uint64_t slot)
{
    return task->caps.slots[slot].base_pa;
}

/* K-24, in its order: each case also has all later errors. */
static void refusals_of_vm_map(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 2 * PAGE), huge = UINT64_MAX - PAGE + 1;
#define VM_MAP(answer, ...) REFUSES(answer, init, NX_SYS_VM_MAP, __VA_ARGS__)
    VM_MAP(-NX_EINVAL, 99, 1, 1, 256 | NX_MAP_EXEC);
    VM_MAP(-NX_EINVAL, vmo, 0, PAGE, UINT64_C(1) << 40 | R);
    VM_MAP(-NX_EPERM, 99, 1, 1, NX_MAP_EXEC | R);
    VM_MAP(-NX_EINVAL, 99, 0, 0, 0);
    VM_MAP(-NX_EINVAL, 99, 0, PAGE + 1, 0);
    VM_MAP(-NX_EINVAL, 99, 1, PAGE, 0);
    VM_MAP(-NX_EPERM, 99, huge, PAGE, 0);
    VM_MAP(-NX_EPERM, 0, 0, PAGE, R);
    VM_MAP(-NX_EPERM, NX_SLOT_FACTORY, 0, PAGE, R);
    VM_MAP(-NX_EINVAL, vmo, huge, PAGE, 0);
    VM_MAP(-NX_EPERM, vmo, 0, 3 * PAGE, 0);
    VM_MAP(-NX_EPERM, vmo, PAGE, 2 * PAGE, 0);
    VM_MAP(-NX_EPERM, vmo, 3 * PAGE, PAGE, R);
    VM_MAP(-NX_EINVAL, vmo, 0, PAGE, 0);
    VM_MAP(-NX_EINVAL, vmo, 0, PAGE, NX_MAP_VALID | NX_MAP_USER);
    assert_int_equal(rig_pte(init, BASE), 0);

    /* The limit of 64 regions is checked before a protection without R and W. */
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(maps_at(init, vmo, 0, PAGE, R), BASE + i * PAGE);
    }
    VM_MAP(-NX_ENOSPC, vmo, 0, PAGE, 0);
    VM_MAP(-NX_ENOSPC, vmo, 0, PAGE, R);
    GIVES(0, init, NX_SYS_VM_UNMAP, BASE + 9 * PAGE, PAGE);
    assert_int_equal(maps_at(init, vmo, 0, PAGE, R), BASE + 9 * PAGE);
}

/* A child's two segments and its stack use three of the 64 regions. */
static void a_childs_image_takes_regions(void **state)
{
    (void)state;
    struct task *child = rig_child(rig_init());
    const uint64_t vmo = rig_vmo(child, PAGE);
    for (unsigned i = 0; i < 61; i++) {
        (void)maps_at(child, vmo, 0, PAGE, R);
    }
    REFUSES(-NX_ENOSPC, child, NX_SYS_VM_MAP, vmo, 0, PAGE, R);
}

/* A boot may have a lower limit. A child still starts, but has no region to spare. */
static void the_boot_limits_regions(void **state)
{
    (void)state;
    struct kernel_config config = rig_config(REVISION_A2);
    config.regions = 2;
    rig_boot(&config);
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE), of_child = rig_vmo(child, PAGE);
    REFUSES(-NX_ENOSPC, child, NX_SYS_VM_MAP, of_child, 0, PAGE, R);
    (void)maps_at(init, vmo, 0, PAGE, R);
    (void)maps_at(init, vmo, 0, PAGE, R);
    REFUSES(-NX_ENOSPC, init, NX_SYS_VM_MAP, vmo, 0, PAGE, R);
}

static void a_mapping_shows_the_object(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 4 * PAGE), pa = base_of(init, vmo);
    const uint64_t rw = maps_at(init, vmo, PAGE, 2 * PAGE, R | W);
    const uint64_t ro = maps_at(init, vmo, 0, 4 * PAGE, R | NX_MAP_GLOBAL | NX_MAP_ACCESSED | NX_MAP_DIRTY);
    for (uint64_t at = 0; at < 4 * PAGE; at += PAGE) {
        assert_int_equal(rig_pa(init, ro + at), pa + at);
        assert_int_equal(rig_pte(init, ro + at) & 0x3FF, PTE_V | PTE_R | PTE_U); /* A, D and G clear */
    }
    assert_int_equal(rig_pa(init, rw), pa + PAGE);
    assert_int_equal(rig_pte(init, rw) & 0x3FF, PTE_V | PTE_R | PTE_W | PTE_U);
    assert_int_equal(rig_pte(init, rw + 2 * PAGE) & 0xF,
                     PTE_V | PTE_R); /* the next page belongs to the other mapping */

    uint32_t seen = 0;
    assert_true(rig_store(init, rw, &(uint32_t){0xFEEDBEEF}, 4));
    assert_true(rig_load(init, ro + PAGE, &seen, 4)); /* the same page, not a copy */
    assert_int_equal(seen, 0xFEEDBEEF);
    assert_false(rig_store(init, ro, &seen, 1));
    assert_false(rig_fetch(init, rw) || rig_fetch(init, ro));
    assert_int_equal(rig_pte(init, rw) & (PTE_A | PTE_D), PTE_A | PTE_D);
    assert_int_equal(rig_pte(init, ro + PAGE) & (PTE_A | PTE_D), PTE_A);

    /* Only W is accepted and faults on access; the kernel does not use it, either. */
    const uint64_t w = maps_at(init, vmo, 0, PAGE, W);
    assert_false(rig_store(init, w, &seen, 1) || rig_load(init, w, &seen, 1));
    REFUSES(-NX_EINVAL, init, NX_SYS_VMO_READ, vmo, 0, w, 8);
    rig_hazard(17, NX_SYS_VMO_READ, "K-64", "protected-pointer");
}

/* The lowest free address; from 2 MiB up congruent with the physical address. */
static void placement(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t small = rig_vmo(init, 3 * PAGE), large = rig_vmo(init, 2 * SUPER);
    const uint64_t pa = base_of(init, large);
    assert_int_not_equal(pa % SUPER, 0);
    assert_int_equal(maps_at(init, small, 0, 2 * PAGE, R), BASE);
    assert_int_equal(maps_at(init, small, 0, 3 * PAGE, R), BASE + 2 * PAGE);

    const uint64_t va = maps_at(init, large, 0, 2 * SUPER, R);
    assert_int_equal(va % SUPER, pa % SUPER);
    assert_in_range(va, BASE + 5 * PAGE, BASE + 5 * PAGE + SUPER - 1);
    assert_int_equal(rig_pa(init, va + 2 * SUPER - PAGE), pa + 2 * SUPER - PAGE);
    const uint64_t second =
        maps_at(init, large, PAGE, SUPER, R); /* the offset is part of the physical address */
    assert_int_equal(second % SUPER, (pa + PAGE) % SUPER);
    assert_in_range(second, va + 2 * SUPER, va + 3 * SUPER);
    assert_int_equal(maps_at(init, small, 0, PAGE, R), BASE + 5 * PAGE); /* small ones fill the gap */

    GIVES(0, init, NX_SYS_VM_UNMAP, BASE, 2 * PAGE);
    assert_int_equal(maps_at(init, small, 0, 3 * PAGE, R), BASE + 6 * PAGE);
    assert_int_equal(maps_at(init, small, 0, PAGE, R), BASE);
}

static void no_hole(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 15 * MIB);
    while (CALL(init, NX_SYS_VM_MAP, vmo, 0, 15 * MIB, R) > 0) {
        ;
    }
    REFUSES(-NX_ENOMEM, init, NX_SYS_VM_MAP, vmo, 0, 15 * MIB,
            0); /* checked before a protection without R and W */
    const uint64_t first = rig_init()->space->regions.first->va;
    GIVES(0, init, NX_SYS_VM_UNMAP, first, 15 * MIB);
    assert_true(maps_at(init, vmo, 0, 14 * MIB, R) >= BASE);
}

/* K-25 */
static void unmap_takes_exactly_one_region(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(child, 4 * PAGE);
    const uint64_t va = maps_at(child, vmo, 0, 4 * PAGE, R | W), next = maps_at(child, vmo, 0, PAGE, R);
#define UNMAP(answer, ...) REFUSES(answer, child, NX_SYS_VM_UNMAP, __VA_ARGS__)
    UNMAP(-NX_EINVAL, va + 1, 4 * PAGE);
    UNMAP(-NX_EINVAL, va, 4 * PAGE - 1);
    UNMAP(-NX_EINVAL, va, 0);
    UNMAP(-NX_EINVAL, va, 3 * PAGE);
    UNMAP(-NX_EINVAL, va, 5 * PAGE);
    UNMAP(-NX_ENOENT, va + PAGE, 3 * PAGE); /* inside a region */
    UNMAP(-NX_ENOENT, next + PAGE, PAGE);
    UNMAP(-NX_EINVAL, RIG_TEXT_VA, 100 * PAGE); /* the length comes before the kind */
    UNMAP(-NX_EPERM, RIG_TEXT_VA, PAGE);        /* the child's own segments and stack */
    UNMAP(-NX_EPERM, RIG_DATA_VA, RIG_DATA_BYTES);
    UNMAP(-NX_EPERM, NX_USER_STACK_TOP - 12 * PAGE, 12 * PAGE);
    REFUSES(-NX_ENOENT, init, NX_SYS_VM_UNMAP, RIG_DATA_VA,
            RIG_DATA_BYTES); /* init's image is not a region */

    assert_true(rig_store(child, va + PAGE, "abc", 3) && rig_load(child, va, &(uint8_t){0}, 1));
    const unsigned flushes = host_tlb_flushes;
    GIVES(0, child, NX_SYS_VM_UNMAP, va, 4 * PAGE);
    assert_true(host_tlb_flushes > flushes);
    assert_false(rig_load(child, va, &(uint8_t){0}, 1));
    assert_true(rig_load(child, next, &(uint8_t){0}, 1));
    UNMAP(-NX_ENOENT, va, 4 * PAGE);
    assert_int_equal(audit.maps[0].live, false);
    assert_int_equal(audit.maps[0].usage.accessed, 2);
    assert_int_equal(audit.maps[0].usage.dirtied, 1);
    GIVES(3, child, NX_SYS_VMO_WRITE, vmo, 0, RIG_DATA_VA, 3); /* the object stays alive */
}

/* K-26: a run with a 2 MiB interior cannot be mapped where 4 KiB pages once were. */
static void a_2_mib_map_over_old_4_kib_pages(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t small = rig_vmo(init, SUPER - PAGE), large = rig_vmo(init, 2 * SUPER);
    const uint64_t a = maps_at(init, small, 0, SUPER - PAGE, R);
    const uint64_t b = maps_at(init, small, 0, SUPER - PAGE, R);
    assert_int_equal(b, a + SUPER - PAGE); /* the first and the second 2 MiB have tables now */
    GIVES(0, init, NX_SYS_VM_UNMAP, a, SUPER - PAGE);
    GIVES(0, init, NX_SYS_VM_UNMAP, b, SUPER - PAGE);
    for (unsigned i = 0; i < 3; i++) { /* every time: the lowest free address is the same hole */
        REFUSES(-NX_EEXIST, init, NX_SYS_VM_MAP, large, 0, 2 * SUPER, R);
    }

    const uint64_t filler =
        maps_at(init, small, 0, SUPER - PAGE, R); /* the hole is filled, so the next address is new */
    assert_int_equal(filler, BASE);
    (void)maps_at(init, small, 0, SUPER - PAGE, R);
    const uint64_t va = maps_at(init, large, 0, 2 * SUPER, R);
    assert_int_equal(va % SUPER, base_of(init, large) % SUPER);

    /* A map of 2 MiB pages leaves tables only at its ends, so the same map works again. */
    struct task *child = rig_child(init);
    const uint64_t theirs = rig_give(large, child, NX_RIGHT_MAP);
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t at = maps_at(child, theirs, 0, 2 * SUPER, R);
        assert_in_range(at, BASE + PAGE, BASE + SUPER - PAGE); /* so the run has an interior and two ends */
        GIVES(0, child, NX_SYS_VM_UNMAP, at, 2 * SUPER);
    }
    /* An aligned run starts where those ends were. */
    const uint64_t aligned = SUPER - base_of(init, large) % SUPER;
    REFUSES(-NX_EEXIST, child, NX_SYS_VM_MAP, theirs, aligned, SUPER, R);
}

/* K-26: a refused map leaves the table of its 4 KiB head behind, and so refuses the next map there. */
static void a_refused_2_mib_map_leaves_a_table(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t small = rig_vmo(init, PAGE), large = rig_vmo(init, 4 * SUPER);
    const uint64_t aligned = (SUPER - base_of(init, large) % SUPER) % SUPER;
    assert_int_equal(maps_at(init, large, aligned, SUPER, R), BASE); /* one 2 MiB page: no table */
    const uint64_t page = maps_at(init, small, 0, PAGE, R);
    assert_int_equal(page, BASE + SUPER); /* the second 2 MiB have a table now, the first have none */
    GIVES(0, init, NX_SYS_VM_UNMAP, page, PAGE);
    GIVES(0, init, NX_SYS_VM_UNMAP, BASE, SUPER);
    assert_int_equal(maps_at(init, large, aligned, SUPER, R), BASE);
    GIVES(0, init, NX_SYS_VM_UNMAP, BASE, SUPER);
    GIVES(-NX_EEXIST, init, NX_SYS_VM_MAP, large, aligned + PAGE, 2 * SUPER, R);
    REFUSES(-NX_EEXIST, init, NX_SYS_VM_MAP, large, aligned, SUPER, R);
}

/* A program may lie in the window: its pages count as regions and leave tables. */
static void an_image_in_the_window(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    elf.ph[PH_DATA].p_vaddr = BASE + SUPER;
    elf.ph[PH_DATA].p_memsz = PAGE;
    const int64_t pid = rig_exec_elf(init, &elf, sizeof(elf));
    struct task *child = task_find((uint64_t)pid);
    GIVES(0, init, NX_SYS_TASK_RESUME, (uint64_t)pid);
    const uint64_t large = rig_vmo(child, SUPER - PAGE), small = rig_vmo(child, 2 * PAGE);
    assert_int_equal(maps_at(child, large, 0, SUPER - PAGE, R), BASE);
    assert_int_equal(maps_at(child, small, 0, 2 * PAGE, R), BASE + SUPER + PAGE);
    assert_int_equal(maps_at(child, small, 0, PAGE, R), BASE + SUPER - PAGE);
    GIVES(-NX_EPERM, child, NX_SYS_VM_UNMAP, BASE + SUPER, PAGE);
}

/* ---- share_ro (K-28) ----------------------------------------------------------------------------- */

static void an_alias_is_never_writable(void **state)
{
    static const uint64_t flags[] = {0, R, W, R | W, NX_MAP_VALID | NX_MAP_USER | W};
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, 2 * PAGE);
    GIVES(3, init, NX_SYS_VMO_SHARE_RO, vmo);
    assert_int_equal(init->caps.slots[3].kind, CAP_ALIAS);
    const uint64_t cloned = (uint64_t)CALL(init, NX_SYS_CAP_CLONE, 3),
                   theirs = rig_give(cloned, child, NX_RIGHT_MAP);
    assert_int_equal(child->caps.slots[theirs].kind, CAP_ALIAS);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        const uint64_t va = maps_at(child, theirs, 0, 2 * PAGE, flags[i]);
        assert_int_equal(rig_pte(child, va) & 0x3FF, PTE_V | PTE_R | PTE_U);
        assert_true(rig_load(child, va, &(uint8_t){0}, 1));
        assert_false(rig_store(child, va, "x", 1));
        assert_int_equal(audit.maps[i].alias, true);
        assert_int_equal(audit.maps[i].prot, NX_PROT_READ);
    }
#define OF_ALIAS(number, ...) REFUSES(-NX_EPERM, child, number, __VA_ARGS__)
    OF_ALIAS(NX_SYS_VM_MAP, theirs, 0, PAGE, R | NX_MAP_EXEC);
    OF_ALIAS(NX_SYS_VMO_WRITE, theirs, 0, U_BUF, 4);
    OF_ALIAS(NX_SYS_VMO_WRITE, theirs, 0, U_BUF, 0);
    OF_ALIAS(NX_SYS_VMO_READ, theirs, 0, U_BUF, 4);
    OF_ALIAS(NX_SYS_CAP_QUERY, theirs, U_INFO);
    OF_ALIAS(NX_SYS_VMO_DESTROY, theirs, 0);
    OF_ALIAS(NX_SYS_VMO_SHARE_RO, theirs, 0);
    const uint64_t self = (uint64_t)CALL(child, NX_SYS_AS_SELF, 0);
    OF_ALIAS(NX_SYS_AS_MAP, self, theirs, 0x40000000, PAGE, NX_PROT_READ, 1);
    for (uint64_t rights = 1; rights <= 16; rights++) {
        if (rights != NX_RIGHT_MAP) {
            OF_ALIAS(NX_SYS_CAP_TRANSFER, init->pid, theirs, rights);
        }
    }
}

static void an_alias_shows_later_writes_and_outlives_the_owners_cap(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE);
    const uint32_t alias = (uint32_t)CALL(init, NX_SYS_VMO_SHARE_RO, vmo);
    char seen[4] = "";
    assert_int_equal(rig_send(init, 0, 1, 0, alias, 0, 0), 0); /* after a move it is still an alias */
    assert_int_equal(rig_recv(child, 0, 0, 0, 0), 0);
    assert_int_equal(child->caps.slots[1].kind, CAP_ALIAS);
    const uint64_t va = maps_at(child, 1, 0, PAGE, R);
    rig_poke(init, U_BUF, "new", 3);
    GIVES(3, init, NX_SYS_VMO_WRITE, vmo, 10, U_BUF, 3);
    GIVES(0, init, NX_SYS_CAP_CLOSE, vmo);
    assert_true(rig_load(child, va + 10, seen, 3));
    assert_string_equal(seen, "new");
    (void)maps_at(child, 1, 0, PAGE, R);
}

/* A mapping that the audit did not record is unmapped like any other, and its entry is reused. */
static void regions_do_not_depend_on_the_audit(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE);
    for (unsigned i = 0; i < AUDIT_MAPS_MAX + 3; i++) {
        const uint64_t va = (uint64_t)CALL(init, NX_SYS_VM_MAP, vmo, 0, PAGE, R);
        assert_int_equal(va, BASE);
        assert_true(rig_load(init, va, &(char){0}, 1));
        GIVES(0, init, NX_SYS_VM_UNMAP, va, PAGE);
        assert_null(region_at(&init->space->regions, va));
    }
    assert_int_equal(audit.map_count.lost, 3);
    assert_int_equal(audit.maps[AUDIT_MAPS_MAX - 1].usage.accessed, 1);
    assert_false(audit.maps[AUDIT_MAPS_MAX - 1].live);
    GIVES(0, init, NX_SYS_VMO_DESTROY, vmo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A2(refusals_of_vm_map),
        ON_A2(a_childs_image_takes_regions),
        BOOTS(the_boot_limits_regions),
        ON_A2(a_mapping_shows_the_object),
        ON_A2(placement),
        ON_A2(no_hole),
        ON_A2(unmap_takes_exactly_one_region),
        ON_A2(regions_do_not_depend_on_the_audit),
        ON_A2(a_2_mib_map_over_old_4_kib_pages),
        ON_A2(a_refused_2_mib_map_leaves_a_table),
        ON_A2(an_image_in_the_window),
        ON_A2(an_alias_is_never_writable),
        ON_A2(an_alias_shows_later_writes_and_outlives_the_owners_cap),
    };
    return cmocka_run_group_tests_name("core/aspace a2", tests, NULL, NULL);
}
