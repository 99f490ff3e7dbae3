/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random calls of several tasks, and calls with few frames left. The kernel must neither panic nor
 * access memory outside its parts, and the teardown must free every frame.
 */
#include "core/audit_tables.h"
#include "core/endpoint.h"
#include "core/frames.h"
#include "core/kernel_rig.h"
#include "core/mutate.h"
#include "core/sched.h"

#define SEEDS 4
#define STEPS 4000
#define TASKS_WANTED 6

static const uint64_t numbers[] = {0,  1,  4,  5,  5,  6,  6,  8,  8,  9,  10, 10, 11, 12, 13, 14, 14, 14, 14,
                                   17, 18, 18, 18, 18, 20, 21, 22, 22, 23, 23, 24, 24, 25, 26, 28, 31, 32, 32,
                                   44, 46, 46, 47, 49, 51, 51, 52, 53, 53, 53, 53, 54, 54, 54, 19, 16, 63};

/* Values that are likely to be valid somewhere, and some that never are. */
static uint64_t some_value(uint64_t *random)
{
    static const uint64_t values[] = {
        0,          1,          2,          3,     4,          5,         8,   15,      16,
        17,         18,         19,         20,    PAGE,       2 * PAGE,  64,  100,     U_HDR,
        U_BUF,      U_DESC,     U_ID,       U_ELF, U_NAME,     U_NOWHERE, 7,   2 * MIB, 3 * MIB,
        0x40000000, 0x50000000, 0x50001000, 8191,  UINT64_MAX, 1000,      500, 5680};
    const uint64_t dice = mutate_next(random);
    if (dice % 16 == 0) {
        return mutate_next(random);
    }
    return values[dice / 16 % (sizeof(values) / sizeof(values[0]))];
}

/* A slot of the task with such a capability, searched from a random one; or any slot. */
static uint64_t slot_of(const struct task *task, bool memory, uint64_t dice)
{
    for (uint64_t i = 0; i < 20; i++) {
        const uint64_t slot = (dice + i) % 20;
        const struct cap *cap = &task->caps.slots[slot];
        if (memory ? cap_is_memory(cap) : cap->kind == CAP_ENDPOINT) {
            return slot;
        }
    }
    return dice % 300;
}

static void shape_ipc(const struct task *task, uint64_t args[6], uint64_t dice)
{
    args[0] = slot_of(task, false, dice);
    args[1] = U_HDR;
    args[2] = U_BUF;
    args[3] = dice % 4 == 1 ? 8 : 500;
    args[4] = dice / 4 % 4 != 0;
    args[5] = dice / 16 % 2 == 0 ? 0 : (host_ticks + dice % 90) * 100;
}

static void shape_map(const struct task *task, uint64_t number, uint64_t args[6], uint64_t dice)
{
    const uint64_t slot = slot_of(task, true, dice), va = 0x40000000 + dice / 64 % 32 * PAGE;
    const uint64_t of_map[6] = {slot, va, dice % 3 * PAGE, NX_MAP_VALID | NX_MAP_USER | NX_MAP_READ};
    const uint64_t of_as_map[6] = {dice % 6 + 1, slot, va, PAGE, NX_PROT_READ, 1};
    const uint64_t of_vm_map[6] = {slot, dice % 3 * PAGE, dice % 5 == 0 ? 3 * MIB : PAGE, dice % 7};
    const uint64_t *shaped = number == NX_SYS_MAP ? of_map : number == NX_SYS_AS_MAP ? of_as_map : of_vm_map;
    memcpy(args, shaped, sizeof(of_map));
}

