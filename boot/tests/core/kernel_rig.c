/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kernel_rig.h"

#include "core/arena.h"
#include "core/audit.h"
#include "core/audit_tables.h"
#include "core/config.h"
#include "core/console.h"
#include "core/endpoint.h"
#include "core/frames.h"
#include "core/port.h"
#include "core/sched.h"
#include "core/shutdown.h"
#include "core/syscall.h"

static struct {
    bool is_up;       /* a run is active, or has ended normally */
    bool has_ended;   /* the kernel has torn everything down */
    uint32_t hazards; /* hazards that the test has checked */
    uint64_t calls;
    uint64_t event; /* the last result of kernel_next_event */
} rig;

/* ---- Boot and end -------------------------------------------------------------------------------- */

struct kernel_config rig_config(enum abi_revision revision)
{
    struct kernel_config config;
    kernel_config_default(&config);
    config.revision = revision;
    config.arena_bytes = HOST_ARENA_BYTES;
    return config;
}

int rig_fresh_audit(void **state)
{
    (void)state;
    host_reset();
    console_init();
    audit_init();
    return 0;
}

void rig_make_elf(struct image *elf)
{
    make_good(elf);
    elf->ph[PH_DATA].p_vaddr = RIG_DATA_VA;
    elf->ph[PH_DATA].p_memsz = RIG_DATA_BYTES;
}

void rig_boot(const struct kernel_config *config)
{
    host_reset();
    const struct kernel_memory memory = host_memory();
    memset(&rig, 0, sizeof(rig));
    kernel_init(config, &memory);
    kernel_calls_init();
    assert_int_equal(frames_in_use(), 0);
    rig.is_up = true;
    rig_make_elf(port_ptr(host_elf_pa()));
    kernel_start(host_elf_pa(), sizeof(struct image));
    assert_ptr_equal(rig_current(), rig_init());
}

int rig_boot_a1(void **state)
{
    (void)state;
    const struct kernel_config config = rig_config(REVISION_A1);
    rig_boot(&config);
    return 0;
}

int rig_boot_a2(void **state)
{
    (void)state;
    const struct kernel_config config = rig_config(REVISION_A2);
    rig_boot(&config);
    return 0;
}

static void end_in_order(void *ctx)
{
    (void)ctx;
    shutdown_run(AUDIT_DONE, 0, 0);
}

int rig_down(void **state)
{
    (void)state;
    if (!rig.is_up) {
        return 0;
    }
    rig.is_up = false;
    if (!rig.has_ended) {
        assert_int_equal(host_run(end_in_order, NULL), EXIT_DONE);
    }
    assert_int_equal(frames_in_use(), 0);
    assert_int_equal(ep_live(), 0);
    if (rig.hazards < audit.hazard_count.used) {
        const struct audit_hazard *hazard = &audit.hazards[rig.hazards];
        fail_msg("a hazard that the test did not expect: pid %u %s %s", hazard->pid, hazard->id,
                 hazard->what);
    }
    return 0;
}

void rig_has_ended(void)
{
    rig.has_ended = true;
}

void rig_forget(void)
{
    rig.is_up = false;
}

struct task *rig_init(void)
{
    return task_find(NX_PID_INIT);
}

bool rig_is_a1(void)
{
    return the_config.revision == REVISION_A1;
}

/* ---- Calls --------------------------------------------------------------------------------------- */

struct task *rig_current(void)
{
    uint64_t root_pa = 0;
    const struct trap_frame *frame = kernel_next(&root_pa);
    struct task *task = sched_current();
    if (frame == NULL) {
        assert_null(task);
        return NULL;
    }
    assert_ptr_equal(frame, &task->frame);
    assert_int_equal(root_pa, task->space->root_pa);
    assert_int_equal(task->state, TASK_RUNNING);
    port_use_root(root_pa);
    rig.event = kernel_next_event();
    return task;
}

