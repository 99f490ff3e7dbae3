/* SPDX-License-Identifier: Apache-2.0 */
/* Generates the arguments of each kind of operation: mostly sensible ones, some nonsense. */
#include "model/model_make.h"

#include "model/model_parts.h"

#define NONSENSE 14  /* one argument in NONSENSE is arbitrary */
#define MAP_PAGES 64 /* a1: number of addresses for map */
#define PAGE ((uint64_t)NX_PAGE_BYTES)

/* ---- Arguments ----------------------------------------------------------------------------------------- */

static uint64_t nonsense(struct model_gen *gen)
{
    static const uint64_t values[] = {0,          1,          7,          63,         64,
                                      255,        256,        4095,       PAGE,       0x7FFFFFFF,
                                      0x80000000, 0xFFFFFFFF, UINT64_MAX, 1ull << 63, UINT64_MAX - PAGE + 1};
    return values[gen_below(gen, sizeof(values) / sizeof(values[0]))];
}

static void put(struct model_op *op, unsigned i, uint8_t place, uint64_t arg)
{
    op->place[i] = place;
    op->arg[i] = arg;
}

static void put_number(struct model_gen *gen, struct model_op *op, unsigned i, uint64_t arg)
{
    put(op, i, AT_NUMBER, gen_one_in(gen, NONSENSE * 2) ? nonsense(gen) : arg);
}

/* A pointer to this place, rarely one that the kernel refuses. */
static void put_pointer(struct model_gen *gen, struct model_op *op, unsigned i, uint8_t place)
{
    if (gen_one_in(gen, NONSENSE * 2)) {
        put(op, i, AT_NUMBER, gen_one_in(gen, 2) ? 0 : NX_USER_TOP + gen_below(gen, 2) * PAGE);
    } else {
        put(op, i, place, 0);
    }
}

enum wanted { WANT_ANY, WANT_MEMORY, WANT_VMO, WANT_SEND, WANT_RECV, WANT_MOVABLE, WANT_MANAGED };

static bool is_wanted(const struct model_cap *cap, enum wanted wanted)
{
    switch (wanted) {
    case WANT_MEMORY:
        return is_memory(cap) && cap->object >= OP_CONTROLS;
    case WANT_VMO:
        return cap->kind == CAP_IS_VMO && cap->object >= OP_CONTROLS;
    case WANT_SEND:
        return cap->kind == CAP_IS_ENDPOINT && (cap->rights & NX_RIGHT_SEND) != 0;
    case WANT_RECV:
        return cap->kind == CAP_IS_ENDPOINT && (cap->rights & NX_RIGHT_RECV) != 0;
    case WANT_MOVABLE:
        return (cap->rights & NX_RIGHT_MANAGE) == 0 && cap->kind != CAP_IS_EMPTY &&
               !(is_memory(cap) && cap->object < OP_CONTROLS);
    case WANT_MANAGED:
        return cap->kind == CAP_IS_ENDPOINT && (cap->rights & NX_RIGHT_MANAGE) != 0;
    case WANT_ANY:
        break;
    }
    return cap->kind != CAP_IS_EMPTY;
}

/* The first slot with such a capability from a random one on; sometimes any slot. */
static uint64_t some_slot(struct model_gen *gen, const struct model_op *op, enum wanted wanted)
{
    const uint32_t slots = gen->shadow.limits.slots;
    const struct model_cap *caps = gen->shadow.actors[op->actor].caps;
    if (gen_one_in(gen, NONSENSE)) {
        return gen_one_in(gen, 4) ? nonsense(gen) : gen_below(gen, slots + 2);
    }
    const uint64_t from = gen_below(gen, gen_one_in(gen, 2) ? 12 : slots);
    for (uint32_t i = 0; i < slots; i++) {
        if (is_wanted(&caps[(from + i) % slots], wanted)) {
            return (from + i) % slots;
        }
    }
    return from;
}

