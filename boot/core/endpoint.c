/* SPDX-License-Identifier: Apache-2.0 */
#include "core/endpoint.h"

#include <string.h>

#include "core/checked.h"
#include "core/config.h"
#include "core/frames.h"
#include "core/panic.h"
#include "core/port.h"

#define FIRST_BYTES (PAGE_BYTES - offsetof(struct message, first))

_Static_assert(NX_OWNER_QUEUED_BYTES_MAX <= NX_TOTAL_QUEUED_BYTES_MAX, "ep_budget_allows");
_Static_assert(FIRST_BYTES + MESSAGE_MORE_FRAMES * PAGE_BYTES >= NX_IPC_MAX_BYTES_A2,
               "K-50: largest message");

static struct {
    bool owner_limit_is_live; /* a2 limits an owner's live endpoints, a1 all it ever created */
    uint32_t owner_limit;
    uint32_t ids_limit;
    uint32_t ids_used;
    uint64_t queued_bytes;
    struct endpoint table[CONFIG_EP_IDS_MAX + 1]; /* by id; 0 is the bootstrap endpoint */
} endpoints;

uint64_t message_alloc(uint32_t len)
{
    uint64_t frames_needed = 1;
    if (len > FIRST_BYTES) {
        frames_needed += (len - FIRST_BYTES + PAGE_BYTES - 1) / PAGE_BYTES;
    }
    if (frames_needed > 1 + MESSAGE_MORE_FRAMES) {
        kernel_panic("a message is longer than its frames", len);
    }
    if (frames_available() < frames_needed) {
        return 0;
    }

    const uint64_t pa = frames_alloc_raw();
    struct message *message = port_ptr(pa);
    *message = (struct message){.len = len};
    for (uint64_t i = 1; i < frames_needed; i++) {
        message->more_pa[i - 1] = frames_alloc_raw();
    }
    return pa;
}

void message_free(uint64_t pa)
{
    const struct message *message = port_ptr(pa);
    for (unsigned i = 0; i < MESSAGE_MORE_FRAMES; i++) {
        if (message->more_pa[i] != 0) {
            frames_free(message->more_pa[i]);
        }
    }
    frames_free_used(pa, offsetof(struct message, first) + message->len);
}

uint8_t *message_chunk(struct message *message, uint32_t off, size_t *n)
{
    const uint32_t left = message->len - off;
    if (off < FIRST_BYTES) {
        *n = (size_t)min_u64(left, FIRST_BYTES - off);
        return message->first + off;
    }
    const uint64_t beyond = off - FIRST_BYTES;
    const uint64_t in_page = beyond % PAGE_BYTES;
    uint8_t *page = port_ptr(message->more_pa[beyond / PAGE_BYTES]);
    *n = (size_t)min_u64(left, PAGE_BYTES - in_page);
    return page + in_page;
}

void ep_init(bool owner_limit_is_live, uint32_t ids, uint32_t of_owner)
{
    memset(&endpoints, 0, sizeof(endpoints));
    endpoints.owner_limit_is_live = owner_limit_is_live;
    endpoints.owner_limit = of_owner;
    endpoints.ids_limit = ids;
    endpoints.table[EP_BOOTSTRAP] =
        (struct endpoint){.live = true, .owner = 0, .depth = NX_EP_BOOTSTRAP_DEPTH};
}

static uint32_t count_of_owner(uint32_t owner)
{
    uint32_t count = 0;
    for (uint32_t id = 1; id <= endpoints.ids_used; id++) {
        const struct endpoint *ep = &endpoints.table[id];
        count += ep->owner == owner && (ep->live || !endpoints.owner_limit_is_live);
    }
    return count;
}

bool ep_create(uint32_t owner, uint32_t depth, uint32_t *id)
{
    if (endpoints.ids_used >= endpoints.ids_limit || count_of_owner(owner) >= endpoints.owner_limit) {
        return false;
    }
    *id = ++endpoints.ids_used;
    endpoints.table[*id] = (struct endpoint){.live = true, .owner = owner, .depth = depth};
    return true;
}

