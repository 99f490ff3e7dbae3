/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving without waiting: K-50..K-54, K-59. Waiting is in test_ipc_wait.c. */
#include "core/audit_tables.h"
#include "core/endpoint.h"
#include "core/frames.h"
#include "core/kernel_rig.h"

#define SEND NX_RIGHT_SEND
#define RECV NX_RIGHT_RECV
#define NONBLOCK NX_IPC_NONBLOCK
#define NONE CAP_NO_SLOT

static struct nx_ipc_hdr received(const struct task *task)
{
    struct nx_ipc_hdr hdr;
    rig_peek(task, U_HDR, &hdr, sizeof(hdr));
    return hdr;
}

static void put_hdr(const struct task *task, uint32_t len, uint16_t flags, uint32_t src)
{
    const struct nx_ipc_hdr hdr = {.src = src, .type = 9, .flags = flags, .len = len};
    rig_poke(task, U_HDR, &hdr, sizeof(hdr));
}

static void round_trip(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(4), far = rig_give(ep, child, RECV);
    uint8_t text[100], seen[100];
    for (unsigned i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * 7);
    }
    rig_poke(init, U_BUF, text, sizeof(text));
    assert_int_equal(rig_send(init, ep, 0xBEEF, sizeof(text), NONE, 0, 0), 100);
    rig_fill(child, U_BUF, 0xEE, 200);
    assert_int_equal(rig_recv(child, far, 200, 0, 0), 100);

    const struct nx_ipc_hdr hdr = received(child);
    assert_int_equal(hdr.src, 0);
    assert_int_equal(hdr.dst, init->pid); /* not the value that the sender wrote */
    assert_int_equal(hdr.type, 0xBEEF);
    assert_int_equal(hdr.flags, 0);
    assert_int_equal(hdr.len, 100);
    rig_peek(child, U_BUF, seen, sizeof(seen));
    assert_memory_equal(seen, text, sizeof(text));
    assert_true(rig_holds(child, U_BUF + 100, 0xEE, 100));

    assert_int_equal(audit.msg_count.used, 1);
    assert_int_equal(audit.msgs[0].msg.from, init->pid);
    assert_int_equal(audit.msgs[0].msg.to, child->pid);
    assert_int_equal(audit.msgs[0].msg.len, 100);
    assert_int_equal(audit.msgs[0].msg.type, 0xBEEF);
    assert_int_equal(audit.msgs[0].msg.head_bytes, 100);
    assert_memory_equal(audit.msgs[0].head, text, 100);
}

/* 4,096 bytes and more do not fit into a message's first frame. */
static void sizes(void **state)
{
    static const uint64_t lens[] = {0, 1, 64, 65, 511, 512, 513, 3960, 4096, 8191, 8192, 8193};
    (void)state;
    struct task *init = rig_init();
    const uint64_t max = rig_is_a1() ? 512 : 8192, ep = rig_endpoint(4), frames = frames_in_use();
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        const uint64_t n = lens[i];
        for (uint64_t at = 0; at < n; at++) {
            rig_poke(init, U_BUF + at, &(uint8_t){(uint8_t)(at / 256 + at)}, 1);
        }
        put_hdr(init, (uint32_t)n, 0, 0);
        if (n > max) {
            REFUSES(-NX_EINVAL, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, n);
            continue;
        }
        GIVES((int64_t)n, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, n);
        rig_fill(init, U_BUF, 0xEE, 0x3000);
        assert_int_equal(rig_recv(init, ep, n, 0, 0), n); /* to itself */
        for (uint64_t at = 0; at < n; at++) {
            assert_true(rig_holds(init, U_BUF + at, (uint8_t)(at / 256 + at), 1));
        }
        assert_true(rig_holds(init, U_BUF + n, 0xEE, 0x3000 - n));
        assert_int_equal(received(init).len, n);
        assert_int_equal(frames_in_use(), frames);
    }
}

