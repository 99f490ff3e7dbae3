/* SPDX-License-Identifier: Apache-2.0 */
/* Blocked senders and receivers, and deadlines (K-52..K-55). */
#include "core/audit_tables.h"
#include "core/endpoint.h"
#include "core/frames.h"
#include "core/kernel_rig.h"
#include "core/sched.h"

#define SEND NX_RIGHT_SEND
#define RECV NX_RIGHT_RECV
#define NONE CAP_NO_SLOT

static uint16_t type_of(const struct task *task)
{
    struct nx_ipc_hdr hdr;
    rig_peek(task, U_HDR, &hdr, sizeof(hdr));
    return hdr.type;
}

static void receivers_are_served_in_order(void **state)
{
    (void)state;
    struct task *init = rig_init(), *first = rig_child(init), *second = rig_child(init);
    const uint64_t ep = rig_endpoint(4), a = rig_give(ep, first, RECV), b = rig_give(ep, second, RECV);
    assert_int_equal(rig_recv(second, b, 64, 0, 0), RIG_WAITS);
    assert_int_equal(rig_recv(first, a, 64, 0, 0), RIG_WAITS);
    rig_fill(init, U_BUF, 0x55, 16);
    assert_int_equal(rig_send(init, ep, 31, 16, NONE, 0, 0), 16);
    assert_int_equal(ep_messages_queued(), 0);
    assert_int_equal(first->state, TASK_BLOCKED);
    assert_int_equal(rig_answer(second), 16); /* this task blocked first */
    assert_int_equal(type_of(second), 31);
    assert_true(rig_holds(second, U_BUF, 0x55, 16));
    assert_int_equal(rig_send(init, ep, 32, 8, NONE, 0, 0), 8);
    assert_int_equal(rig_answer(first), 8);
    assert_int_equal(type_of(first), 32);
}

/* K-53 and K-54 apply to a blocked receiver, too. */
static void a_blocked_receiver_may_be_refused(void **state)
{
    (void)state;
    struct task *init = rig_init(), *full = rig_child(init), *small = rig_child(init);
    const uint64_t ep = rig_endpoint(4), a = rig_give(ep, full, RECV), b = rig_give(ep, small, RECV);
    rig_fill_slots(full);
    assert_int_equal(rig_recv(full, a, 64, 0, 0), RIG_WAITS);
    assert_int_equal(rig_recv(small, b, 4, 0, 0), RIG_WAITS);
    assert_int_equal(rig_send(init, ep, 1, 8, (uint32_t)rig_vmo(init, PAGE), 0, 0), 8);
    assert_int_equal(rig_answer(full), -NX_ENOSPC); /* the message stays queued for the next receiver */
    assert_int_equal(rig_answer(small), -NX_EINVAL);
    assert_int_equal(small->caps.slots[2].kind, CAP_VMO);
    assert_int_equal(ep_messages_queued(), 0);
    assert_int_equal(audit.msg_count.used, 1);
}

static void senders_wait_for_room(void **state)
{
    (void)state;
    struct task *init = rig_init(), *first = rig_child(init), *second = rig_child(init);
    const uint64_t ep = rig_endpoint(1), a = rig_give(ep, first, SEND), b = rig_give(ep, second, SEND);
    const uint32_t vmo = (uint32_t)rig_vmo(first, PAGE);
    rig_fill(first, U_BUF, 0x61, 8);
    assert_int_equal(rig_send(first, a, 1, 8, NONE, 0, 0), 8);
    assert_int_equal(rig_send(first, a, 2, 8, vmo, 0, 0), RIG_WAITS);
    rig_fill(first, U_BUF, 0x62, 8); /* the payload was captured at the call */
    assert_int_equal(rig_send(second, b, 3, 8, NONE, 0, 0), RIG_WAITS);
    assert_non_null(cap_find(&first->caps, vmo)); /* the capability leaves with its message */

    assert_int_equal(rig_recv(init, ep, 64, 0, 0), 8);
    assert_int_equal(type_of(init), 1);
    assert_int_equal(rig_answer(first), 8);
    assert_null(cap_find(&first->caps, vmo));
    assert_int_equal(second->state, TASK_BLOCKED);
    assert_int_equal(rig_recv(init, ep, 64, 0, 0), 8);
    assert_int_equal(type_of(init), 2);
    assert_true(rig_holds(init, U_BUF, 0x61, 8));
    assert_int_equal(rig_answer(second), 8);
    assert_int_equal(rig_recv(init, ep, 64, 0, 0), 8);
    assert_int_equal(type_of(init), 3);
}

