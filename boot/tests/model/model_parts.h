/* SPDX-License-Identifier: Apache-2.0 */
/* What the model's files share. One operation on its way is a struct turn. */
#ifndef TESTS_MODEL_PARTS_H
#define TESTS_MODEL_PARTS_H

#include "model/model.h"

#define MODEL_NO_PID                                                                                         \
    0x7FFFFFFFu /* what a place gives for an actor that never was, or a handle that is none */
#define MODEL_ANY_SLOT UINT64_MAX
#define MODEL_BAD_HANDLE UINT64_C(0x10000) /* from here on no kernel has one (K-27: they are small) */

/* Where as_map puts things on both ages, so that a program's loads find them. */
#define MODEL_AS_BASE UINT64_C(0x30000000)
#define MODEL_AS_END UINT64_C(0x31000000)

struct turn {
    struct model *m;
    struct model_actor *self;
    const struct model_op *op;
    const uint64_t *args;
    struct model_answer *answer; /* given, or made up */
    bool guessing;
    int64_t wanted;
    const char *why; /* what is wrong with the answer */
};

/* The answer must be this one. False when it is not. */
bool expect_a0(struct turn *t, int64_t a0);

/* Likewise, any of n: what the contract leaves open. */
bool expect_one_of(struct turn *t, const int64_t *a0, size_t n);

/* Something else about the answer must hold. */
bool expect(struct turn *t, bool condition, const char *why);

static inline bool expect_either(struct turn *t, int64_t one, int64_t other)
{
    return expect_one_of(t, (const int64_t[]){one, other}, 2);
}

/* ---- Capabilities -------------------------------------------------------------------------------------- */

/* NULL when the slot is empty or none. */
struct model_cap *cap_at(const struct model *m, struct model_actor *actor, uint64_t slot);
const struct model_cap *cap_seen(const struct model *m, const struct model_actor *actor, uint64_t slot);

/* With the right and of the kind; NULL when it is not. */
const struct model_cap *memory_at(const struct model *m, const struct model_actor *actor, uint64_t slot);
const struct model_cap *vmo_at(const struct model *m, const struct model_actor *actor, uint64_t slot);
const struct model_cap *endpoint_at(const struct model *m, const struct model_actor *actor, uint64_t slot,
                                    uint8_t right);

static inline bool is_memory(const struct model_cap *cap)
{
    return cap->kind == CAP_IS_VMO || cap->kind == CAP_IS_ALIAS;
}

/* An actor gets a capability, by the operation of this turn. */
void cap_put(const struct turn *t, struct model_actor *actor, uint64_t slot, const struct model_cap *cap);

/* MODEL_NONE when the table is full. */
uint32_t lowest_slot(const struct model *m, const struct model_actor *actor);

/* How many slots, and how many messages, hold the VMO or an alias of it. */
uint32_t count_caps(const struct model *m, uint32_t vmo);
uint32_t count_moving(const struct model *m, uint32_t vmo);

/* ---- VMOs and what is in them -------------------------------------------------------------------------- */

uint32_t vmo_new(struct model *m, uint64_t bytes); /* MODEL_NONE when the table is full */
void vmo_free(struct model *m, uint32_t vmo);
void vmo_drop_unreachable(struct model *m); /* gives room to VMOs that nobody reaches any more */
uint32_t vmo_count(const struct model *m);

void contents_write(struct model *m, const struct model_write *write);

/* The bytes of a range; false when the model does not know all of them. */
bool contents_read(const struct model *m, uint32_t vmo, uint64_t off, uint8_t *bytes, uint64_t len);

/* Likewise, to carry on: MODEL_LITERAL_MAX at most. */
struct model_bytes contents_copy(const struct model *m, uint32_t vmo, uint64_t off, uint64_t len);

/* Byte i; not of BYTES_UNKNOWN. */
uint8_t byte_of(const struct model_bytes *bytes, uint64_t i);

/* ---- Address spaces ------------------------------------------------------------------------------------ */

struct model_space *space_of(struct model *m, const struct model_actor *actor);
uint32_t space_new(struct model *m); /* MODEL_NONE when the table is full */
struct model_space *space_by_handle(struct model *m, uint64_t handle);
uint32_t region_count(const struct model *m, const struct model_space *space);
void space_add(struct model_space *space, const struct model_map *map);
bool space_is_free(const struct model_space *space, uint64_t va, uint64_t bytes);

/* K-26: whether a 2 MiB page of it would lie where 4 KiB pages once needed a table. */
bool space_meets_table(const struct model_space *space, const struct model_map *map);

/* The mapping that has the address; NULL when none has. */
const struct model_map *map_at(const struct model_space *space, uint64_t va);
bool map_serves(const struct model_map *map, uint32_t prot); /* whether an access goes through */
bool any_map_of(const struct model *m, uint8_t how, uint32_t vmo);

/* A call's pointer into a mapping of the caller's (AT_REG, which model_allows has checked): what it would
 * read, and what becomes of the mapped VMO when it is written to. */
struct model_bytes mapped_read(const struct turn *t, uint64_t va, uint64_t len);
void mapped_write(struct turn *t, uint64_t va, uint64_t len, const struct model_bytes *bytes);

/* Whether a pointer argument is one that a kernel takes, its place being as model_allows wants it. */
static inline bool is_good_place(const struct turn *t, unsigned arg)
{
    return t->op->place[arg] == AT_BUF || t->op->place[arg] == AT_REG;
}

/* The child maps its control page. */
void map_control(struct model *m, struct model_actor *actor);

/* ---- Endpoints and messages
 * -------------------------------------------------------------------------------- */

void close_endpoints_of(struct model *m, uint32_t pid);
uint32_t queued_on(const struct model *m, uint32_t endpoint);
uint32_t message_count(const struct model *m);

/* Checks that memory is as before the call, where a receive or read would have written. */
void expect_memory_untouched(struct turn *t);

/* ---- Tasks
 * -------------------------------------------------------------------------------------------------- */

struct model_actor *actor_by_pid(struct model *m, uint64_t pid); /* not one that was waited for */
bool is_child(const struct model *m, const struct model_actor *parent, const struct model_actor *actor);
bool has_children(const struct model *m, const struct model_actor *parent);

/* No slot register names a slot, no register an address. */
void forget_registers(struct model_actor *actor);

/* The task is no more: by exit, or by a fault. */
void actor_ends(struct turn *t, int64_t status);

#endif
