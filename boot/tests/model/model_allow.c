/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skips operations that would block (K-55), be a hazard (K-17, K-20, K-29, K-60 to K-65), use the control
 * pages or overflow the model's tables. A test may be stricter than necessary if that makes it simpler.
 */
#include "model/model_kind.h"

#define KERNEL_PIDS_END NX_PID_INIT /* no operation names a pid below (K-10) */
#define SPARE_REGIONS 4             /* of a suspended child, for its control page and later maps */

/* ---- Pointers ------------------------------------------------------------------------------------------ */

static bool is_refused_pointer(uint64_t va)
{
    return va == 0 || va >= NX_USER_TOP;
}

/* The place itself with at most its size in bytes, or a pointer that every revision refuses. */
static bool pointer_is_safe(const struct ask *a, unsigned arg, uint8_t place, uint64_t len, uint64_t max)
{
    if (a->op->place[arg] == place) {
        return a->op->arg[arg] == 0 && len <= max;
    }
    return a->op->place[arg] == AT_NUMBER && len > 0 && is_refused_pointer(a->args[arg]);
}

/* A few bytes inside one mapping that permits the access. */
static bool mapped_is_safe(const struct ask *a, unsigned arg, uint64_t len, uint32_t prot)
{
    const uint64_t va = a->args[arg];
    const struct model_map *map = map_at(&a->m->spaces[a->self->space], va);
    return len > 0 && len <= MODEL_LITERAL_MAX && map != NULL && map->vmo >= OP_CONTROLS &&
           len <= map->bytes - (va - map->va) && map_serves(map, prot | NX_PROT_READ);
}

/* The pointer to a payload may point into a mapping. */
static bool payload_is_safe(const struct ask *a, uint64_t len, uint64_t max, uint32_t prot)
{
    if (a->op->place[2] == AT_REG) {
        return mapped_is_safe(a, 2, len, prot);
    }
    return pointer_is_safe(a, 2, AT_BUF, len, max);
}

/* ---- Capabilities -------------------------------------------------------------------------------------- */

static bool is_control(const struct model_cap *cap)
{
    return cap != NULL && is_memory(cap) && cap->object < OP_CONTROLS;
}

static bool is_reserved(const struct ask *a, uint64_t slot)
{
    return slot < (a->op->actor == 0 ? OP_RESERVED_SLOTS : OP_CHILD_RESERVED_SLOTS);
}

static bool pid_is_safe(const struct ask *a, unsigned arg)
{
    /* The kernel looks at 32 bits (K-40). */
    return a->op->place[arg] == AT_PID ? a->op->arg[arg] < OP_ACTORS
                                       : (uint32_t)a->args[arg] >= KERNEL_PIDS_END;
}

bool allows_unreserved(const struct ask *a)
{
    return !is_reserved(a, a->args[0]);
}

bool allows_pid_in_a0(const struct ask *a)
{
    return pid_is_safe(a, 0);
}

bool allows_pid_in_a1(const struct ask *a)
{
    return pid_is_safe(a, 1);
}

/* ---- VMOs ---------------------------------------------------------------------------------------------- */

/* On a1 a create must not cross the mapped 8 MiB of the arena; a page is kept in reserve (K-20). */
bool allows_create(const struct ask *a)
{
    const struct model *m = a->m;
    const uint64_t len = a->args[1], arena = m->limits.arena_bytes;
    if (vmo_count(m) >= MODEL_VMOS - 1 || (a->args[0] != MODEL_ANY_SLOT && is_reserved(a, a->args[0]))) {
        return false;
    }
    if (!m->limits.is_a1 || arena <= NX_ARENA_MAPPED_BYTES_A1 || len > arena) {
        return true;
    }
    return m->arena_used + len + NX_PAGE_BYTES <= NX_ARENA_MAPPED_BYTES_A1;
}

bool allows_copy(const struct ask *a)
{
    const struct model_cap *cap = vmo_at(a->m, a->self, a->args[0]);
    const uint64_t len = a->args[3];
    if (cap == NULL || (len == 0 && a->op->place[2] == AT_NUMBER)) {
        return true; /* the kernel ignores the pointer */
    }
    if (a->args[1] > a->m->vmos[cap->object].bytes || len > a->m->vmos[cap->object].bytes - a->args[1]) {
        return true;
    }
    const uint32_t prot = a->op->kind == NX_SYS_VMO_READ ? NX_PROT_WRITE : NX_PROT_READ;
    const struct model_map *map = map_at(&a->m->spaces[a->self->space], a->args[2]);
    if (a->op->place[2] == AT_REG && map != NULL && map->vmo == cap->object) {
        return false; /* the contract does not define overlapping copies */
    }
    return payload_is_safe(a, len, OP_BUF_BYTES, prot);
}

