/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk through the kernel's own structures, which knows their layout and nothing of the code that keeps
 * them. What must hold between any two calls:
 *
 *   - each slot of each task, and each message on its way, holds the capability that the model says it holds;
 *   - each page that is mapped is one that the model says is mapped, with those rights; nothing else is;
 *     no page can be both written and executed;
 *   - no page belongs to two: VMOs, page tables, images and messages keep apart;
 *   - every frame in use, byte of the arena and endpoint that lives is accounted for.
 */
#include "core/arena.h"
#include "core/endpoint.h"
#include "core/frames.h"
#include "core/kernel_rig.h"
#include "core/port.h"
#include "model/model_host.h"

#define PAGES_OF(bytes) ((bytes) / PAGE)
#define POOL_PAGES PAGES_OF(HOST_FRAMES_BYTES)
#define ARENA_PAGES PAGES_OF(HOST_ARENA_BYTES)
#define USER_ROOT_ENTRIES 2 /* the rest of a root is the kernel's */
#define OWNER_IMAGE 1       /* of a page; a VMO is its index + OWNER_VMO */
#define OWNER_TABLE 2
#define OWNER_MESSAGE 3
#define OWNER_VMO 4

static struct {
    const struct model *m;
    const char *why;
    uint32_t frames; /* of the pool that have an owner */
    uint8_t pool[POOL_PAGES], arena[ARENA_PAGES];
    uint64_t base_pa[MODEL_VMOS]; /* 0: not seen */
    uint64_t leaves;              /* in the space that is walked, where programs map */
    uint32_t last;                /* in its mappings: where the last page was found */
} walk;

static void must(bool condition, const char *why)
{
    if (!condition && walk.why == NULL) {
        walk.why = why;
    }
}

/* ---- Who has a page ------------------------------------------------------------------------------------ */

/* The page's place in the table of owners; NULL when it is in neither part. */
static uint8_t *owner_of(uint64_t pa, bool *is_frame)
{
    const struct kernel_memory memory = host_memory();
    *is_frame = pa >= memory.frames_pa && pa - memory.frames_pa < memory.frames_bytes;
    if (*is_frame) {
        return &walk.pool[PAGES_OF(pa - memory.frames_pa)];
    }
    if (pa >= memory.arena_pa && pa - memory.arena_pa < memory.arena_bytes) {
        return &walk.arena[PAGES_OF(pa - memory.arena_pa)];
    }
    return NULL;
}

/* This page is that one's, and no other's. */
static void claim(uint64_t pa, uint8_t owner)
{
    bool is_frame;
    uint8_t *place = owner_of(pa, &is_frame);
    must(place != NULL && pa % PAGE == 0, "a page that is no memory");
    if (place == NULL) {
        return;
    }
    must(*place == 0, "a page that two have");
    *place = owner;
    walk.frames += is_frame;
}

/* ---- Capabilities -------------------------------------------------------------------------------------- */

/* A VMO is where it was seen first, wherever else it is seen. */
static void place_vmo(uint32_t vmo, uint64_t base_pa)
{
    must(walk.base_pa[vmo] == 0 || walk.base_pa[vmo] == base_pa, "one VMO at two places");
    if (walk.base_pa[vmo] != 0) {
        return;
    }
    walk.base_pa[vmo] = base_pa;
    for (uint64_t off = 0; off < walk.m->vmos[vmo].bytes; off += PAGE) {
        claim(base_pa + off, (uint8_t)(OWNER_VMO + vmo));
    }
}

static void compare_cap(const struct cap *cap, const struct model_cap *expected)
{
    static const uint8_t kinds[] = {[CAP_NONE] = CAP_IS_EMPTY,
                                    [CAP_ENDPOINT] = CAP_IS_ENDPOINT,
                                    [CAP_FACTORY] = CAP_IS_FACTORY,
                                    [CAP_VMO] = CAP_IS_VMO,
                                    [CAP_ALIAS] = CAP_IS_ALIAS};
    must(kinds[cap->kind] == expected->kind, "a capability that nobody was given, or none where one was");
    must(cap->rights == expected->rights || cap->kind == CAP_NONE, "other rights than were given");
    if (walk.why != NULL) {
        return;
    }
    if (cap->kind == CAP_ENDPOINT) {
        must(cap->object == expected->object, "another endpoint than was given");
    }
    if (!cap_is_memory(cap)) {
        return;
    }
    must(cap->bytes == walk.m->vmos[expected->object].bytes, "another VMO than was given");
    place_vmo(expected->object, cap->base_pa);
}

