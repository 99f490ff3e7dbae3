/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the audit. Kinds and keys are in the order of LINES in scripts/judge/audit.py. */
#include "core/audit_print.h"

#include "core/audit_tables.h"
#include "core/checked.h"
#include "core/console.h"

static const char *print_nonce;
static uint64_t lines;

static const char *const grant_vias[] = {[AUDIT_GRANT_MOVE] = "move", [AUDIT_GRANT_TRANSFER] = "transfer"};
static const char *const map_vias[] = {
    [AUDIT_VIA_MAP] = "map", [AUDIT_VIA_VM_MAP] = "vm_map", [AUDIT_VIA_AS_MAP] = "as_map"};
static const char *const ends[] = {
    [AUDIT_END_NONE] = "none", [AUDIT_END_EXIT] = "exit", [AUDIT_END_FAULT] = "fault"};
static const char *const hash_whens[] = {[AUDIT_HASH_GRANT] = "grant",
                                         [AUDIT_HASH_REPLY] = "reply",
                                         [AUDIT_HASH_DESTROYED] = "destroyed",
                                         [AUDIT_HASH_END] = "end"};
static const char *const whens[] = {
    [AUDIT_WHEN_START] = "start", [AUDIT_WHEN_DONE] = "done", [AUDIT_WHEN_END] = "end"};
static const char *const results[] = {
    [AUDIT_DONE] = "done",         [AUDIT_EXITED] = "exited", [AUDIT_FAULTED] = "faulted",
    [AUDIT_WATCHDOG] = "watchdog", [AUDIT_PANIC] = "panic",   [AUDIT_REFUSED] = "refused"};
static const char *const cap_kinds[] = {[CAP_NONE] = "none",
                                        [CAP_ENDPOINT] = "endpoint",
                                        [CAP_FACTORY] = "factory",
                                        [CAP_VMO] = "vmo",
                                        [CAP_ALIAS] = "alias"};

static void begin(struct line *line, const char *kind)
{
    lines++;
    console_begin(line);
    line_text(line, "audit ");
    line_text(line, print_nonce);
    line_char(line, ' ');
    line_text(line, kind);
}

static void print_overflow(const char *kind, const struct audit_count *count)
{
    struct line line;
    if (count->lost == 0) {
        return;
    }
    begin(&line, "overflow");
    line_key_text(&line, "kind", kind);
    line_key_decimal(&line, "lost", count->lost);
    line_end(&line);
}

/* The task chose the name, so a byte that could break the structure of the line is printed as '?'. */
static void print_name(struct line *line, const char *name)
{
    line_text(line, " name=");
    if (name[0] == '\0') {
        line_char(line, '-');
    }
    for (; *name != '\0'; name++) {
        line_char(line, *name > ' ' && *name <= '~' && *name != '=' ? *name : '?');
    }
}

static const char *state_of(const struct audit_task *task)
{
    if (task->reaped) {
        return "reaped";
    }
    switch (task->end) {
    case AUDIT_END_EXIT:
        return "exited";
    case AUDIT_END_FAULT:
        return "faulted";
    case AUDIT_END_NONE:
        break;
    }
    return "live";
}

static void print_tasks(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.task_count.used; i++) {
        const struct audit_task *task = &audit.tasks[i];
        begin(&line, "task");
        line_key_decimal(&line, "pid", NX_PID_INIT + i);
        line_key_decimal(&line, "parent", task->parent);
        line_key_text(&line, "state", state_of(task));
        line_key_text(&line, "end", ends[task->end]);
        line_key_signed(&line, "status", task->status);
        print_name(&line, task->name);
        line_end(&line);
    }
    print_overflow("task", &audit.task_count);
}

static void print_vmos(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.vmo_count.used; i++) {
        const struct audit_vmo *vmo = &audit.vmos[i];
        begin(&line, "vmo");
        line_key_decimal(&line, "id", i + 1);
        line_key_decimal(&line, "creator", vmo->creator);
        line_key_address(&line, "base", vmo->base_pa);
        line_key_decimal(&line, "bytes", vmo->bytes);
        line_key_text(&line, "state", vmo->destroyed ? "destroyed" : "live");
        line_end(&line);
    }
    print_overflow("vmo", &audit.vmo_count);
}

