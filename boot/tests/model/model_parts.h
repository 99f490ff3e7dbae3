/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the model's files. A struct turn is one operation in progress. */
#ifndef TESTS_MODEL_PARTS_H
#define TESTS_MODEL_PARTS_H

#include "model/model.h"

#define MODEL_NO_PID 0x7FFFFFFFu /* the pid of an actor that never ran; an invalid handle */
#define MODEL_ANY_SLOT UINT64_MAX
#define MODEL_BAD_HANDLE UINT64_C(0x10000) /* a kernel's handles are smaller (K-27) */

/* The range for as_map on both revisions, known to a program's loads. */
#define MODEL_AS_BASE UINT64_C(0x30000000)
#define MODEL_AS_END UINT64_C(0x31000000)

struct turn {
    struct model *m;
    struct model_actor *self;
    const struct model_op *op;
    const uint64_t *args;
    struct model_answer *answer; /* the kernel's, or guessed */
    bool guessing;
    int64_t wanted;
    const char *why; /* the first error in the answer */
};

/* Requires this a0. Returns false if the answer differs. */
bool expect_a0(struct turn *t, int64_t a0);

/* Requires one of n values, where the contract leaves the choice open. */
bool expect_one_of(struct turn *t, const int64_t *a0, size_t n);

/* Requires a condition on the answer. */
bool expect(struct turn *t, bool condition, const char *why);

static inline bool expect_either(struct turn *t, int64_t one, int64_t other)
{
    return expect_one_of(t, (const int64_t[]){one, other}, 2);
}

/* ---- Capabilities -------------------------------------------------------------------------------------- */

/* NULL if the slot is empty or out of range. */
struct model_cap *cap_at(const struct model *m, struct model_actor *actor, uint64_t slot);
const struct model_cap *cap_seen(const struct model *m, const struct model_actor *actor, uint64_t slot);

/* A capability of this kind with this right; NULL if there is none. */
const struct model_cap *memory_at(const struct model *m, const struct model_actor *actor, uint64_t slot);
const struct model_cap *vmo_at(const struct model *m, const struct model_actor *actor, uint64_t slot);
const struct model_cap *endpoint_at(const struct model *m, const struct model_actor *actor, uint64_t slot,
                                    uint8_t right);

static inline bool is_memory(const struct model_cap *cap)
{
    return cap->kind == CAP_IS_VMO || cap->kind == CAP_IS_ALIAS;
}

/* Gives the actor a capability, and records the slot in the operation's register. */
void cap_put(const struct turn *t, struct model_actor *actor, uint64_t slot, const struct model_cap *cap);

/* MODEL_NONE if the table is full. */
uint32_t lowest_slot(const struct model *m, const struct model_actor *actor);

/* The number of slots and of queued messages with the VMO or an alias of it. */
uint32_t count_caps(const struct model *m, uint32_t vmo);
uint32_t count_moving(const struct model *m, uint32_t vmo);

/* ---- VMOs and their contents --------------------------------------------------------------------------- */

uint32_t vmo_new(struct model *m, uint64_t bytes); /* MODEL_NONE if the table is full */
void vmo_free(struct model *m, uint32_t vmo);
void vmo_drop_unreachable(struct model *m); /* frees the entries of unreachable VMOs */
uint32_t vmo_count(const struct model *m);

void contents_write(struct model *m, const struct model_write *write);

/* Reads the bytes of a range. Returns false if some of them are unknown. */
bool contents_read(const struct model *m, uint32_t vmo, uint64_t off, uint8_t *bytes, uint64_t len);

/* Reads at most MODEL_LITERAL_MAX bytes, to be written elsewhere. */
struct model_bytes contents_copy(const struct model *m, uint32_t vmo, uint64_t off, uint64_t len);

/* Byte i; the form must not be BYTES_UNKNOWN. */
uint8_t byte_of(const struct model_bytes *bytes, uint64_t i);

/* ---- Address spaces ------------------------------------------------------------------------------------ */

struct model_space *space_of(struct model *m, const struct model_actor *actor);
uint32_t space_new(struct model *m); /* MODEL_NONE if the table is full */
struct model_space *space_by_handle(struct model *m, uint64_t handle);
uint32_t region_count(const struct model *m, const struct model_space *space);
void space_add(struct model_space *space, const struct model_map *map);
bool space_is_free(const struct model_space *space, uint64_t va, uint64_t bytes);

/* K-26: whether one of its 2 MiB pages would cover a range that has a table of 4 KiB pages. */
bool space_meets_table(const struct model_space *space, const struct model_map *map);

/* K-26: a map that was refused there leaves a table for the 4 KiB pages before its first 2 MiB page.
 * space_refusal_shows: whether that is a new one. */
bool space_refusal_shows(const struct model_space *space, const struct model_map *map);
void space_note_refused(struct model_space *space, const struct model_map *map);

/* The mapping that covers the address; NULL if there is none. */
const struct model_map *map_at(const struct model_space *space, uint64_t va);
bool map_serves(const struct model_map *map, uint32_t prot); /* whether it permits the access */
bool any_map_of(const struct model *m, uint8_t how, uint32_t vmo);

/* For a call's pointer into a mapping of the caller (AT_REG, checked by model_allows): the bytes that the
 * call reads, and its write to the mapped VMO. */
struct model_bytes mapped_read(const struct turn *t, uint64_t va, uint64_t len);
void mapped_write(struct turn *t, uint64_t va, uint64_t len, const struct model_bytes *bytes);

/* Whether a kernel accepts a pointer argument that passed model_allows. */
static inline bool is_good_place(const struct turn *t, unsigned arg)
{
    return t->op->place[arg] == AT_BUF || t->op->place[arg] == AT_REG;
}

/* Maps the child's control page. */
void map_control(struct model *m, struct model_actor *actor);

/* ---- Endpoints and messages ---------------------------------------------------------------------------- */

void close_endpoints_of(struct model *m, uint32_t pid);
uint32_t queued_on(const struct model *m, uint32_t endpoint);
uint32_t message_count(const struct model *m);

/* Requires that the call wrote to none of the memory that a receive or read would write. */
void expect_memory_untouched(struct turn *t);

/* ---- Tasks --------------------------------------------------------------------------------------------- */

struct model_actor *actor_by_pid(struct model *m, uint64_t pid); /* NULL if unknown or reaped */
bool is_child(const struct model *m, const struct model_actor *parent, const struct model_actor *actor);
bool has_children(const struct model *m, const struct model_actor *parent);

/* Clears the actor's registers and slot registers. */
void forget_registers(struct model_actor *actor);

/* Ends the actor by exit or fault. */
void actor_ends(struct turn *t, int64_t status);

#endif
