/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints: bounded queues of messages (K-52, K-56..K-58). Ids count up and are never used again.
 * Who blocks on them and who is woken is the business of core/ipc.
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cap.h"

#define EP_BOOTSTRAP 0 /* id of the one endpoint that nobody owns (K-14); does not count as an id */
#define MESSAGE_MORE_FRAMES 2

/* A message on its way: this header and the first bytes in one frame, the rest in up to two more. */
struct message {
    uint64_t next_pa; /* in its queue; 0 at the end */
    uint64_t more_pa[MESSAGE_MORE_FRAMES];
    struct cap moved; /* CAP_NONE without CAP_MOVE; held by nobody else meanwhile */
    uint64_t sender_id;
    uint32_t from;
    uint32_t len;
    uint16_t type;
    uint16_t flags;
    _Alignas(uint64_t) uint8_t first[]; /* to the end of the frame; aligned, so that it is copied by words */
};

struct endpoint {
    bool live;
    uint32_t owner; /* pid; 0 for the bootstrap endpoint */
    uint32_t depth;
    uint32_t queued;
    uint64_t queued_bytes;
    uint64_t head_pa, tail_pa;
};

/* A message with a zeroed header and room for len bytes; 0 when there are no frames for it. */
uint64_t message_alloc(uint32_t len);
void message_free(uint64_t pa);

/* The payload from `off` on: *n is how many bytes lie there in one piece. */
uint8_t *message_chunk(struct message *message, uint32_t off, size_t *n);

/* How many ids a boot and an owner have; whether an owner's closed endpoints count no more. */
void ep_init(bool owner_limit_is_live, uint32_t ids, uint32_t of_owner);

/* False when the boot's or the owner's ids are used up (K-56). */
bool ep_create(uint32_t owner, uint32_t depth, uint32_t *id);

/* The endpoint with that id; NULL when it was closed. */
struct endpoint *ep_find(uint32_t id);

/* Whether `len` more queued bytes respect the owner's and the whole budget (K-52). */
bool ep_budget_allows(const struct endpoint *ep, uint32_t len);

static inline bool ep_is_full(const struct endpoint *ep)
{
    return ep->queued >= ep->depth;
}

void ep_push(struct endpoint *ep, uint64_t message_pa);
uint64_t ep_first(const struct endpoint *ep); /* 0 when empty */
uint64_t ep_pop(struct endpoint *ep);

/* Frees what is queued; the id stays used. */
void ep_close(uint32_t id);

/* The next id above `after` whose endpoint lives and has this owner; 0 when there is none. */
uint32_t ep_next_of_owner(uint32_t owner, uint32_t after);

uint32_t ep_ids_used(void);
uint32_t ep_live(void);
uint64_t ep_messages_queued(void);
uint32_t ep_count_moving_vmo(uint32_t vmo_id); /* caps to it inside queued messages (K-29) */

#endif