bool allows_query(const struct ask *a)
{
    return pointer_is_safe(a, 1, AT_BUF, 1, 1);
}

/* K-29: the real kernel does not count messages and as_map mappings. */
bool allows_destroy(const struct ask *a)
{
    const struct model_cap *cap = cap_seen(a->m, a->self, a->args[0]);
    if (cap == NULL || cap->kind != CAP_IS_VMO || count_caps(a->m, cap->object) > 1 ||
        any_map_of(a->m, MAPPED_BY_VM_MAP, cap->object)) {
        return true;
    }
    return count_moving(a->m, cap->object) == 0 && !any_map_of(a->m, MAPPED_BY_AS_MAP, cap->object);
}

/* ---- Mappings ------------------------------------------------------------------------------------------ */

bool allows_map(const struct ask *a)
{
    const uint64_t va = a->args[1];
    const bool in_window = va >= NX_A1_MAP_BASE && va < OP_CONTROL_VA;
    const bool canonical = va >> 38 == 0 || va >> 38 == UINT64_MAX >> 38;
    return a->m->spaces[a->self->space].map_count < MODEL_MAPS && (in_window || !canonical);
}

bool allows_vm_unmap(const struct ask *a)
{
    const uint64_t va = a->args[0];
    const struct model_map *map = map_at(&a->m->spaces[a->self->space], va);
    if (map != NULL && map->vmo < OP_CONTROLS) {
        return false;
    }
    return va % NX_PAGE_BYTES != 0 || (va >= MODEL_AS_BASE && va < NX_USER_TOP);
}

static const struct model_space *space_named(const struct model *m, uint64_t handle)
{
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        if (m->spaces[i].live && m->spaces[i].handle == handle) {
            return &m->spaces[i];
        }
    }
    return NULL;
}

/* A suspended child still has to map its control page. */
static bool is_suspended(const struct model *m, const struct model_space *space)
{
    for (unsigned i = 1; i < OP_ACTORS; i++) {
        if (m->actors[i].state == ACTOR_SUSPENDED && &m->spaces[m->actors[i].space] == space) {
            return true;
        }
    }
    return false;
}

static bool has_spare_regions(const struct model *m, const struct model_space *space)
{
    return region_count(m, space) + SPARE_REGIONS < m->limits.regions;
}

/* An unknown handle is allowed only if no kernel gives it out: it could name another space by now. */
bool allows_as_map(const struct ask *a)
{
    const struct model_space *space = space_named(a->m, (uint32_t)a->args[0]);
    const uint64_t va = a->args[2], len = a->args[3];
    if (space == NULL) {
        return (uint32_t)a->args[0] >= MODEL_BAD_HANDLE;
    }
    if (space->map_count >= MODEL_MAPS || (is_suspended(a->m, space) && !has_spare_regions(a->m, space))) {
        return false;
    }
    if (va >= NX_A2_MAP_BASE && va < NX_A2_MAP_END - NX_SUPERPAGE_BYTES) {
        return !a->m->limits.is_a1 && len <= NX_SUPERPAGE_BYTES;
    }
    return va >= MODEL_AS_BASE && va < MODEL_AS_END && len <= MODEL_AS_END - va;
}

bool allows_as_create(const struct ask *a)
{
    const struct model *m = a->m;
    uint32_t live = 0;
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        live += m->spaces[i].live;
    }
    return m->spaces_taken < m->limits.spaces && live < MODEL_SPACES - OP_ACTORS;
}

/* Only addresses where a program maps. Init must not fault. The contract does not define access to a
 * write-only page on a2. */
static bool access_is_allowed(const struct ask *a, uint32_t prot)
{
    const struct model_map *map = map_at(&a->m->spaces[a->self->space], a->args[0]);
    if (a->args[0] < MODEL_AS_BASE || a->args[0] >= NX_USER_TOP) {
        return false;
    }
    if (map == NULL) {
        return a->op->actor != 0;
    }
    if (map->vmo < OP_CONTROLS || (!a->m->limits.is_a1 && (map->prot & NX_PROT_READ) == 0)) {
        return false;
    }
    return a->op->actor != 0 || map_serves(map, prot);
}

bool allows_load(const struct ask *a)
{
    return access_is_allowed(a, NX_PROT_READ);
}

bool allows_store(const struct ask *a)
{
    return access_is_allowed(a, NX_PROT_WRITE);
}

/* ---- Messages ------------------------------------------------------------------------------------------ */