/* K-51. If two checks have the same answer, the hazard of a bad pointer shows which was first. */
static void the_order_of_sends_checks(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t too_long = 9000, ep = rig_endpoint(1);
#define BAD_SEND(...) REFUSES(-NX_EINVAL, init, NX_SYS_IPC_SEND, __VA_ARGS__)
    put_hdr(init, 7, NX_IPC_HDR_CAP_MOVE, 99);
    BAD_SEND(99, U_NOWHERE, U_NOWHERE, too_long, 8);
    rig_hazard(init->pid, NX_SYS_IPC_SEND, "K-64", "unmapped-pointer"); /* hdr before maximum */
    BAD_SEND(99, 0, U_BUF, 8, 0);
    BAD_SEND(99, U_HDR, U_NOWHERE, too_long, 8); /* maximum before payload: no hazard */
    BAD_SEND(99, U_HDR, U_NOWHERE, 8, 8);
    rig_hazard(init->pid, NX_SYS_IPC_SEND, "K-64", "unmapped-pointer"); /* payload before flags */
    BAD_SEND(99, U_HDR, 0, 8, 0);
    BAD_SEND(99, U_HDR, NX_USER_TOP - 7, 8, 0);
    BAD_SEND(99, U_HDR, U_BUF, 8, 2); /* flags before slot */
    BAD_SEND(99, U_HDR, U_BUF, 8, UINT64_C(1) << 32);
    REFUSES(-NX_EPERM, init, NX_SYS_IPC_SEND, 99, U_HDR, U_BUF, 8, 0); /* slot before len */
    BAD_SEND(ep, U_HDR, U_BUF, 8, 0);                                  /* len before CAP_MOVE */
    REFUSES(-NX_EPERM, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, 7, 0);
    REFUSES(-NX_EPERM, init, NX_SYS_IPC_SEND, NX_SLOT_FACTORY, U_HDR, U_BUF, 7, 0);
}

static void the_order_of_recvs_checks(void **state)
{
    (void)state;
    struct task *init = rig_init();
#define BAD_RECV(...) REFUSES(-NX_EINVAL, init, NX_SYS_IPC_RECV, __VA_ARGS__)
    BAD_RECV(99, U_NOWHERE, U_BUF, 8, 8);
    rig_hazard(init->pid, NX_SYS_IPC_RECV, "K-64", "unmapped-pointer");
    BAD_RECV(99, U_HDR, U_NOWHERE, 8, 8);
    rig_hazard(init->pid, NX_SYS_IPC_RECV, "K-64", "unmapped-pointer"); /* pointers before flags */
    BAD_RECV(99, U_HDR, RIG_TEXT_VA, 8, 0);
    rig_hazard(init->pid, NX_SYS_IPC_RECV, "K-64", "protected-pointer");
    BAD_RECV(99, 0, U_BUF, 8, 0);
    BAD_RECV(99, U_HDR, 0, 8, 0);
    BAD_RECV(99, U_HDR, U_BUF, UINT64_MAX, 0);
    BAD_RECV(99, U_HDR, U_BUF, 8, 8); /* flags before slot */
    REFUSES(-NX_EPERM, init, NX_SYS_IPC_RECV, 99, U_HDR, U_BUF, 8, 0);
    REFUSES(-NX_EPERM, init, NX_SYS_IPC_RECV, NX_SLOT_FACTORY, U_HDR, U_BUF, 8, 0);
    if (rig_is_a1()) {
        BAD_RECV(0, U_HDR, U_BUF, 8, NX_IPC_EOF | NONBLOCK);
    } else {
        REFUSES(-NX_EAGAIN, init, NX_SYS_IPC_RECV, 0, U_HDR, U_BUF, 8, NX_IPC_EOF | NONBLOCK);
    }
}

