/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's child: one program for all orders. It has no writable data, because one case removes its
 * writable segment (K-12). It ends by exit or by a fault.
 */
#include <stddef.h>

#include "probe/probe_ecall.h"
#include "probe/probe_orders.h"

#define CALL(number, ...) (probe_ecall_odd((number), (const uint64_t[6]){__VA_ARGS__}).a0)
#define REG_SP 2
#define REG_GP 3
#define REG_COUNT 32
#define STACK_TOP_WORD (NX_USER_STACK_TOP - 8)
#define STACK_BOTTOM (NX_USER_STACK_TOP - (CHILD_STACK_PAGES + NX_USER_STACK_EXTRA_PAGES) * NX_PAGE_BYTES)
#define CHILD_VA NX_A1_MAP_BASE
#define READ_FLAGS (NX_MAP_VALID | NX_MAP_READ | NX_MAP_USER)
#define SPINS_MAX 2000000000u

extern const char _start[];

static _Noreturn void leave(int64_t status)
{
    for (;;) {
        (void)CALL(NX_SYS_EXIT, (uint64_t)status);
    }
}

static void report(const int64_t *values, uint32_t count)
{
    const uint32_t len = count * (uint32_t)sizeof(values[0]);
    const struct nx_ipc_hdr hdr = {.len = len};
    if (CALL(NX_SYS_IPC_SEND, CHILD_SLOT_REPORT, at(&hdr), at(values), len, NX_IPC_NONBLOCK, 0) != len) {
        leave(CHILD_FAILED);
    }
}

static int64_t word_works(uint64_t va)
{
    volatile uint64_t *word = (volatile uint64_t *)(uintptr_t)va;
    *word = CHILD_MARK;
    return *word == CHILD_MARK;
}

static int64_t send_to_bootstrap(void)
{
    const struct nx_ipc_hdr hdr = {.len = sizeof(hdr)};
    return CALL(NX_SYS_IPC_SEND, NX_SLOT_BOOTSTRAP, at(&hdr), at(&hdr), sizeof(hdr), NX_IPC_NONBLOCK, 0);
}

static int64_t map_all(void)
{
    int64_t count = 0;
    while (count < 2 * NX_REGIONS_MAX &&
           CALL(NX_SYS_VM_MAP, CHILD_SLOT_OBJECT, 0, NX_PAGE_BYTES, READ_FLAGS) > 0) {
        count++;
    }
    return count;
}

static uint64_t other_registers(const uint64_t *start)
{
    uint64_t bits = 0;
    for (unsigned n = 1; n < REG_COUNT; n++) {
        bits |= n == REG_SP || n == REG_GP ? 0 : start[n];
    }
    return bits;
}

/* On a1 the a2 calls return -38, and init ignores them. The program's code is one page, so its region is one
 * page as well. */
static void examine(const uint64_t *start)
{
    const uint64_t mark = CHILD_MARK, own_pid = (uint64_t)CALL(NX_SYS_GETPID, 0);
    const uint64_t own_page = at(_start) & ~(uint64_t)(NX_PAGE_BYTES - 1);
    int64_t values[REPORT_COUNT];
    values[REPORT_GP] = (int64_t)start[REG_GP];
    values[REPORT_SP] = (int64_t)start[REG_SP];
    values[REPORT_OTHERS] = (int64_t)other_registers(start);
    values[REPORT_STACK_TOP] = word_works(STACK_TOP_WORD);
    values[REPORT_STACK_BOTTOM] = word_works(STACK_BOTTOM);
    values[REPORT_PID] = (int64_t)own_pid;
    values[REPORT_EP_CREATE] = CALL(NX_SYS_EP_CREATE, NX_SLOT_FACTORY, 1);
    values[REPORT_WAIT] = CALL(NX_SYS_WAIT, 0);
    values[REPORT_BOOTSTRAP] = send_to_bootstrap();
    values[REPORT_WRITE] = CALL(NX_SYS_VMO_WRITE, CHILD_SLOT_OBJECT, 0, at(&mark), sizeof(mark));
    values[REPORT_NARROWED] = CALL(NX_SYS_CAP_TRANSFER, own_pid, CHILD_SLOT_REPORT, NX_RIGHT_RECV);
    values[REPORT_TO_PARENT] = CALL(NX_SYS_CAP_TRANSFER, NX_PID_INIT, CHILD_SLOT_OBJECT, NX_RIGHT_MAP);
    values[REPORT_CREATE] = CALL(NX_SYS_VMO_CREATE, UINT64_MAX, NX_PAGE_BYTES);
    values[REPORT_UNMAP_SELF] = CALL(NX_SYS_VM_UNMAP, own_page, NX_PAGE_BYTES);
    values[REPORT_REGIONS] = map_all();
    report(values, REPORT_COUNT);
    leave(CHILD_STATUS);
}

