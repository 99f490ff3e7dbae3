/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of the kernel contract (docs/abi.md), independent of boot's code: arrays and linear searches. It
 * decides whether an answer is admissible. Where the contract gives a number, the answer must be that number.
 * Where it gives a relation, the answer must satisfy the relation: a physical base, the address of a large
 * map, the child that a wait for any child returns. The model is freestanding and runs on the host and as a
 * payload.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "model/model_op.h"

/* Addresses of an actor's memory for calls: hdr 16, desc 64, id 8 bytes; buf OP_BUF_BYTES plus a page. */
struct model_places {
    uint64_t hdr, desc, id, buf;
};

/* The limits of the modelled boot. */
struct model_limits {
    bool is_a1;
    uint32_t slots;
    uint32_t ep_ids;
    uint32_t regions, ep_owner; /* K-24, K-56; 0: the revision's default */
    uint32_t spaces;            /* a1: per boot (K-17); a2: for as_create, so that the kernel has enough */
    uint64_t arena_bytes;       /* a1 maps at most 8 MiB of it (K-20) */
    uint64_t image_bytes;       /* a1: upper bound of a spawn's arena bytes */
    uint32_t child_regions;     /* a2: regions of the actor program's segments and stack (K-24) */
    struct model_places init, child;
};

#define MODEL_SLOTS NX_SLOTS_A2
#define MODEL_VMOS 128
#define MODEL_MESSAGES 640
#define MODEL_SPACES 40
#define MODEL_SPACES_A1                                                                                      \
    6 /* made by one program: with all that it can map, they stay below K-17's page tables */
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
    bool forgot;        /* an old write was dropped, so some contents are unknown */
    bool knows_pa;      /* from a query */
    bool knows_in_2mib; /* the offset in 2 MiB is known, from a large map or a query */
    uint64_t bytes, pa, pa_in_2mib;
};

/* Contents of a message or write: the pattern of `fill`, literal bytes, or unknown. */
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
    uint32_t owner; /* pid; 0: none */
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
    bool uncounted; /* by as_map into a full table: takes no region (K-27) */
    uint32_t vmo;
    uint64_t va, bytes, off;
};

struct model_space {
    bool live;
    uint64_t handle; /* 0: unknown */
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
    uint64_t arena_used;  /* a1: the bump pointer; a2: live and leaked bytes */
    uint32_t leaked_vmos; /* a2: unreachable VMOs that still take arena bytes */
    uint64_t order;
    uint32_t endpoint_count;
    uint64_t handle[OP_REGS];
    struct model_actor actors[OP_ACTORS];
    struct model_vmo vmos[MODEL_VMOS];
    struct model_endpoint endpoints[NX_EP_IDS_A2 + 1]; /* 0: the bootstrap endpoint */
    struct model_message messages[MODEL_MESSAGES];
    struct model_space spaces[MODEL_SPACES];
    struct model_write writes[MODEL_WRITES]; /* oldest first */
    uint32_t write_count;
};

/* Whether the revision has the call (K-04). A missing call returns -38. */
bool model_has(bool is_a1, uint8_t kind);

/* The state after the set-up of model_op.h. */
void model_init(struct model *m, const struct model_limits *limits);

/* Sets hdr.src of an operation that takes it from a register. Call it before the functions below. */
void model_resolve_src(const struct model *m, struct model_op *op);

/*
 * Whether the operation can be executed now: its actor runs, the call does not block, is no hazard and does
 * not end or starve the run, and the model's tables have room. The runner skips an operation that is not
 * allowed.
 */
bool model_allows(const struct model *m, const struct model_op *op);

/* Resolves the places of the arguments. */
void model_resolve(const struct model *m, const struct model_op *op, uint64_t args[OP_ARGS]);

/* Checks the answer to an allowed operation and applies the operation. Returns NULL if the answer is
 * admissible, else the reason; the model is then unusable. *wanted: the expected a0, if there is one. */
const char *model_step(struct model *m, const struct model_op *op, const struct model_answer *answer,
                       int64_t *wanted);

/* Invents an admissible answer and applies the operation. */
void model_guess(struct model *m, const struct model_op *op, struct model_answer *answer);

#endif
