/* SPDX-License-Identifier: Apache-2.0 */
#include "core/audit.h"

#include <string.h>

#include "core/audit_tables.h"
#include "core/checked.h"
#include "core/port.h"

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

/* The key's words are SipHashes of the nonce under the keys (0, 0) and (1, 0), so the judge can make it. */
void audit_enable_hashes(const char *nonce)
{
    const size_t n = strlen(nonce);
    audit.key.k0 = siphash(&(struct sip_key){0, 0}, nonce, n);
    audit.key.k1 = siphash(&(struct sip_key){1, 0}, nonce, n);
    audit.hashes = true;
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

void audit_image(uint32_t pid, const struct elf_source *source, uint64_t stack_pages, uint64_t gp)
{
    static uint8_t page[PAGE_BYTES] __attribute__((aligned(8)));
    struct audit_task *task = task_of(pid);
    struct sip_pages pages;
    if (task == NULL || !audit.hashes) {
        return;
    }
    sip_pages_begin(&pages, &audit.key);
    for (uint64_t off = 0; off < source->bytes; off += PAGE_BYTES) {
        const size_t n = (size_t)min_u64(source->bytes - off, PAGE_BYTES);
        source->read(source->ctx, off, page, n);
        memset(page + n, 0, PAGE_BYTES - n);
        sip_pages_add(&pages, page);
    }
    task->image_known = true;
    task->image_bytes = source->bytes;
    task->image_hash = sip_pages_end(&pages);
    task->stack_pages = stack_pages;
    task->gp = gp;
}

/* Records the hash of a VMO's pages, if VMOs are hashed. */
static void hash_vmo(uint32_t id, uint32_t pid, enum audit_hash_when when)
{
    if (!audit.hashes || id < 1 || id > audit.vmo_count.used) {
        return;
    }
    const int i = next_place(&audit.hash_count, AUDIT_HASHES_MAX);
    if (i < 0) {
        return;
    }
    const struct audit_vmo *vmo = &audit.vmos[id - 1];
    struct sip_pages pages;
    sip_pages_begin(&pages, &audit.key);
    for (uint64_t off = 0; off < vmo->bytes; off += PAGE_BYTES) {
        sip_pages_add(&pages, port_ptr(vmo->base_pa + off));
    }
    audit.hash_records[i] = (struct audit_hash){.vmo_id = id,
                                                .pid = pid,
                                                .when = when,
                                                .seq = ++audit.seq,
                                                .bytes = vmo->bytes,
                                                .hash = sip_pages_end(&pages)};
}

static bool was_granted(uint32_t vmo_id)
{
    for (uint32_t i = 0; i < audit.grant_count.used; i++) {
        const struct cap *cap = &audit.grants[i].cap;
        if (cap_is_memory(cap) && cap->object == vmo_id) {
            return true;
        }
    }
    return false;
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
    if (id < 1 || id > audit.vmo_count.used) {
        return;
    }
    if (audit.hashes && was_granted(id)) {
        hash_vmo(id, 0, AUDIT_HASH_DESTROYED);
    }
    audit.vmos[id - 1].destroyed = true;
}

void audit_vmos_taken(void)
{
    for (uint32_t id = 1; audit.hashes && id <= audit.vmo_count.used; id++) {
        if (!audit.vmos[id - 1].destroyed && was_granted(id)) {
            hash_vmo(id, 0, AUDIT_HASH_END);
        }
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
    made->made = ++audit.seq;
    made->user = port_user_instret();
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
    map->ended = ++audit.seq;
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

static uint32_t count_writable_maps(uint32_t vmo_id)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < audit.map_count.used; i++) {
        const struct audit_map *map = &audit.maps[i];
        count += map->live && map->vmo_id == vmo_id && (map->prot & NX_PROT_WRITE) != 0;
    }
    return count;
}

void audit_grant(uint32_t from, uint32_t to, enum audit_grant_via via, uint32_t slot, const struct cap *cap,
                 uint32_t writable_caps)
{
    const int i = next_place(&audit.grant_count, AUDIT_GRANTS_MAX);
    if (i < 0) {
        return;
    }
    struct audit_grant *grant = &audit.grants[i];
    grant->from = from;
    grant->to = to;
    grant->via = via;
    grant->slot = slot;
    grant->cap = *cap;
    grant->seq = ++audit.seq;
    grant->writable_caps = writable_caps;
    if (audit.hashes && cap_is_memory(cap)) {
        grant->writable_maps = count_writable_maps(cap->object);
        hash_vmo(cap->object, to, AUDIT_HASH_GRANT);
    }
}

/* Hashes each VMO that the task was granted and has not answered yet. */
static void hash_unanswered(uint32_t pid)
{
    for (uint32_t i = 0; i < audit.grant_count.used; i++) {
        struct audit_grant *grant = &audit.grants[i];
        if (grant->to == pid && !grant->answered && cap_is_memory(&grant->cap)) {
            grant->answered = true;
            hash_vmo(grant->cap.object, pid, AUDIT_HASH_REPLY);
        }
    }
}

void audit_sent(uint32_t pid, struct audit_stamp *stamp)
{
    stamp->seq = ++audit.seq;
    stamp->user = port_user_instret();
    if (audit.hashes) {
        hash_unanswered(pid);
    }
}

void audit_msg(const struct audit_msg *msg)
{
    const int i = next_place(&audit.msg_count, AUDIT_MSGS_MAX);
    if (i < 0) {
        return;
    }
    audit.msgs[i].msg = *msg;
    audit.msgs[i].seq = ++audit.seq;
    memcpy(audit.msgs[i].head, msg->head, msg->head_bytes);
}

void audit_undelivered(uint64_t messages)
{
    audit.undelivered = messages;
}

void audit_console_opened(void)
{
    audit.console_seq = ++audit.seq;
}

void audit_console(const struct audit_console *line)
{
    const int i = audit.console_is_taken ? -1 : next_place(&audit.console_count, AUDIT_CONSOLE_MAX);
    if (i >= 0) {
        audit.console[i] = *line;
        audit.console[i].seq = audit.console_seq;
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
