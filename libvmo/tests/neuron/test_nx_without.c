/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NEURON backend on a kernel without one call, for each call of calls.def: the status of each step in the
 * life of a task. On a2 the calls above 26 are optional (R14). The others have no substitute, so without them
 * the backend reports an unknown error. The absence of a call that the library does not use changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nx_call.h"
#include "nx_stub.h"

#define BYTES PAGE
#define PAGES ((struct vmo_range){0, BYTES})
#define DEADLINE_NS 1000000

static struct be_object object = {.owner = BE_NONE, .alias = BE_NONE};
static struct be_peer peer;
static void *at;
static uint8_t bytes[BYTES];
static struct vmo_counters counters;

static vmo_status create(void)
{
    return be_create(BYTES, NULL, &object);
}

static bool made(void)
{
    return object.owner != BE_NONE;
}

static vmo_status put(void)
{
    return !made() ? VMO_ERR_BAD_HANDLE : be_write(&object, PAGES, bytes);
}

static vmo_status get(void)
{
    return !made() ? VMO_ERR_BAD_HANDLE : be_read(&object, PAGES, bytes);
}

static vmo_status alias(void)
{
    return !made() ? VMO_ERR_BAD_HANDLE : be_make_alias(&object);
}

static vmo_status map(void)
{
    return !made() ? VMO_ERR_BAD_HANDLE : be_map(&object, PAGES, false, &at, &counters);
}

static vmo_status unmap(void)
{
    struct be_info info;

    if (!made()) {
        return VMO_ERR_BAD_HANDLE;
    }
    return be_init(&info) == VMO_OK && info.can_unmap && at != NULL ? be_unmap(at, BYTES)
                                                                    : VMO_ERR_UNSUPPORTED;
}

static vmo_status spawn(void)
{
    const struct vmo_program program = stub_program(0x10000, PAGE);

    return be_spawn(&program, &peer);
}

static vmo_status send(void)
{
    return peer.pid && made() ? be_send(&peer, &object, true, bytes, 8, DEADLINE_NS) : VMO_ERR_BAD_HANDLE;
}

static vmo_status receive(void)
{
    struct be_object got;
    size_t len = 0;

    stub.incoming = STUB_FREE;
    return peer.pid ? be_recv(&peer, bytes, 8, &len, &got, DEADLINE_NS) : VMO_ERR_BAD_HANDLE;
}

static vmo_status transfer(void)
{
    uint32_t name = 0;

    return peer.pid && made() ? be_transfer(&object, true, &peer, &name) : VMO_ERR_BAD_HANDLE;
}

static vmo_status wait_for_it(void)
{
    int32_t status = 0;

    if (!peer.pid) {
        return VMO_ERR_BAD_HANDLE;
    }
    stub_end_child();
    return be_peer_wait(&peer, DEADLINE_NS, &status);
}

static vmo_status close_peer(void)
{
    return peer.pid ? be_peer_close(&peer) : VMO_ERR_BAD_HANDLE;
}

static vmo_status destroy(void)
{
    const vmo_status status = made() ? be_check_destroy(&object) : VMO_ERR_BAD_HANDLE;

    return status == VMO_OK ? be_destroy(&object) : status;
}

/* A row of the table has a letter for each step, in this order. */
static vmo_status (*const steps[])(void) = {create, put,     get,      alias,       map,        unmap,  spawn,
                                            send,   receive, transfer, wait_for_it, close_peer, destroy};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* `.` is VMO_OK, `-` a step that an earlier failure made impossible, `?` a status without a letter. */
static char letter(vmo_status status)
{
    static const char letters[VMO_STATUS_COUNT] = {[VMO_OK] = '.',
                                                   [VMO_ERR_UNSUPPORTED] = 'U',
                                                   [VMO_ERR_BACKEND] = 'B',
                                                   [VMO_ERR_PEER_GONE] = 'P',
                                                   [VMO_ERR_TIMED_OUT] = 'T',
                                                   [VMO_ERR_STILL_SHARED] = 'S',
                                                   [VMO_ERR_BAD_HANDLE] = '-'};

    return letters[status] != '\0' ? letters[status] : '?';
}