static void rights_and_nonblock(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(2), sends = rig_give(ep, child, SEND),
                   receives = rig_give(ep, child, RECV);
    put_hdr(child, 8, 0, 0);
    REFUSES(-NX_EAGAIN, child, NX_SYS_IPC_RECV, receives, U_HDR, U_BUF, 8, NONBLOCK);
    REFUSES(-NX_EPERM, child, NX_SYS_IPC_RECV, sends, U_HDR, U_BUF, 8, NONBLOCK);
    REFUSES(-NX_EPERM, child, NX_SYS_IPC_SEND, receives, U_HDR, U_BUF, 8, NONBLOCK);
    GIVES(8, child, NX_SYS_IPC_SEND, sends, U_HDR, U_BUF, 8, NONBLOCK);
    GIVES(8, child, NX_SYS_IPC_SEND, sends, U_HDR, U_BUF, 8, NONBLOCK);
    REFUSES(-NX_EAGAIN, child, NX_SYS_IPC_SEND, sends, U_HDR, U_BUF, 8, NONBLOCK);
    host_ticks = 1000; /* 100,000 ns: a deadline that has passed */
    REFUSES(-NX_ETIMEDOUT, child, NX_SYS_IPC_SEND, sends, U_HDR, U_BUF, 8, 0, 100000);
    assert_int_equal(ep_messages_queued(), 2);
    assert_int_equal(rig_recv(init, ep, 8, 0, 1),
                     8); /* a message is queued, so the deadline does not matter */
    assert_int_equal(rig_recv(init, ep, 8, 0, 1), 8);
    REFUSES(-NX_ETIMEDOUT, init, NX_SYS_IPC_RECV, ep, U_HDR, U_BUF, 8, 0, 100000);
}

/* K-52: 256 KiB for an owner, 1 MiB in all. A blocking call is refused at once, too. */
static void budgets(void **state)
{
    enum { LEN = 8192, OF_ONE = 32 };
    (void)state;
    struct task *init = rig_init();
    uint64_t eps[5][2];
    for (unsigned owner = 0; owner < 5; owner++) {
        const struct task *task = owner == 0 ? init : rig_child(init);
        for (unsigned i = 0; i < 2; i++) {
            eps[owner][i] =
                (uint64_t)CALL(init, NX_SYS_EP_CREATE_FOR, NX_SLOT_FACTORY, task->pid, OF_ONE / 2);
        }
    }
    for (unsigned owner = 0; owner < 4; owner++) {
        put_hdr(init, LEN, 0, 0);
        for (unsigned i = 0; i < OF_ONE; i++) {
            GIVES(LEN, init, NX_SYS_IPC_SEND, eps[owner][i % 2], U_HDR, U_BUF, LEN);
        }
        REFUSES(-NX_ENOSPC, init, NX_SYS_IPC_SEND, eps[owner][0], U_HDR, U_BUF, LEN);
        /* Both queues are full as well: the budget comes first. */
        REFUSES(-NX_ENOSPC, init, NX_SYS_IPC_SEND, eps[owner][1], U_HDR, U_BUF, LEN, NONBLOCK);
        put_hdr(init, 1, 0, 0);
        REFUSES(-NX_ENOSPC, init, NX_SYS_IPC_SEND, eps[owner][1], U_HDR, U_BUF, 1, NONBLOCK);
    }
    REFUSES(-NX_ENOSPC, init, NX_SYS_IPC_SEND, eps[4][0], U_HDR, U_BUF, 1);
    put_hdr(init, LEN, 0, 0);
    REFUSES(-NX_ENOSPC, init, NX_SYS_IPC_SEND, eps[4][0], U_HDR, U_BUF, LEN); /* 1 MiB in all */
    const uint64_t clone = (uint64_t)CALL(init, NX_SYS_CAP_CLONE, eps[4][1]);
    GIVES(0, init, NX_SYS_EP_CLOSE, eps[4][1]);
    REFUSES(-NX_ENOSPC, init, NX_SYS_IPC_SEND, clone, U_HDR, U_BUF,
            LEN); /* K-51: before the closed endpoint */
    put_hdr(init, 0, 0, 0);
    GIVES(0, init, NX_SYS_IPC_SEND, eps[4][0], U_HDR, U_BUF, 0);
    REFUSES(-NX_ESRCH, init, NX_SYS_IPC_SEND, clone, U_HDR, U_BUF, 0);
    assert_int_equal(rig_recv(init, eps[2][1], LEN, 0, 0), LEN); /* room again */
    assert_int_equal(rig_send(init, eps[4][0], 1, LEN, NONE, 0, 0), LEN);
}