/* A task that continues at once must have the root and the event that the machine already has. */
static void trap(void)
{
    const uint64_t root_pa = host_root_pa, event = rig.event;
    const struct trap_frame *same = kernel_syscall();
    if (same == NULL) {
        return;
    }
    assert_int_equal(host_root_pa, root_pa);
    assert_ptr_equal(&rig_current()->frame, same);
    assert_int_equal(host_root_pa, root_pa);
    assert_int_equal(rig.event, event);
}

/* Uses a different pc for consecutive calls, because of the storm guard. */
static uint64_t next_pc(void)
{
    return RIG_TEXT_VA + rig.calls++ % 8 * 4;
}

void rig_run(struct task *task)
{
    for (unsigned turns = 0; turns <= TASKS_MAX; turns++) {
        struct task *current = rig_current();
        if (current == task) {
            return;
        }
        if (current == NULL) {
            break;
        }
        const struct trap_frame frame = current->frame;
        const uint64_t yields = current->yields, last_call = current->last_call;
        current->frame.pc = next_pc();
        current->frame.x[REG_A7] = NX_SYS_YIELD;
        trap();
        current->frame = frame;
        current->yields = yields;
        current->last_call = last_call;
    }
    fail_msg("pid %u cannot run", task->pid);
}

/* K-02: the registers that a call preserves. */
static void check_registers(const struct trap_frame *before, const struct trap_frame *after, uint64_t number)
{
    const bool waits = number == NX_SYS_WAIT || number == NX_SYS_WAIT_NOHANG;
    assert_int_equal(after->pc, before->pc + 4);
    for (unsigned i = 1; i < 32; i++) {
        const bool clobbered = rig_is_a1() && i >= REG_T0 && i <= REG_T2;
        if (i == REG_A0 || (i == REG_A1 && waits)) {
            continue;
        }
        if (clobbered) {
            assert_int_not_equal(after->x[i], before->x[i]);
        } else {
            assert_int_equal(after->x[i], before->x[i]);
        }
    }
}

int64_t rig_call_at(struct task *task, uint64_t pc, uint64_t number, const uint64_t args[6])
{
    const uint32_t pid = task->pid;
    for (unsigned i = REG_TP; i < 32; i++) {
        task->frame.x[i] = 0x1111 * i;
    }
    memcpy(&task->frame.x[REG_A0], args, 6 * sizeof(args[0]));
    task->frame.x[REG_A7] = number;
    task->frame.pc = pc;
    const struct trap_frame before = task->frame;
    trap();
    if (task->pid != pid || !task_is_live(task)) {
        return RIG_ENDED;
    }
    check_registers(&before, &task->frame, number);
    if (task->state != TASK_BLOCKED) {
        return (int64_t)task->frame.x[REG_A0];
    }
    assert_int_equal(task->frame.x[REG_A0], args[0]); /* a0 is written only when the call is over */
    return RIG_WAITS;
}

int64_t rig_call(struct task *task, uint64_t number, const uint64_t args[6])
{
    rig_run(task);
    return rig_call_at(task, next_pc(), number, args);
}

int64_t rig_answer(const struct task *task)
{
    assert_int_not_equal(task->state, TASK_BLOCKED);
    return (int64_t)task->frame.x[REG_A0];
}

struct call {
    struct task *task;
    uint64_t number;
    const uint64_t *args;
};

static void do_call(void *ctx)
{
    const struct call *call = ctx;
    (void)rig_call(call->task, call->number, call->args);
    (void)rig_current(); /* as arch does: here the end of init ends the run */
}

int rig_call_ends(struct task *task, uint64_t number, const uint64_t args[6])
{
    struct call call = {task, number, args};
    const int code = host_run(do_call, &call);
    rig.has_ended = code != HOST_GOES_ON;
    return code;
}