#define WHOLE_A1 "..UU.U......U"
#define WHOLE_A2 "............."

static const struct row {
    bool a1;
    uint32_t number;
    const char *life;
} rows[] = {
    {true, NX_SYS_MAP, "..UUUUU-----U"},
    {true, NX_SYS_VMO_CREATE, "B-----.-.-..-"},
    {true, NX_SYS_VMO_WRITE, ".BUU.U......U"},
    {true, NX_SYS_CAP_TRANSFER, "..UU.UB-----U"},
    {true, NX_SYS_WAIT, "..UU.U....B.U"},
    {true, NX_SYS_EXEC, "..UU.UB-----U"},
    {true, NX_SYS_IPC_SEND, "..UU.U.B....U"},
    {true, NX_SYS_IPC_RECV, "..UU.U..B.T.U"},
    {true, NX_SYS_CAP_CLOSE, "B-----B------"},
    {true, NX_SYS_EP_CLOSE, "..UU.U.....BS"},
    {true, NX_SYS_EP_CREATE, "..UU.UB-----U"},
    {true, NX_SYS_EP_CREATE_FOR, "..UU.UB-----U"},
    {true, NX_SYS_CAP_CLONE, "B-----B------"},
    {true, NX_SYS_GETPID, "U-----U------"},
    {false, NX_SYS_VMO_CREATE, "B-----.-.-..-"},
    {false, NX_SYS_VMO_WRITE, ".B..........."},
    {false, NX_SYS_CAP_TRANSFER, "......B-----."},
    {false, NX_SYS_WAIT, "..........B.."},
    {false, NX_SYS_EXEC, "......B-----."},
    {false, NX_SYS_IPC_SEND, ".......B....."},
    {false, NX_SYS_IPC_RECV, "........B.T.."},
    {false, NX_SYS_CAP_CLOSE, "......B-----B"},
    {false, NX_SYS_EP_CLOSE, "...........BS"},
    {false, NX_SYS_EP_CREATE, "......B-----."},
    {false, NX_SYS_EP_CREATE_FOR, "......B-----."},
    {false, NX_SYS_CAP_CLONE, "......B-----."},
    {false, NX_SYS_GETPID, "......U-----."},
    {false, NX_SYS_TASK_RESUME, "......U-----."},
    {false, NX_SYS_VMO_DESTROY, "............U"},
    {false, NX_SYS_VMO_READ, "..U.........."},
    {false, NX_SYS_VMO_SHARE_RO, "...U........."},
    {false, NX_SYS_VM_MAP, "....UU......."},
    {false, NX_SYS_VM_UNMAP, ".....U......."},
};

struct run {
    bool a1;
    uint32_t number;
    const char *wanted;
};

static void run(const void *context)
{
    const struct run *now = context;
    char life[STEPS + 1] = {0};

    stub_boot(now->a1, false, WITHOUT(now->number));
    for (size_t i = 0; i < STEPS; i++) {
        life[i] = letter(steps[i]());
    }
    if (strcmp(life, now->wanted) != 0) {
        (void)fprintf(stderr, "# %s without %u: %s instead of %s\n", now->a1 ? "a1" : "a2", now->number, life,
                      now->wanted);
        _exit(1);
    }
    CHECK_EQ(stub.panics, 0);
}

static const char *wanted(bool a1, uint32_t number)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].a1 == a1 && rows[i].number == number) {
            return rows[i].life;
        }
    }
    return a1 ? WHOLE_A1 : WHOLE_A2;
}

static void check_all(bool a1)
{
    bool good = true;

    for (uint32_t number = 0; number < NX_SYS_COUNT; number++) {
        const struct run now = {a1, number, wanted(a1, number)};
        good = stub_alone(run, &now) && good;
    }
    assert_true(good);
}

static void on_a1(void **state)
{
    (void)state;
    check_all(true);
}

static void on_a2(void **state)
{
    (void)state;
    check_all(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(on_a1), cmocka_unit_test(on_a2)};

    return cmocka_run_group_tests_name("neuron/without", tests, NULL, NULL);
}
