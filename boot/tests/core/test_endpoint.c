/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints: create, close and owner's end (K-56, K-57, K-58, K-62). */
#include "core/endpoint.h"
#include "core/kernel_rig.h"

#define FACTORY NX_SLOT_FACTORY
#define NONBLOCK NX_IPC_NONBLOCK

static int64_t try_recv(struct task *task, uint64_t slot)
{
    return rig_recv(task, slot, 64, NONBLOCK, 0);
}

static void create(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    REFUSES(-NX_EINVAL, init, NX_SYS_EP_CREATE, FACTORY, 0);
    REFUSES(-NX_EINVAL, init, NX_SYS_EP_CREATE, FACTORY, 257);
    REFUSES(-NX_EINVAL, init, NX_SYS_EP_CREATE, FACTORY, UINT64_C(1) << 32 | 1);
    REFUSES(-NX_EINVAL, init, NX_SYS_EP_CREATE, 0, 0); /* the depth before the factory */
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE, 0, 1);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE, 9, 1);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE, 256, 1);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE_OLD, FACTORY, 1);
    GIVES(2, init, NX_SYS_EP_CREATE, FACTORY, 1);
    GIVES(3, init, NX_SYS_EP_CREATE, FACTORY, 256);
    assert_int_equal(init->caps.slots[2].rights, NX_RIGHT_SEND | NX_RIGHT_RECV | NX_RIGHT_MANAGE);
    for (uint64_t slot = 0; slot < 4; slot++) { /* a child has no factory (K-14) */
        REFUSES(-NX_EPERM, child, NX_SYS_EP_CREATE, slot, 1);
    }
}

static void create_for(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init), *grandchild = rig_child(child);
    struct task *dead = rig_child(init);
    const uint32_t gone = dead->pid;
    REFUSES(-NX_EINVAL, init, NX_SYS_EP_CREATE_FOR, 0, 99, 0); /* depth, factory, pid */
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE_FOR, 0, child->pid, 4);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE_FOR, FACTORY, 99, 4);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE_FOR, FACTORY, 0, 4);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE_FOR, FACTORY, grandchild->pid, 4);
    GIVES(2, init, NX_SYS_EP_CREATE_FOR, FACTORY, init->pid, 4);
    GIVES(3, init, NX_SYS_EP_CREATE_FOR, FACTORY, child->pid, 4);
    assert_int_equal(init->caps.slots[3].rights, NX_RIGHT_SEND | NX_RIGHT_RECV | NX_RIGHT_MANAGE);

    rig_exit(dead, 0);
    GIVES(gone, init, NX_SYS_WAIT, gone);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CREATE_FOR, FACTORY, gone, 4);
}

/* K-62: -11 while the child lives, then -3. An endpoint created after the child's end never answers -3. */
static void death_watch(void **state)
{
    (void)state;
    struct task *init = rig_init(), *exits = rig_child(init), *faults = rig_child(init);
    GIVES(2, init, NX_SYS_EP_CREATE_FOR, FACTORY, exits->pid, 4);
    GIVES(3, init, NX_SYS_EP_CREATE_FOR, FACTORY, faults->pid, 4);
    assert_int_equal(try_recv(init, 2), -NX_EAGAIN);
    rig_exit(exits, 5);
    assert_int_equal(try_recv(init, 2), -NX_ESRCH);
    assert_int_equal(try_recv(init, 3), -NX_EAGAIN);
    rig_fault(faults, FAULT_LOAD, U_NOWHERE);
    assert_int_equal(try_recv(init, 3), -NX_ESRCH);

    GIVES(4, init, NX_SYS_EP_CREATE_FOR, FACTORY, exits->pid, 4);
    assert_int_equal(try_recv(init, 4), -NX_EAGAIN);
    const uint64_t pid = exits->pid; /* the wait gives the task back */
    GIVES(pid, init, NX_SYS_WAIT, pid);
    assert_int_equal(try_recv(init, 4), -NX_EAGAIN);
}

