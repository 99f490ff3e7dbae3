/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities as tasks use them: K-14, K-15, K-31, K-40, K-41. */
#include "core/audit_tables.h"
#include "core/kernel_rig.h"

#define SEND NX_RIGHT_SEND
#define RECV NX_RIGHT_RECV
#define MAP NX_RIGHT_MAP
#define MANAGE NX_RIGHT_MANAGE

static struct cap cap_at(const struct task *task, uint64_t slot)
{
    const struct cap *cap = cap_find(&task->caps, slot);
    assert_non_null(cap);
    return *cap;
}

static void initial_capabilities(void **state)
{
    (void)state;
    struct task *init = rig_init();
    assert_int_equal(cap_used(&init->caps), 2);
    assert_int_equal(cap_at(init, 0).kind, CAP_ENDPOINT);
    assert_int_equal(cap_at(init, 0).rights, SEND | RECV);
    assert_int_equal(cap_at(init, 1).kind, CAP_FACTORY);
    assert_int_equal(cap_at(init, 1).rights, MANAGE);

    const struct task *child = rig_child(init);
    assert_int_equal(cap_used(&child->caps), 1);
    assert_int_equal(cap_at(child, 0).kind, CAP_ENDPOINT);
    assert_int_equal(cap_at(child, 0).rights, SEND | RECV);
}

static void a_transfer_narrows_and_never_grows(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init), *third = rig_child(child);
    const uint64_t ep = rig_endpoint(4);
    assert_int_equal(cap_at(init, ep).rights, SEND | RECV | MANAGE);

    const uint64_t both = rig_give(ep, child, SEND | RECV);
    assert_int_equal(cap_at(child, both).rights, SEND | RECV);
    assert_int_equal(cap_at(child, both).object, cap_at(init, ep).object);
    assert_int_equal(cap_at(init, ep).rights, SEND | RECV | MANAGE); /* a copy */
    const uint64_t send = rig_give(ep, child, SEND);
    assert_int_equal(cap_at(child, send).rights, SEND);

    for (uint64_t rights = 0; rights <= NX_RIGHT_ALL; rights++) {
        if ((rights & ~(uint64_t)SEND) != 0) {
            REFUSES(-NX_EPERM, child, NX_SYS_CAP_TRANSFER, third->pid, send, rights);
        }
    }
    GIVES(1, child, NX_SYS_CAP_TRANSFER, third->pid, send, SEND);
    assert_int_equal(cap_at(third, 1).rights, SEND);
    REFUSES(-NX_EPERM, third, NX_SYS_CAP_TRANSFER, init->pid, 1, RECV); /* nor back to the sender */
    assert_int_equal(audit.grant_count.used, 3);
    assert_int_equal(audit.grants[2].from, child->pid);
    assert_int_equal(audit.grants[2].to, third->pid);
    assert_int_equal(audit.grants[2].via, AUDIT_GRANT_TRANSFER);
    assert_int_equal(audit.grants[2].cap.rights, SEND);
}

static void refused_transfers(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init), *dead = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE), ep = rig_endpoint(4);
    rig_exit(dead, 0);
#define TRANSFER(pid, slot, rights) REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER, pid, slot, rights)
    TRANSFER(child->pid, vmo, MAP | SEND); /* not held */
    TRANSFER(child->pid, vmo, SEND);
    TRANSFER(child->pid, vmo, MAP | 16); /* unknown bits */
    TRANSFER(child->pid, vmo, MAP | UINT64_C(1) << 31);
    TRANSFER(child->pid, ep, MANAGE);
    TRANSFER(child->pid, ep, SEND | RECV | MANAGE);
    TRANSFER(child->pid, NX_SLOT_FACTORY, 0);
    TRANSFER(child->pid, NX_SLOT_FACTORY, MANAGE);
    TRANSFER(child->pid, 40, 0); /* empty, then out of range */
    TRANSFER(child->pid, 256, 0);
    TRANSFER(child->pid, UINT64_C(1) << 32 | vmo, MAP);
    TRANSFER(dead->pid, vmo, MAP);
    TRANSFER(99, vmo, MAP);
    TRANSFER(16, vmo, MAP | SEND); /* a task of the kernel, but the right is not held */
    rig_fill_slots(child);
    TRANSFER(child->pid, vmo, MAP); /* the receiver's table is full: -1, not -28 */
}