/* The queue has room again, but the owner's budget is exhausted. */
static void a_blocked_sender_meets_the_budget(void **state)
{
    enum { LEN = 8192 };
    (void)state;
    struct task *init = rig_init(), *sender = rig_child(init);
    const uint64_t small = rig_endpoint(1), large = rig_endpoint(256), far = rig_give(small, sender, SEND);
    const uint32_t vmo = (uint32_t)rig_vmo(sender, PAGE);
    assert_int_equal(rig_send(init, small, 1, 8, NONE, 0, 0), 8);
    assert_int_equal(rig_send(sender, far, 2, LEN, vmo, 0, 0), RIG_WAITS);
    const uint64_t frames = frames_in_use();
    for (unsigned i = 0; i < 31; i++) {
        assert_int_equal(rig_send(init, large, 3, LEN, NONE, 0, 0), LEN);
    }
    assert_int_equal(rig_send(init, large, 3, LEN - 16, NONE, 0, 0), LEN - 16);
    assert_int_equal(rig_recv(init, small, 64, 0, 0), 8);
    assert_int_equal(rig_answer(sender), -NX_ENOSPC);
    assert_non_null(cap_find(&sender->caps, vmo));
    while (rig_recv(init, large, LEN, NX_IPC_NONBLOCK, 0) >= 0) {
        ;
    }
    assert_int_equal(frames_in_use(), frames - 1 - 3); /* both small's message and the sender's are gone */
}

/* ---- Deadlines ----------------------------------------------------------------------------------- */

/* A tick is 100 ns: 1,001 ns have passed at tick 11 and not before. */
static void a_receive_times_out(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    host_ticks = 7;
    assert_int_equal(rig_recv(child, 0, 64, 0, 1001), RIG_WAITS);
    assert_int_equal(kernel_next_event(), 11);
    host_ticks = 10;
    kernel_timer();
    assert_int_equal(child->state, TASK_BLOCKED);
    host_ticks = 11;
    kernel_timer();
    assert_int_equal(rig_answer(child), -NX_ETIMEDOUT);
    assert_true(kernel_next_event() > 11);
    assert_int_equal(rig_send(init, 0, 1, 8, NONE, 0, 0), 8); /* no task waits for it */
    assert_int_equal(ep_messages_queued(), 1);
}

static void a_send_times_out_and_is_rolled_back(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(1), far = rig_give(ep, child, SEND);
    const uint32_t vmo = (uint32_t)rig_vmo(child, PAGE);
    assert_int_equal(rig_send(init, ep, 1, 8, NONE, 0, 0), 8);
    const uint64_t frames = frames_in_use();
    assert_int_equal(rig_send(child, far, 2, 5000, vmo, 0, 2000), RIG_WAITS);
    assert_int_equal(frames_in_use(), frames + 2);
    host_ticks = 20;
    kernel_timer();
    assert_int_equal(rig_answer(child), -NX_ETIMEDOUT);
    assert_int_equal(frames_in_use(), frames);
    assert_non_null(cap_find(&child->caps, vmo));
    assert_int_equal(rig_recv(init, ep, 64, 0, 0), 8);
    assert_int_equal(rig_recv(init, ep, 64, NX_IPC_NONBLOCK, 0), -NX_EAGAIN);
}