/* Most calls get arguments that are valid more often than random ones. */
static void shape(const struct task *task, uint64_t number, uint64_t args[6], uint64_t dice)
{
    if (dice % 8 == 0) {
        return;
    }
    if (number == NX_SYS_EXEC || number == NX_SYS_EXEC_V2) {
        args[0] = U_ELF;
        args[1] = sizeof(struct image);
        args[2] = dice % 7;
    } else if (number == NX_SYS_IPC_SEND || number == NX_SYS_IPC_RECV) {
        shape_ipc(task, args, dice);
    } else if (number == NX_SYS_MAP || number == NX_SYS_AS_MAP || number == NX_SYS_VM_MAP) {
        shape_map(task, number, args, dice);
    } else if (number == NX_SYS_EP_CREATE || number == NX_SYS_EP_CREATE_FOR) {
        args[0] = NX_SLOT_FACTORY;
    } else if (number == NX_SYS_VMO_CREATE) {
        args[0] = ANY_SLOT;
        args[1] = dice % 5 == 0 ? 3 * MIB : 3 * PAGE;
    } else if (number == NX_SYS_CAP_TRANSFER) {
        args[0] = NX_PID_INIT + dice % 12;
        args[1] = slot_of(task, dice / 16 % 2 == 0, dice);
        args[2] = dice / 32 % 8;
    } else {
        args[0] = slot_of(task, dice / 16 % 4 != 0, dice);
    }
}

/* The bootstrap endpoint and the factory are kept, so that calls continue to succeed. */
static bool is_dull(const struct task *task, uint64_t number, const uint64_t args[6])
{
    const bool takes_slot =
        number == NX_SYS_CAP_CLOSE || number == NX_SYS_EP_CLOSE || number == NX_SYS_VMO_CREATE;
    return (takes_slot && args[0] <= NX_SLOT_FACTORY) ||
           (number == NX_SYS_EXIT && task->pid == NX_PID_INIT) ||
           (number == NX_SYS_EXEC && task_count_live() >= TASKS_WANTED);
}

static void put_messages(const struct task *task, uint64_t dice)
{
    const struct nx_ipc_hdr hdr = {
        .src = (uint32_t)(dice / 16 % 12), .flags = (uint16_t)(dice / 8 % 2), .len = dice % 4 == 1 ? 8 : 500};
    const struct nx_ipc_recv_v2 desc = {.magic = NX_IPC_V2_MAGIC,
                                        .version = NX_IPC_V2_VERSION,
                                        .slot = (uint32_t)(dice % 6),
                                        .hdr = U_HDR,
                                        .buf = U_BUF,
                                        .max = dice % 600,
                                        .flags = 1};
    rig_poke(task, U_HDR, &hdr, sizeof(hdr));
    rig_poke(task, U_DESC, &desc, sizeof(desc));
}

/* The invariants between any two calls. */
static void check_tasks(void)
{
    unsigned running = 0;
    for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        running += task->state == TASK_RUNNING;
        assert_true((task->state == TASK_BLOCKED) == (task->wait.kind != WAIT_NONE));
        assert_true(task->state != TASK_ZOMBIE || cap_used(&task->caps) == 0);
        for (uint64_t slot = 0; slot < CAP_SLOTS_MAX; slot++) {
            const struct cap *cap = &task->caps.slots[slot];
            assert_true(cap->kind != CAP_FACTORY || task->pid == NX_PID_INIT);
            assert_true(!cap_is_memory(cap) || (cap->rights & ~NX_RIGHT_MAP) == 0);
        }
    }
    assert_true(running <= 1);
}

static void step(uint64_t *random, const struct image *elf)
{
    struct task *task = rig_current();
    if (task == NULL) { /* all wait: advance to the next deadline */
        host_ticks = sched_next_deadline();
        kernel_timer();
        return;
    }
    uint64_t args[6];
    const uint64_t number = numbers[mutate_next(random) % (sizeof(numbers) / sizeof(numbers[0]))];
    for (unsigned i = 0; i < 6; i++) {
        args[i] = some_value(random);
    }
    const uint64_t dice = mutate_next(random) >> 8;
    shape(task, number, args, dice);
    if (is_dull(task, number, args)) {
        return;
    }
    rig_poke(task, U_ELF, elf, sizeof(*elf));
    put_messages(task, dice);
    (void)rig_call(task, number, args);
    host_ticks += dice % 3;
    if (dice % 32 == 0) {
        kernel_timer();
    }
}

