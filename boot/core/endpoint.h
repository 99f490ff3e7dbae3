/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints: bounded queues of messages (K-52, K-56..K-58). Ids count up and are never reused. core/ipc
 * blocks and wakes tasks.
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/audit_records.h"
#include "core/cap.h"

#define EP_BOOTSTRAP 0 /* id of the only endpoint without an owner (K-14); not counted as an id */
#define MESSAGE_MORE_FRAMES 2

/* A message: this header and the first bytes in one frame, the rest in up to two more. */
struct message {
    uint64_t next_pa; /* in its queue; 0 at the end */
    uint64_t more_pa[MESSAGE_MORE_FRAMES];
    struct cap moved; /* CAP_NONE without CAP_MOVE; in no table while the message is queued */
    uint64_t sender_id;
    struct audit_stamp sent;
    uint32_t from;
    uint32_t len;
    uint16_t type;
    uint16_t flags;
    _Alignas(uint64_t) uint8_t first[]; /* to the end of the frame; aligned for copies by words */
};

struct endpoint {
    bool live;
    uint32_t owner; /* pid; 0 for the bootstrap endpoint */
    uint32_t depth;
    uint32_t queued;
    uint64_t queued_bytes;
    uint64_t head_pa, tail_pa;
};

/* Allocates a message with a zeroed header and room for len bytes; 0 if frames run short. */
uint64_t message_alloc(uint32_t len);
void message_free(uint64_t pa);

/* Returns the payload from `off`; *n is how many bytes are contiguous there. */
uint8_t *message_chunk(struct message *message, uint32_t off, size_t *n);

/* Sets the limits of ids for the boot and for an owner. `owner_limit_is_live`: closed endpoints do not count
 * against the owner's limit. */
void ep_init(bool owner_limit_is_live, uint32_t ids, uint32_t of_owner);

/* False if the boot's or the owner's ids are used up (K-56). */
bool ep_create(uint32_t owner, uint32_t depth, uint32_t *id);

/* The endpoint with this id; NULL if it is closed. */
struct endpoint *ep_find(uint32_t id);

/* True if `len` more queued bytes stay within the budget of the endpoint's owner and the total budget (K-52).
 * The endpoint may be closed. */
bool ep_budget_allows(uint32_t endpoint_id, uint32_t len);

static inline bool ep_is_full(const struct endpoint *ep)
{
    return ep->queued >= ep->depth;
}

void ep_push(struct endpoint *ep, uint64_t message_pa);
uint64_t ep_first(const struct endpoint *ep); /* 0 if empty */
uint64_t ep_pop(struct endpoint *ep);

/* Closes the endpoint and frees its messages; the id is not reused. */
void ep_close(uint32_t id);

/* The next id above `after` of a live endpoint of this owner, or 0. */
uint32_t ep_next_of_owner(uint32_t owner, uint32_t after);

uint32_t ep_ids_used(void);
uint32_t ep_live(void);
uint64_t ep_messages_queued(void);

/* Counts the capabilities to a VMO in queued messages (K-29): all of them, and the writable ones. */
uint32_t ep_count_moving_vmo(uint32_t vmo_id);
uint32_t ep_count_moving_writable(uint32_t vmo_id);

#endif
