/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_host.h"

#include "core/audit_tables.h"
#include "core/config.h"
#include "core/frames.h"
#include "core/kernel_rig.h"
#include "core/port.h"

#define IMAGE_PAGES (1 + RIG_DATA_BYTES / PAGE + 1 + NX_USER_STACK_EXTRA_PAGES) /* text, data, stack */
#define IMAGE_REGIONS 3
#define SPACES_A2 16
#define CONTROL_FLAGS (NX_MAP_VALID | NX_MAP_READ | NX_MAP_WRITE | NX_MAP_USER)

struct model_limits host_limits(const struct host_boot *boot)
{
    const struct model_places places = {.hdr = U_HDR, .desc = U_DESC, .id = U_ID, .buf = U_BUF};
    return (struct model_limits){.is_a1 = boot->is_a1,
                                 .slots = boot->slots != 0 ? boot->slots
                                          : boot->is_a1    ? NX_SLOTS_A1
                                                           : NX_SLOTS_A2,
                                 .ep_ids = boot->ep_ids != 0 ? boot->ep_ids
                                           : boot->is_a1     ? NX_EP_IDS_A1
                                                             : NX_EP_IDS_A2,
                                 .regions = boot->regions,
                                 .ep_owner = boot->ep_owner,
                                 .spaces = boot->is_a1 ? MODEL_SPACES_A1 : SPACES_A2,
                                 .arena_bytes = boot->arena_bytes != 0 ? boot->arena_bytes : HOST_ARENA_BYTES,
                                 .image_bytes = IMAGE_PAGES * PAGE,
                                 .child_regions = IMAGE_REGIONS,
                                 .init = places,
                                 .child = places};
}

/* ---- Memory of an actor, page by page ------------------------------------------------------------------ */

static void *page_of(const struct task *task, uint64_t va, size_t n, size_t *part)
{
    const uint64_t pa = rig_pa(task, va), left = PAGE - va % PAGE;
    assert_int_not_equal(pa, 0);
    *part = n < left ? n : (size_t)left;
    return port_ptr(pa);
}

static void put(const struct task *task, uint64_t va, const void *src, size_t n)
{
    size_t part;
    for (size_t done = 0; done < n; done += part) {
        void *to = page_of(task, va + done, n - done, &part);
        memcpy(to, (const uint8_t *)src + done, part);
    }
}

static void put_junk(const struct task *task, uint64_t va, size_t n)
{
    size_t part;
    for (size_t done = 0; done < n; done += part) {
        void *to = page_of(task, va + done, n - done, &part);
        memset(to, OP_JUNK, part);
    }
}

static void get(const struct task *task, uint64_t va, void *dst, size_t n)
{
    size_t part;
    for (size_t done = 0; done < n; done += part) {
        const void *from = page_of(task, va + done, n - done, &part);
        memcpy((uint8_t *)dst + done, from, part);
    }
}

static void put_pattern(const struct task *task, uint8_t fill, uint64_t n)
{
    uint8_t bytes[OP_BUF_BYTES];
    const size_t count = n < sizeof(bytes) ? (size_t)n : sizeof(bytes);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = op_pattern(fill, i);
    }
    put(task, U_BUF, bytes, count);
}

static void prepare(const struct task *task, const struct model_op *op, const uint64_t args[OP_ARGS])
{
    const unsigned puts = op_prepares(op);
    if (puts & OP_PUTS_JUNK) {
        put_junk(task, U_HDR, sizeof(op->hdr));
        put_junk(task, U_ID, sizeof(uint64_t));
        put_junk(task, U_BUF, OP_BUF_BYTES);
    }
    if (puts & OP_PUTS_HDR) {
        put(task, U_HDR, &op->hdr, sizeof(op->hdr));
    }
    if (puts & OP_PUTS_PATTERN) {
        put_pattern(task, op->fill, args[3]);
    }
    if (puts & OP_PUTS_DESC) {
        struct nx_ipc_recv_v2 desc;
        op_desc(op, args, &desc);
        put(task, U_DESC, &desc, sizeof(desc));
    }
}

static void read_back(const struct task *task, const struct model_op *op, struct model_answer *answer)
{
    uint8_t bytes[OP_BUF_BYTES];
    const unsigned puts = op_prepares(op);
    if ((puts & OP_PUTS_JUNK) == 0) {
        return;
    }
    get(task, U_BUF, bytes, sizeof(bytes));
    memcpy(answer->bytes, bytes, OP_LOOK_BYTES);
    answer->sum = op_sum(bytes, sizeof(bytes));
    get(task, U_HDR, &answer->hdr, sizeof(answer->hdr));
    if (puts & OP_PUTS_DESC) {
        get(task, U_ID, &answer->sender_id, sizeof(answer->sender_id));
    }
}