bool allows_send(const struct ask *a)
{
    const struct model_cap *cap = endpoint_at(a->m, a->self, a->args[0], NX_RIGHT_SEND);
    const bool moves = (a->op->hdr.flags & NX_IPC_HDR_CAP_MOVE) != 0;
    const uint64_t src = a->op->hdr.src;
    if (message_count(a->m) >= MODEL_MESSAGES || !pointer_is_safe(a, 1, AT_HDR, 1, 1)) {
        return false;
    }
    if (a->args[3] <= OP_BUF_BYTES && !payload_is_safe(a, a->args[3], OP_BUF_BYTES, NX_PROT_READ)) {
        return false;
    }
    if (moves &&
        ((is_reserved(a, src) && src != NX_SLOT_FACTORY) || is_control(cap_seen(a->m, a->self, src)))) {
        return false;
    }
    return a->args[4] != 0 || cap == NULL || !a->m->endpoints[cap->object].live ||
           queued_on(a->m, cap->object) < a->m->endpoints[cap->object].depth;
}

bool allows_recv(const struct ask *a)
{
    const struct model_cap *cap = endpoint_at(a->m, a->self, a->args[0], NX_RIGHT_RECV);
    const bool v2 = a->op->kind == NX_SYS_IPC_RECV_V2;
    const bool waits = (a->args[4] & NX_IPC_NONBLOCK) == 0;
    if (!pointer_is_safe(a, 1, AT_HDR, 1, 1) ||
        !payload_is_safe(a, a->args[3], OP_BUF_BYTES + 1, NX_PROT_WRITE)) {
        return false;
    }
    if (v2 && (a->args[0] > UINT32_MAX || a->args[4] > UINT32_MAX ||
               (a->args[5] != 0 && !pointer_is_safe(a, 5, AT_ID, 1, 1)))) {
        return false;
    }
    if (!a->m->limits.is_a1 && (a->args[4] & NX_IPC_EOF) != 0) {
        return false; /* the effect of EOF is known from the sources only */
    }
    return !waits || cap == NULL || !a->m->endpoints[cap->object].live || queued_on(a->m, cap->object) > 0;
}

/* ---- Tasks --------------------------------------------------------------------------------------------- */

bool allows_spawn(const struct ask *a)
{
    const struct model *m = a->m;
    const uint64_t which = a->args[0];
    const uint64_t mapped =
        m->limits.arena_bytes < NX_ARENA_MAPPED_BYTES_A1 ? m->limits.arena_bytes : NX_ARENA_MAPPED_BYTES_A1;
    if (a->op->actor != 0 || which < 1 || which >= OP_ACTORS) {
        return false;
    }
    if (m->actors[which].state != ACTOR_NEVER && m->actors[which].state != ACTOR_REAPED) {
        return false;
    }
    return !m->limits.is_a1 || (m->spaces_taken < m->limits.spaces && m->arena_used <= mapped &&
                                m->limits.image_bytes <= mapped - m->arena_used);
}

/* A refusal by length, stack pages, pointer or contents. */
bool allows_exec(const struct ask *a)
{
    return a->op->place[0] == AT_BUF ? a->op->arg[0] == 0 && a->args[1] <= OP_BUF_BYTES : a->args[0] == 0;
}

/* Only if it does not block. */
bool allows_wait(const struct ask *a)
{
    const bool any = (int32_t)(uint32_t)a->args[0] <= 0;
    bool lives = false, ended = false;
    if (!any && !pid_is_safe(a, 0)) {
        return false;
    }
    for (unsigned i = 1; i < OP_ACTORS && a->op->actor == 0; i++) {
        const struct model_actor *child = &a->m->actors[i];
        if (!any && child->pid != (uint32_t)a->args[0]) {
            continue;
        }
        lives = lives || child->state == ACTOR_LIVE || child->state == ACTOR_SUSPENDED;
        ended = ended || child->state == ACTOR_ENDED;
    }
    return ended || !lives;
}

/* Only a child may end, because the end of init ends the run. */
bool allows_not_init(const struct ask *a)
{
    return a->op->actor != 0;
}

/* ---- An operation -------------------------------------------------------------------------------------- */

/* The caller's slot in the arguments must not be a control page's. */
static bool slot_is_allowed(const struct ask *a, const struct model_kind *kind)
{
    if (kind->slot_in == SLOT_IN_NONE) {
        return true;
    }
    return !is_control(cap_seen(a->m, a->self, a->args[kind->slot_in == SLOT_IN_A0 ? 0 : 1]));
}

bool model_allows(const struct model *m, const struct model_op *op)
{
    uint64_t args[OP_ARGS];
    const struct model_kind *kind = model_kind_of(op->kind);
    if (op->actor >= OP_ACTORS || kind == NULL || op->reg >= OP_REGS ||
        m->actors[op->actor].state != ACTOR_LIVE) {
        return false;
    }
    model_resolve(m, op, args);
    const struct ask ask = {.m = m, .self = &m->actors[op->actor], .op = op, .args = args};
    return slot_is_allowed(&ask, kind) && (kind->allows == NULL || kind->allows(&ask));
}