static void compare_tables(void)
{
    static const struct cap_table none;
    for (unsigned i = 0; i < OP_ACTORS; i++) {
        const struct model_actor *actor = &walk.m->actors[i];
        const struct task *task = task_find(actor->pid);
        const bool is_gone = actor->state == ACTOR_NEVER || actor->state == ACTOR_REAPED;
        must((task == NULL) == is_gone, "a task too many or too few");
        const struct cap_table *table = task == NULL ? &none : &task->caps;
        for (uint32_t slot = 0; slot < walk.m->limits.slots && walk.why == NULL && !is_gone; slot++) {
            compare_cap(&table->slots[slot], &actor->caps[slot]);
        }
    }
}

/* ---- Messages ------------------------------------------------------------------------------------------ */

static const struct model_message *message_after(uint32_t endpoint, const struct model_message *last)
{
    const struct model_message *next = NULL;
    for (unsigned i = 0; i < MODEL_MESSAGES; i++) {
        const struct model_message *message = &walk.m->messages[i];
        if (message->queued && message->endpoint == endpoint &&
            (last == NULL || message->order > last->order) &&
            (next == NULL || message->order < next->order)) {
            next = message;
        }
    }
    return next;
}

static void compare_queue(uint32_t id, const struct endpoint *ep)
{
    const struct model_message *expected = message_after(id, NULL);
    for (uint64_t pa = ep->head_pa; pa != 0 && walk.why == NULL;) {
        const struct message *message = port_ptr(pa);
        claim(pa, OWNER_MESSAGE);
        for (unsigned i = 0; i < MESSAGE_MORE_FRAMES; i++) {
            if (message->more_pa[i] != 0) {
                claim(message->more_pa[i], OWNER_MESSAGE);
            }
        }
        must(expected != NULL && message->len == expected->len, "a message that nobody sent");
        if (expected == NULL) {
            return;
        }
        compare_cap(&message->moved, &expected->moved);
        expected = message_after(id, expected);
        pa = message->next_pa;
    }
    must(expected == NULL, "a message is missing");
}

static void compare_endpoints(void)
{
    must(ep_ids_used() == walk.m->endpoint_count, "other endpoints than were made");
    for (uint32_t id = 0; id <= walk.m->endpoint_count && walk.why == NULL; id++) {
        const struct endpoint *ep = ep_find(id);
        must((ep != NULL) == walk.m->endpoints[id].live, "an endpoint lives too long or too short");
        if (ep != NULL && walk.why == NULL) {
            compare_queue(id, ep);
        }
    }
}

/* ---- Address spaces
 * ---------------------------------------------------------------------------------------- */

static bool lies_in(const struct model_map *map, uint64_t va)
{
    return va >= map->va && va - map->va < map->bytes;
}

/* The mapping that a page belongs to: mostly the one of the page before. */
static const struct model_map *mapping_of(const struct model_space *space, uint64_t va)
{
    if (walk.last < space->map_count && lies_in(&space->maps[walk.last], va)) {
        return &space->maps[walk.last];
    }
    for (walk.last = 0; walk.last < space->map_count; walk.last++) {
        if (lies_in(&space->maps[walk.last], va)) {
            return &space->maps[walk.last];
        }
    }
    return NULL;
}

/* A page of a program's: as the model has it. */
static void compare_leaf(const struct model_space *space, uint64_t va, uint64_t entry)
{
    static const uint64_t bits[] = {PTE_R, PTE_W, PTE_X};
    const struct model_map *map = mapping_of(space, va);
    must(map != NULL, "a page is mapped that nobody mapped");
    if (map == NULL) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        must(((entry & bits[i]) != 0) == ((map->prot >> i & 1) != 0), "a page has other rights than asked");
    }
    must(((entry & PTE_U) != 0) == map->for_user, "a page is the user's, or is not");
    place_vmo(map->vmo, (entry >> 10 << 12) - map->off - (va - map->va));
    walk.leaves++;
}

