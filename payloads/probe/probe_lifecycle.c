/* SPDX-License-Identifier: Apache-2.0 */
/* One child from exec to wait (K-10..K-16, K-40, K-56, K-58, K-59, K-62, K-63). */
#include "probe/probe.h"
#include "probe/probe_elf.h"

#define WATCH_DEPTH 4
#define REPORT_BYTES ((uint64_t)REPORT_COUNT * sizeof(int64_t))

/* Slots: those of child_exec, then the VMO given to the child and the capability that it gives back. */
struct lifecycle {
    struct child child;
    uint64_t vmo, back;
    int64_t report[REPORT_COUNT];
};

static void is_pid(const char *id, const char *call, const char *what, const struct lifecycle *life,
                   int64_t pid)
{
    row_if(id, call, what, pid == life->child.pid && pid > NX_PID_INIT, "child-pid", pid);
}

/* The steps of child_exec, each as a case. */
static void start_child(struct lifecycle *life)
{
    struct child *child = &life->child;
    life->vmo = new_vmo(PAGE);
    child->reply = new_endpoint(WATCH_DEPTH);
    child->pid = CALL(NX_SYS_EXEC, at(probe_child_elf), probe_child_elf_bytes, CHILD_STACK_PAGES,
                      ORDER_GP + ORDER_REPORT);
    row_if("K-10.first-child", "exec", "the first child", child->pid == NX_PID_INIT + 1, "pid-18",
           child->pid);
    const uint64_t pid = (uint64_t)child->pid;
    child->watch = child->reply + 1;
    life->back = child->watch + 1;
    row_slot("K-62.watch", "endpoint_create_for", "a living child",
             CALL(NX_SYS_EP_CREATE_FOR, FACTORY, pid, WATCH_DEPTH), child->watch);
    int64_t answer = CALL(NX_SYS_CAP_TRANSFER, pid, child->reply, NX_RIGHT_SEND);
    row_if("K-14.child-slots", "cap_transfer", "to a new child", answer == CHILD_SLOT_REPORT, "slot-1",
           answer);
    answer = CALL(NX_SYS_CAP_TRANSFER, pid, life->vmo, NX_RIGHT_MAP);
    row_if("K-40.to-child", "cap_transfer", "a vmo to a child", answer == CHILD_SLOT_OBJECT, "slot-2",
           answer);
}

static void rows_before_start(const struct lifecycle *life)
{
    const bool a1 = probe_is_a1();
    struct nx_ipc_hdr hdr = {.len = 0};
    uint64_t word = 0;
    ROW("K-63.self", "oneself, with a child", NX_SYS_WAIT, NX_PID_INIT);
    ROW("K-63.stranger", "a pid that nobody has", NX_SYS_WAIT, NO_SUCH_PID);
    if (!a1) {
        ROW("K-63.nohang-living", "a living child", NX_SYS_WAIT_NOHANG, 0);
        ROW("K-16.resume-unknown", "a pid that nobody has", NX_SYS_TASK_RESUME, NO_SUCH_PID);
    }
    row("K-62.alive", "ipc_recv", "death watch of a living child",
        take(life->child.watch, &hdr, &word, sizeof(word)));
    const struct nx_ipc_hdr out = {.len = sizeof(word)};
    row_len("K-58.queued", "ipc_send", "to an endpoint of the child", post(life->child.watch, &out, &word),
            sizeof(word));
    if (!a1) {
        let_others_run();
    }
    row(a1 ? "K-16.not-yet" : "K-16.suspended", "ipc_recv",
        a1 ? "before the parent yields" : "a child that was not resumed",
        take(life->child.reply, &hdr, &word, sizeof(word)));
}

static void receive_report(struct lifecycle *life)
{
    const uint64_t pid = (uint64_t)life->child.pid;
    struct nx_ipc_hdr hdr = {.dst = 0};
    uint64_t sender = UINT64_MAX;
    if (!probe_is_a1()) {
        ROW("K-16.resume", "a suspended child", NX_SYS_TASK_RESUME, pid);
        ROW("K-16.resume-again", "the same child again", NX_SYS_TASK_RESUME, pid);
    }
    const int64_t answer = take_later(life->child.reply, &hdr, life->report, sizeof(life->report), &sender);
    row_len("K-16.runs", "ipc_recv_v2", "report of the child", answer, REPORT_BYTES);
    row("K-59.sender-exec", "ipc_recv_v2", "sender id of a child by exec", (int64_t)sender);
    is_pid("K-10.child", "ipc_recv_v2", "dst in the header", life, hdr.dst);
}

