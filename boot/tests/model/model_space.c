/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces, their mappings, and the calls on their handles: K-17, K-26, K-27. */
#include "model/model_kind.h"

/* ---- Spaces and their mappings ------------------------------------------------------------------------- */

struct model_space *space_of(struct model *m, const struct model_actor *actor)
{
    return &m->spaces[actor->space];
}

uint32_t space_new(struct model *m)
{
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        struct model_space *space = &m->spaces[i];
        if (space->live) {
            continue;
        }
        space->live = true;
        space->handle = 0;
        space->map_count = 0;
        for (unsigned chunk = 0; chunk < MODEL_CHUNKS; chunk++) {
            space->tabled[chunk] = false;
        }
        return i;
    }
    return MODEL_NONE;
}

struct model_space *space_by_handle(struct model *m, uint64_t handle)
{
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        if (m->spaces[i].live && m->spaces[i].handle != 0 && m->spaces[i].handle == handle) {
            return &m->spaces[i];
        }
    }
    return NULL;
}

/* A child's image uses regions; init's image and a space without a task use none. Nor does what as_map adds
 * to a full table (K-27). */
uint32_t region_count(const struct model *m, const struct model_space *space)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < space->map_count; i++) {
        count += !space->maps[i].uncounted;
    }
    for (unsigned i = 1; i < OP_ACTORS; i++) {
        const struct model_actor *actor = &m->actors[i];
        const bool has_space = actor->state != ACTOR_NEVER && actor->state != ACTOR_REAPED;
        if (has_space && &m->spaces[actor->space] == space) {
            return count + m->limits.child_regions;
        }
    }
    return count;
}

/* K-26: the part of a map that 2 MiB pages can cover. Other parts use 4 KiB pages and leave a table. */
static bool has_interior(const struct model_map *map, uint64_t *from, uint64_t *to)
{
    *from = map->va - map->va % NX_SUPERPAGE_BYTES;
    if (*from < map->va) {
        *from += NX_SUPERPAGE_BYTES;
    }
    *to = (map->va + map->bytes) - (map->va + map->bytes) % NX_SUPERPAGE_BYTES;
    return map->bytes >= NX_SUPERPAGE_BYTES && *from < *to;
}

