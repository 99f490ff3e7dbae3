/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the kernel's structures and compares them with the model. It uses their layout but none of the
 * kernel's code that maintains them. Invariants between any two calls:
 *
 *   - each slot and each queued message contains the model's capability;
 *   - exactly the model's pages are mapped, with the model's rights, and none is writable and executable;
 *   - no page has two owners among VMOs, page tables, images and messages;
 *   - every frame in use, arena byte and live endpoint is accounted for.
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
#define USER_ROOT_ENTRIES 2 /* the other entries of a root are the kernel's */
#define OWNER_IMAGE 1       /* owners of a page; a VMO is OWNER_VMO + its index */
#define OWNER_TABLE 2
#define OWNER_MESSAGE 3
#define OWNER_VMO 4

static struct {
    const struct model *m;
    const char *why;
    uint32_t frames; /* pool frames with an owner */
    uint8_t pool[POOL_PAGES], arena[ARENA_PAGES];
    uint64_t base_pa[MODEL_VMOS]; /* 0: not seen yet */
    uint64_t leaves;              /* of the walked space, mapped by programs */
    uint32_t last;                /* index of the mapping of the last page */
} walk;

static void must(bool condition, const char *why)
{
    if (!condition && walk.why == NULL) {
        walk.why = why;
    }
}

/* ---- Owners of pages ----------------------------------------------------------------------------------- */

/* The page's entry in the owner tables; NULL if it is neither a frame nor in the arena. */
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

/* Records the page's owner. The page must not have one yet. */
static void claim(uint64_t pa, uint8_t owner)
{
    bool is_frame;
    uint8_t *place = owner_of(pa, &is_frame);
    must(place != NULL && pa % PAGE == 0, "a page outside frames and arena");
    if (place == NULL) {
        return;
    }
    must(*place == 0, "a page with two owners");
    *place = owner;
    walk.frames += is_frame;
}

/* ---- Capabilities -------------------------------------------------------------------------------------- */

/* Every reference to a VMO must give the same physical base. */
static void place_vmo(uint32_t vmo, uint64_t base_pa)
{
    must(walk.base_pa[vmo] == 0 || walk.base_pa[vmo] == base_pa, "a VMO with two physical bases");
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
    must(kinds[cap->kind] == expected->kind, "a slot with a capability of the wrong kind");
    must(cap->rights == expected->rights || cap->kind == CAP_NONE, "a capability with the wrong rights");
    if (walk.why != NULL) {
        return;
    }
    if (cap->kind == CAP_ENDPOINT) {
        must(cap->object == expected->object, "a capability of the wrong endpoint");
    }
    if (!cap_is_memory(cap)) {
        return;
    }
    must(cap->bytes == walk.m->vmos[expected->object].bytes, "a capability of the wrong VMO");
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
        must(expected != NULL && message->len == expected->len, "an unexpected message");
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
    must(ep_ids_used() == walk.m->endpoint_count, "the number of endpoints");
    for (uint32_t id = 0; id <= walk.m->endpoint_count && walk.why == NULL; id++) {
        const struct endpoint *ep = ep_find(id);
        must((ep != NULL) == walk.m->endpoints[id].live,
             "an endpoint is open that should be closed, or the reverse");
        if (ep != NULL && walk.why == NULL) {
            compare_queue(id, ep);
        }
    }
}

/* ---- Address spaces ------------------------------------------------------------------------------------ */

static bool lies_in(const struct model_map *map, uint64_t va)
{
    return va >= map->va && va - map->va < map->bytes;
}

/* The mapping of a page; tries the previous page's mapping first. */
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

/* Compares a page that a program mapped. */
static void compare_leaf(const struct model_space *space, uint64_t va, uint64_t entry)
{
    static const uint64_t bits[] = {PTE_R, PTE_W, PTE_X};
    const struct model_map *map = mapping_of(space, va);
    must(map != NULL, "an unexpected mapped page");
    if (map == NULL) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        must(((entry & bits[i]) != 0) == ((map->prot >> i & 1) != 0), "a page with the wrong rights");
    }
    must(((entry & PTE_U) != 0) == map->for_user, "a page with the wrong USER bit");
    place_vmo(map->vmo, (entry >> 10 << 12) - map->off - (va - map->va));
    walk.leaves++;
}

static void walk_leaf(const struct model_space *space, uint64_t va, uint64_t entry)
{
    must((entry & (PTE_W | PTE_X)) != (PTE_W | PTE_X), "a page is writable and executable");
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
    must(walk.leaves == expected, "a missing page");
}

/* The model's space of a task or of a handle. */
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
        must(of_model != NULL, "an unexpected address space");
        if (of_model != NULL) {
            walk_space(space, of_model);
        }
    }
    for (unsigned i = 0; i < MODEL_SPACES; i++) {
        expected += walk.m->spaces[i].live;
    }
    must(live == expected, "an address space too many or too few");
}

/* ---- Accounts ------------------------------------------------------------------------------------------ */

static void compare_accounts(void)
{
    uint32_t vmos = walk.m->leaked_vmos, endpoints = 0;
    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        vmos += walk.m->vmos[i].live;
    }
    for (uint32_t i = 0; i <= walk.m->endpoint_count; i++) {
        endpoints += walk.m->endpoints[i].live;
    }
    must(frames_in_use() == walk.frames, "a frame in use without an owner");
    must(arena_bytes_used() == walk.m->arena_used, "the number of arena bytes");
    must(arena_vmos_live() == vmos, "the number of VMOs");
    must(ep_live() == endpoints, "the number of live endpoints");
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