static void close_needs_manage_and_takes_the_slot(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(4), vmo = rig_vmo(init, PAGE);
    const uint64_t narrow = rig_give(ep, child, NX_RIGHT_SEND | NX_RIGHT_RECV);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CLOSE, 9);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CLOSE, 256);
    REFUSES(-NX_EPERM, init, NX_SYS_EP_CLOSE, UINT64_C(1) << 32 | ep);

    GIVES(-NX_EPERM, child, NX_SYS_EP_CLOSE, narrow);
    assert_null(cap_find(&child->caps, narrow));
    assert_int_equal(try_recv(init, ep), -NX_EAGAIN); /* the endpoint stays open */
    GIVES(-NX_EPERM, init, NX_SYS_EP_CLOSE, vmo);
    assert_null(cap_find(&init->caps, vmo));
    GIVES(-NX_EPERM, init, NX_SYS_EP_CLOSE, 0);
    assert_null(cap_find(&init->caps, 0));
    assert_int_equal(try_recv(child, 0), -NX_EAGAIN);
}

static void a_closed_endpoint(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(4), far = rig_give(ep, child, NX_RIGHT_SEND | NX_RIGHT_RECV);
    const int64_t clone = CALL(init, NX_SYS_CAP_CLONE, ep);
    assert_int_equal(rig_send(init, ep, 1, 100, CAP_NO_SLOT, 0, 0), 100);
    assert_int_equal(ep_messages_queued(), 1);
    GIVES(0, init, NX_SYS_EP_CLOSE, ep);
    assert_null(cap_find(&init->caps, ep));
    assert_int_equal(ep_messages_queued(), 0); /* lost */
    assert_int_equal(rig_send(child, far, 1, 0, CAP_NO_SLOT, 0, 0), -NX_ESRCH);
    assert_int_equal(try_recv(child, far), -NX_ESRCH);
    GIVES(-NX_ESRCH, init, NX_SYS_EP_CLOSE, (uint64_t)clone);
    assert_null(cap_find(&init->caps, (uint64_t)clone));
}

static void close_wakes_both_sides(void **state)
{
    (void)state;
    struct task *init = rig_init(), *receiver = rig_child(init), *sender = rig_child(init);
    const uint64_t empty = rig_endpoint(1), full = rig_endpoint(1);
    const uint64_t receives = rig_give(empty, receiver, NX_RIGHT_RECV);
    const uint64_t sends = rig_give(full, sender, NX_RIGHT_SEND);
    assert_int_equal(rig_recv(receiver, receives, 64, 0, 0), RIG_WAITS);
    assert_int_equal(rig_send(sender, sends, 1, 8, CAP_NO_SLOT, 0, 0), 8);
    assert_int_equal(rig_send(sender, sends, 1, 8, CAP_NO_SLOT, 0, 0), RIG_WAITS);
    GIVES(0, init, NX_SYS_EP_CLOSE, empty);
    assert_int_equal(rig_answer(receiver), -NX_ESRCH);
    assert_int_equal(sender->state, TASK_BLOCKED);
    GIVES(0, init, NX_SYS_EP_CLOSE, full);
    assert_int_equal(rig_answer(sender), -NX_ESRCH);
}

/* K-58: by exit and by fault. */
static void the_owners_end_closes(void **state)
{
    (void)state;
    struct task *init = rig_init(), *peer = rig_child(init);
    for (unsigned faults = 0; faults < 2; faults++) {
        struct task *owner = rig_child(init);
        const int64_t watched = CALL(init, NX_SYS_EP_CREATE_FOR, FACTORY, owner->pid, 2);
        const int64_t blocks = CALL(init, NX_SYS_EP_CREATE_FOR, FACTORY, owner->pid, 2);
        const uint64_t far = rig_give((uint64_t)blocks, peer, NX_RIGHT_RECV);
        assert_int_equal(rig_send(init, (uint64_t)watched, 1, 8, CAP_NO_SLOT, 0, 0), 8);
        assert_int_equal(rig_recv(peer, far, 64, 0, 0), RIG_WAITS);
        if (faults) {
            rig_fault(owner, FAULT_STORE, U_NOWHERE);
        } else {
            rig_exit(owner, 0);
        }
        assert_int_equal(rig_answer(peer), -NX_ESRCH);
        assert_int_equal(ep_messages_queued(), 0);
        assert_int_equal(try_recv(init, (uint64_t)watched), -NX_ESRCH); /* the message is lost */
        assert_int_equal(rig_send(init, (uint64_t)watched, 1, 8, CAP_NO_SLOT, 0, 0), -NX_ESRCH);
    }
}