/* A register that names such a slot; OP_REGS if there is none. */
static unsigned some_slot_reg(struct model_gen *gen, const struct model_op *op, enum wanted wanted)
{
    const struct model_actor *actor = &gen->shadow.actors[op->actor];
    const unsigned from = (unsigned)gen_below(gen, OP_REGS);
    for (unsigned i = 0; i < OP_REGS; i++) {
        const unsigned reg = (from + i) % OP_REGS;
        const struct model_cap *cap = cap_seen(&gen->shadow, actor, actor->slot_reg[reg]);
        if (cap != NULL && is_wanted(cap, wanted)) {
            return reg;
        }
    }
    return OP_REGS;
}

/* Mostly by register, so that the slot's number may change when other operations are skipped. */
static void put_slot(struct model_gen *gen, struct model_op *op, unsigned i, enum wanted wanted)
{
    const unsigned reg = gen_one_in(gen, 5) ? OP_REGS : some_slot_reg(gen, op, wanted);
    if (reg != OP_REGS) {
        put(op, i, AT_SLOT, reg);
    } else {
        put(op, i, AT_NUMBER, some_slot(gen, op, wanted));
    }
}

static const struct model_cap *cap_named(const struct model_gen *gen, const struct model_op *op, unsigned i)
{
    const struct model_actor *actor = &gen->shadow.actors[op->actor];
    const uint64_t arg = op->arg[i];
    return cap_seen(&gen->shadow, actor, op->place[i] == AT_SLOT ? actor->slot_reg[arg] : arg);
}

static void put_pid(struct model_gen *gen, struct model_op *op, unsigned i)
{
    if (gen_one_in(gen, NONSENSE * 2)) {
        put(op, i, AT_NUMBER, nonsense(gen));
    } else {
        put(op, i, AT_PID, gen_below(gen, OP_ACTORS));
    }
}

/* The VMO in the slot, or the first VMO. */
static const struct model_vmo *vmo_named(const struct model_gen *gen, const struct model_op *op, unsigned i)
{
    const struct model_cap *cap = cap_named(gen, op, i);
    return &gen->shadow.vmos[cap != NULL && is_memory(cap) ? cap->object : 0];
}

static uint64_t some_length(struct model_gen *gen, uint64_t max)
{
    const uint64_t dice = gen_below(gen, 16);
    const uint64_t len = dice < 10 ? gen_below(gen, 64) : dice < 14 ? gen_below(gen, max + 1) : max;
    return len < max ? len : max;
}

/* Selects a register that points into a mapping and returns the mapping, NULL if there is none. */
static const struct model_map *some_mapping(struct model_gen *gen, struct model_op *op)
{
    const struct model_actor *actor = &gen->shadow.actors[op->actor];
    const struct model_map *map = NULL;
    for (unsigned i = 0; i < OP_REGS && map == NULL; i++) {
        op->reg = (uint8_t)((op->reg + 1u) % OP_REGS);
        map = map_at(&gen->shadow.spaces[actor->space], actor->reg[op->reg]);
    }
    return map;
}

/* Sometimes makes the call read or write a few bytes of a mapping. */
static void maybe_mapped(struct model_gen *gen, struct model_op *op)
{
    if (op->place[2] != AT_BUF || !gen_one_in(gen, 8)) {
        return;
    }
    const struct model_map *map = some_mapping(gen, op);
    put(op, 2, AT_REG, map == NULL ? 0 : gen_below(gen, map->bytes));
    op->arg[3] = 1 + op->arg[3] % MODEL_LITERAL_MAX;
    op->hdr.len = (uint32_t)op->arg[3];
}

/* ---- VMOs ---------------------------------------------------------------------------------------------- */

