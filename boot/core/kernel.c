/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's interface to traps and boot. The system calls are in sys/sys.c. */
#include "core/kernel.h"

#include <string.h>

#include "core/arena.h"
#include "core/audit.h"
#include "core/checked.h"
#include "core/config.h"
#include "core/console.h"
#include "core/endpoint.h"
#include "core/frames.h"
#include "core/ipc.h"
#include "core/lifecycle.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/sched.h"
#include "core/shutdown.h"
#include "core/storm.h"

static uint64_t watchdog_at_ticks;

void kernel_init(const struct kernel_config *config, const struct kernel_memory *memory)
{
    console_init();
    audit_init();
    shutdown_init();
    config_init(config);
    if (the_config.hashes) {
        audit_enable_hashes(the_config.nonce);
    }
    if (memory->arena_bytes < the_config.arena_bytes) {
        kernel_panic("no room for the arena", memory->arena_bytes);
    }
    frames_init(memory->frames_pa, memory->frames_bytes);
    arena_init(the_facts.bump_arena, memory->arena_pa, the_config.arena_bytes);
    cap_init(the_config.slots);
    ep_init(the_facts.owner_limit_is_live, the_config.ep_ids, the_config.ep_owner);
    region_init(the_config.regions);
    aspace_init(memory->kernel_root_pa);
    task_init();
    lifecycle_init();
    storm_init();
    sched_init(the_facts.preemptive, port_ticks());
    watchdog_at_ticks = DEADLINE_NEVER;
}

/* Reads the init ELF, which is in physical memory. */
static void read_physical(void *ctx, uint64_t off, void *dst, size_t n)
{
    const uint64_t *elf_pa = ctx;
    memcpy(dst, port_ptr(*elf_pa + off), n);
}

/* K-12: a1 refuses an init without the symbol; a2 uses the plan's default. */
static uint64_t gp_of_init(const struct elf_source *source)
{
    uint64_t gp = 0;
    if (elf_symbol(source, "__global_pointer$", &gp) == ELF_OK) {
        return gp;
    }
    if (the_facts.init_needs_gp) {
        shutdown_refused("the init ELF has no symbol __global_pointer$");
    }
    return 0;
}

void kernel_start(uint64_t elf_pa, uint64_t elf_bytes)
{
    struct elf_plan plan;
    const struct elf_source source = {.read = read_physical, .ctx = &elf_pa, .bytes = elf_bytes};
    struct image image = {.source = &source, .plan = &plan, .stack_pages = NX_INIT_STACK_PAGES};
    uint64_t bytes;
    if (elf_bytes > the_facts.init_elf_bytes_max) {
        shutdown_refused("the init ELF is over 2.5 MB");
    }
    const enum elf_status status = elf_plan(&source, &plan);
    if (status != ELF_OK) {
        shutdown_refused(elf_status_name(status));
    }
    image.gp = gp_of_init(&source);
    if (image_measure(&image, &bytes) != IMAGE_OK) {
        shutdown_refused("the init ELF overlaps its stack");
    }
    if (bytes > the_facts.init_image_bytes_max) {
        shutdown_refused("the init image is over 4 MiB");
    }
    if (lifecycle_start_init(&image, bytes) == NULL) {
        shutdown_refused("not enough frames for init");
    }
    watchdog_at_ticks = port_ticks() + the_config.watchdog_ms * TICKS_PER_MS;
    shutdown_record_resources(AUDIT_WHEN_START);
    (void)sched_pick();
}

static const char *const fault_names[] = {[FAULT_LOAD] = "load",
                                          [FAULT_STORE] = "store",
                                          [FAULT_FETCH] = "fetch",
                                          [FAULT_ILLEGAL] = "illegal-instruction",
                                          [FAULT_BREAKPOINT] = "breakpoint",
                                          [FAULT_OTHER] = "other"};

void kernel_fault(enum kernel_fault kind, uint64_t va)
{
    const struct task *task = sched_trapped();
    struct line line;
    console_begin(&line);
    line_text(&line, "kernel:");
    line_key_decimal(&line, "pid", task->pid);
    line_text(&line, " killed: ");
    line_text(&line, fault_names[kind]);
    line_text(&line, " fault");
    line_key_address(&line, "va", va);
    line_key_address(&line, "pc", task->frame.pc);
    line_end(&line);

    if (kind == FAULT_ILLEGAL || kind == FAULT_BREAKPOINT || kind == FAULT_OTHER) { /* K-64 */
        audit_hazard(task->pid, AUDIT_CALL_FAULT, "K-64", fault_names[kind]);
    }
    lifecycle_end(AUDIT_END_FAULT, NX_TASK_FAULT_STATUS);
}

void kernel_timer(void)
{
    const uint64_t now = port_ticks();
    if (now >= watchdog_at_ticks) {
        shutdown_by_watchdog(lifecycle_spaces_taken());
    }
    for (struct task *task = sched_overdue(now); task != NULL; task = sched_overdue(now)) {
        ipc_cancel(task, -NX_ETIMEDOUT);
    }
    sched_tick(now);
}

struct trap_frame *kernel_next(uint64_t *root_pa)
{
    enum audit_result result;
    int64_t status;
    if (lifecycle_init_is_over(&result, &status)) {
        shutdown_run(result, status, lifecycle_spaces_taken());
    }
    struct task *task = sched_pick();
    if (task == NULL) {
        return NULL;
    }
    *root_pa = task->space->root_pa;
    return &task->frame;
}

uint64_t kernel_next_event(void)
{
    return min_u64(watchdog_at_ticks, sched_next_event());
}