static void several_deadlines(void **state)
{
    (void)state;
    struct task *init = rig_init(), *late = rig_child(init), *early = rig_child(init),
                *never = rig_child(init);
    const uint64_t ep = rig_endpoint(1), far = rig_give(ep, early, RECV);
    assert_int_equal(rig_recv(late, 0, 64, 0, 900), RIG_WAITS);
    assert_int_equal(rig_recv(early, far, 64, 0, 300), RIG_WAITS);
    assert_int_equal(rig_recv(never, 0, 64, 0, 0), RIG_WAITS);
    assert_int_equal(kernel_next_event(), 3);
    assert_int_equal(rig_send(init, ep, 1, 8, NONE, 0, 0), 8);
    assert_int_equal(rig_answer(early), 8); /* in time, and not the nearest deadline any more */
    assert_int_equal(kernel_next_event(), 9);
    host_ticks = 100;
    kernel_timer();
    assert_int_equal(rig_answer(late), -NX_ETIMEDOUT);
    assert_int_equal(never->state, TASK_BLOCKED);
    assert_int_equal(sched_next_deadline(), DEADLINE_NEVER);
}

/* K-55: without a deadline, the only ready task may not block and is refused; with one, it waits. Both are
 * hazards. */
static void waiting_alone(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t ep = rig_endpoint(1);
    REFUSES(-NX_EINVAL, init, NX_SYS_IPC_RECV, ep, U_HDR, U_BUF, 8, 0, 0);
    rig_hazard(init->pid, NX_SYS_IPC_RECV, "K-55", "blocks-alone");
    assert_int_equal(rig_send(init, ep, 1, 8, NONE, 0, 0), 8);
    REFUSES(-NX_EINVAL, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, 8, 0, 0);
    rig_hazard(init->pid, NX_SYS_IPC_SEND, "K-55", "blocks-alone");

    assert_int_equal(rig_recv(init, 0, 64, 0, 500), RIG_WAITS);
    rig_hazard(init->pid, NX_SYS_IPC_RECV, "K-55", "blocks-alone");
    assert_null(rig_current());
    assert_int_equal(kernel_next_event(), 5);
    host_ticks = 5;
    kernel_timer();
    assert_ptr_equal(rig_current(), init);
    assert_int_equal(rig_answer(init), -NX_ETIMEDOUT);
}

/* Another task has a deadline, so the last one may wait, too. */
static void waiting_with_one_that_has_a_deadline(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    assert_int_equal(rig_recv(child, 0, 64, 0, 500), RIG_WAITS);
    const uint64_t ep = rig_endpoint(1);
    assert_int_equal(rig_recv(init, ep, 64, 0, 0), RIG_WAITS);
    rig_hazard(init->pid, NX_SYS_IPC_RECV, "K-55", "blocks-alone");
    assert_null(rig_current());
    host_ticks = 5;
    kernel_timer();
    assert_ptr_equal(rig_current(), child);
    assert_int_equal(rig_answer(child), -NX_ETIMEDOUT);
    assert_int_equal(init->state, TASK_BLOCKED);
}

/* Messages of tasks that still wait are freed with the run (rig_down counts frames). */
static void the_end_finds_a_blocked_sender(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(1), far = rig_give(ep, child, SEND);
    assert_int_equal(rig_send(child, far, 1, 8192 - rig_is_a1() * 7700u, NONE, 0, 0),
                     8192 - rig_is_a1() * 7700);
    assert_int_equal(rig_send(child, far, 2, 500, NONE, 0, 0), RIG_WAITS);
    assert_int_equal(rig_down(state), 0);
    assert_int_equal(audit.undelivered, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(receivers_are_served_in_order),
        ON_EACH(a_blocked_receiver_may_be_refused),
        ON_EACH(senders_wait_for_room),
        ON_A2(a_blocked_sender_meets_the_budget),
        ON_EACH(a_receive_times_out),
        ON_A2(a_send_times_out_and_is_rolled_back),
        ON_EACH(several_deadlines),
        ON_EACH(waiting_alone),
        ON_EACH(waiting_with_one_that_has_a_deadline),
        ON_EACH(the_end_finds_a_blocked_sender),
    };
    return cmocka_run_group_tests_name("core/ipc waits", tests, NULL, NULL);
}
