/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation of a random program, at the level of system calls, and what came of it.
 *
 * Four actors act in turn: actor 0 is init, 1 to 3 are its children. An operation holds no address, pid or
 * handle of its own: those are places, resolved when it is executed, so that a program stays executable
 * after any of its operations is left out, and is the same under every executor.
 *
 * An executor's turn, for an operation that model_allows and with the arguments of model_resolve:
 *   1. prepare the actor's memory: op_prepares says what;
 *   2. make the call with these arguments (load, store, fault, spawn: see the kinds);
 *   3. fill the answer: what was prepared says what of memory belongs to it.
 *
 * The set-up, before the first operation, is made by init: OP_CONTROLS times vmo_create(-1, one page), to
 * slots 2, 3, 4, each mapped for reading and writing in init (a2: vm_map; a1: map at OP_CONTROL_VA + the page
 * of its number). That is the control page of actors 1, 2, 3, by which an executor whose children are
 * programs of their own gives them their orders, so that no queue of the kernel sees them. A spawn gives the
 * child slot 1, that page with MAP, and the child maps it as the first thing that it does. No operation of a
 * program uses a control page or its slots, and an executor that plays the children itself makes the same
 * calls for the same effect.
 */
#ifndef TESTS_MODEL_OP_H
#define TESTS_MODEL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nexus_abi.h"

#define OP_ACTORS 4
#define OP_ARGS 6
#define OP_REGS 8 /* of each actor: addresses that maps gave, slots; of all: handles of address spaces */

#define OP_CONTROLS 3
/* a1: where init maps the page of actor 1, the others' behind it; and where a child maps its own. */
#define OP_CONTROL_VA 0x7F000000
#define OP_CONTROL_SLOT 2 /* init's, of actor 1; the next ones follow */
#define OP_CHILD_CONTROL_SLOT 1
#define OP_RESERVED_SLOTS 5       /* of init: bootstrap, factory, the control pages */
#define OP_CHILD_RESERVED_SLOTS 2 /* bootstrap, control page */

#define OP_BUF_BYTES 8192u /* of an actor's buffer that are prepared and looked at; a page more is mapped */
#define OP_LOOK_BYTES 32u  /* of the buffer that an answer shows as they are */
#define OP_JUNK 0xEEu      /* in what a call may write, before it */

/* An address that no actor has mapped, nor ever will. */
#define OP_NOWHERE UINT64_C(0x7000000)

/*
 * The kind of an operation is the number of its system call, with the call's arguments; recv_v2 has the
 * members of its descriptor instead (op_desc). These kinds are not one call. What the model knows of a kind
 * is a row in the file of its family (model_kind.h).
 */
enum op_kind {
    OP_LOAD = NX_SYS_COUNT, /* va: a0 is the byte */
    OP_STORE,               /* va: stores `fill`; a0 is 0 */
    OP_FAULT,               /* a store to OP_NOWHERE; the answer is `ended` */
    /* exec of the actor program as actor arg[0]; when that gives a pid, cap_transfer of its control page with
     * MAP. On a1 the child then maps it. a0 is exec's answer, a1 cap_transfer's. */
    OP_SPAWN,
    OP_KINDS
};

enum op_place {
    AT_NUMBER, /* the argument itself */
    AT_HDR,    /* + the argument, from here on */
    AT_DESC,
    AT_ID,
    AT_BUF,
    AT_REG,    /* the actor's register op.reg */
    AT_PID,    /* the pid of actor <argument>; 0x7FFFFFFF when it never was */
    AT_HANDLE, /* the handle register <argument> */
    AT_SLOT,   /* the actor's slot register <argument>: the slot that create, clone, share_ro, ep_create, a
                * transfer to the actor or a receive with that op.reg gave last */
    AT_PLACES
};

struct model_op {
    uint8_t actor;
    uint8_t kind;
    uint8_t reg;
    uint8_t fill; /* write, send: seeds the pattern; store: the byte; recv_v2: what is wrong with the desc */
    uint8_t place[OP_ARGS];
    uint16_t src_reg;      /* of send: 0, or one more than the slot register that hdr.src is taken from */
    struct nx_ipc_hdr hdr; /* of send; an executor sees it with its src */
    uint64_t arg[OP_ARGS];
};

/* What came of it. Plain bytes: a puppet sends it as it is. Whatever does not belong to a kind is 0. */
struct model_answer {
    int64_t a0;
    uint64_t a1;
    uint64_t sender_id;           /* recv_v2: at AT_ID */
    uint64_t sum;                 /* op_sum of OP_BUF_BYTES at AT_BUF */
    struct nx_ipc_hdr hdr;        /* at AT_HDR */
    uint8_t bytes[OP_LOOK_BYTES]; /* at AT_BUF */
    uint32_t ended;               /* 1: the actor is no more (exit, fault, or a load or store that faulted) */
    uint32_t spare;
};

/* Byte i of the pattern that a fill stands for: never OP_JUNK in a row, never all the same. */
static inline uint8_t op_pattern(uint8_t fill, uint64_t i)
{
    return (uint8_t)(fill + i * 7 + (i >> 8));
}

/* FNV-1a by words; n is a multiple of 8. */
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

/* What an executor prepares before the call. */
enum {
    OP_PUTS_HDR = 1,     /* op.hdr at AT_HDR */
    OP_PUTS_PATTERN = 2, /* the pattern at AT_BUF: the length argument, OP_BUF_BYTES at most */
    OP_PUTS_JUNK = 4,    /* OP_JUNK over header, id and OP_BUF_BYTES of the buffer */
    OP_PUTS_DESC = 8     /* op_desc at AT_DESC */
};
unsigned op_prepares(const struct model_op *op); /* defined beside the table of kinds */

/* What of memory belongs to the answer, whatever a0 is: OP_PUTS_JUNK says that header, sum and bytes do,
 * and OP_PUTS_DESC that the sender id does, too. Both are taken after the call. */

/* The descriptor of a recv_v2, of the resolved slot, hdr, buf, max, flags, sender id. op.fill spoils it: 1
 * the magic, 2 the version, 3 and 4 a reserved word. The call's only argument is then AT_DESC. */
void op_desc(const struct model_op *op, const uint64_t args[OP_ARGS], struct nx_ipc_recv_v2 *desc);

#endif