static void no_frames_for_a_message(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t ep = rig_endpoint(4);
    uint64_t taken[HOST_FRAMES_BYTES / NX_PAGE_BYTES], n = 0;
    put_hdr(init, 8192, 0, 0);
    while (frames_available() > 2) {
        taken[n++] = frames_alloc();
    }
    REFUSES(-NX_ENOMEM, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, 8192);
    frames_free(taken[--n]);
    GIVES(8192, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, 8192);
    while (n > 0) {
        frames_free(taken[--n]);
    }
}

static void truncate(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t ep = rig_endpoint(4);
    rig_fill(init, U_BUF, 0x41, 100);
    assert_int_equal(rig_send(init, ep, 1, 100, NONE, 0, 0), 100);
    rig_fill(init, U_BUF, 0xEE, 100);
    assert_int_equal(rig_recv(init, ep, 40, NX_IPC_TRUNCATE, 0), 40);
    assert_true(rig_holds(init, U_BUF, 0x41, 40) && rig_holds(init, U_BUF + 40, 0xEE, 60));
    assert_int_equal(received(init).len, 100);
    assert_int_equal(ep_messages_queued(), 0);
}

/* K-53: -22, the header, no payload, no message; and the capability has arrived. */
static void a_buffer_too_small_loses_the_message(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(4), far = rig_give(ep, child, RECV);
    const uint32_t vmo = (uint32_t)rig_vmo(init, PAGE), id = init->caps.slots[vmo].object;
    assert_int_equal(rig_send(init, ep, 6, 100, vmo, 0, 0), 100);
    rig_fill(child, U_BUF, 0xEE, 100);
    assert_int_equal(rig_recv(child, far, 99, 0, 0), -NX_EINVAL);
    assert_true(rig_holds(child, U_BUF, 0xEE, 100));
    const struct nx_ipc_hdr hdr = received(child);
    assert_int_equal(hdr.len, 100);
    assert_int_equal(hdr.type, 6);
    assert_int_equal(hdr.src, 2);
    assert_int_equal(child->caps.slots[2].object, id);
    assert_int_equal(ep_messages_queued(), 0);
    GIVES(0, child, NX_SYS_CAP_CLOSE, hdr.src);

    assert_int_equal(rig_send(init, ep, 6, 100, NONE, 0, 0), 100);
    assert_int_equal(rig_recv(child, far, 0, 0, 0), 0); /* max 0: the answer is 0, and the message is lost */
    assert_int_equal(received(child).len, 100);
    assert_int_equal(rig_recv(child, far, 100, NONBLOCK, 0), -NX_EAGAIN);
}

/* ---- CAP_MOVE (K-54) ----------------------------------------------------------------------------- */

static void a_capability_moves(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(4), far = rig_give(ep, child, RECV);
    const uint32_t vmo = (uint32_t)rig_vmo(init, PAGE);
    const struct cap before = init->caps.slots[vmo];
    uint64_t va = NX_A1_MAP_BASE;
    if (rig_is_a1()) {
        GIVES(0, init, NX_SYS_MAP, vmo, va, 0, NX_MAP_VALID | NX_MAP_USER | NX_MAP_READ);
    } else {
        va = (uint64_t)CALL(init, NX_SYS_VM_MAP, vmo, 0, PAGE, NX_MAP_READ);
    }
    assert_int_equal(rig_send(init, ep, 1, 8, vmo, 0, 0), 8);
    assert_null(cap_find(&init->caps, vmo));
    assert_int_equal(cap_used(&child->caps), 2); /* queued: in no table */
    assert_true(rig_load(init, va, &(uint8_t){0}, 1));

    assert_int_equal(rig_recv(child, far, 8, 0, 0), 8);
    assert_int_equal(received(child).src, 2);
    assert_int_equal(received(child).flags, NX_IPC_HDR_CAP_MOVE);
    assert_int_equal(child->caps.slots[2].kind, CAP_VMO);
    assert_int_equal(child->caps.slots[2].rights, before.rights);
    assert_int_equal(child->caps.slots[2].object, before.object);
    assert_int_equal(child->caps.slots[2].base_pa, before.base_pa);
    assert_int_equal(child->caps.slots[2].bytes, before.bytes);
    assert_int_equal(audit.grant_count.used, 2);
    assert_int_equal(audit.grants[1].via, AUDIT_GRANT_MOVE);
    assert_int_equal(audit.grants[1].cap.object, before.object);
    assert_int_equal(audit.msgs[0].msg.moved, CAP_VMO);
}

