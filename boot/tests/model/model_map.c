/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings in the own address space, loads and stores: K-22 to K-26, K-28. */
#include "model/model_kind.h"

#define FIRST_UNKNOWN_FLAG 256
#define TAKEN_VA UINT64_C(0x10000000)

/* ---- map (a1) ------------------------------------------------------------------------------------------ */

static uint8_t prot_of_flags(uint64_t flags)
{
    return (uint8_t)(((flags & NX_MAP_READ) != 0 ? NX_PROT_READ : 0) |
                     ((flags & NX_MAP_WRITE) != 0 ? NX_PROT_WRITE : 0) |
                     ((flags & NX_MAP_EXEC) != 0 ? NX_PROT_EXEC : 0));
}

static int64_t map_refusal(const struct turn *t, const struct model_cap *cap)
{
    const uint64_t va = t->args[1], off = t->args[2], flags = t->args[3];
    const uint8_t prot = prot_of_flags(flags);
    const uint64_t upper = va >> 38;
    if (va % NX_PAGE_BYTES != 0 || (upper != 0 && upper != UINT64_MAX >> 38) || flags >= FIRST_UNKNOWN_FLAG) {
        return -NX_EINVAL;
    }
    if ((prot & NX_PROT_WRITE) != 0 && (prot & NX_PROT_EXEC) != 0) {
        return -NX_EPERM;
    }
    if (cap == NULL || off >= t->m->vmos[cap->object].bytes) {
        return -NX_EPERM;
    }
    if ((flags & NX_MAP_VALID) == 0 || prot == 0 || va == TAKEN_VA ||
        !space_is_free(&t->m->spaces[t->self->space], va, NX_PAGE_BYTES)) {
        return -NX_EINVAL;
    }
    return 0;
}

static void step_map(struct turn *t)
{
    const struct model_cap *cap = memory_at(t->m, t->self, t->args[0]);
    const int64_t refusal = map_refusal(t, cap);
    if (!expect_a0(t, refusal) || refusal != 0) {
        return;
    }
    const struct model_map map = {.how = MAPPED_BY_MAP,
                                  .prot = prot_of_flags(t->args[3]),
                                  .for_user = (t->args[3] & NX_MAP_USER) != 0,
                                  .vmo = cap->object,
                                  .va = t->args[1],
                                  .bytes = NX_PAGE_BYTES,
                                  .off = t->args[2] - t->args[2] % NX_PAGE_BYTES};
    space_add(space_of(t->m, t->self), &map);
    t->self->reg[t->op->reg] = map.va;
}

/* ---- vm_map -------------------------------------------------------------------------------------------- */

static uint64_t congruent_from(uint64_t va, uint64_t class, bool large)
{
    return large ? va + (class + NX_SUPERPAGE_BYTES - va % NX_SUPERPAGE_BYTES) % NX_SUPERPAGE_BYTES : va;
}

/* The lowest address that fits. Candidates are the window's start and the end of each mapping. 0: none. */
static uint64_t lowest_fit(const struct model_space *space, uint64_t bytes, uint64_t class)
{
    const bool large = bytes >= NX_SUPERPAGE_BYTES;
    uint64_t best = 0;
    for (uint32_t i = 0; i <= space->map_count; i++) {
        const uint64_t after =
            i == space->map_count ? NX_A2_MAP_BASE : space->maps[i].va + space->maps[i].bytes;
        const uint64_t va = congruent_from(after, class, large);
        if (va >= NX_A2_MAP_BASE && va <= NX_A2_MAP_END && bytes <= NX_A2_MAP_END - va &&
            (best == 0 || va < best) && space_is_free(space, va, bytes)) {
            best = va;
        }
    }
    return best;
}

/* The answer if the memory has this offset in 2 MiB, from the search for a hole on. *map gets the place. */
static int64_t placed(const struct model *m, const struct model_space *space, struct model_map *map,
                      uint64_t class)
{
    map->va = lowest_fit(space, map->bytes, class);
    if (map->va == 0) {
        return -NX_ENOMEM;
    }
    if (region_count(m, space) >= m->limits.regions) {
        return -NX_ENOSPC;
    }
    if (map->prot == 0) {
        return -NX_EINVAL;
    }
    return space_meets_table(space, map) ? -NX_EEXIST : (int64_t)map->va;
}

/* The memory's offset in 2 MiB, at the map's offset. */
static uint64_t class_of(const struct model_vmo *vmo, uint64_t off)
{
    return (vmo->pa_in_2mib + off) % NX_SUPERPAGE_BYTES;
}

static bool has_known_place(const struct model_vmo *vmo, uint64_t bytes)
{
    return vmo->knows_in_2mib || bytes < NX_SUPERPAGE_BYTES;
}