void rig_hazard(uint32_t pid, uint64_t call, const char *id, const char *what)
{
    assert_true(rig.hazards < audit.hazard_count.used);
    const struct audit_hazard *hazard = &audit.hazards[rig.hazards++];
    assert_string_equal(hazard->what, what);
    assert_string_equal(hazard->id, id);
    assert_int_equal(hazard->pid, pid);
    assert_int_equal(hazard->call, call);
}

void rig_ignore_hazards(void)
{
    rig.hazards = UINT32_MAX;
}

/* ---- The state that a refused call must not change
 * -------------------------------------------------------- */

enum {
    FRAMES,
    ARENA_BYTES,
    VMOS,
    ENDPOINT_IDS,
    ENDPOINTS,
    MESSAGES,
    TASKS,
    MAPS_MADE,
    VMOS_MADE,
    TASKS_MADE,
    HANDED,
    RECEIVED,
    CONTENTS,
    FACTS
};

static const char *const fact_names[FACTS] = {
    "frames",  "arena bytes", "VMOs",           "endpoint ids",    "endpoints",           "messages",
    "tasks",   "maps made",   "VMOs ever made", "tasks ever made", "capabilities handed", "messages received",
    "contents"};

struct world {
    uint64_t facts[FACTS];
};

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001B3);
    }
    return hash;
}

static uint64_t hash_task(uint64_t hash, const struct task *task)
{
    hash = hash_bytes(hash, &task->state, sizeof(task->state));
    hash = hash_bytes(hash, &task->wait, sizeof(task->wait));
    hash = hash_bytes(hash, task->caps.slots, the_config.slots * sizeof(task->caps.slots[0]));
    if (task->space == NULL) {
        return hash;
    }
    hash = hash_bytes(hash, &task->space->regions, sizeof(task->space->regions));
    for (const struct region *region = task->space->regions.first; region != NULL; region = region->next) {
        hash = hash_bytes(hash, region, sizeof(*region));
    }
    return hash;
}

/* Includes the caller's data, up to the end of the area that calls use, and the first page of the arena. */
static struct world look(const struct task *caller)
{
    const struct kernel_memory memory = host_memory();
    struct world world = {{[FRAMES] = frames_in_use(),
                           [ARENA_BYTES] = arena_bytes_used(),
                           [VMOS] = arena_vmos_live(),
                           [ENDPOINT_IDS] = ep_ids_used(),
                           [ENDPOINTS] = ep_live(),
                           [MESSAGES] = ep_messages_queued(),
                           [TASKS] = task_count_live(),
                           [MAPS_MADE] = audit.map_count.used,
                           [VMOS_MADE] = audit.vmo_count.used,
                           [TASKS_MADE] = audit.task_count.used,
                           [HANDED] = audit.grant_count.used,
                           [RECEIVED] = audit.msg_count.used}};
    uint64_t hash = 0;
    for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        hash = hash_task(hash, task);
    }
    for (uint64_t pid = 0; pid < NX_PID_INIT; pid++) {
        hash = hash_bytes(hash, task_receiver(pid)->slots, the_config.slots * sizeof(struct cap));
    }
    for (uint64_t va = RIG_DATA_VA; va < U_ELF; va += PAGE) {
        hash = hash_bytes(hash, port_ptr(rig_pa(caller, va)), PAGE);
    }
    hash = hash_bytes(hash, port_ptr(memory.arena_pa), PAGE);
    world.facts[CONTENTS] = hash;
    return world;
}

void rig_refuses(int64_t answer, const char *file, int line, struct task *task, uint64_t number,
                 const uint64_t args[6])
{
    rig_run(task);
    const struct world before = look(task);
    const int64_t actual = rig_call_at(task, next_pc(), number, args);
    _assert_int_equal((LargestIntegralType)actual, (LargestIntegralType)answer, file, line);
    const struct world after = look(task);
    for (unsigned i = 0; i < FACTS; i++) {
        if (after.facts[i] != before.facts[i]) {
            print_error("a refused call changed: %s\n", fact_names[i]);
        }
        _assert_int_equal(after.facts[i], before.facts[i], file, line);
    }
}