/* ---- One operation ------------------------------------------------------------------------------------- */

static void map_own_control(struct task *task, uint64_t slot, uint64_t va)
{
    if (rig_is_a1()) {
        GIVES(0, task, NX_SYS_MAP, slot, va, 0, CONTROL_FLAGS);
    } else {
        assert_true(CALL(task, NX_SYS_VM_MAP, slot, 0, PAGE, CONTROL_FLAGS) > 0);
    }
}

static void spawn(struct task *init, uint64_t which, struct model_answer *answer)
{
    static struct image elf;
    if (elf.eh.e_entry == 0) {
        rig_make_elf(&elf);
    }
    put(init, U_ELF, &elf, sizeof(elf));
    answer->a0 = CALL(init, NX_SYS_EXEC, U_ELF, sizeof(elf), 1, 0);
    if (answer->a0 <= 0) {
        return;
    }
    const uint64_t pid = (uint64_t)answer->a0, slot = OP_CONTROL_SLOT + which - 1;
    answer->a1 = (uint64_t)CALL(init, NX_SYS_CAP_TRANSFER, pid, slot, NX_RIGHT_MAP);
    if (rig_is_a1()) {
        map_own_control(task_find(pid), OP_CHILD_CONTROL_SLOT, OP_CONTROL_VA);
    }
}

static void fault(struct task *task, enum kernel_fault kind, uint64_t va, struct model_answer *answer)
{
    rig_fault(task, kind, va);
    answer->ended = 1;
}

static void access(struct task *task, const struct model_op *op, uint64_t va, struct model_answer *answer)
{
    uint8_t byte = op->fill;
    rig_run(task);
    const bool loads = op->kind == OP_LOAD;
    if (loads ? rig_load(task, va, &byte, 1) : rig_store(task, va, &byte, 1)) {
        answer->a0 = loads ? byte : 0;
    } else {
        fault(task, loads ? FAULT_LOAD : FAULT_STORE, va, answer);
    }
}

static void call(struct task *task, const struct model_op *op, const uint64_t args[OP_ARGS],
                 struct model_answer *answer)
{
    static const uint64_t desc_args[OP_ARGS] = {U_DESC};
    prepare(task, op, args);
    const int64_t a0 = rig_call(task, op->kind, op->kind == NX_SYS_IPC_RECV_V2 ? desc_args : args);
    answer->ended = a0 == RIG_ENDED;
    if (answer->ended) {
        return;
    }
    answer->a0 = a0;
    if (op->kind == NX_SYS_WAIT || op->kind == NX_SYS_WAIT_NOHANG) {
        answer->a1 = task->frame.x[REG_A1];
    }
    read_back(task, op, answer);
}

static struct task *actor_task(const struct model_run *run, unsigned actor)
{
    struct task *task = task_find(run->model.actors[actor].pid);
    assert_non_null(task);
    return task;
}

static void act(const struct model_run *run, const struct model_op *op, const uint64_t args[OP_ARGS],
                struct model_answer *answer)
{
    struct task *task = actor_task(run, op->actor);
    switch (op->kind) {
    case OP_SPAWN:
        spawn(task, args[0], answer);
        break;
    case OP_FAULT:
        fault(task, FAULT_STORE, OP_NOWHERE, answer);
        break;
    case OP_LOAD:
    case OP_STORE:
        access(task, op, args[0], answer);
        break;
    case NX_SYS_TASK_RESUME:
        call(task, op, args, answer);
        if (answer->a0 == 0) {
            map_own_control(task_find(args[0]), OP_CHILD_CONTROL_SLOT, 0);
        }
        break;
    default:
        call(task, op, args, answer);
        break;
    }
}

/* ---- Injected faults ----------------------------------------------------------------------------------- */

static void set_pte(const struct task *task, uint64_t va, uint64_t entry)
{
    uint64_t table_pa = task->space->root_pa;
    for (unsigned shift = 30; shift > 12; shift -= 9) {
        table_pa = ((const uint64_t *)port_ptr(table_pa))[va >> shift & 511] >> 10 << 12;
    }
    ((uint64_t *)port_ptr(table_pa))[va >> 12 & 511] = entry;
}

/* A task's state before the operation. */
struct past {
    struct cap_table caps;
    uint64_t entry; /* page table entry of the unmapped page */
};