static void print_hash(struct line *line, uint64_t hash)
{
    uint8_t bytes[sizeof(hash)];
    for (size_t i = 0; i < sizeof(hash); i++) {
        bytes[i] = (uint8_t)(hash >> (8 * (sizeof(hash) - 1 - i)));
    }
    line_key_text(line, "sip", "");
    line_hex_bytes(line, bytes, sizeof(bytes));
}

static void print_images(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.task_count.used; i++) {
        const struct audit_task *task = &audit.tasks[i];
        if (!task->image_known) {
            continue;
        }
        begin(&line, "image");
        line_key_decimal(&line, "pid", NX_PID_INIT + i);
        line_key_decimal(&line, "bytes", task->image_bytes);
        line_key_decimal(&line, "stack_pages", task->stack_pages);
        line_key_address(&line, "gp", task->gp);
        print_hash(&line, task->image_hash);
        line_end(&line);
    }
}

static void print_prot(struct line *line, uint32_t prot)
{
    line_text(line, " prot=");
    if (prot & NX_PROT_READ) {
        line_char(line, 'r');
    }
    if (prot & NX_PROT_WRITE) {
        line_char(line, 'w');
    }
    if (prot & NX_PROT_EXEC) {
        line_char(line, 'x');
    }
}

static void print_maps(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.map_count.used; i++) {
        const struct audit_map *map = &audit.maps[i];
        begin(&line, "map");
        line_key_decimal(&line, "pid", map->pid);
        line_key_decimal(&line, "vmo", map->vmo_id);
        line_key_decimal(&line, "off", map->off);
        line_key_decimal(&line, "bytes", map->bytes);
        print_prot(&line, map->prot);
        line_key_text(&line, "via", map_vias[map->via]);
        line_key_decimal(&line, "alias", map->alias);
        line_key_text(&line, "state", map->live ? "live" : "unmapped");
        line_key_decimal(&line, "accessed", map->usage.accessed);
        line_key_decimal(&line, "dirtied", map->usage.dirtied);
        line_key_address(&line, "base", map->base_pa);
        line_key_decimal(&line, "made", map->made);
        line_key_decimal(&line, "ended", map->ended);
        line_key_decimal(&line, "user", map->user);
        line_end(&line);
    }
    print_overflow("map", &audit.map_count);
}

static void print_copies(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.task_count.used; i++) {
        begin(&line, "copy");
        line_key_decimal(&line, "pid", NX_PID_INIT + i);
        line_key_decimal(&line, "into", audit.tasks[i].copied_into_vmo);
        line_key_decimal(&line, "from", audit.tasks[i].copied_from_vmo);
        line_end(&line);
    }
}

static void print_grants(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.grant_count.used; i++) {
        const struct audit_grant *grant = &audit.grants[i];
        begin(&line, "hand");
        line_key_decimal(&line, "from", grant->from);
        line_key_decimal(&line, "to", grant->to);
        line_key_text(&line, "via", grant_vias[grant->via]);
        line_key_text(&line, "kind", cap_kinds[grant->cap.kind]);
        line_key_decimal(&line, "vmo", cap_is_memory(&grant->cap) ? grant->cap.object : 0);
        line_key_decimal(&line, "rights", grant->cap.rights);
        line_key_decimal(&line, "slot", grant->slot);
        line_key_decimal(&line, "seq", grant->seq);
        line_key_decimal(&line, "wcaps", grant->writable_caps);
        line_key_decimal(&line, "wmaps", grant->writable_maps);
        line_end(&line);
    }
    print_overflow("hand", &audit.grant_count);
}

static void print_head(struct line *line, const uint8_t *head, size_t n)
{
    line_key_text(line, "head", n == 0 ? "-" : "");
    line_hex_bytes(line, head, n);
}

static void print_msgs(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.msg_count.used; i++) {
        const struct audit_msg_entry *entry = &audit.msgs[i];
        const struct audit_msg *msg = &entry->msg;
        begin(&line, "msg");
        line_key_decimal(&line, "n", i);
        line_key_decimal(&line, "from", msg->from);
        line_key_decimal(&line, "to", msg->to);
        line_key_decimal(&line, "len", msg->len);
        line_key_decimal(&line, "type", msg->type);
        line_key_decimal(&line, "flags", msg->flags);
        line_key_text(&line, "moved", cap_kinds[msg->moved]);
        line_key_decimal(&line, "sent", msg->sent.seq);
        line_key_decimal(&line, "seq", entry->seq);
        line_key_decimal(&line, "user", msg->sent.user);
        print_head(&line, entry->head, msg->head_bytes);
        line_end(&line);
    }
    print_overflow("msg", &audit.msg_count);
    begin(&line, "lost");
    line_key_decimal(&line, "msgs", audit.msg_count.lost);
    line_key_decimal(&line, "undelivered", audit.undelivered);
    line_end(&line);
}