static void random_calls(void **state)
{
    struct image elf;
    rig_make_elf(&elf);
    elf.ph[PH_DATA].p_memsz = U_ELF + 0x4000 - RIG_DATA_VA;
    uint64_t maps = 0, messages = 0, hands = 0, children = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15);
        struct kernel_config config = rig_config(rig_is_a1() ? REVISION_A1 : REVISION_A2);
        config.tables = 100000;
        config.watchdog_ms = 600000;
        rig_boot(&config);
        rig_ignore_hazards();
        for (unsigned i = 0; i < STEPS; i++) {
            step(&random, &elf);
            check_tasks();
        }
        maps += audit.map_count.used;
        messages += audit.msg_count.used;
        hands += audit.grant_count.used;
        children += audit.task_count.used - 1;
        assert_int_equal(rig_down(state), 0);
    }
    assert_true(maps > 50 && messages > 50 && hands > 50 && children > 20); /* the run did enough */
}

/* With 0 to 80 frames left, exec and every other call that allocates frames succeeds or is refused. */
static void calls_with_few_frames_left(void **state)
{
    static uint64_t taken[HOST_FRAMES_BYTES / NX_PAGE_BYTES];
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    const uint64_t ep = rig_endpoint(256), vmo = rig_vmo(init, 3 * MIB);
    rig_poke(init, U_ELF, &elf, sizeof(elf));
    unsigned worked = 0, in_vain = 0;
    for (uint64_t left = 0; left <= 80; left++) {
        uint64_t n = 0;
        while (frames_available() > left) {
            taken[n++] = frames_alloc();
        }
        const int64_t pid = CALL(init, NX_SYS_EXEC, U_ELF, sizeof(elf), 1, 0);
        in_vain += pid == -NX_EPERM;
        const int64_t sent = rig_send(init, ep, 1, 500, CAP_NO_SLOT, 1, 0);
        assert_true(sent == 500 || (sent == -NX_ENOMEM && frames_available() == 0));
        (void)CALL(init, NX_SYS_VM_MAP, vmo, 0, 3 * MIB, NX_MAP_READ);
        (void)CALL(init, NX_SYS_AS_MAP, 1, vmo, 0x30000000 + left * 4 * MIB, 3 * MIB, NX_PROT_READ, 1);
        if (pid > 0) {
            worked++;
            GIVES(0, init, NX_SYS_TASK_RESUME, (uint64_t)pid);
            rig_exit(task_find((uint64_t)pid), 0);
            GIVES(pid, init, NX_SYS_WAIT, 0);
        }
        while (n > 0) {
            frames_free(taken[--n]);
        }
    }
    assert_true(worked + in_vain == 81 && in_vain > 5 && worked > 5);
}

/* Eight segments and the stack, each across a 2 MiB border and in two GiB: 28 pages, a root, 2 middle
 * tables, 18 leaf tables. With one frame fewer the exec is refused and takes nothing. */
static void the_widest_image_needs_49_frames(void **state)
{
    static uint64_t taken[HOST_FRAMES_BYTES / NX_PAGE_BYTES];
    uint64_t n = 0;
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    elf.eh.e_phnum = 8;
    for (uint64_t i = 0; i < 8; i++) {
        elf.ph[i] = (Elf64_Phdr){.p_type = PT_LOAD,
                                 .p_flags = PF_R | PF_X,
                                 .p_vaddr = i / 4 * 0x40000000 + (i % 4 + 1) * 4 * MIB - PAGE,
                                 .p_memsz = 2 * PAGE};
    }
    elf.eh.e_entry = elf.ph[0].p_vaddr;
    rig_poke(init, U_ELF, &elf, sizeof(elf));
    while (frames_available() > 48) {
        taken[n++] = frames_alloc();
    }
    REFUSES(-NX_EPERM, init, NX_SYS_EXEC, U_ELF, sizeof(elf), 1);
    frames_free(taken[--n]);
    GIVES(18, init, NX_SYS_EXEC, U_ELF, sizeof(elf), 1);
    assert_int_equal(frames_available(), 0);
    while (n > 0) {
        frames_free(taken[--n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(random_calls),
        ON_A2(calls_with_few_frames_left),
        ON_A2(the_widest_image_needs_49_frames),
    };
    return cmocka_run_group_tests_name("core/random calls", tests, NULL, NULL);
}