static void walk_leaf(const struct model_space *space, uint64_t va, uint64_t entry)
{
    must((entry & (PTE_W | PTE_X)) != (PTE_W | PTE_X), "a page can be written and executed");
    if (va >= NX_USER_STACK_TOP) {
        compare_leaf(space, va, entry);
    } else {
        claim(entry >> 10 << 12, OWNER_IMAGE);
    }
}

static void walk_leaf_table(const struct model_space *space, uint64_t table_pa, uint64_t va)
{
    const uint64_t *table = port_ptr(table_pa);
    claim(table_pa, OWNER_TABLE);
    for (uint64_t i = 0; i < 512 && walk.why == NULL; i++) {
        if (table[i] & PTE_V) {
            walk_leaf(space, va + i * PAGE, table[i]);
        }
    }
}

static void walk_middle_table(const struct model_space *space, uint64_t table_pa, uint64_t va)
{
    const uint64_t *table = port_ptr(table_pa);
    claim(table_pa, OWNER_TABLE);
    for (uint64_t i = 0; i < 512 && walk.why == NULL; i++) {
        if (table[i] & PTE_V) {
            walk_leaf_table(space, table[i] >> 10 << 12, va + i * NX_SUPERPAGE_BYTES);
        }
    }
}

static void walk_space(const struct aspace *kernel_space, const struct model_space *space)
{
    uint64_t expected = 0;
    const uint64_t *root = port_ptr(kernel_space->root_pa);
    walk.leaves = 0;
    claim(kernel_space->root_pa, OWNER_TABLE);
    for (uint64_t i = 0; i < USER_ROOT_ENTRIES && walk.why == NULL; i++) {
        if (root[i] & PTE_V) {
            walk_middle_table(space, root[i] >> 10 << 12, i << 30);
        }
    }
    for (uint32_t i = 0; i < space->map_count; i++) {
        expected += PAGES_OF(space->maps[i].bytes);
    }
    must(walk.leaves == expected, "a page is not mapped that should be");
}

/* The model's space of a task, or of a handle that a call gave. */
static const struct model_space *model_space(const struct aspace *kernel_space)
{
    for (unsigned i = 0; i < OP_ACTORS; i++) {
        const struct model_actor *actor = &walk.m->actors[i];
        const struct task *task = task_find(actor->pid);
        if (actor->pid != 0 && task != NULL && task->space == kernel_space) {
            return &walk.m->spaces[actor->space];
        }
    }
    for (unsigned i = 0; i < MODEL_SPACES; i++) {
        if (walk.m->spaces[i].live && walk.m->spaces[i].handle == aspace_handle(kernel_space)) {
            return &walk.m->spaces[i];
        }
    }
    return NULL;
}

static void compare_spaces(void)
{
    uint32_t live = 0, expected = 0;
    for (uint64_t handle = 1; handle <= ASPACES_MAX && walk.why == NULL; handle++) {
        const struct aspace *space = aspace_find(handle);
        if (space == NULL) {
            continue;
        }
        const struct model_space *of_model = model_space(space);
        live++;
        must(of_model != NULL, "an address space that nobody made");
        if (of_model != NULL) {
            walk_space(space, of_model);
        }
    }
    for (unsigned i = 0; i < MODEL_SPACES; i++) {
        expected += walk.m->spaces[i].live;
    }
    must(live == expected, "an address space too many or too few");
}

/* ---- Accounts
 * ---------------------------------------------------------------------------------------------- */

static void compare_accounts(void)
{
    uint32_t vmos = walk.m->leaked_vmos, endpoints = 0;
    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        vmos += walk.m->vmos[i].live;
    }
    for (uint32_t i = 0; i <= walk.m->endpoint_count; i++) {
        endpoints += walk.m->endpoints[i].live;
    }
    must(frames_in_use() == walk.frames, "a frame is in use that nobody has");
    must(arena_bytes_used() == walk.m->arena_used, "the arena's count");
    must(arena_vmos_live() == vmos, "the VMOs' count");
    must(ep_live() == endpoints, "the endpoints' count");
}

const char *walk_check(const struct model *m)
{
    memset(&walk, 0, sizeof(walk));
    walk.m = m;
    compare_tables();
    compare_endpoints();
    compare_spaces();
    if (walk.why == NULL) {
        compare_accounts();
    }
    return walk.why;
}