static void ids_are_never_reused(void **state)
{
    (void)state;
    struct kernel_config config = rig_config(REVISION_A2);
    config.ep_ids = 5;
    rig_boot(&config);
    struct task *init = rig_init();
    uint32_t last = EP_BOOTSTRAP;
    for (unsigned i = 0; i < 5; i++) {
        const uint64_t slot = rig_endpoint(1);
        assert_true(init->caps.slots[slot].object > last);
        last = init->caps.slots[slot].object;
        GIVES(0, init, NX_SYS_EP_CLOSE, slot);
    }
    REFUSES(-NX_ENOSPC, init, NX_SYS_EP_CREATE, FACTORY, 1);
    REFUSES(-NX_ENOSPC, init, NX_SYS_EP_CREATE_FOR, FACTORY, init->pid, 1);
}

static void the_boot_limits_an_owners_endpoints(void **state)
{
    (void)state;
    struct kernel_config config = rig_config(REVISION_A2);
    config.ep_owner = 2;
    rig_boot(&config);
    struct task *init = rig_init();
    const struct task *child = rig_child(init);
    const uint64_t first = rig_endpoint(1);
    (void)rig_endpoint(1);
    REFUSES(-NX_ENOSPC, init, NX_SYS_EP_CREATE, FACTORY, 1);
    assert_true(CALL(init, NX_SYS_EP_CREATE_FOR, FACTORY, child->pid, 1) > 0);
    GIVES(0, init, NX_SYS_EP_CLOSE, first);
    (void)rig_endpoint(1);
}

/* a1: 64 for an owner and 241 for a boot, closed or not. */
static void limits_of_a1(void **state)
{
    (void)state;
    struct task *init = rig_init();
    unsigned made = 0;
    for (unsigned owners = 0; owners < 4; owners++) {
        const struct task *owner = owners == 0 ? init : rig_child(init);
        int64_t slot = 0;
        for (unsigned i = 0; i < 64 && slot >= 0; i++) {
            slot = CALL(init, NX_SYS_EP_CREATE_FOR, FACTORY, owner->pid, 1);
            if (slot >= 0) {
                GIVES(0, init, NX_SYS_EP_CLOSE, (uint64_t)slot);
            }
            made += slot >= 0;
        }
        REFUSES(-NX_ENOSPC, init, NX_SYS_EP_CREATE_FOR, FACTORY, owner->pid, 1);
        assert_int_equal(made, owners < 3 ? 64 * (owners + 1) : 241);
    }
    assert_int_equal(ep_ids_used(), 241);
}

/* a2: 96 live ones for an owner, 365 for a boot. */
static void limits_of_a2(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    for (unsigned i = 0; i < 96; i++) {
        GIVES(2 + i, init, NX_SYS_EP_CREATE, FACTORY, 1);
    }
    REFUSES(-NX_ENOSPC, init, NX_SYS_EP_CREATE, FACTORY, 1);
    GIVES(98, init, NX_SYS_EP_CREATE_FOR, FACTORY, child->pid, 1); /* another owner */
    GIVES(0, init, NX_SYS_EP_CLOSE, 2);
    GIVES(2, init, NX_SYS_EP_CREATE, FACTORY, 1);
    for (uint32_t made = 98; made < 365; made++) {
        GIVES(0, init, NX_SYS_EP_CLOSE, 2);
        GIVES(2, init, NX_SYS_EP_CREATE, FACTORY, 1);
    }
    GIVES(0, init, NX_SYS_EP_CLOSE, 2);
    REFUSES(-NX_ENOSPC, init, NX_SYS_EP_CREATE, FACTORY, 1);
    assert_int_equal(ep_ids_used(), 365);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(create),
        ON_EACH(create_for),
        ON_EACH(death_watch),
        ON_EACH(close_needs_manage_and_takes_the_slot),
        ON_EACH(a_closed_endpoint),
        ON_EACH(close_wakes_both_sides),
        ON_EACH(the_owners_end_closes),
        BOOTS(ids_are_never_reused),
        BOOTS(the_boot_limits_an_owners_endpoints),
        ON_A1(limits_of_a1),
        ON_A2(limits_of_a2),
    };
    return cmocka_run_group_tests_name("core/endpoint", tests, NULL, NULL);
}