static void report_rows(const struct lifecycle *life)
{
    const int64_t *report = life->report;
    const bool top = report[REPORT_STACK_TOP] == 1, bottom = report[REPORT_STACK_BOTTOM] == 1;
    row_if("K-11.child-sp", "start", "sp of a child", report[REPORT_SP] == NX_USER_SP, "sp-0x20008000", 0);
    row_if("K-11.child-zero", "start", "all registers of a child but sp and gp", report[REPORT_OTHERS] == 0,
           "zero", 0);
    row_if("K-12.argument", "start", "gp of a child", report[REPORT_GP] == (int64_t)(ORDER_GP + ORDER_REPORT),
           "as-asked", 0);
    row_if("K-11.stack-top", "start", "last word of the stack", top, "writable", 0);
    row_if("K-11.stack-bottom", "start", "first word of the stack", bottom, "writable", 0);
    is_pid("K-10.child-getpid", "getpid", "by a child", life, report[REPORT_PID]);
    row("K-14.no-factory", "endpoint_create", "by a child", report[REPORT_EP_CREATE]);
    row("K-63.child-no-children", "wait", "by a child without children", report[REPORT_WAIT]);
    row_len("K-14.bootstrap", "ipc_send", "by a child to slot 0", report[REPORT_BOOTSTRAP], NX_IPC_HDR_BYTES);
    row_len("K-28.holder-writes", "vmo_write", "by a child that was given map", report[REPORT_WRITE],
            sizeof(uint64_t));
    row("K-40.child-narrowed", "cap_transfer", "by a child, a right that it was not given",
        report[REPORT_NARROWED]);
    row_slot("K-40.to-parent", "cap_transfer", "by a child to its parent", report[REPORT_TO_PARENT],
             life->back);
    row_slot("K-15.child", "vmo_create", "by a child", report[REPORT_CREATE], CHILD_SLOT_OBJECT + 1);
}

static void report_rows_a2(const struct lifecycle *life)
{
    const int64_t regions =
        life->report[REPORT_REGIONS] + (int64_t)elf_segments(probe_child_elf) + 1; /* the stack is one */
    row("K-25.own-segment", "vm_unmap", "by a child, its own segment", life->report[REPORT_UNMAP_SELF]);
    row_if("K-24.child-table", "vm_map", "by a child, until the region table is full",
           regions == NX_REGIONS_MAX, "64-regions", 0);
}

static void leftover_rows(const struct lifecycle *life)
{
    const uint64_t mark = CHILD_MARK;
    struct nx_ipc_hdr hdr = {.dst = 0};
    uint8_t bytes[NX_IPC_HDR_BYTES];
    const volatile uint8_t *page = view(life->vmo, 0, false);
    row_if("K-40.same-vmo", "cap_transfer", "what the child wrote, seen by the parent",
           shows(page, &mark, sizeof(mark)), "same-bytes", 0);
    unview(page);
    (void)take(BOOTSTRAP, &hdr, bytes, sizeof(bytes));
    is_pid("K-14.bootstrap-dst", "ipc_recv", "message of the child on slot 0", life, hdr.dst);
}

/* The child has ended and is not reaped. Returns the death watch's answer. */
static int64_t rows_after_end(const struct lifecycle *life)
{
    const uint64_t pid = (uint64_t)life->child.pid;
    struct nx_ipc_hdr hdr = {.len = sizeof(uint64_t)};
    uint64_t word = 0;
    const int64_t ended = child_ended(&life->child);
    row("K-62.ended", "ipc_recv", "death watch of an ended child", ended);
    row("K-58.later-send", "ipc_send", "to an endpoint of an ended child",
        post(life->child.watch, &hdr, &word));
    ROW("K-40.dead", "to an ended child", NX_SYS_CAP_TRANSFER, pid, life->vmo, NX_RIGHT_MAP);
    const uint64_t late = life->back + 1;
    row_slot("K-62.late", "endpoint_create_for", "an ended child",
             CALL(NX_SYS_EP_CREATE_FOR, FACTORY, pid, WATCH_DEPTH), late);
    row("K-62.late-silent", "ipc_recv", "death watch that came too late",
        take(late, &hdr, &word, sizeof(word)));
    close_slots(late, late);
    return ended;
}

void probe_child_lifecycle(void)
{
    static struct lifecycle life;
    start_child(&life);
    rows_before_start(&life);
    receive_report(&life);
    report_rows(&life);
    if (!probe_is_a1()) {
        report_rows_a2(&life);
    }
    leftover_rows(&life);
    const int64_t ended = rows_after_end(&life);
    const struct probe_answer answer = child_reap(&life.child, ended, life.child.pid);
    is_pid("K-63.wait", "wait", "an ended child", &life, answer.a0);
    row_status("K-63.status", "status of exit 7", answer.a1, CHILD_STATUS);
    ROW("K-63.reaped", "the same child again", NX_SYS_WAIT, (uint64_t)life.child.pid);
    ROW("K-56.reaped", "a child that was waited for", NX_SYS_EP_CREATE_FOR, FACTORY, (uint64_t)life.child.pid,
        1);
    ROW("K-40.reaped", "to a child that was waited for", NX_SYS_CAP_TRANSFER, (uint64_t)life.child.pid,
        life.vmo, NX_RIGHT_MAP);
    close_slots(life.vmo, life.vmo);
    close_slots(life.back, life.back);
}
