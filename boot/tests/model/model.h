/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the contract (docs/abi.md) says a kernel answers, as a second, independent account of it: arrays and
 * linear searches, nothing of boot. It says of each answer whether it is admissible: an exact number where
 * the contract decides, a relation where it does not (a physical base, the address of a large map, which of
 * several ended children a wait for any takes). Freestanding: it runs on the host and as a payload.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "model/model_op.h"

/* Where an actor's memory for calls is. hdr 16, desc 64, id 8 bytes; buf OP_BUF_BYTES and a page more. */
struct model_places {
    uint64_t hdr, desc, id, buf;
};

/* The boot that is modelled. */
struct model_limits {
    bool is_a1;
    uint32_t slots;
    uint32_t ep_ids;
    uint32_t regions, ep_owner; /* K-24, K-56; 0: the age's own */
    uint32_t spaces; /* a1: of a boot, as K-17; a2: how many as_create may make, so that the kernel's table
                        holds */
    uint64_t arena_bytes;   /* a1: what is mapped of it is at most 8 MiB (K-20) */
    uint64_t image_bytes;   /* a1: what a spawn takes of the arena; too much rather than too little */
    uint32_t child_regions; /* a2: the regions of the actor program's segments and stack (K-24) */
    struct model_places init, child;
};

#define MODEL_SLOTS NX_SLOTS_A2
#define MODEL_VMOS 128
#define MODEL_MESSAGES 640
#define MODEL_SPACES 40
#define MODEL_MAPS 96
#define MODEL_WRITES 512
#define MODEL_CHUNKS ((NX_A2_MAP_END - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES)
#define MODEL_NONE UINT32_MAX

enum { CAP_IS_EMPTY, CAP_IS_ENDPOINT, CAP_IS_FACTORY, CAP_IS_VMO, CAP_IS_ALIAS };

struct model_cap {
    uint8_t kind, rights;
    uint32_t object; /* index of an endpoint or VMO */
};

struct model_vmo {
    bool live;
    bool forgot;        /* a write was too long ago: what no later one covers is not known */
    bool knows_pa;      /* a query told */
    bool knows_in_2mib; /* a large map, or a query, told where in 2 MiB it lies */
    uint64_t bytes, pa, pa_in_2mib;
};

/* Bytes on their way: the pattern of `fill`, or those of another VMO, which may have been forgotten. */
#define MODEL_LITERAL_MAX 32
enum { BYTES_OF_PATTERN, BYTES_LITERAL, BYTES_UNKNOWN };
struct model_bytes {
    uint8_t form, fill;
    uint8_t literal[MODEL_LITERAL_MAX];
};

struct model_write {
    uint32_t vmo;
    uint64_t off, len;
    struct model_bytes bytes;
};

struct model_endpoint {
    bool live;
    uint32_t owner; /* pid; 0: nobody */
    uint32_t depth;
};

struct model_message {
    bool queued;
    uint32_t endpoint, from_pid, len;
    uint64_t order;
    uint16_t type, flags;
    struct model_bytes bytes;
    struct model_cap moved;
};

enum { MAPPED_BY_MAP, MAPPED_BY_VM_MAP, MAPPED_BY_AS_MAP };

struct model_map {
    uint8_t how, prot;
    bool for_user;
    uint32_t vmo;
    uint64_t va, bytes, off;
};

struct model_space {
    bool live;
    uint64_t handle; /* 0: not known */
    uint32_t map_count;
    struct model_map maps[MODEL_MAPS];
    bool tabled[MODEL_CHUNKS]; /* K-26 */
};

enum actor_state { ACTOR_NEVER, ACTOR_SUSPENDED, ACTOR_LIVE, ACTOR_ENDED, ACTOR_REAPED };

struct model_actor {
    enum actor_state state;
    uint32_t pid;
    int64_t status;
    uint32_t space; /* index */
    struct model_cap caps[MODEL_SLOTS];
    uint64_t reg[OP_REGS], slot_reg[OP_REGS];
};

struct model {
    struct model_limits limits;
    uint32_t next_pid;
    uint32_t spaces_taken;
    uint64_t arena_used;  /* a1: the bump pointer; a2: live or lost */
    uint32_t leaked_vmos; /* a2: ranges that nobody reaches any more */
    uint64_t order;
    uint32_t endpoint_count;
    uint64_t handle[OP_REGS];
    struct model_actor actors[OP_ACTORS];
    struct model_vmo vmos[MODEL_VMOS];
    struct model_endpoint endpoints[NX_EP_IDS_A2 + 1]; /* 0: the bootstrap endpoint */
    struct model_message messages[MODEL_MESSAGES];
    struct model_space spaces[MODEL_SPACES];
    struct model_write writes[MODEL_WRITES]; /* the oldest first */
    uint32_t write_count;
};

/* Whether the age has the call (K-04); what it lacks answers -38. */
bool model_has(bool is_a1, uint8_t kind);

/* After the set-up. */
void model_init(struct model *m, const struct model_limits *limits);

/* Puts hdr.src into an operation that takes it from a register. Comes before all that follows. */
void model_resolve_src(const struct model *m, struct model_op *op);

/*
 * Whether the operation can be made here: its actor can run, it neither blocks nor is a hazard, it does not
 * end or starve the run, and the model's tables hold what comes of it. What is not allowed is left out.
 */
bool model_allows(const struct model *m, const struct model_op *op);

/* The arguments with their places resolved. */
void model_resolve(const struct model *m, const struct model_op *op, uint64_t args[OP_ARGS]);

/* Says what is wrong with the answer to an allowed operation: NULL when it is admissible, and the model has
 * moved on; else the model is of no more use. *wanted: the a0 that was expected, where there is one. */
const char *model_step(struct model *m, const struct model_op *op, const struct model_answer *answer,
                       int64_t *wanted);

/* Moves on by an answer that is admissible, and gives it. */
void model_guess(struct model *m, const struct model_op *op, struct model_answer *answer);

#endif
