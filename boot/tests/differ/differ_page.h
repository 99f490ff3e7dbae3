/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by init and puppets: the control page, and the card that gives init the address of a puppet's
 * memory. */
#ifndef DIFFER_PAGE_H
#define DIFFER_PAGE_H

#include "model/model.h"

#define DIFFER_DISMISS OP_KINDS /* the kind of a child's last order: exit with status 0 */

/* A puppet's exit statuses if it cannot continue. */
#define PUPPET_NO_PAGE 70
#define PUPPET_IDLE 71

struct differ_order {
    struct model_op op;
    uint32_t prepares; /* op_prepares; a puppet does not have the model's table */
    uint64_t args[OP_ARGS];
};

/* An actor's memory for calls: the places of an operation. */
struct differ_memory {
    struct nx_ipc_hdr hdr;
    struct nx_ipc_recv_v2 desc;
    uint64_t id;
    uint8_t buf[OP_BUF_BYTES + NX_PAGE_BYTES];
};

static inline struct model_places differ_places(const struct differ_memory *memory)
{
    return (struct model_places){.hdr = (uint64_t)(uintptr_t)&memory->hdr,
                                 .desc = (uint64_t)(uintptr_t)&memory->desc,
                                 .id = (uint64_t)(uintptr_t)&memory->id,
                                 .buf = (uint64_t)(uintptr_t)memory->buf};
}

/* At most one order is pending. Init increments `ordered` after it has written the order; the puppet sets
 * `answered` to the same value after it has written the answer. `answered` is PAGE_EMPTY until the puppet has
 * mapped the page. */
#define PAGE_EMPTY UINT32_MAX
struct differ_page {
    volatile uint32_t ordered, answered;
    struct differ_order order;
    struct model_answer answer;
};

_Static_assert(sizeof(struct differ_page) <= NX_PAGE_BYTES, "one page");

/* Occurs once in the puppet's file. */
#define PUPPET_MARK "libvmo-puppet-01"
#define PUPPET_MARK_BYTES 16
struct puppet_card {
    char mark[PUPPET_MARK_BYTES];
    struct differ_memory *memory;
};

/* There is only one hart, so a compiler barrier is enough. */
static inline void differ_barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

#endif