/* If the memory's offset in 2 MiB is unknown, accepts any offset that explains the answer, and records it. */
static bool expect_placed(struct turn *t, const struct model_map *asked)
{
    struct model_vmo *vmo = &t->m->vmos[asked->vmo];
    struct model_space *space = space_of(t->m, t->self);
    struct model_map map = *asked;
    if (has_known_place(vmo, asked->bytes) || t->guessing) {
        const int64_t answer = placed(t->m, space, &map, class_of(vmo, asked->off));
        if (answer == -NX_EEXIST) {
            space_note_refused(space, &map);
        }
        return expect_a0(t, answer);
    }
    for (uint64_t class = 0; class < NX_SUPERPAGE_BYTES; class += NX_PAGE_BYTES) {
        if (placed(t->m, space, &map, class) != t->answer->a0) {
            continue;
        }
        if (t->answer->a0 < 0) {
            return true;
        }
        vmo->knows_in_2mib = true;
        vmo->pa_in_2mib = (class + NX_SUPERPAGE_BYTES - asked->off % NX_SUPERPAGE_BYTES) % NX_SUPERPAGE_BYTES;
        return true;
    }
    return expect(t, false, "no place of the memory explains this address");
}

static int64_t vm_map_refusal(const struct turn *t, const struct model_cap *cap)
{
    const uint64_t off = t->args[1], len = t->args[2], flags = t->args[3];
    if (flags >= FIRST_UNKNOWN_FLAG) {
        return -NX_EINVAL;
    }
    if ((flags & NX_MAP_EXEC) != 0) {
        return -NX_EPERM;
    }
    if (len == 0 || len % NX_PAGE_BYTES != 0 || off % NX_PAGE_BYTES != 0) {
        return -NX_EINVAL;
    }
    if (cap == NULL) {
        return -NX_EPERM;
    }
    if (off > UINT64_MAX - len) {
        return -NX_EINVAL;
    }
    return off + len > t->m->vmos[cap->object].bytes ? -NX_EPERM : 0;
}

static void step_vm_map(struct turn *t)
{
    const struct model_cap *cap = memory_at(t->m, t->self, t->args[0]);
    const int64_t refusal = vm_map_refusal(t, cap);
    if (refusal != 0) {
        expect_a0(t, refusal);
        return;
    }
    /* K-28: an alias is always mapped read-only. */
    const bool alias = cap->kind == CAP_IS_ALIAS;
    struct model_map map = {.how = MAPPED_BY_VM_MAP,
                            .prot = alias ? NX_PROT_READ : prot_of_flags(t->args[3]),
                            .for_user = true,
                            .vmo = cap->object,
                            .bytes = t->args[2],
                            .off = t->args[1]};
    if (!expect_placed(t, &map) || t->answer->a0 < 0) {
        return;
    }
    map.va = (uint64_t)t->answer->a0;
    space_add(space_of(t->m, t->self), &map);
    t->self->reg[t->op->reg] = map.va;
}

/* A refusal by K-26 can leave a table at a place that depends on the memory's offset in 2 MiB. While that
 * offset is unknown, only maps are allowed of which no refusal leaves a new one. */
bool allows_vm_map(const struct ask *a)
{
    const struct model_cap *cap = memory_at(a->m, a->self, a->args[0]);
    const struct model_space *space = &a->m->spaces[a->self->space];
    struct model_map map = {.bytes = a->args[2], .prot = NX_PROT_READ};
    if (cap == NULL || a->args[2] % NX_PAGE_BYTES != 0 ||
        has_known_place(&a->m->vmos[cap->object], a->args[2])) {
        return true;
    }
    for (uint64_t class = 0; class < NX_SUPERPAGE_BYTES; class += NX_PAGE_BYTES) {
        if (placed(a->m, space, &map, class) == -NX_EEXIST && space_refusal_shows(space, &map)) {
            return false;
        }
    }
    return true;
}

void map_control(struct model *m, struct model_actor *actor)
{
    struct model_space *space = space_of(m, actor);
    struct model_map map = {.how = m->limits.is_a1 ? MAPPED_BY_MAP : MAPPED_BY_VM_MAP,
                            .prot = NX_PROT_READ | NX_PROT_WRITE,
                            .for_user = true,
                            .vmo = actor->caps[OP_CHILD_CONTROL_SLOT].object,
                            .bytes = NX_PAGE_BYTES};
    map.va = m->limits.is_a1 ? OP_CONTROL_VA : lowest_fit(space, map.bytes, 0);
    space_add(space, &map);
}

/* ---- vm_unmap ------------------------------------------------------------------------------------------ */