static void what_cannot_move(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t ep = rig_endpoint(1), vmo = rig_vmo(init, PAGE);
    static const uint32_t bad[] = {NX_SLOT_FACTORY, 2, 99, 256, UINT32_MAX};
    assert_int_equal(ep, 2); /* holds MANAGE */
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_hdr(init, 8, NX_IPC_HDR_CAP_MOVE, bad[i]);
        REFUSES(-NX_EPERM, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, 8, 0);
    }
    assert_int_equal(rig_send(init, ep, 1, 8, NONE, 0, 0), 8);
    put_hdr(init, 8, NX_IPC_HDR_CAP_MOVE, (uint32_t)vmo);
    REFUSES(-NX_EAGAIN, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, 8, NONBLOCK); /* full: rolled back */
    host_ticks = 5;
    REFUSES(-NX_ETIMEDOUT, init, NX_SYS_IPC_SEND, ep, U_HDR, U_BUF, 8, 0, 100);
    assert_non_null(cap_find(&init->caps, vmo));
}

static void a_full_table_keeps_the_message(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(4), far = rig_give(ep, child, RECV);
    assert_int_equal(rig_send(init, ep, 7, 8, (uint32_t)rig_vmo(init, PAGE), 0, 0), 8);
    rig_fill_slots(child);
    REFUSES(-NX_ENOSPC, child, NX_SYS_IPC_RECV, far, U_HDR, U_BUF, 8, 0);
    REFUSES(-NX_ENOSPC, child, NX_SYS_IPC_RECV, far, U_HDR, U_BUF, 8, NONBLOCK);
    GIVES(0, child, NX_SYS_CAP_CLOSE, 33);
    assert_int_equal(rig_recv(child, far, 8, 0, 0), 8);
    assert_int_equal(received(child).src, 33);
    assert_int_equal(received(child).type, 7);
}

/* ---- recv_v2 (K-59) ------------------------------------------------------------------------------ */

static struct nx_ipc_recv_v2 good_desc(uint64_t slot)
{
    return (struct nx_ipc_recv_v2){.magic = NX_IPC_V2_MAGIC,
                                   .version = NX_IPC_V2_VERSION,
                                   .slot = (uint32_t)slot,
                                   .hdr = U_HDR,
                                   .buf = U_BUF,
                                   .max = 64,
                                   .sender_id = U_ID,
                                   .flags = NONBLOCK};
}

static void refuses_desc(int64_t answer, struct task *task, const struct nx_ipc_recv_v2 *desc, int line)
{
    rig_poke(task, U_DESC, desc, sizeof(*desc));
    rig_refuses(answer, __FILE__, line, task, NX_SYS_IPC_RECV_V2, (const uint64_t[6]){U_DESC});
}

static void bad_descriptors(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct nx_ipc_recv_v2 desc;
    assert_int_equal(sizeof(desc), NX_IPC_V2_DESC_BYTES);
#define DESC(answer, change) (desc = good_desc(0), desc.change, refuses_desc(answer, init, &desc, __LINE__))
    DESC(-NX_EAGAIN, flags = NONBLOCK); /* a valid descriptor, on an empty endpoint */
    DESC(-NX_EINVAL, sender_id = 0);
    DESC(-NX_EINVAL, magic = 0x4E584931);
    DESC(-NX_EINVAL, version = 2);
    DESC(-NX_EAGAIN, reserved0 = 1); /* the reserved words are not looked at */
    DESC(-NX_EAGAIN, reserved1 = 1);
    DESC(-NX_EINVAL, max = rig_is_a1() ? 513 : 8193);
    DESC(-NX_EAGAIN, max = rig_is_a1() ? 512 : 8192);
    DESC(-NX_EINVAL, hdr = 0);
    DESC(-NX_EINVAL, buf = 0);
    DESC(-NX_EINVAL, sender_id = NX_USER_TOP);
    DESC(-NX_EINVAL, flags = 8);
    DESC(-NX_EINVAL, flags = NONBLOCK | NX_IPC_EOF); /* K-52: only call 18 has EOF */
    DESC(-NX_EPERM, slot = 9);
    DESC(-NX_EPERM, slot = NX_SLOT_FACTORY);
    REFUSES(-NX_EINVAL, init, NX_SYS_IPC_RECV_V2, 0);
    REFUSES(-NX_EINVAL, init, NX_SYS_IPC_RECV_V2, NX_USER_TOP - 60);
}