static void note_tables(struct model_space *space, const struct model_map *map)
{
    uint64_t from, to;
    const bool large = has_interior(map, &from, &to);
    for (uint64_t va = map->va; va < map->va + map->bytes; va += NX_PAGE_BYTES) {
        if (large && va >= from && va < to) {
            va = to; /* may be the end */
        }
        if (va < map->va + map->bytes) {
            space->tabled[(va - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES] = true;
        }
    }
}

bool space_refusal_shows(const struct model_space *space, const struct model_map *map)
{
    uint64_t from, to;
    return has_interior(map, &from, &to) && from > map->va &&
           !space->tabled[(map->va - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES];
}

void space_note_refused(struct model_space *space, const struct model_map *map)
{
    if (space_refusal_shows(space, map)) {
        space->tabled[(map->va - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES] = true;
    }
}

void space_add(struct model_space *space, const struct model_map *map)
{
    space->maps[space->map_count++] = *map;
    if (map->how == MAPPED_BY_VM_MAP) {
        note_tables(space, map);
    }
}

const struct model_map *map_at(const struct model_space *space, uint64_t va)
{
    for (uint32_t i = 0; i < space->map_count; i++) {
        const struct model_map *map = &space->maps[i];
        if (va >= map->va && va - map->va < map->bytes) {
            return map;
        }
    }
    return NULL;
}

bool space_is_free(const struct model_space *space, uint64_t va, uint64_t bytes)
{
    for (uint32_t i = 0; i < space->map_count; i++) {
        const struct model_map *map = &space->maps[i];
        if (va < map->va + map->bytes && map->va < va + bytes) {
            return false;
        }
    }
    return true;
}

bool map_serves(const struct model_map *map, uint32_t prot)
{
    const bool writes_alone = (map->prot & (NX_PROT_READ | NX_PROT_WRITE)) == NX_PROT_WRITE;
    return map->for_user && !writes_alone && (map->prot & prot) == prot;
}

bool any_map_of(const struct model *m, uint8_t how, uint32_t vmo)
{
    for (uint32_t i = 0; i < MODEL_SPACES; i++) {
        const struct model_space *space = &m->spaces[i];
        for (uint32_t k = 0; space->live && k < space->map_count; k++) {
            if (space->maps[k].how == how && space->maps[k].vmo == vmo) {
                return true;
            }
        }
    }
    return false;
}

bool space_meets_table(const struct model_space *space, const struct model_map *map)
{
    uint64_t from, to;
    if (!has_interior(map, &from, &to)) {
        return false;
    }
    for (uint64_t va = from; va < to; va += NX_SUPERPAGE_BYTES) {
        if (space->tabled[(va - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES]) {
            return true;
        }
    }
    return false;
}

/* ---- Address spaces by handle -------------------------------------------------------------------------- */

static void step_as_create(struct turn *t)
{
    struct model *m = t->m;
    const uint32_t space = space_new(m);
    m->spaces_taken++;
    if (t->guessing) {
        t->answer->a0 = (int64_t)(0x1000 + m->spaces_taken);
    }
    const int64_t handle = t->answer->a0;
    t->wanted = 1;
    if (!expect(t, handle > 0 && (uint64_t)handle < MODEL_BAD_HANDLE, "the handle") ||
        !expect(t, space_by_handle(m, (uint64_t)handle) == NULL, "a handle that is taken") ||
        !expect(t, space != MODEL_NONE, "the model has no room")) {
        return;
    }
    m->spaces[space].handle = (uint64_t)handle;
    m->handle[t->op->reg] = (uint64_t)handle;
}

static void step_as_self(struct turn *t)
{
    struct model_space *space = space_of(t->m, t->self);
    if (t->guessing) {
        t->answer->a0 = (int64_t)(0x100 + t->self->pid);
    }
    const uint64_t handle = (uint64_t)t->answer->a0;
    if (space->handle != 0) {
        expect_a0(t, (int64_t)space->handle);
    } else {
        expect(t, handle > 0 && handle < MODEL_BAD_HANDLE && space_by_handle(t->m, handle) == NULL,
               "the handle");
    }
    space->handle = handle;
    t->m->handle[t->op->reg] = handle;
}

/* The contract gives the errors but not the order of these checks. */
static bool as_map_is_nonsense(const struct turn *t)
{
    const uint64_t va = t->args[2], prot = t->args[4];
    const bool writes_and_runs = (prot & NX_PROT_WRITE) != 0 && (prot & NX_PROT_EXEC) != 0;
    return va % NX_PAGE_BYTES != 0 || t->args[3] == 0 || t->args[3] % NX_PAGE_BYTES != 0 || writes_and_runs;
}

/* The bytes of the map before the first page that is in use. */
static uint64_t free_prefix(const struct model_space *space, const struct model_map *map)
{
    uint64_t bytes = 0;
    while (bytes < map->bytes && space_is_free(space, map->va + bytes, NX_PAGE_BYTES)) {
        bytes += NX_PAGE_BYTES;
    }
    return bytes;
}

/* K-27, for valid arguments. An overlap in mid-range keeps the pages before it, which take no region. */
static void expect_as_map(struct turn *t, struct model_space *space, struct model_map *map)
{
    const bool is_a1 = t->m->limits.is_a1;
    const bool in_window = map->va < NX_A2_MAP_END && map->va + map->bytes > NX_A2_MAP_BASE;
    const int64_t taken = is_a1 ? -NX_EINVAL : -NX_EEXIST;
    const uint64_t whole = map->bytes;
    map->bytes = in_window && !is_a1 ? 0 : free_prefix(space, map);
    if (map->bytes == 0 || map->prot == 0) {
        expect_a0(t, map->bytes == 0 ? taken : -NX_EINVAL);
        return;
    }
    map->uncounted = map->bytes < whole || region_count(t->m, space) >= t->m->limits.regions;
    if (!expect_a0(t, map->bytes == whole ? 0 : taken)) {
        return;
    }
    space_add(space, map);
    if (map->bytes == whole) {
        t->self->reg[t->op->reg] = map->va;
    }
}

static void step_as_map(struct turn *t)
{
    struct model_space *space = space_by_handle(t->m, (uint32_t)t->args[0]); /* K-40 */
    const struct model_cap *cap = vmo_at(t->m, t->self, t->args[1]);
    if (as_map_is_nonsense(t) || (space == NULL && cap == NULL)) {
        expect_either(t, -NX_EINVAL, -NX_EPERM);
        return;
    }
    if (space == NULL || cap == NULL) {
        expect_a0(t, cap == NULL ? -NX_EPERM : -NX_EINVAL);
        return;
    }
    const uint64_t whole = t->m->vmos[cap->object].bytes;
    struct model_map map = {.how = MAPPED_BY_AS_MAP,
                            .prot = t->args[4] % 8,
                            .for_user = t->args[5] % 2 == 1,
                            .vmo = cap->object,
                            .va = t->args[2],
                            .bytes = t->args[3] < whole ? t->args[3] : whole};
    expect_as_map(t, space, &map);
}

/* ---- The kinds ----------------------------------------------------------------------------------------- */

static const struct model_kind kinds[] = {
    {.kind = NX_SYS_AS_CREATE,
     .revisions = ON_BOTH,
     .fills = FILLS_HANDLE,
     .step = step_as_create,
     .allows = allows_as_create,
     .weights = {1, 1, 1, 2, 1, 1, 1, 1}},
    {.kind = NX_SYS_AS_SELF,
     .revisions = ON_A2,
     .fills = FILLS_HANDLE,
     .step = step_as_self,
     .weights = {2, 1, 1, 3, 1, 1, 1, 1}},
    {.kind = NX_SYS_AS_MAP,
     .revisions = ON_BOTH,
     .shown = 6,
     .slot_in = SLOT_IN_A1,
     .fills = FILLS_REG,
     .step = step_as_map,
     .allows = allows_as_map,
     .make = make_as_map,
     .weights = {3, 1, 2, 12, 1, 2, 1, 1}},
};

const struct model_family model_space_calls = {kinds, sizeof(kinds) / sizeof(kinds[0])};