static void print_console(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.console_count.used; i++) {
        const struct audit_console *entry = &audit.console[i];
        begin(&line, "say");
        line_key_decimal(&line, "n", i);
        if (entry->by == AUDIT_BY_KERNEL) {
            line_key_text(&line, "by", "kernel");
        } else if (entry->by == AUDIT_BY_SEVERAL) {
            line_key_text(&line, "by", "several");
        } else {
            line_key_decimal(&line, "by", entry->by);
        }
        line_key_decimal(&line, "seq", entry->seq);
        line_key_decimal(&line, "len", entry->len);
        print_head(&line, entry->head, (size_t)min_u64(entry->len, AUDIT_HEAD_BYTES));
        line_end(&line);
    }
    print_overflow("say", &audit.console_count);
}

static void print_hashes(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.hash_count.used; i++) {
        const struct audit_hash *record = &audit.hash_records[i];
        begin(&line, "hash");
        line_key_decimal(&line, "vmo", record->vmo_id);
        line_key_text(&line, "when", hash_whens[record->when]);
        line_key_decimal(&line, "pid", record->pid);
        line_key_decimal(&line, "seq", record->seq);
        line_key_decimal(&line, "bytes", record->bytes);
        print_hash(&line, record->hash);
        line_end(&line);
    }
    print_overflow("hash", &audit.hash_count);
}

static void print_resources(void)
{
    struct line line;
    for (unsigned when = 0; when < AUDIT_WHENS; when++) {
        const struct audit_res *res = &audit.res[when];
        if (!audit.res_known[when]) {
            continue;
        }
        begin(&line, "res");
        line_key_text(&line, "when", whens[when]);
        line_key_decimal(&line, "slots", res->slots);
        line_key_decimal(&line, "regions", res->regions);
        line_key_decimal(&line, "vmos", res->vmos);
        line_key_decimal(&line, "endpoints", res->endpoints);
        line_key_decimal(&line, "arena_bytes", res->arena_bytes);
        line_key_decimal(&line, "frames", res->frames);
        line_end(&line);
    }
    for (uint32_t i = 0; i < audit.unreclaimed_count.used; i++) {
        begin(&line, "keep");
        line_key_text(&line, "what", audit.unreclaimed[i].what);
        line_key_decimal(&line, "n", audit.unreclaimed[i].n);
        line_end(&line);
    }
}

static void print_hazards(void)
{
    struct line line;
    for (uint32_t i = 0; i < audit.hazard_count.used; i++) {
        const struct audit_hazard *hazard = &audit.hazards[i];
        begin(&line, "hazard");
        line_key_decimal(&line, "pid", hazard->pid);
        if (hazard->call == AUDIT_CALL_FAULT) {
            line_key_text(&line, "call", "fault");
        } else {
            line_key_decimal(&line, "call", hazard->call);
        }
        line_key_text(&line, "id", hazard->id);
        line_key_text(&line, "what", hazard->what);
        line_end(&line);
    }
    print_overflow("hazard", &audit.hazard_count);
}

void audit_print(const char *nonce, const char *revision, enum audit_result result, int64_t status,
                 uint64_t instret)
{
    struct line line;
    console_end_open_line();
    audit.console_is_taken = true;
    print_nonce = nonce;
    lines = 0;
    begin(&line, "begin");
    line_key_decimal(&line, "v", 2);
    line_key_text(&line, "abi", revision);
    line_key_decimal(&line, "hashes", audit.hashes);
    line_end(&line);

    print_tasks();
    print_images();
    print_vmos();
    print_maps();
    print_copies();
    print_grants();
    print_msgs();
    print_console();
    print_hashes();
    print_resources();
    print_hazards();

    begin(&line, "result");
    line_key_text(&line, "init", results[result]);
    line_key_signed(&line, "status", status);
    line_key_decimal(&line, "instret", instret);
    line_end(&line);
    begin(&line, "end");
    line_key_decimal(&line, "lines", lines);
    line_end(&line);
}
