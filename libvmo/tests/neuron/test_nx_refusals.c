/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NEURON backend on a kernel that refuses: the status of each function of the port for each error of each
 * system call that it makes, on both ABI revisions and without each optional call. After a refusal the task
 * uses as many slots and regions as before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "nx_port_calls.h"

enum { A1 = 1, A2 = 2, BOTH = 3 };

/* State before the call. */
enum {
    OBJECT = 1,   /* it.object: two pages */
    ALIAS = 2,    /* with an alias */
    RECEIVED = 4, /* it.object: an alias alone */
    CHILD = 8,    /* it.peer: a child */
    PARENT = 16,  /* it.peer: the parent; this task is not init */
    ENDED = 32,   /* the child has ended */
    WAITED = 64,  /* the child was waited for */
    MAPPED = 128, /* it.at: a mapping of one page of the object */
    TASK = 256    /* this task is not init */
};

/* ---- Rows --------------------------------------------------------------------------------------- */

struct row {
    const char *title;
    uint32_t on; /* revisions */
    uint32_t start;
    vmo_status (*call)(void);
    struct {
        uint64_t number;
        uint32_t nth; /* 0: no answer is injected; EVERY: for each call */
        int64_t answer;
    } kernel;
    vmo_status wanted;
    bool changes; /* the number of slots or regions in use may change */
    uint64_t without;
};
#define EVERY UINT32_MAX

#define SYS(name, nth, answer)                                                                               \
    {                                                                                                        \
        NX_SYS_##name, nth, answer                                                                           \
    }
#define NOTHING                                                                                              \
    {                                                                                                        \
        0, 0, 0                                                                                              \
    }
/* Slots and regions after the call, on a kernel with all calls of its revision. */
#define SAME false, 0
#define CHANGED true, 0