/* K-40: of the pid and of the rights, the kernel looks at 32 bits. */
static void transfers_look_at_32_bits(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE), high = UINT64_C(1) << 32;
    GIVES(1, init, NX_SYS_CAP_TRANSFER, high | child->pid, vmo, MAP);
    GIVES(2, init, NX_SYS_CAP_TRANSFER, child->pid, vmo, high | MAP);
    GIVES(3, init, NX_SYS_CAP_TRANSFER, child->pid, vmo, UINT64_C(1) << 63);
    assert_int_equal(cap_at(child, 1).rights, MAP);
    assert_int_equal(cap_at(child, 2).rights, MAP);
    assert_int_equal(cap_at(child, 3).rights, 0);
    assert_int_equal(audit.grants[0].to, child->pid);
    if (!rig_is_a1()) {
        GIVES(9, init, NX_SYS_CAP_TRANSFER_TO, high | child->pid, vmo, high | MAP, 9);
    }
    assert_true(CALL(init, NX_SYS_EP_CREATE_FOR, NX_SLOT_FACTORY, high | child->pid, 4) > 0);
}

/* K-10: the kernel's own tasks accept capabilities into their own tables and never release them. */
static void a_transfer_to_a_kernel_task(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE);
    for (uint64_t pid = 0; pid < NX_PID_INIT; pid++) {
        GIVES(0, init, NX_SYS_CAP_TRANSFER, pid, vmo, MAP);
        assert_int_equal(audit.grants[pid].to, pid);
    }
    GIVES(1, init, NX_SYS_CAP_TRANSFER, 16, vmo, MAP);
    assert_int_equal(cap_used(&init->caps), 3);
    assert_int_equal(task_count_live(), 1);
    for (uint64_t slot = 2; slot < (rig_is_a1() ? NX_SLOTS_A1 : NX_SLOTS_A2); slot++) {
        GIVES((int64_t)slot, init, NX_SYS_CAP_TRANSFER, 16, vmo, 0);
    }
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER, 16, vmo, MAP); /* its table is full as well */
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE_FOR, NX_SLOT_FACTORY, 16, 4);
    REFUSES(-NX_ECHILD, init, NX_SYS_WAIT, 16);
}

static void a_kernel_task_keeps_a_vmo_alive(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE), ep = rig_endpoint(1);
    GIVES(9, init, NX_SYS_CAP_TRANSFER_TO, 3, vmo, MAP, 9);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER_TO, 3, vmo, MAP, 9);
    GIVES(0, init, NX_SYS_CAP_TRANSFER, 3, ep, SEND);
    GIVES(1, init, NX_SYS_CAP_TRANSFER, 3, vmo, MAP);
    REFUSES(-NX_EPERM, init, NX_SYS_VMO_DESTROY, vmo); /* K-29 */
    REFUSES(-NX_ESRCH, init, NX_SYS_TASK_RESUME, 3);
}

static void a_transfer_without_rights_uses_a_slot(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE);
    GIVES(1, init, NX_SYS_CAP_TRANSFER, child->pid, vmo, 0);
    GIVES(2, init, NX_SYS_CAP_TRANSFER, child->pid, vmo, 0);
    assert_int_equal(cap_used(&child->caps), 3);
    assert_int_equal(cap_at(child, 1).rights, 0);
    REFUSES(-NX_EPERM, child, NX_SYS_VMO_WRITE, 1, 0, U_BUF, 0);
    REFUSES(-NX_EPERM, child, NX_SYS_CAP_TRANSFER, init->pid, 1, MAP);
}