void make_vmo_create(struct model_gen *gen, struct model_op *op)
{
    /* cumulative shares of 40: huge, large (2 MiB and more), some pages; the rest is small */
    static const uint8_t shares[MOODS][3] = {
        [MOOD_ANY] = {0, 3, 10},  [MOOD_MESSAGES] = {0, 3, 10},  [MOOD_CAPS] = {0, 3, 10},
        [MOOD_MAPS] = {0, 6, 14}, [MOOD_ENDPOINTS] = {0, 3, 10}, [MOOD_TASKS] = {0, 3, 10},
        [MOOD_HUGE] = {36, 0, 0}, [MOOD_LARGE] = {0, 30, 0}};
    const uint8_t *share = shares[gen->mood];
    const uint64_t dice = gen_below(gen, 40);
    uint64_t bytes = gen_below(gen, 6 * PAGE) + 1;
    if (dice < share[0]) {
        bytes = 13 * NX_SUPERPAGE_BYTES / 2 + gen_below(gen, 256) * PAGE;
    } else if (dice < share[1]) {
        bytes = NX_SUPERPAGE_BYTES + gen_below(gen, 3 * 256) * PAGE;
    } else if (dice < share[2]) {
        bytes = gen_below(gen, 64 * PAGE) + 1;
    }
    put(op, 0, AT_NUMBER, gen_one_in(gen, 6) ? gen_below(gen, gen->shadow.limits.slots + 2) : MODEL_ANY_SLOT);
    put_number(gen, op, 1, bytes);
}

void make_copy(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_VMO);
    const uint64_t bytes = vmo_named(gen, op, 0)->bytes;
    const uint64_t off = gen_one_in(gen, 3) ? 0 : gen_below(gen, bytes + 1), left = bytes - off;
    put_number(gen, op, 1, off);
    put_pointer(gen, op, 2, AT_BUF);
    put(op, 3, AT_NUMBER, some_length(gen, left < OP_BUF_BYTES ? left : OP_BUF_BYTES) + gen_one_in(gen, 40));
    maybe_mapped(gen, op);
}

void make_query(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_VMO);
    put_pointer(gen, op, 1, AT_BUF);
}

void make_of_slot(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_ANY);
}

void make_of_vmo(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_VMO);
}

void make_of_managed(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_MANAGED);
}

/* ---- Mappings ------------------------------------------------------------------------------------------ */

static uint64_t some_flags(struct model_gen *gen)
{
    static const uint64_t good[] = {NX_MAP_READ, NX_MAP_READ | NX_MAP_WRITE, NX_MAP_READ | NX_MAP_WRITE};
    const uint64_t flags = good[gen_below(gen, 3)] | NX_MAP_VALID | NX_MAP_USER;
    return gen_one_in(gen, 6) ? gen_below(gen, gen_one_in(gen, 2) ? 32 : 300) : flags;
}

void make_map(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_MEMORY);
    put_number(gen, op, 1, NX_A1_MAP_BASE + gen_below(gen, MAP_PAGES) * PAGE + gen_one_in(gen, 40));
    put_number(gen, op, 2, gen_below(gen, vmo_named(gen, op, 0)->bytes + gen_one_in(gen, 20)));
    put(op, 3, AT_NUMBER, some_flags(gen));
}

void make_vm_map(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_MEMORY);
    const uint64_t pages = vmo_named(gen, op, 0)->bytes / PAGE;
    const bool whole = gen_one_in(gen, gen->mood >= MOOD_HUGE ? 1 : 3);
    const uint64_t off = whole || gen_one_in(gen, 3) ? 0 : gen_below(gen, pages + gen_one_in(gen, 20));
    const uint64_t left = pages > off ? pages - off : 1;
    put_number(gen, op, 1, off * PAGE + gen_one_in(gen, 60));
    put_number(gen, op, 2, (whole || gen_one_in(gen, 3) ? left : gen_below(gen, left) + 1) * PAGE);
    put(op, 3, AT_NUMBER, some_flags(gen));
}

void make_vm_unmap(struct model_gen *gen, struct model_op *op)
{
    const struct model_map *map = some_mapping(gen, op);
    put(op, 0, AT_REG, gen_one_in(gen, 20) ? PAGE : gen_one_in(gen, 60));
    put_number(gen, op, 1, map == NULL ? PAGE : map->bytes + gen_one_in(gen, 20) * PAGE);
}

