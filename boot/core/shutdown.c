/* SPDX-License-Identifier: Apache-2.0 */
#include "core/shutdown.h"

#include "core/arena.h"
#include "core/audit_print.h"
#include "core/config.h"
#include "core/console.h"
#include "core/endpoint.h"
#include "core/exit_code.h"
#include "core/frames.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/sched.h"

void shutdown_record_resources(enum audit_when when)
{
    const struct task *init = task_find(NX_PID_INIT);
    const bool has_space = init != NULL && init->space != NULL;
    const struct audit_res res = {
        .slots = init == NULL ? 0 : cap_used(&init->caps),
        .regions = has_space ? region_count_kind(&init->space->regions, REGION_VM_MAP) : 0,
        .vmos = arena_vmos_live(),
        .endpoints = ep_live(),
        .arena_bytes = arena_bytes_used(),
        .frames = frames_in_use(),
    };
    audit_res(when, &res);
}

/* Frees everything that tasks hold. Frames still in use afterwards are leaks of the kernel. */
static void tear_down(void)
{
    for (struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        if (task->state == TASK_BLOCKED && task->wait.kind == WAIT_SEND) {
            message_free(task->wait.message_pa);
        }
        task->space = NULL; /* destroyed below */
        cap_clear_all(&task->caps);
    }
    for (uint64_t handle = 1; handle <= ASPACES_MAX; handle++) {
        struct aspace *space = aspace_find(handle);
        if (space != NULL) {
            aspace_destroy(space);
        }
    }
    for (uint32_t id = 0; id <= ep_ids_used(); id++) {
        ep_close(id);
    }
}

static enum exit_code code_of(enum audit_result result, int64_t status)
{
    switch (result) {
    case AUDIT_DONE:
        return status == 0 ? EXIT_DONE : EXIT_DONE_BADLY;
    case AUDIT_EXITED:
    case AUDIT_FAULTED:
        return EXIT_INIT_ENDED;
    case AUDIT_WATCHDOG:
        return EXIT_WATCHDOG;
    case AUDIT_REFUSED:
        return EXIT_REFUSED;
    case AUDIT_PANIC:
        break;
    }
    return EXIT_PANIC;
}

static void record_unreclaimed(uint64_t spaces_taken)
{
    if (the_facts.bump_arena) {
        audit_unreclaimed("arena_bytes", arena_bytes_used());
    }
    if (the_facts.keeps_spaces) {
        audit_unreclaimed("address_spaces", spaces_taken);
    }
    audit_unreclaimed("endpoint_ids", ep_ids_used());
}

static _Noreturn void print_and_finish(enum audit_result result, int64_t status)
{
    const char *nonce = the_config.nonce[0] == '\0' ? "-" : the_config.nonce;
    audit_print(nonce, the_facts.name, result, status, port_instret());
    port_finish(code_of(result, status));
}

/* " pid=17 pc=0x... last call=5" */
static void line_task(struct line *line, const struct task *task)
{
    line_key_decimal(line, "pid", task->pid);
    line_key_address(line, "pc", task->frame.pc);
    line_text(line, " last");
    line_key_decimal(line, "call", task->last_call);
}

static const char *state_name(const struct task *task)
{
    switch (task->state) {
    case TASK_SUSPENDED:
        return "suspended";
    case TASK_READY:
        return "ready";
    case TASK_RUNNING:
        return "running";
    case TASK_BLOCKED:
        return task->wait.kind == WAIT_SEND   ? "blocked-in-send"
               : task->wait.kind == WAIT_RECV ? "blocked-in-receive"
                                              : "blocked-in-wait";
    case TASK_FREE:
    case TASK_ZOMBIE:
        break;
    }
    return "ended";
}

static void print_living_tasks(void)
{
    struct line line;
    for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        if (!task_is_live(task)) {
            continue;
        }
        console_begin(&line);
        line_text(&line, "kernel: task");
        line_task(&line, task);
        line_key_text(&line, "state", state_name(task));
        line_end(&line);
    }
}

_Noreturn void shutdown_run(enum audit_result result, int64_t status, uint64_t spaces_taken)
{
    if (result == AUDIT_DONE && task_count_live() > 0) {
        struct line line;
        console_begin(&line);
        line_text(&line, "kernel: init failed while other tasks are alive");
        line_end(&line);
        print_living_tasks();
    }
    shutdown_record_resources(AUDIT_WHEN_DONE);
    audit_undelivered(ep_messages_queued());
    record_unreclaimed(spaces_taken);
    aspace_collect_all();
    audit_maps_taken();
    audit_vmos_taken();
    tear_down();
    shutdown_record_resources(AUDIT_WHEN_END);
    print_and_finish(result, status);
}

_Noreturn void shutdown_refused(const char *why)
{
    struct line line;
    console_begin(&line);
    line_text(&line, "kernel: refused: ");
    line_text(&line, why);
    line_end(&line);
    shutdown_run(AUDIT_REFUSED, 0, 0);
}

_Noreturn void shutdown_by_watchdog(uint64_t spaces_taken)
{
    struct line line;
    const struct task *current = sched_current();
    console_begin(&line);
    line_text(&line, "kernel: watchdog:");
    if (current != NULL) {
        line_task(&line, current);
    } else {
        line_text(&line, " every task waits");
    }
    line_end(&line);
    print_living_tasks();
    shutdown_run(AUDIT_WATCHDOG, 0, spaces_taken);
}

/* The kernel's state may be inconsistent, so nothing is torn down. */
static void end_by_panic(const struct panic *panic)
{
    struct line line;
    console_begin(&line);
    panic_describe(&line, panic);
    line_end(&line);
    print_and_finish(AUDIT_PANIC, 0);
}

void shutdown_init(void)
{
    panic_init(end_by_panic);
}