static void transfer_to_a_slot_of_choice(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t vmo = rig_vmo(init, PAGE);
    GIVES(7, init, NX_SYS_CAP_TRANSFER_TO, child->pid, vmo, MAP, 7);
    GIVES(255, init, NX_SYS_CAP_TRANSFER_TO, child->pid, vmo, MAP, 255);
    assert_int_equal(cap_at(child, 7).kind, CAP_VMO);
    assert_int_equal(cap_used(&child->caps), 3);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER_TO, child->pid, vmo, MAP, 7);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER_TO, child->pid, vmo, MAP, 0);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER_TO, child->pid, vmo, MAP, 256);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER_TO, child->pid, vmo, MAP, UINT64_C(1) << 32 | 8);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER_TO, child->pid, vmo, SEND, 8);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_TRANSFER_TO, 99, vmo, MAP, 8);
    GIVES(1, init, NX_SYS_CAP_TRANSFER, child->pid, vmo, MAP); /* still the lowest free slot */
}

static void the_lowest_free_slot_and_a_full_table(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t slots = rig_is_a1() ? 64 : 256;
    assert_int_equal(rig_vmo(init, PAGE), 2);
    GIVES(3, init, NX_SYS_CAP_CLONE, 0);
    GIVES(4, init, NX_SYS_CAP_CLONE, 2);
    GIVES(0, init, NX_SYS_CAP_CLOSE, 3);
    assert_int_equal(rig_endpoint(1), 3);
    for (uint64_t slot = 5; slot < slots; slot++) {
        GIVES((int64_t)slot, init, NX_SYS_CAP_CLONE, 0);
    }

    REFUSES(-NX_ENOSPC, init, NX_SYS_CAP_CLONE, 0);
    REFUSES(-NX_ENOSPC, init, NX_SYS_EP_CREATE, NX_SLOT_FACTORY, 1);
    if (!rig_is_a1()) {
        REFUSES(-NX_ENOSPC, init, NX_SYS_VMO_CREATE, ANY_SLOT, PAGE);
        REFUSES(-NX_ENOSPC, init, NX_SYS_VMO_SHARE_RO, 2);
    }
    GIVES(0, init, NX_SYS_CAP_CLOSE, slots - 1);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLOSE, slots);
    GIVES((int64_t)slots - 1, init, NX_SYS_CAP_CLONE, 0);
}

static void clone_and_close(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLONE, 9);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLONE, 256);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLONE, NX_SLOT_FACTORY);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLOSE, 9);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLOSE, UINT64_C(1) << 32 | vmo);

    GIVES(3, init, NX_SYS_CAP_CLONE, vmo);
    assert_int_equal(cap_at(init, 3).object, cap_at(init, vmo).object);
    assert_int_equal(cap_at(init, 3).rights, MAP);
    GIVES(0, init, NX_SYS_CAP_CLOSE, 3);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLOSE, 3);
    assert_int_equal(cap_used(&init->caps), 3);
}

static void close_leaves_mappings_alive(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, PAGE);
    const int64_t va = CALL(init, NX_SYS_VM_MAP, vmo, 0, PAGE, NX_MAP_READ | NX_MAP_WRITE);
    assert_true(va > 0);
    GIVES(0, init, NX_SYS_CAP_CLOSE, vmo);
    const uint64_t word = 0x1122334455667788;
    uint64_t seen = 0;
    assert_true(rig_store(init, (uint64_t)va, &word, sizeof(word)));
    assert_true(rig_load(init, (uint64_t)va, &seen, sizeof(seen)));
    assert_int_equal(seen, word);
}