/* Mostly inside the mapping, sometimes at an address of as_map, sometimes past the end, which faults. */
void make_access(struct model_gen *gen, struct model_op *op)
{
    const struct model_map *map = some_mapping(gen, op);
    const uint64_t bytes = map == NULL ? PAGE : map->bytes;
    const uint64_t off =
        gen_one_in(gen, 4) ? bytes - 1 : gen_below(gen, bytes < 64 || gen_one_in(gen, 2) ? bytes : 64);
    put(op, 0, AT_REG, gen_one_in(gen, 40) ? bytes : off);
    if (gen_one_in(gen, 12)) {
        put(op, 0, AT_NUMBER, MODEL_AS_BASE + gen_below(gen, 32) * 16 * PAGE + gen_below(gen, 64));
    }
}

void make_as_map(struct model_gen *gen, struct model_op *op)
{
    put(op, 0, AT_HANDLE, gen_below(gen, OP_REGS));
    if (gen_one_in(gen, NONSENSE)) {
        put(op, 0, AT_NUMBER, MODEL_BAD_HANDLE + gen_below(gen, 1000));
    }
    put_slot(gen, op, 1, WANT_VMO);
    const uint64_t bytes = vmo_named(gen, op, 1)->bytes;
    const uint64_t base = gen_one_in(gen, 20) ? NX_A2_MAP_BASE + 64 * PAGE : MODEL_AS_BASE;
    put(op, 2, AT_NUMBER, base + gen_below(gen, 32) * 16 * PAGE + gen_one_in(gen, 60));
    put(op, 3, AT_NUMBER, gen_one_in(gen, 2) ? bytes : gen_below(gen, 8) * PAGE + gen_one_in(gen, 20));
    put(op, 4, AT_NUMBER,
        gen_one_in(gen, 8) ? gen_below(gen, 9) : NX_PROT_READ | gen_below(gen, 2) * NX_PROT_WRITE);
    put(op, 5, AT_NUMBER, gen_one_in(gen, NONSENSE) ? gen_below(gen, 3) : 1);
}

/* ---- Capabilities -------------------------------------------------------------------------------------- */

void make_transfer(struct model_gen *gen, struct model_op *op)
{
    put_pid(gen, op, 0);
    put_slot(gen, op, 1, WANT_ANY);
    const struct model_cap *cap = cap_named(gen, op, 1);
    const uint64_t held = cap == NULL ? 0 : cap->rights;
    uint64_t asked = held & ~(uint64_t)NX_RIGHT_MANAGE;
    if (gen_one_in(gen, 4)) {
        asked &= gen_below(gen, 8);
    } else if (gen_one_in(gen, 8)) {
        asked = gen_one_in(gen, 2) ? held : gen_below(gen, 20);
    }
    put_number(gen, op, 2, asked);
    put_number(gen, op, 3, gen_below(gen, gen->shadow.limits.slots + 1));
}

/* ---- Endpoints and messages ---------------------------------------------------------------------------- */

static uint64_t some_depth(struct model_gen *gen)
{
    const uint64_t dice = gen_below(gen, 12);
    return dice == 0 ? 0 : dice == 1 ? 257 : dice < 6 ? 1 + gen_below(gen, 3) : 1 + gen_below(gen, 256);
}

void make_ep_create(struct model_gen *gen, struct model_op *op)
{
    const bool is_for = op->kind == NX_SYS_EP_CREATE_FOR;
    put_number(gen, op, 0, NX_SLOT_FACTORY);
    if (is_for) {
        put_pid(gen, op, 1);
    }
    put(op, is_for ? 2 : 1, AT_NUMBER, some_depth(gen));
}

static uint64_t some_payload(struct model_gen *gen)
{
    const uint64_t max = gen->shadow.limits.is_a1 ? NX_IPC_MAX_BYTES_A1 : NX_IPC_MAX_BYTES_A2;
    if (gen_one_in(gen, 40)) {
        return max + 1;
    }
    return gen->mood == MOOD_MESSAGES && !gen_one_in(gen, 24) ? max : some_length(gen, max);
}