static void spoil(const struct host *host, struct task *task, const struct model_op *op, const uint64_t *args,
                  const struct past *past, int64_t a0)
{
    const bool moves = op->kind == NX_SYS_IPC_SEND && (op->hdr.flags & NX_IPC_HDR_CAP_MOVE) != 0;
    if (host->fault == FAULT_ALIAS_IS_WRITABLE && op->kind == NX_SYS_VMO_SHARE_RO && a0 >= 0) {
        task->caps.slots[a0].kind = CAP_VMO;
    }
    if (host->fault == FAULT_MOVE_KEEPS && moves && a0 >= 0) {
        task->caps.slots[op->hdr.src] = past->caps.slots[op->hdr.src];
    }
    if (host->fault == FAULT_UNMAP_KEEPS && op->kind == NX_SYS_VM_UNMAP && a0 == 0) {
        set_pte(task, args[0], past->entry);
    }
    if (host->fault == FAULT_FREES_ROOT && op->kind == NX_SYS_VM_UNMAP && a0 == 0) {
        frames_free(task->space->root_pa);
    }
}

/* ---- A run --------------------------------------------------------------------------------------------- */

struct work {
    struct host *host;
    struct model_run *run;
    struct model_result *result;
};

static void count(struct host_counts *counts, const struct model_op *op, const struct model_answer *answer)
{
    const uint64_t why = answer->ended ? HOST_ENDED : answer->a0 < 0 ? (uint64_t)-answer->a0 : 0;
    counts->answers[op->kind][why < HOST_ENDED ? why : HOST_ENDED]++;
}

static void exec(void *ctx, const struct model_op *op, const uint64_t args[OP_ARGS],
                 struct model_answer *answer)
{
    const struct work *work = ctx;
    struct task *task = actor_task(work->run, op->actor);
    struct past past;
    if (work->host->fault != FAULT_NONE) {
        past = (struct past){.caps = task->caps, .entry = rig_pte(task, args[0])};
    }
    act(work->run, op, args, answer);
    if (work->host->fault != FAULT_NONE) {
        spoil(work->host, task, op, args, &past, answer->a0);
    }
    if (work->host->counts != NULL) {
        count(work->host->counts, op, answer);
    }
    if (work->host->trace != NULL) {
        work->host->trace(op, answer);
    }
}

static const char *check(void *ctx, const struct model *m)
{
    const struct work *work = ctx;
    if (audit.hazard_count.used > 0) {
        return audit.hazards[0].what;
    }
    if (++work->host->since_check < work->host->check_every) {
        return NULL;
    }
    work->host->since_check = 0;
    return walk_check(m);
}

static void boot_kernel(const struct host_boot *boot)
{
    struct kernel_config config = rig_config(boot->is_a1 ? REVISION_A1 : REVISION_A2);
    config.slots = boot->slots;
    config.ep_ids = boot->ep_ids;
    config.regions = boot->regions;
    config.ep_owner = boot->ep_owner;
    if (boot->arena_bytes != 0) {
        config.arena_bytes = boot->arena_bytes;
    }
    rig_boot(&config);
    for (uint64_t i = 0; i < OP_CONTROLS; i++) {
        GIVES(OP_CONTROL_SLOT + i, rig_init(), NX_SYS_VMO_CREATE, ANY_SLOT, PAGE);
        map_own_control(rig_init(), OP_CONTROL_SLOT + i, OP_CONTROL_VA + i * PAGE);
    }
}

/* Checks the kernel's state after unwinding. */
static const char *check_leftovers(const struct model *m)
{
    const struct task *init = rig_init();
    if (cap_used(&init->caps) != OP_RESERVED_SLOTS) {
        return "a slot is left";
    }
    if (task_count_live() != 1) {
        return "a task is left";
    }
    if (!m->limits.is_a1 && region_count_kind(&init->space->regions, REGION_VM_MAP) != OP_CONTROLS) {
        return "a region is left";
    }
    return walk_check(m);
}

/* A kernel panic returns to host_run. */
static void run_body(void *ctx)
{
    struct work *work = ctx;
    if (model_run(work->run, work->result)) {
        work->result->why = check_leftovers(&work->run->model);
    }
}

bool host_run_program(const struct host_boot *boot, struct host *host, struct model_run *run,
                      struct model_result *result)
{
    struct work work = {.host = host, .run = run, .result = result};
    host->since_check = 0;
    run->limits = host_limits(boot);
    run->exec = exec;
    run->check = check;
    run->ctx = &work;
    run->unwinds = true;
    boot_kernel(boot);
    if (host_run(run_body, &work) != HOST_GOES_ON) {
        result->why = "the kernel panicked";
    }
    if (result->why != NULL) {
        rig_forget();
        return false;
    }
    return rig_down(NULL) == 0;
}