static void query(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, 3 * PAGE - 5), ep = rig_endpoint(1);
    const int64_t alias = CALL(init, NX_SYS_VMO_SHARE_RO, vmo);
    struct nx_cap_info info;
    rig_fill(init, U_INFO, 0xEE, sizeof(info) + 8);
    GIVES(0, init, NX_SYS_CAP_QUERY, vmo, U_INFO);
    rig_peek(init, U_INFO, &info, sizeof(info));
    assert_int_equal(info.kind, 1);
    assert_int_equal(info.reserved, 0);
    assert_int_equal(info.base_pa, host_memory().arena_pa);
    assert_int_equal(info.size_bytes, 3 * PAGE);
    assert_true(rig_holds(init, U_INFO + sizeof(info), 0xEE, 8));

    const int64_t bare = CALL(init, NX_SYS_CAP_TRANSFER, init->pid, vmo, 0); /* K-40: with no rights */
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_QUERY, (uint64_t)bare, U_INFO);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_QUERY, ep, U_INFO);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_QUERY, (uint64_t)alias, U_INFO);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_QUERY, NX_SLOT_FACTORY, U_INFO);
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_QUERY, 100, U_INFO);
    REFUSES(-NX_EINVAL, init, NX_SYS_CAP_QUERY, 100, 0); /* the pointer first */
    REFUSES(-NX_EINVAL, init, NX_SYS_CAP_QUERY, vmo, NX_USER_TOP - sizeof(info) + 1);
    REFUSES(-NX_EINVAL, init, NX_SYS_CAP_QUERY, vmo, UINT64_MAX);
}

static void a_table_of_two(void **state)
{
    (void)state;
    struct kernel_config config = rig_config(REVISION_A2);
    config.slots = 2;
    rig_boot(&config);
    struct task *init = rig_init();
    REFUSES(-NX_ENOSPC, init, NX_SYS_CAP_CLONE, 0);
    REFUSES(-NX_ENOSPC, init, NX_SYS_VMO_CREATE, ANY_SLOT, PAGE);
    REFUSES(-NX_EPERM, init, NX_SYS_VMO_CREATE, 2, PAGE);
    init->caps.slots[2] = init->caps.slots[1]; /* behind the table of this boot */
    REFUSES(-NX_EPERM, init, NX_SYS_CAP_CLOSE, 2);
    init->caps.slots[2] = (struct cap){.kind = CAP_NONE};
    GIVES(0, init, NX_SYS_VMO_CREATE, 0, PAGE); /* overwrites the bootstrap endpoint */
    assert_int_equal(cap_at(init, 0).kind, CAP_VMO);
}

/* ---- Panics of the table ------------------------------------------------------------------------- */

static void do_place(void *ctx)
{
    cap_place(&rig_init()->caps, 256, ctx);
}

static void do_take(void *ctx)
{
    (void)ctx;
    (void)cap_take(&rig_init()->caps, 256);
}

static void places_outside_panic(void **state)
{
    (void)state;
    struct cap cap = {.kind = CAP_VMO};
    assert_int_equal(host_run(do_place, &cap), EXIT_PANIC);
    assert_non_null(
        strstr(host_console(), "kernel: panic: a capability was placed outside its table 0x100\n"));
    const struct kernel_config config = rig_config(REVISION_A2);
    rig_boot(&config);
    assert_int_equal(host_run(do_take, NULL), EXIT_PANIC);
    rig_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(initial_capabilities),
        ON_EACH(a_transfer_narrows_and_never_grows),
        ON_EACH(refused_transfers),
        ON_EACH(transfers_look_at_32_bits),
        ON_EACH(a_transfer_to_a_kernel_task),
        ON_A2(a_kernel_task_keeps_a_vmo_alive),
        ON_EACH(a_transfer_without_rights_uses_a_slot),
        ON_A2(transfer_to_a_slot_of_choice),
        ON_EACH(the_lowest_free_slot_and_a_full_table),
        ON_EACH(clone_and_close),
        ON_A2(close_leaves_mappings_alive),
        ON_A2(query),
        BOOTS(a_table_of_two),
        ON_A2(places_outside_panic),
    };
    return cmocka_run_group_tests_name("core/cap", tests, NULL, NULL);
}