static void hello(const uint64_t *start)
{
    const int64_t gp = (int64_t)start[REG_GP];
    report(&gp, 1);
    leave(CHILD_STATUS_NEGATIVE);
}

static void block(const uint64_t *start)
{
    struct nx_ipc_hdr hdr;
    uint64_t word;
    int64_t answers[2];
    (void)start;
    for (unsigned i = 0; i < 2; i++) {
        answers[i] = CALL(NX_SYS_IPC_RECV, CHILD_SLOT_OBJECT, at(&hdr), at(&word), sizeof(word), 0, 0);
    }
    report(answers, 2);
    leave(0);
}

/* Maps the object with these flags by the revision's call. Returns its address, 0 if refused. */
static uint64_t map_object(uint64_t flags)
{
    if (CALL(NX_SYS_MAP, CHILD_SLOT_OBJECT, CHILD_VA, 0, flags) == 0) {
        return CHILD_VA;
    }
    const int64_t va =
        CALL(NX_SYS_VM_MAP, CHILD_SLOT_OBJECT, 0, NX_PAGE_BYTES, flags | NX_MAP_WRITE); /* K-28 */
    return va < 0 ? 0 : (uint64_t)va;
}

static volatile uint64_t *must_map(uint64_t flags)
{
    const uint64_t va = map_object(flags);
    if (va == 0) {
        leave(CHILD_FAILED);
    }
    return (volatile uint64_t *)(uintptr_t)va;
}

static void store(const uint64_t *start)
{
    (void)start;
    *must_map(READ_FLAGS) = CHILD_MARK;
    leave(CHILD_FAILED);
}

static void load(const volatile uint64_t *word)
{
    (void)*word;
    leave(CHILD_FAILED);
}

static void guard(const uint64_t *start)
{
    (void)start;
    load((const volatile uint64_t *)(uintptr_t)NX_USER_STACK_TOP);
}

static void write_only(const uint64_t *start)
{
    (void)start;
    load(must_map(NX_MAP_VALID | NX_MAP_WRITE | NX_MAP_USER));
}

static void no_user(const uint64_t *start)
{
    (void)start;
    load(must_map(NX_MAP_VALID | NX_MAP_READ));
}

static void hold(const uint64_t *start)
{
    (void)start;
    (void)must_map(READ_FLAGS);
    leave(CALL(NX_SYS_CAP_CLOSE, CHILD_SLOT_OBJECT));
}

static void spin(const uint64_t *start)
{
    const volatile uint64_t *word = must_map(READ_FLAGS);
    (void)start;
    for (uint64_t i = 0; i < SPINS_MAX; i++) {
        if (*word != 0) {
            leave(0);
        }
    }
    leave(CHILD_FAILED);
}

static void quit(const uint64_t *start)
{
    (void)start;
    leave(0);
}

void probe_main(const uint64_t *start);

void probe_main(const uint64_t *start)
{
    static void (*const orders[ORDER_COUNT])(const uint64_t *) = {
        [ORDER_HELLO] = hello,     [ORDER_REPORT] = examine, [ORDER_BLOCK] = block,
        [ORDER_STORE] = store,     [ORDER_GUARD] = guard,    [ORDER_WRITE_ONLY] = write_only,
        [ORDER_NO_USER] = no_user, [ORDER_HOLD] = hold,      [ORDER_SPIN] = spin,
        [ORDER_EXIT] = quit,
    };
    const uint64_t order = start[REG_GP] - ORDER_GP;
    orders[order < ORDER_COUNT ? order : ORDER_HELLO](start);
}
