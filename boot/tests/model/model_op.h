/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation of a random program, at the level of system calls, and its answer.
 *
 * There are four actors: actor 0 is init, 1 to 3 are its children. An operation contains no address, pid or
 * handle. It contains places, which are resolved when it is executed. So a program stays executable if any
 * operations are skipped, and is the same under every executor.
 *
 * An executor gets an operation that model_allows and the arguments of model_resolve. It must:
 *   1. prepare the actor's memory (op_prepares);
 *   2. make the call with these arguments (load, store, fault, spawn: see the kinds);
 *   3. fill in the answer, including the memory that step 1 prepared.
 *
 * Before the first operation init creates OP_CONTROLS VMOs of one page in slots 2, 3 and 4 and maps them
 * read-write (a2: vm_map; a1: map at OP_CONTROL_VA + its page). They are the control pages of actors 1, 2 and
 * 3. An executor that runs the children as separate programs passes orders through these pages, so that the
 * orders do not use the kernel's queues. A spawn transfers the page to the child's slot 1 with MAP, and the
 * child first maps it. No operation uses a control page or its slots. An executor that simulates the children
 * makes the same calls for the same effect.
 */
#ifndef TESTS_MODEL_OP_H
#define TESTS_MODEL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nexus_abi.h"

#define OP_ACTORS 4
#define OP_ARGS 6
#define OP_REGS 8 /* of each actor: addresses of mappings, and slots; global: handles of address spaces */

#define OP_CONTROLS 3
/* a1: where init maps the page of actor 1, followed by the others; also where a child maps its own. */
#define OP_CONTROL_VA 0x7F000000
#define OP_CONTROL_SLOT 2 /* init's slot of actor 1's page; the others follow */
#define OP_CHILD_CONTROL_SLOT 1
#define OP_RESERVED_SLOTS 5       /* of init: bootstrap, factory, the control pages */
#define OP_CHILD_RESERVED_SLOTS 2 /* bootstrap, control page */

#define OP_BUF_BYTES 8192u /* prepared and checked part of an actor's buffer; one more page is mapped */
#define OP_LOOK_BYTES 32u  /* first bytes of the buffer, included in the answer */
#define OP_JUNK 0xEEu      /* fills memory that a call may write */

/* An address that no actor ever maps. */
#define OP_NOWHERE UINT64_C(0x7000000)

/*
 * The kind of an operation is its system call number. Its arguments are the call's, or for recv_v2 the
 * members of the descriptor (op_desc). The kinds below are not single calls. Each kind has a row in the file
 * of its family (model_kind.h).
 */
enum op_kind {
    OP_LOAD = NX_SYS_COUNT, /* loads from va; a0 is the byte */
    OP_STORE,               /* stores `fill` at va; a0 is 0 */
    OP_FAULT,               /* stores to OP_NOWHERE; the answer is `ended` */
    /* exec of the actor program as actor arg[0]. If exec returns a pid, cap_transfer of the control page with
     * MAP; on a1 the child then maps it. a0 is exec's answer, a1 cap_transfer's. */
    OP_SPAWN,
    OP_KINDS
};

enum op_place {
    AT_NUMBER, /* the argument itself */
    AT_HDR,    /* the place plus the argument, also for the next four */
    AT_DESC,
    AT_ID,
    AT_BUF,
    AT_REG,    /* the actor's register op.reg */
    AT_PID,    /* the pid of actor <argument>; 0x7FFFFFFF if it never ran */
    AT_HANDLE, /* the handle register <argument> */
    AT_SLOT,   /* the actor's slot register <argument>: the slot last returned by a create, clone, share_ro,
                * ep_create, transfer to the actor or receive with that op.reg */
    AT_PLACES
};

struct model_op {
    uint8_t actor;
    uint8_t kind;
    uint8_t reg;
    uint8_t fill; /* write, send: pattern seed; store: the byte; recv_v2: the descriptor's error (op_desc) */
    uint8_t place[OP_ARGS];
    uint16_t src_reg;      /* send: 1 + the slot register that gives hdr.src; 0: none */
    struct nx_ipc_hdr hdr; /* send; an executor sees hdr.src resolved */
    uint64_t arg[OP_ARGS];
};

/* The answer. It has no pointers, so a puppet copies it to init. Members that a kind does not use are 0. */
struct model_answer {
    int64_t a0;
    uint64_t a1;
    uint64_t sender_id;           /* recv_v2: at AT_ID */
    uint64_t sum;                 /* op_sum of OP_BUF_BYTES at AT_BUF */
    struct nx_ipc_hdr hdr;        /* at AT_HDR */
    uint8_t bytes[OP_LOOK_BYTES]; /* at AT_BUF */
    uint32_t ended;               /* 1: the actor has ended by exit or fault */
    uint32_t spare;
};

/* Byte i of the pattern of a fill. The pattern never repeats OP_JUNK or any other byte in a row. */
static inline uint8_t op_pattern(uint8_t fill, uint64_t i)
{
    return (uint8_t)(fill + i * 7 + (i >> 8));
}

/* FNV-1a over 64-bit words; n is a multiple of 8. */
static inline uint64_t op_sum(const uint8_t *bytes, size_t n)
{
    uint64_t sum = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = 0;
        for (unsigned k = 8; k-- > 0;) {
            word = word << 8 | bytes[i + k];
        }
        sum = (sum ^ word) * UINT64_C(0x100000001B3);
    }
    return sum;
}

/* Memory that an executor prepares before the call. */
enum {
    OP_PUTS_HDR = 1,     /* op.hdr at AT_HDR */
    OP_PUTS_PATTERN = 2, /* the pattern at AT_BUF; its length is the length argument, at most OP_BUF_BYTES */
    OP_PUTS_JUNK = 4,    /* OP_JUNK over header, id and OP_BUF_BYTES of the buffer */
    OP_PUTS_DESC = 8     /* op_desc at AT_DESC */
};

/* The OP_PUTS_ bits of an operation (model_kind.c). They also select the memory that belongs to the answer,
 * for every a0: header, sum and bytes with OP_PUTS_JUNK, the sender id with OP_PUTS_DESC. An executor reads
 * them after the call. */
unsigned op_prepares(const struct model_op *op);

/* Makes the descriptor of a recv_v2 from the resolved slot, hdr, buf, max, flags and sender id. op.fill
 * spoils a field: 1 the magic, 2 the version, 3 and 4 a reserved word, which is no error (K-59). AT_DESC is
 * the call's argument. */
void op_desc(const struct model_op *op, const uint64_t args[OP_ARGS], struct nx_ipc_recv_v2 *desc);

#endif