struct endpoint *ep_find(uint32_t id)
{
    if (id > endpoints.ids_used || !endpoints.table[id].live) {
        return NULL;
    }
    return &endpoints.table[id];
}

bool ep_budget_allows(uint32_t endpoint_id, uint32_t len)
{
    const uint32_t owner = endpoints.table[endpoint_id].owner;
    uint64_t of_owner = 0;
    if (endpoints.queued_bytes + len <= NX_OWNER_QUEUED_BYTES_MAX) {
        return true; /* the owner's bytes are part of queued_bytes */
    }
    for (uint32_t id = 0; id <= endpoints.ids_used; id++) {
        if (endpoints.table[id].owner == owner) {
            of_owner += endpoints.table[id].queued_bytes;
        }
    }
    return of_owner + len <= NX_OWNER_QUEUED_BYTES_MAX &&
           endpoints.queued_bytes + len <= NX_TOTAL_QUEUED_BYTES_MAX;
}

void ep_push(struct endpoint *ep, uint64_t message_pa)
{
    struct message *message = port_ptr(message_pa);
    message->next_pa = 0;
    if (ep->tail_pa != 0) {
        struct message *tail = port_ptr(ep->tail_pa);
        tail->next_pa = message_pa;
    } else {
        ep->head_pa = message_pa;
    }
    ep->tail_pa = message_pa;
    ep->queued++;
    ep->queued_bytes += message->len;
    endpoints.queued_bytes += message->len;
}

uint64_t ep_first(const struct endpoint *ep)
{
    return ep->head_pa;
}

uint64_t ep_pop(struct endpoint *ep)
{
    const uint64_t pa = ep->head_pa;
    if (pa == 0) {
        return 0;
    }
    const struct message *message = port_ptr(pa);
    ep->head_pa = message->next_pa;
    if (ep->head_pa == 0) {
        ep->tail_pa = 0;
    }
    ep->queued--;
    ep->queued_bytes -= message->len;
    endpoints.queued_bytes -= message->len;
    return pa;
}

void ep_close(uint32_t id)
{
    struct endpoint *ep = ep_find(id);
    if (ep == NULL) {
        return;
    }
    for (uint64_t pa = ep_pop(ep); pa != 0; pa = ep_pop(ep)) {
        message_free(pa);
    }
    ep->live = false;
}

uint32_t ep_next_of_owner(uint32_t owner, uint32_t after)
{
    for (uint32_t id = after + 1; id <= endpoints.ids_used; id++) {
        if (endpoints.table[id].live && endpoints.table[id].owner == owner) {
            return id;
        }
    }
    return 0;
}

uint32_t ep_ids_used(void)
{
    return endpoints.ids_used;
}

uint32_t ep_live(void)
{
    uint32_t live = 0;
    for (uint32_t id = 0; id <= endpoints.ids_used; id++) {
        live += endpoints.table[id].live;
    }
    return live;
}

uint64_t ep_messages_queued(void)
{
    uint64_t queued = 0;
    for (uint32_t id = 0; id <= endpoints.ids_used; id++) {
        queued += endpoints.table[id].queued;
    }
    return queued;
}

static uint32_t count_moving(uint32_t vmo_id, bool aliases)
{
    uint32_t found = 0;
    for (uint32_t id = 0; id <= endpoints.ids_used; id++) {
        uint64_t pa = endpoints.table[id].head_pa;
        while (pa != 0) {
            const struct message *message = port_ptr(pa);
            const uint8_t kind = message->moved.kind;
            const bool counts = kind == CAP_VMO || (aliases && kind == CAP_ALIAS);
            found += counts && message->moved.object == vmo_id;
            pa = message->next_pa;
        }
    }
    return found;
}

uint32_t ep_count_moving_vmo(uint32_t vmo_id)
{
    return count_moving(vmo_id, true);
}

uint32_t ep_count_moving_writable(uint32_t vmo_id)
{
    return count_moving(vmo_id, false);
}