static void unmap(struct turn *t, struct model_space *space, const struct model_map *map)
{
    if (map->bytes != t->args[1]) {
        expect_a0(t, -NX_EINVAL);
    } else if (map->how == MAPPED_BY_AS_MAP) {
        expect_a0(t, -NX_EPERM);
    } else if (expect_a0(t, 0)) {
        space->maps[map - space->maps] = space->maps[--space->map_count];
    }
}

static void step_vm_unmap(struct turn *t)
{
    const uint64_t va = t->args[0], len = t->args[1];
    struct model_space *space = space_of(t->m, t->self);
    const struct model_map *map = map_at(space, va);
    if (va % NX_PAGE_BYTES != 0 || len % NX_PAGE_BYTES != 0 || len == 0) {
        expect_a0(t, -NX_EINVAL);
    } else if (map == NULL || map->va != va) {
        expect_a0(t, -NX_ENOENT);
    } else {
        unmap(t, space, map);
    }
}

/* ---- Loads and stores ---------------------------------------------------------------------------------- */

struct model_bytes mapped_read(const struct turn *t, uint64_t va, uint64_t len)
{
    const struct model_map *map = map_at(space_of(t->m, t->self), va);
    return contents_copy(t->m, map->vmo, map->off + (va - map->va), len);
}

void mapped_write(struct turn *t, uint64_t va, uint64_t len, const struct model_bytes *bytes)
{
    const struct model_map *map = map_at(space_of(t->m, t->self), va);
    const struct model_write write = {
        .vmo = map->vmo, .off = map->off + (va - map->va), .len = len, .bytes = *bytes};
    if (len > 0) {
        contents_write(t->m, &write);
    }
}

/* Returns the accessed mapping. Returns NULL if the access faults, which ends the task (K-60). */
static const struct model_map *access(struct turn *t, uint32_t prot)
{
    const struct model_map *map = map_at(space_of(t->m, t->self), t->args[0]);
    if (map != NULL && map_serves(map, prot)) {
        expect(t, !t->answer->ended, "it faulted");
        return map;
    }
    actor_ends(t, NX_TASK_FAULT_STATUS);
    return NULL;
}

static void step_load(struct turn *t)
{
    uint8_t byte;
    const struct model_map *map = access(t, NX_PROT_READ);
    if (map == NULL || t->guessing) {
        return;
    }
    if (contents_read(t->m, map->vmo, map->off + (t->args[0] - map->va), &byte, 1)) {
        expect_a0(t, byte);
    } else {
        expect(t, t->answer->a0 >= 0 && t->answer->a0 <= UINT8_MAX, "a byte");
    }
}

static void step_store(struct turn *t)
{
    const struct model_map *map = access(t, NX_PROT_WRITE);
    if (map == NULL || !expect_a0(t, 0)) {
        return;
    }
    const struct model_write write = {.vmo = map->vmo,
                                      .off = map->off + (t->args[0] - map->va),
                                      .len = 1,
                                      .bytes = {.form = BYTES_LITERAL, .literal = {t->op->fill}}};
    contents_write(t->m, &write);
}

/* ---- The kinds ----------------------------------------------------------------------------------------- */

static const struct model_kind kinds[] = {
    {.kind = NX_SYS_MAP,
     .revisions = ON_A1,
     .shown = 4,
     .slot_in = SLOT_IN_A0,
     .fills = FILLS_REG,
     .step = step_map,
     .allows = allows_map,
     .make = make_map,
     .weights = {8, 1, 3, 20, 2, 4, 20, 10}},
    {.kind = NX_SYS_VM_MAP,
     .revisions = ON_A2,
     .shown = 4,
     .slot_in = SLOT_IN_A0,
     .fills = FILLS_REG,
     .step = step_vm_map,
     .allows = allows_vm_map,
     .make = make_vm_map,
     .weights = {8, 1, 3, 30, 2, 4, 60, 40}},
    {.kind = NX_SYS_VM_UNMAP,
     .revisions = ON_A2,
     .shown = 2,
     .step = step_vm_unmap,
     .allows = allows_vm_unmap,
     .make = make_vm_unmap,
     .weights = {6, 1, 2, 14, 2, 3, 1, 40}},
    {.kind = OP_LOAD,
     .revisions = ON_BOTH,
     .shown = 1,
     .step = step_load,
     .allows = allows_load,
     .make = make_access,
     .weights = {8, 2, 2, 10, 2, 4, 6, 8}},
    {.kind = OP_STORE,
     .revisions = ON_BOTH,
     .shown = 1,
     .step = step_store,
     .allows = allows_store,
     .make = make_access,
     .weights = {6, 2, 2, 8, 2, 4, 4, 8}},
};

const struct model_family model_map_calls = {kinds, sizeof(kinds) / sizeof(kinds[0])};