static uint64_t recv_v2(struct task *task, uint64_t slot)
{
    const struct nx_ipc_recv_v2 desc = good_desc(slot);
    uint64_t id;
    rig_fill(task, U_ID, 0xEE, 8);
    rig_poke(task, U_DESC, &desc, sizeof(desc));
    GIVES(5, task, NX_SYS_IPC_RECV_V2, U_DESC);
    rig_peek(task, U_ID, &id, sizeof(id));
    return id;
}

static void sender_ids(void **state)
{
    (void)state;
    struct task *init = rig_init(), *plain = rig_child(init);
    struct image elf;
    rig_make_elf(&elf);
    rig_poke(init, U_ELF, &elf, sizeof(elf));
    rig_poke(init, U_NAME, "foobar", 6);
    const int64_t pid = CALL(init, NX_SYS_EXEC_V2, U_ELF, sizeof(elf), 1, 0, U_NAME, 6);
    struct task *named = task_find((uint64_t)pid);
    if (!rig_is_a1()) {
        GIVES(0, init, NX_SYS_TASK_RESUME, (uint64_t)pid);
    }
    assert_string_equal(named->name, "foobar");

    assert_int_equal(rig_send(plain, 0, 1, 5, NONE, 0, 0), 5);
    assert_int_equal(rig_send(named, 0, 1, 5, NONE, 0, 0), 5);
    assert_int_equal(recv_v2(init, 0), 0);
    assert_int_equal(received(init).dst, plain->pid);
    assert_int_equal(recv_v2(init, 0), UINT64_C(0x85944171F73967E8)); /* FNV-1a-64 of "foobar" */
    assert_int_equal(received(init).dst, named->pid);
    const int64_t unnamed = CALL(init, NX_SYS_EXEC_V2, U_ELF, sizeof(elf), 1, 0, 0, 0);
    assert_int_equal(task_find((uint64_t)unnamed)->sender_id,
                     0); /* without a name the id is 0, not FNV's basis */
}

/* The bootstrap endpoint has no owner, and its depth is below the maximum. */
static void the_bootstrap_endpoint_is_short(void **state)
{
    (void)state;
    struct task *init = rig_init();
    for (unsigned i = 0; i < NX_EP_BOOTSTRAP_DEPTH; i++) {
        assert_int_equal(rig_send(init, 0, 1, 5, NONE, NONBLOCK, 0), 5);
    }
    assert_int_equal(rig_send(init, 0, 1, 5, NONE, NONBLOCK, 0), -NX_EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(round_trip),
        ON_EACH(sizes),
        ON_EACH(the_order_of_sends_checks),
        ON_EACH(the_order_of_recvs_checks),
        ON_EACH(rights_and_nonblock),
        ON_A2(budgets),
        ON_A2(no_frames_for_a_message),
        ON_EACH(truncate),
        ON_EACH(a_buffer_too_small_loses_the_message),
        ON_EACH(a_capability_moves),
        ON_EACH(what_cannot_move),
        ON_EACH(a_full_table_keeps_the_message),
        ON_EACH(bad_descriptors),
        ON_EACH(sender_ids),
        ON_EACH(the_bootstrap_endpoint_is_short),
    };
    return cmocka_run_group_tests_name("core/ipc", tests, NULL, NULL);
}
