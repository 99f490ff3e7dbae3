/* SPDX-License-Identifier: Apache-2.0 */
#include "core/audit.h"

#include <string.h>

#include "core/audit_tables.h"
#include "core/checked.h"

struct audit_tables audit;

void audit_init(void)
{
    memset(&audit, 0, sizeof(audit));
}

/* Returns the index of the next record. Returns -1 and counts a lost record if the table is full. */
static int next_place(struct audit_count *count, uint32_t max)
{
    if (count->used == max) {
        count->lost++;
        return -1;
    }
    return (int)count->used++;
}

static struct audit_task *task_of(uint32_t pid)
{
    if (pid < NX_PID_INIT || pid - NX_PID_INIT >= audit.task_count.used) {
        return NULL;
    }
    return &audit.tasks[pid - NX_PID_INIT];
}

void audit_task(uint32_t pid, uint32_t parent, const char *name)
{
    const int i = next_place(&audit.task_count, AUDIT_TASKS_MAX);
    if (i < 0 || task_of(pid) != &audit.tasks[i]) {
        return;
    }
    audit.tasks[i].known = true;
    audit.tasks[i].parent = parent;
    memcpy(audit.tasks[i].name, name, min_u64(strlen(name), NX_NAME_MAX));
}

void audit_task_ended(uint32_t pid, enum audit_end end, int64_t status)
{
    struct audit_task *task = task_of(pid);
    if (task == NULL) {
        return;
    }
    task->end = end;
    task->status = status;
}

void audit_task_reaped(uint32_t pid)
{
    struct audit_task *task = task_of(pid);
    if (task != NULL) {
        task->reaped = true;
    }
}

void audit_vmo(uint32_t id, uint32_t creator, uint64_t base_pa, uint64_t bytes)
{
    const int i = next_place(&audit.vmo_count, AUDIT_VMOS_MAX);
    if (i < 0 || id != (uint32_t)i + 1) {
        return;
    }
    audit.vmos[i] = (struct audit_vmo){.known = true, .creator = creator, .base_pa = base_pa, .bytes = bytes};
}

void audit_vmo_destroyed(uint32_t id)
{
    if (id >= 1 && id <= audit.vmo_count.used) {
        audit.vmos[id - 1].destroyed = true;
    }
}

void audit_map_made(uint32_t id, const struct audit_map *map)
{
    if (id > AUDIT_MAPS_MAX) {
        audit.map_count.lost++;
        return;
    }
    audit.map_count.used = id;
    struct audit_map *made = &audit.maps[id - 1];
    made->pid = map->pid;
    made->vmo_id = map->vmo_id;
    made->off = map->off;
    made->bytes = map->bytes;
    made->base_pa = map->base_pa;
    made->prot = map->prot;
    made->via = map->via;
    made->alias = map->alias;
    made->live = true;
}

/* Returns NULL if the mapping was not recorded or the record of mappings is closed. */
static struct audit_map *map_of(uint32_t id)
{
    return id >= 1 && id <= audit.map_count.used && !audit.maps_are_taken ? &audit.maps[id - 1] : NULL;
}

void audit_map_extended(uint32_t id, uint64_t bytes)
{
    struct audit_map *map = map_of(id);
    if (map != NULL) {
        map->bytes += bytes;
    }
}

void audit_map_usage(uint32_t id, const struct audit_usage *usage)
{
    struct audit_map *map = map_of(id);
    if (map != NULL) {
        map->usage = *usage;
    }
}

void audit_map_unmapped(uint32_t id, const struct audit_usage *usage)
{
    struct audit_map *map = map_of(id);
    if (map == NULL) {
        return;
    }
    map->usage = *usage;
    map->live = false;
}

void audit_maps_taken(void)
{
    audit.maps_are_taken = true;
}

void audit_copied_into_vmo(uint32_t pid, uint64_t bytes)
{
    struct audit_task *task = task_of(pid);
    if (task != NULL) {
        task->copied_into_vmo += bytes;
    }
}

void audit_copied_from_vmo(uint32_t pid, uint64_t bytes)
{
    struct audit_task *task = task_of(pid);
    if (task != NULL) {
        task->copied_from_vmo += bytes;
    }
}

void audit_grant(uint32_t from, uint32_t to, enum audit_grant_via via, const struct cap *cap)
{
    const int i = next_place(&audit.grant_count, AUDIT_GRANTS_MAX);
    if (i >= 0) {
        audit.grants[i] = (struct audit_grant){.from = from, .to = to, .via = via, .cap = *cap};
    }
}

void audit_msg(const struct audit_msg *msg)
{
    const int i = next_place(&audit.msg_count, AUDIT_MSGS_MAX);
    if (i >= 0) {
        audit.msgs[i] = *msg;
    }
}

void audit_undelivered(uint64_t messages)
{
    audit.undelivered = messages;
}

void audit_console(const struct audit_console *entry)
{
    const int i = audit.console_is_taken ? -1 : next_place(&audit.console_count, AUDIT_CONSOLE_MAX);
    if (i >= 0) {
        audit.console[i] = *entry;
    }
}

void audit_res(enum audit_when when, const struct audit_res *res)
{
    audit.res_known[when] = true;
    audit.res[when] = *res;
}

void audit_unreclaimed(const char *what, uint64_t n)
{
    const int i = next_place(&audit.unreclaimed_count, AUDIT_UNRECLAIMED_MAX);
    if (i >= 0) {
        audit.unreclaimed[i] = (struct audit_unreclaimed){.what = what, .n = n};
    }
}

void audit_hazard(uint32_t pid, uint64_t call, const char *id, const char *what)
{
    const int i = next_place(&audit.hazard_count, AUDIT_HAZARDS_MAX);
    if (i >= 0) {
        audit.hazards[i] = (struct audit_hazard){.pid = pid, .call = call, .id = id, .what = what};
    }
}