static const struct row rows[] = {
    /* VMOs */
    {"create", BOTH, 0, create, NOTHING, VMO_OK, CHANGED},
    {"create: no slot", A2, 0, create, SYS(VMO_CREATE, 1, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"create: no free slot before the call", A1, 0, create, SYS(CAP_CLONE, 1, -NX_ENOSPC), VMO_ERR_NO_SLOTS,
     SAME},
    {"create: the clone is refused", A1, 0, create, SYS(CAP_CLONE, 1, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"create: the clone cannot be closed", A1, 0, create, SYS(CAP_CLOSE, 1, -NX_EPERM), VMO_ERR_BACKEND,
     CHANGED},
    {"create: no memory", BOTH, 0, create, SYS(VMO_CREATE, 1, -NX_EPERM), VMO_ERR_NO_MEMORY, SAME},
    {"create: unknown error", BOTH, 0, create, SYS(VMO_CREATE, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"create: in a child", A1, TASK, create, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"create: in a child of a2", A2, TASK, create, NOTHING, VMO_OK, CHANGED},
    {"write", BOTH, OBJECT, put, NOTHING, VMO_OK, SAME},
    {"write: refused", BOTH, OBJECT, put, SYS(VMO_WRITE, 1, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"write: bad pointer", BOTH, OBJECT, put, SYS(VMO_WRITE, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"write: less than asked", BOTH, OBJECT, put, SYS(VMO_WRITE, 1, BYTES - 1), VMO_ERR_BACKEND, SAME},
    {"read", A2, OBJECT, get, NOTHING, VMO_OK, SAME},
    {"read: a1 has no such call", A1, OBJECT, get, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"read: without 47", A2, OBJECT, get, NOTHING, VMO_ERR_UNSUPPORTED, false, WITHOUT(NX_SYS_VMO_READ)},
    {"read: an alias", A2, RECEIVED, get, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"read: refused", A2, OBJECT, get, SYS(VMO_READ, EVERY, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"read: less than asked", A2, OBJECT, get, SYS(VMO_READ, EVERY, 1), VMO_ERR_BACKEND, SAME},
    {"alias", A2, OBJECT, make_alias, NOTHING, VMO_OK, CHANGED},
    {"alias: exists already", A2, ALIAS, make_alias, NOTHING, VMO_OK, SAME},
    {"alias: a1 has no such call", A1, OBJECT, make_alias, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"alias: without 51", A2, OBJECT, make_alias, NOTHING, VMO_ERR_UNSUPPORTED, false,
     WITHOUT(NX_SYS_VMO_SHARE_RO)},
    {"alias: no slot", A2, OBJECT, make_alias, SYS(VMO_SHARE_RO, EVERY, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"alias: refused", A2, OBJECT, make_alias, SYS(VMO_SHARE_RO, EVERY, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"seal: by the library", A1, OBJECT, seal, NOTHING, VMO_OK, SAME},
    {"seal: the alias replaces the owner", A2, OBJECT, seal, NOTHING, VMO_OK, SAME},
    {"seal: no slot for the alias", A2, OBJECT, seal, SYS(VMO_SHARE_RO, EVERY, -NX_ENOSPC), VMO_ERR_NO_SLOTS,
     SAME},
    {"seal: the owner cannot be closed", A2, ALIAS, seal, SYS(CAP_CLOSE, 1, -NX_EPERM), VMO_ERR_BACKEND,
     SAME},
    {"close", BOTH, OBJECT, close_object, NOTHING, VMO_OK, CHANGED},
    {"close: the owner cannot be closed", BOTH, OBJECT, close_object, SYS(CAP_CLOSE, 1, -NX_EPERM),
     VMO_ERR_BACKEND, SAME},
    {"close: the alias cannot be closed", A2, ALIAS, close_object, SYS(CAP_CLOSE, 1, -NX_EPERM),
     VMO_ERR_BACKEND, SAME},
    {"check destroy: a1 has no such call", A1, OBJECT, check_destroy, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"check destroy: without 46", A2, OBJECT, check_destroy, NOTHING, VMO_ERR_UNSUPPORTED, false,
     WITHOUT(NX_SYS_VMO_DESTROY)},
    {"destroy", A2, OBJECT, destroy, NOTHING, VMO_OK, CHANGED},
    {"destroy: a second capability", A2, OBJECT, destroy, SYS(VMO_DESTROY, EVERY, -NX_EPERM),
     VMO_ERR_STILL_SHARED, SAME},
    {"destroy: mapped", A2, OBJECT, destroy, SYS(VMO_DESTROY, EVERY, -NX_EBUSY), VMO_ERR_STILL_MAPPED, SAME},
    {"destroy: unknown error", A2, OBJECT, destroy, SYS(VMO_DESTROY, EVERY, -NX_EINVAL), VMO_ERR_BACKEND,
     SAME},
    {"destroy: the alias cannot be closed", A2, ALIAS, destroy, SYS(CAP_CLOSE, 1, -NX_EPERM), VMO_ERR_BACKEND,
     SAME},
    {"wrap a file", BOTH, 0, wrap_file, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    /* mappings */
    {"map", BOTH, OBJECT, map_read, NOTHING, VMO_OK, CHANGED},
    {"map: a2 without 53", A2, OBJECT, map_read, NOTHING, VMO_ERR_UNSUPPORTED, false, WITHOUT(NX_SYS_VM_MAP)},
    {"map: a2 without 54", A2, OBJECT, map_write, NOTHING, VMO_OK, true, WITHOUT(NX_SYS_VM_UNMAP)},
    {"map: no address", A2, OBJECT, map_read, SYS(VM_MAP, EVERY, -NX_ENOMEM), VMO_ERR_NO_MEMORY, SAME},
    {"map: no region", A2, OBJECT, map_write, SYS(VM_MAP, EVERY, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"map: a page table in the way, and too small for fillers", A2, OBJECT, map_read,
     SYS(VM_MAP, EVERY, -NX_EEXIST), VMO_ERR_FRAGMENTED, SAME},
    {"map: refused", A2, OBJECT, map_read, SYS(VM_MAP, EVERY, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"map: address 0", A2, OBJECT, map_read, SYS(VM_MAP, EVERY, 0), VMO_ERR_BACKEND, SAME},
    {"map: no memory for a page table", A1, OBJECT, map_read, SYS(MAP, 1, -NX_ENOMEM), VMO_ERR_NO_MEMORY,
     SAME},
    {"map: no memory for the second page", A1, OBJECT, map_read, SYS(MAP, 2, -NX_ENOMEM), VMO_ERR_NO_MEMORY,
     SAME},
    {"map: in use", A1, OBJECT, map_read, SYS(MAP, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"map: refused on a1", A1, OBJECT, map_write, SYS(MAP, 2, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"unmap", A2, OBJECT | MAPPED, unmap, NOTHING, VMO_OK, CHANGED},
    {"unmap: no such mapping", A2, OBJECT | MAPPED, unmap, SYS(VM_UNMAP, 1, -NX_ENOENT), VMO_ERR_BACKEND,
     SAME},
    {"unmap: wrong length", A2, OBJECT | MAPPED, unmap, SYS(VM_UNMAP, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"verify: an owner", BOTH, OBJECT, verify, NOTHING, VMO_OK, SAME},
    {"verify: an owner that is too short", BOTH, OBJECT, verify_more, NOTHING, VMO_ERR_PROTOCOL, SAME},
    {"verify: an alias", A2, RECEIVED, verify, NOTHING, VMO_OK, CHANGED},
    {"verify: an alias that is too short", A2, RECEIVED, verify_more, NOTHING, VMO_ERR_PROTOCOL, SAME},
    {"verify: an alias longer than the window", A2, RECEIVED, verify_too_much, NOTHING, VMO_ERR_PROTOCOL,
     SAME},
    {"verify: no region", A2, RECEIVED, verify, SYS(VM_MAP, 1, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"verify: no address", A2, RECEIVED, verify, SYS(VM_MAP, 1, -NX_ENOMEM), VMO_ERR_NO_MEMORY, SAME},
    {"verify: a page table in the way", A2, RECEIVED, verify, SYS(VM_MAP, 1, -NX_EEXIST), VMO_ERR_FRAGMENTED,
     SAME},
    {"verify: an alias without 53", A2, RECEIVED, verify, NOTHING, VMO_ERR_PROTOCOL, false,
     WITHOUT(NX_SYS_VM_MAP)},
    /* peers */
    {"spawn", BOTH, 0, spawn, NOTHING, VMO_OK, CHANGED},
    {"spawn: a segment outside user memory", BOTH, 0, spawn_outside, NOTHING, VMO_ERR_INVALID, SAME},
    {"spawn: in a child", BOTH, TASK, spawn, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"spawn: a2 without 32", A2, 0, spawn, NOTHING, VMO_ERR_UNSUPPORTED, false, WITHOUT(NX_SYS_TASK_RESUME)},
    {"spawn: no slot", BOTH, 0, spawn, SYS(CAP_CLONE, 3, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"spawn: no first endpoint", BOTH, 0, spawn, SYS(EP_CREATE, 1, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"spawn: no second endpoint", BOTH, 0, spawn, SYS(EP_CREATE, 2, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"spawn: the endpoint is refused", BOTH, 0, spawn, SYS(EP_CREATE, 2, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"spawn: no memory", BOTH, 0, spawn, SYS(EXEC, 1, -NX_ENOMEM), VMO_ERR_NO_MEMORY, SAME},
    {"spawn: the loader refuses", BOTH, 0, spawn, SYS(EXEC, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"spawn: too large", BOTH, 0, spawn, SYS(EXEC, 1, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"spawn: the pid of init", BOTH, 0, spawn, SYS(EXEC, 1, NX_PID_INIT), VMO_ERR_BACKEND, SAME},
    {"spawn: no watch", BOTH, 0, spawn, SYS(EP_CREATE_FOR, 1, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"spawn: the watch is refused", BOTH, 0, spawn, SYS(EP_CREATE_FOR, 1, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"spawn: the child's first end in another slot", BOTH, 0, spawn, SYS(CAP_TRANSFER, 1, 5), VMO_ERR_BACKEND,
     SAME},
    {"spawn: the child's second end is refused", BOTH, 0, spawn, SYS(CAP_TRANSFER, 2, -NX_EPERM),
     VMO_ERR_BACKEND, SAME},
    {"spawn: not resumed", A2, 0, spawn, SYS(TASK_RESUME, 1, -NX_ESRCH), VMO_ERR_BACKEND, SAME},
    {"parent", BOTH, TASK, parent, NOTHING, VMO_OK, SAME},
    {"parent: of init", BOTH, 0, parent, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"open a descriptor", BOTH, 0, open_peer, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"wait", BOTH, CHILD | ENDED, wait_for_it, NOTHING, VMO_OK, CHANGED},
    {"wait: alive", BOTH, CHILD, wait_for_it, NOTHING, VMO_ERR_TIMED_OUT, SAME},
    {"wait: for the parent", BOTH, PARENT, wait_for_it, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"wait: again", BOTH, CHILD | ENDED | WAITED, wait_for_it, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"wait: not our child", BOTH, CHILD | ENDED, wait_for_it, SYS(WAIT, 1, -NX_ESRCH), VMO_ERR_BACKEND, SAME},
    {"wait: cannot yield", BOTH, CHILD, wait_for_it, SYS(YIELD, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"close a child", BOTH, CHILD, close_peer, NOTHING, VMO_OK, CHANGED},
    {"close a child: its endpoints are gone", BOTH, CHILD, close_peer, SYS(EP_CLOSE, EVERY, -NX_ESRCH),
     VMO_OK, CHANGED},
    {"close a child: without MANAGE", BOTH, CHILD, close_peer, SYS(EP_CLOSE, EVERY, -NX_EPERM), VMO_OK,
     CHANGED},
    {"close a child: refused", BOTH, CHILD, close_peer, SYS(EP_CLOSE, 2, -NX_EINVAL), VMO_ERR_BACKEND,
     CHANGED},
    {"close a child: the watch cannot be closed", BOTH, CHILD, close_peer, SYS(CAP_CLOSE, 1, -NX_EPERM),
     VMO_ERR_BACKEND, CHANGED},
    {"close the parent", BOTH, PARENT, close_peer, NOTHING, VMO_OK, CHANGED},
    {"close the parent: refused", BOTH, PARENT, close_peer, SYS(CAP_CLOSE, 1, -NX_EPERM), VMO_ERR_BACKEND,
     CHANGED},
    {"kill", BOTH, CHILD, kill_peer, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"hang up", BOTH, CHILD, hang_up, NOTHING, VMO_OK, CHANGED},
    {"hang up: no slot for the clone", BOTH, CHILD, hang_up, SYS(CAP_CLONE, 1, -NX_ENOSPC), VMO_ERR_NO_SLOTS,
     SAME},
    {"hang up: the clone is refused", BOTH, CHILD, hang_up, SYS(CAP_CLONE, 1, -NX_EPERM), VMO_ERR_BACKEND,
     SAME},
    {"hang up: the second clone is refused", BOTH, CHILD, hang_up, SYS(CAP_CLONE, 2, -NX_EPERM),
     VMO_ERR_BACKEND, CHANGED},
    {"hang up: an endpoint cannot be closed", BOTH, CHILD, hang_up, SYS(EP_CLOSE, 1, -NX_EINVAL),
     VMO_ERR_BACKEND, CHANGED},
    {"hang up: on the parent", BOTH, PARENT, hang_up, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    /* messages */
    {"send", BOTH, CHILD, send_bytes, NOTHING, VMO_OK, SAME},
    {"send: to the parent", BOTH, PARENT, send_bytes, NOTHING, VMO_OK, SAME},
    {"send: an object", BOTH, OBJECT | CHILD, send_object, NOTHING, VMO_OK, SAME},
    {"send: queue full until the deadline", BOTH, OBJECT | CHILD, send_object,
     SYS(IPC_SEND, EVERY, -NX_EAGAIN), VMO_ERR_TIMED_OUT, SAME},
    {"send: too many bytes queued until the deadline", BOTH, OBJECT | CHILD, send_object,
     SYS(IPC_SEND, EVERY, -NX_ENOSPC), VMO_ERR_QUEUE_FULL, SAME},
    {"send: too many bytes queued, then room", BOTH, OBJECT | CHILD, send_object,
     SYS(IPC_SEND, 1, -NX_ENOSPC), VMO_OK, SAME},
    {"send: closed", BOTH, OBJECT | CHILD, send_object, SYS(IPC_SEND, 1, -NX_ESRCH), VMO_ERR_PEER_GONE, SAME},
    {"send: refused", BOTH, OBJECT | CHILD, send_object, SYS(IPC_SEND, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"send: no slot for the clone", BOTH, OBJECT | CHILD, send_object, SYS(CAP_CLONE, EVERY, -NX_ENOSPC),
     VMO_ERR_NO_SLOTS, SAME},
    {"send: the clone is refused", BOTH, OBJECT | CHILD, send_object, SYS(CAP_CLONE, EVERY, -NX_EPERM),
     VMO_ERR_BACKEND, SAME},
    {"send: to an ended child", BOTH, CHILD | ENDED, send_bytes, NOTHING, VMO_ERR_PEER_GONE, SAME},
    {"send: an object to an ended child", BOTH, OBJECT | CHILD | ENDED, send_object, NOTHING,
     VMO_ERR_PEER_GONE, SAME},
    {"send: to a child that was waited for", BOTH, OBJECT | CHILD | ENDED | WAITED, send_object, NOTHING,
     VMO_ERR_PEER_GONE, SAME},
    {"receive: no message", BOTH, CHILD, receive, NOTHING, VMO_ERR_TIMED_OUT, SAME},
    {"receive: no message from the parent", BOTH, PARENT, receive, NOTHING, VMO_ERR_TIMED_OUT, SAME},
    {"receive: from an ended child", BOTH, CHILD | ENDED, receive, NOTHING, VMO_ERR_PEER_GONE, SAME},
    {"receive: from a child that was waited for", BOTH, CHILD | ENDED | WAITED, receive, NOTHING,
     VMO_ERR_PEER_GONE, SAME},
    {"receive: closed", BOTH, PARENT, receive, SYS(IPC_RECV, 1, -NX_ESRCH), VMO_ERR_PEER_GONE, SAME},
    {"receive: no slot", BOTH, PARENT, receive, SYS(IPC_RECV, 1, -NX_ENOSPC), VMO_ERR_NO_SLOTS, SAME},
    {"receive: refused", BOTH, PARENT, receive, SYS(IPC_RECV, 1, -NX_EPERM), VMO_ERR_BACKEND, SAME},
    {"receive: more than asked", BOTH, PARENT, receive, SYS(IPC_RECV, 1, 17), VMO_ERR_BACKEND, SAME},
    {"receive: too long", BOTH, PARENT, receive_long, NOTHING, VMO_ERR_PROTOCOL, SAME},
    {"receive: too long, and its capability cannot be closed", BOTH, PARENT, receive_long,
     SYS(CAP_CLOSE, 1, -NX_EPERM), VMO_ERR_BACKEND, CHANGED},
    {"receive: an alias", BOTH, PARENT, receive_alias, NOTHING, VMO_OK, CHANGED},
    {"receive: cannot yield", BOTH, PARENT, receive, SYS(YIELD, 1, -NX_EINVAL), VMO_ERR_BACKEND, SAME},
    {"transfer", BOTH, OBJECT | CHILD, transfer, NOTHING, VMO_OK, SAME},
    {"transfer: to the parent", BOTH, PARENT, transfer, NOTHING, VMO_ERR_UNSUPPORTED, SAME},
    {"transfer: the peer's table is full", BOTH, OBJECT | CHILD, transfer,
     SYS(CAP_TRANSFER, EVERY, -NX_EPERM), VMO_ERR_NO_SLOTS, SAME},
    {"transfer: unknown error", BOTH, OBJECT | CHILD, transfer, SYS(CAP_TRANSFER, EVERY, -NX_EINVAL),
     VMO_ERR_BACKEND, SAME},
    {"transfer: to an ended child", BOTH, OBJECT | CHILD | ENDED, transfer, NOTHING, VMO_ERR_PEER_GONE, SAME},
    {"transfer: to a child that was waited for", BOTH, OBJECT | CHILD | ENDED | WAITED, transfer, NOTHING,
     VMO_ERR_PEER_GONE, SAME},
    {"transfer: after hanging up", BOTH, OBJECT | CHILD, transfer_after_hanging_up, NOTHING,
     VMO_ERR_PEER_GONE, CHANGED},
    {"peek: the bootstrap endpoint", BOTH, CHILD, peek_bootstrap, NOTHING, VMO_ERR_PROTOCOL, SAME},
    {"peek: a slot outside the table", BOTH, CHILD, peek_outside, NOTHING, VMO_ERR_PROTOCOL, SAME},
};

/* ---- Running ------------------------------------------------------------------------------------ */

static void prepare(uint32_t start)
{
    struct be_info info;
    int32_t status = 0;

    CHECK_EQ(be_init(&info), VMO_OK); /* probes the features before answers are injected */
    if (start & (OBJECT | ALIAS | RECEIVED)) {
        CHECK_EQ(be_create(BYTES, NULL, &it.object), VMO_OK);
    }
    if (start & (ALIAS | RECEIVED)) {
        CHECK_EQ(be_make_alias(&it.object), VMO_OK);
    }
    if (start & RECEIVED) {
        CHECK_EQ(nx_call1(NX_SYS_CAP_CLOSE, (uint64_t)it.object.owner), 0);
        it.object.owner = BE_NONE;
    }
    if (start & MAPPED) {
        CHECK_EQ(be_map(&it.object, (struct vmo_range){0, PAGE}, false, &it.at, &it.counters), VMO_OK);
    }
    if (start & CHILD) {
        CHECK_EQ(spawn(), VMO_OK);
    }
    if (start & PARENT) {
        CHECK_EQ(be_parent(&it.peer), VMO_OK);
    }
    if (start & ENDED) {
        stub_end_child();
    }
    if (start & WAITED) {
        CHECK_EQ(be_peer_wait(&it.peer, DEADLINE_NS, &status), VMO_OK);
        CHECK_EQ(status, 42);
    }
}

struct run {
    const struct row *row;
    bool a1;
};

static void run(const void *context)
{
    const struct run *now = context;
    const struct row *row = now->row;

    stub_boot(now->a1, (row->start & (PARENT | TASK)) != 0, row->without);
    prepare(row->start);
    if (row->kernel.nth != 0) {
        stub_inject(row->kernel.number, row->kernel.nth == EVERY ? 0 : row->kernel.nth, row->kernel.answer);
    }
    const uint32_t slots = stub_used_slots();
    const uint32_t regions = stub_regions();
    CHECK_EQ(row->call(), row->wanted);
    stub_check_injected();
    if (!row->changes) {
        CHECK_EQ(stub_used_slots(), slots);
        CHECK_EQ(stub_regions(), regions);
    }
    CHECK_EQ(stub.panics, 0);
}

static void check_row(void **state)
{
    const struct row *row = *state;

    if (row->on & A1) {
        assert_true(stub_alone(run, &(struct run){row, true}));
    }
    if (row->on & A2) {
        assert_true(stub_alone(run, &(struct run){row, false}));
    }
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
    struct CMUnitTest tests[ROWS];

    for (size_t i = 0; i < ROWS; i++) {
        tests[i] = (struct CMUnitTest){rows[i].title, check_row, NULL, NULL, (void *)(uintptr_t)&rows[i]};
    }
    return cmocka_run_group_tests_name("neuron/refusals", tests, NULL, NULL);
}