void make_send(struct model_gen *gen, struct model_op *op)
{
    const uint64_t len = some_payload(gen);
    const bool moves = gen_one_in(gen, 4);
    put_slot(gen, op, 0, WANT_SEND);
    put_pointer(gen, op, 1, AT_HDR);
    put_pointer(gen, op, 2, AT_BUF);
    put(op, 3, AT_NUMBER, len);
    put(op, 4, AT_NUMBER, gen_one_in(gen, 16) ? gen_below(gen, 4) : NX_IPC_NONBLOCK);
    op->hdr = (struct nx_ipc_hdr){.src = (uint32_t)some_slot(gen, op, WANT_MOVABLE),
                                  .dst = (uint32_t)gen_draw(gen),
                                  .type = (uint16_t)gen_draw(gen),
                                  .flags = (uint16_t)((gen_draw(gen) & 0xFFFE) | moves),
                                  .len = (uint32_t)(len + gen_one_in(gen, 60))};
    const unsigned reg = some_slot_reg(gen, op, WANT_MOVABLE);
    if (reg != OP_REGS && !gen_one_in(gen, 5)) {
        op->src_reg = (uint16_t)(reg + 1);
    }
    maybe_mapped(gen, op);
}

void make_recv(struct model_gen *gen, struct model_op *op)
{
    put_slot(gen, op, 0, WANT_RECV);
    put_pointer(gen, op, 1, AT_HDR);
    put_pointer(gen, op, 2, AT_BUF);
    put(op, 3, AT_NUMBER, gen_one_in(gen, 3) ? some_length(gen, OP_BUF_BYTES) + gen_one_in(gen, 20) : 512);
    put(op, 4, AT_NUMBER,
        gen_one_in(gen, 16) ? gen_below(gen, 16) : NX_IPC_NONBLOCK | gen_below(gen, 2) * NX_IPC_TRUNCATE);
    maybe_mapped(gen, op);
    if (op->kind != NX_SYS_IPC_RECV_V2) {
        return;
    }
    op->fill = (uint8_t)(gen_one_in(gen, NONSENSE) ? 1 + gen_below(gen, 4) : 0);
    put_pointer(gen, op, 5, AT_ID);
}

/* ---- Tasks --------------------------------------------------------------------------------------------- */

/* The first child in one of two states from a random one on; any child if there is none. */
static uint64_t some_child(struct model_gen *gen, enum actor_state one, enum actor_state other)
{
    uint64_t which = 1 + gen_below(gen, OP_ACTORS - 1);
    for (unsigned i = 0; i < OP_ACTORS - 1; i++) {
        const enum actor_state state = gen->shadow.actors[which].state;
        if (state == one || state == other) {
            return which;
        }
        which = which % (OP_ACTORS - 1) + 1;
    }
    return which;
}

void make_spawn(struct model_gen *gen, struct model_op *op)
{
    op->actor = 0;
    put(op, 0, AT_NUMBER, some_child(gen, ACTOR_NEVER, ACTOR_REAPED));
}

/* Length 0, no stack, NULL, too short, or not an ELF file. */
void make_exec(struct model_gen *gen, struct model_op *op)
{
    put(op, 0, gen_one_in(gen, 4) ? AT_NUMBER : AT_BUF, 0);
    put(op, 1, AT_NUMBER, gen_one_in(gen, 3) ? gen_below(gen, 64) : 64 + gen_below(gen, OP_BUF_BYTES - 64));
    put(op, 2, AT_NUMBER, gen_below(gen, 3));
}

void make_of_pid(struct model_gen *gen, struct model_op *op)
{
    put_pid(gen, op, 0);
    if (op->kind == NX_SYS_TASK_RESUME && !gen_one_in(gen, 4)) {
        put(op, 0, AT_PID, some_child(gen, ACTOR_SUSPENDED, ACTOR_SUSPENDED));
    }
    if (op->kind == NX_SYS_WAIT && gen_one_in(gen, 3)) {
        put(op, 0, AT_NUMBER, gen_one_in(gen, 2) ? 0 : UINT64_MAX);
    }
}

void make_exit(struct model_gen *gen, struct model_op *op)
{
    put(op, 0, AT_NUMBER, gen_one_in(gen, 2) ? gen_below(gen, 300) : gen_draw(gen));
}
