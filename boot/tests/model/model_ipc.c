/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints and messages: K-50 to K-59. */
#include <string.h>

#include "model/model_kind.h"

/* ---- Endpoints ----------------------------------------------------------------------------------------- */

static void drop_messages(struct model *m, uint32_t endpoint)
{
    for (unsigned i = 0; i < MODEL_MESSAGES; i++) {
        if (m->messages[i].endpoint == endpoint) {
            m->messages[i].queued = false;
        }
    }
}

static void close_endpoint(struct model *m, uint32_t endpoint)
{
    m->endpoints[endpoint].live = false;
    drop_messages(m, endpoint);
}

void close_endpoints_of(struct model *m, uint32_t pid)
{
    for (uint32_t i = 1; i <= m->endpoint_count; i++) {
        if (m->endpoints[i].live && m->endpoints[i].owner == pid) {
            close_endpoint(m, i);
        }
    }
}

/* K-56: the limits of the boot and of the owner. a1 counts all endpoints ever made, a2 the live ones. */
static bool ids_are_left(const struct model *m, uint32_t owner)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= m->endpoint_count; i++) {
        count += m->endpoints[i].owner == owner && (m->limits.is_a1 || m->endpoints[i].live);
    }
    return m->endpoint_count < m->limits.ep_ids && count < m->limits.ep_owner;
}

static void create(struct turn *t, uint32_t owner, uint64_t depth)
{
    struct model *m = t->m;
    const uint32_t slot = lowest_slot(m, t->self);
    if (slot == MODEL_NONE || !ids_are_left(m, owner)) {
        expect_a0(t, -NX_ENOSPC);
        return;
    }
    if (!expect_a0(t, slot)) {
        return;
    }
    m->endpoint_count++;
    m->endpoints[m->endpoint_count] =
        (struct model_endpoint){.live = true, .owner = owner, .depth = (uint32_t)depth};
    const struct model_cap cap = {.kind = CAP_IS_ENDPOINT,
                                  .rights = NX_RIGHT_SEND | NX_RIGHT_RECV | NX_RIGHT_MANAGE,
                                  .object = m->endpoint_count};
    cap_put(t, t->self, slot, &cap);
}

static int64_t create_refusal(const struct turn *t, uint64_t depth)
{
    const struct model_cap *factory = cap_seen(t->m, t->self, t->args[0]);
    if (depth < 1 || depth > NX_EP_DEPTH_MAX) {
        return -NX_EINVAL;
    }
    return factory == NULL || factory->kind != CAP_IS_FACTORY ? -NX_EPERM : 0;
}

static void step_ep_create(struct turn *t)
{
    const int64_t refusal = create_refusal(t, t->args[1]);
    if (refusal != 0) {
        expect_a0(t, refusal);
    } else {
        create(t, t->self->pid, t->args[1]);
    }
}

static void step_ep_create_for(struct turn *t)
{
    const int64_t refusal = create_refusal(t, t->args[2]);
    const struct model_actor *owner = actor_by_pid(t->m, (uint32_t)t->args[1]);
    if (refusal != 0) {
        expect_a0(t, refusal);
    } else if (owner == NULL || (owner != t->self && !is_child(t->m, t->self, owner))) {
        expect_a0(t, -NX_EPERM);
    } else {
        create(t, owner->pid, t->args[2]);
    }
}

static void step_ep_create_old(struct turn *t)
{
    expect_a0(t, -NX_EPERM); /* K-56: always -1 */
}

/* K-57. For a closed endpoint the contract only says that the slot becomes empty. */
static void step_ep_close(struct turn *t)
{
    struct model_cap *slot = cap_at(t->m, t->self, t->args[0]);
    if (slot == NULL) {
        expect_a0(t, -NX_EPERM);
        return;
    }
    const struct model_cap cap = *slot;
    *slot = (struct model_cap){.kind = CAP_IS_EMPTY};
    if (cap.kind != CAP_IS_ENDPOINT || (cap.rights & NX_RIGHT_MANAGE) == 0) {
        expect_a0(t, -NX_EPERM);
    } else if (!t->m->endpoints[cap.object].live) {
        expect_either(t, -NX_ESRCH, 0);
    } else if (expect_a0(t, 0)) {
        close_endpoint(t->m, cap.object);
    }
}

/* ---- Queues -------------------------------------------------------------------------------------------- */

uint32_t queued_on(const struct model *m, uint32_t endpoint)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < MODEL_MESSAGES; i++) {
        count += m->messages[i].queued && m->messages[i].endpoint == endpoint;
    }
    return count;
}

uint32_t message_count(const struct model *m)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < MODEL_MESSAGES; i++) {
        count += m->messages[i].queued;
    }
    return count;
}

uint32_t count_moving(const struct model *m, uint32_t vmo)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < MODEL_MESSAGES; i++) {
        const struct model_message *message = &m->messages[i];
        count += message->queued && is_memory(&message->moved) && message->moved.object == vmo;
    }
    return count;
}

static bool budget_allows(const struct model *m, uint32_t endpoint, uint64_t len)
{
    uint64_t of_owner = len, of_all = len;
    for (unsigned i = 0; i < MODEL_MESSAGES; i++) {
        const struct model_message *message = &m->messages[i];
        if (!message->queued) {
            continue;
        }
        of_all += message->len;
        if (m->endpoints[message->endpoint].owner == m->endpoints[endpoint].owner) {
            of_owner += message->len;
        }
    }
    return of_owner <= NX_OWNER_QUEUED_BYTES_MAX && of_all <= NX_TOTAL_QUEUED_BYTES_MAX;
}

static struct model_message *first_message(struct model *m, uint32_t endpoint)
{
    struct model_message *first = NULL;
    for (unsigned i = 0; i < MODEL_MESSAGES; i++) {
        struct model_message *message = &m->messages[i];
        if (message->queued && message->endpoint == endpoint &&
            (first == NULL || message->order < first->order)) {
            first = message;
        }
    }
    return first;
}

/* ---- Send ---------------------------------------------------------------------------------------------- */

static uint64_t max_bytes(const struct model *m)
{
    return m->limits.is_a1 ? NX_IPC_MAX_BYTES_A1 : NX_IPC_MAX_BYTES_A2;
}

/* K-54: returns the capability to move, NULL if it cannot be moved. */
static struct model_cap *movable(const struct turn *t)
{
    struct model_cap *cap = cap_at(t->m, t->self, t->op->hdr.src);
    if (cap == NULL || cap->kind == CAP_IS_FACTORY || (cap->rights & NX_RIGHT_MANAGE) != 0) {
        return NULL;
    }
    return cap;
}

/* The checks of K-51 in order. Returns 0 if only the endpoint's state can refuse the call. */
static int64_t send_refusal(const struct turn *t)
{
    const uint64_t len = t->args[3], flags = t->args[4];
    if (t->op->place[1] != AT_HDR || len > max_bytes(t->m) || (len > 0 && !is_good_place(t, 2)) ||
        flags > NX_IPC_NONBLOCK) {
        return -NX_EINVAL;
    }
    if (endpoint_at(t->m, t->self, t->args[0], NX_RIGHT_SEND) == NULL) {
        return -NX_EPERM;
    }
    if (t->op->hdr.len != len) {
        return -NX_EINVAL;
    }
    if ((t->op->hdr.flags & NX_IPC_HDR_CAP_MOVE) == 0) {
        return 0;
    }
    const struct model_cap *moves = movable(t);
    if (moves == NULL) {
        return -NX_EPERM;
    }
    const bool closed = moves->kind == CAP_IS_ENDPOINT && !t->m->endpoints[moves->object].live;
    return closed && !t->m->limits.is_a1 ? -NX_ESRCH : 0;
}

static void enqueue(struct turn *t, uint32_t endpoint)
{
    struct model *m = t->m;
    struct model_message *message = NULL;
    for (unsigned i = 0; i < MODEL_MESSAGES && message == NULL; i++) {
        if (!m->messages[i].queued) {
            message = &m->messages[i];
        }
    }
    if (!expect(t, message != NULL, "the model has no room")) {
        return;
    }
    *message = (struct model_message){.queued = true,
                                      .endpoint = endpoint,
                                      .from_pid = t->self->pid,
                                      .len = t->op->hdr.len,
                                      .order = m->order++,
                                      .type = t->op->hdr.type,
                                      .flags = t->op->hdr.flags,
                                      .bytes = {.fill = t->op->fill}};
    if (t->op->place[2] == AT_REG) {
        message->bytes = mapped_read(t, t->args[2], message->len);
    }
    if ((t->op->hdr.flags & NX_IPC_HDR_CAP_MOVE) == 0) {
        return;
    }
    struct model_cap *moves = movable(t);
    message->moved = *moves;
    *moves = (struct model_cap){.kind = CAP_IS_EMPTY};
}

static void step_send(struct turn *t)
{
    const int64_t refusal = send_refusal(t);
    if (refusal != 0) {
        expect_a0(t, refusal);
        return;
    }
    const uint32_t endpoint = endpoint_at(t->m, t->self, t->args[0], NX_RIGHT_SEND)->object;
    const bool full = queued_on(t->m, endpoint) >= t->m->endpoints[endpoint].depth;
    const bool over = !budget_allows(t->m, endpoint, t->args[3]);
    if (!t->m->endpoints[endpoint].live) {
        expect_a0(t, over ? -NX_ENOSPC : -NX_ESRCH); /* K-51 */
    } else if (full && over) {
        expect_either(t, -NX_ENOSPC, -NX_EAGAIN);
    } else if (full || over) {
        expect_a0(t, full ? -NX_EAGAIN : -NX_ENOSPC);
    } else if (expect_a0(t, (int64_t)t->args[3])) {
        enqueue(t, endpoint);
    }
}

/* ---- Receive ------------------------------------------------------------------------------------------- */

static const uint8_t junk_hdr[] = {OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK,
                                   OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK, OP_JUNK};

_Static_assert(sizeof(junk_hdr) == sizeof(struct nx_ipc_hdr), "as long as a header");

/* The buffer must contain the first n of these bytes, then its previous contents. */
static void expect_buffer(struct turn *t, const struct model_bytes *content, uint64_t n)
{
    uint8_t bytes[OP_BUF_BYTES];
    if (n > 0 && content->form == BYTES_UNKNOWN) {
        return;
    }
    for (uint64_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = i < n ? byte_of(content, i) : OP_JUNK;
    }
    expect(t, memcmp(bytes, t->answer->bytes, OP_LOOK_BYTES) == 0, "the buffer's first bytes");
    expect(t, op_sum(bytes, sizeof(bytes)) == t->answer->sum, "the buffer");
}

void expect_memory_untouched(struct turn *t)
{
    if (t->guessing || (op_prepares(t->op) & OP_PUTS_JUNK) == 0) {
        return;
    }
    expect(t, memcmp(&t->answer->hdr, junk_hdr, sizeof(junk_hdr)) == 0, "the header was touched");
    expect_buffer(t, NULL, 0);
}

/* K-50, K-59: header and sender of a received message. The contract does not define init's sender id. */
static void expect_header(struct turn *t, const struct model_message *message, uint32_t slot)
{
    const struct nx_ipc_hdr *hdr = &t->answer->hdr;
    expect(t, hdr->src == slot, "hdr.src");
    expect(t, hdr->dst == message->from_pid, "hdr.dst");
    expect(t, hdr->type == message->type, "hdr.type");
    expect(t, hdr->flags == message->flags, "hdr.flags");
    expect(t, hdr->len == message->len, "hdr.len");
    if (t->op->kind == NX_SYS_IPC_RECV_V2 && message->from_pid != NX_PID_INIT) {
        expect(t, t->answer->sender_id == 0, "the sender id");
    }
}

static bool takes_slot(const struct turn *t, const struct model_message *message, uint32_t *slot)
{
    *slot = 0;
    if (message->moved.kind == CAP_IS_EMPTY) {
        return true;
    }
    *slot = lowest_slot(t->m, t->self);
    return *slot != MODEL_NONE;
}

/* The receiver's buffer is a mapping of a VMO. */
static void receive_mapped(struct turn *t, const struct model_message *message, uint64_t n, bool is_lost)
{
    struct model_bytes bytes = {.form = BYTES_LITERAL};
    for (uint64_t i = 0; i < n && !is_lost; i++) {
        bytes.literal[i] = byte_of(&message->bytes, i);
    }
    if (is_lost || message->bytes.form == BYTES_UNKNOWN) {
        bytes.form = BYTES_UNKNOWN;
    }
    mapped_write(t, t->args[2], n, &bytes);
}

/* K-53, K-54. The contract does not define the buffer's contents after an error. */
static void take(struct turn *t, struct model_message *message)
{
    const uint64_t max = t->args[3], flags = t->args[4];
    const bool cut = message->len > max, may_cut = (flags & NX_IPC_TRUNCATE) != 0 || max == 0;
    const uint64_t n = cut ? max : message->len;
    uint32_t slot;
    if (!takes_slot(t, message, &slot)) {
        expect_a0(t, -NX_ENOSPC);
        return;
    }
    if (!expect_a0(t, cut && !may_cut ? -NX_EINVAL : (int64_t)n)) {
        return;
    }
    message->queued = false;
    if (message->moved.kind != CAP_IS_EMPTY) {
        cap_put(t, t->self, slot, &message->moved);
    }
    const bool is_lost = cut && !may_cut, elsewhere = t->op->place[2] == AT_REG;
    if (elsewhere) {
        receive_mapped(t, message, is_lost ? max : n, is_lost);
    }
    if (t->guessing) {
        return;
    }
    expect_header(t, message, slot);
    if (elsewhere) {
        expect_buffer(t, NULL, 0);
    } else if (!is_lost) {
        expect_buffer(t, &message->bytes, n);
    }
}

/* The checks in order: recv_v2's descriptor, pointers, flags, slot. */
static int64_t recv_refusal(const struct turn *t)
{
    const bool v2 = t->op->kind == NX_SYS_IPC_RECV_V2;
    const uint64_t known = NX_IPC_NONBLOCK | NX_IPC_TRUNCATE | (t->m->limits.is_a1 || v2 ? 0 : NX_IPC_EOF);
    const bool bad_id = t->op->place[5] != AT_ID;
    const bool bad_head = t->op->fill == 1 || t->op->fill == 2; /* magic, version: see op_desc */
    if (v2 && (bad_head || t->args[3] > max_bytes(t->m) || bad_id)) {
        return -NX_EINVAL;
    }
    if (t->op->place[1] != AT_HDR || (t->args[3] > 0 && !is_good_place(t, 2)) || (t->args[4] & ~known) != 0) {
        return -NX_EINVAL;
    }
    return endpoint_at(t->m, t->self, t->args[0], NX_RIGHT_RECV) == NULL ? -NX_EPERM : 0;
}

static void step_recv(struct turn *t)
{
    const int64_t refusal = recv_refusal(t);
    if (refusal != 0) {
        expect_a0(t, refusal);
        expect_memory_untouched(t);
        return;
    }
    const uint32_t endpoint = endpoint_at(t->m, t->self, t->args[0], NX_RIGHT_RECV)->object;
    struct model_message *message = first_message(t->m, endpoint);
    if (message != NULL) {
        take(t, message);
        return;
    }
    expect_a0(t, t->m->endpoints[endpoint].live ? -NX_EAGAIN : -NX_ESRCH);
    expect_memory_untouched(t);
}

/* ---- The kinds ----------------------------------------------------------------------------------------- */

static const struct model_kind kinds[] = {
    {.kind = NX_SYS_EP_CREATE,
     .revisions = ON_BOTH,
     .shown = 2,
     .fills = FILLS_SLOT,
     .step = step_ep_create,
     .make = make_ep_create,
     .weights = {2, 3, 2, 1, 24, 2, 1, 1}},
    {.kind = NX_SYS_EP_CREATE_FOR,
     .revisions = ON_BOTH,
     .shown = 3,
     .fills = FILLS_SLOT,
     .step = step_ep_create_for,
     .allows = allows_pid_in_a1,
     .make = make_ep_create,
     .weights = {2, 2, 2, 1, 14, 4, 1, 1}},
    {.kind = NX_SYS_EP_CREATE_OLD,
     .revisions = ON_BOTH,
     .step = step_ep_create_old,
     .weights = {1, 1, 1, 1, 1, 1, 1, 1}},
    {.kind = NX_SYS_EP_CLOSE,
     .revisions = ON_BOTH,
     .shown = 1,
     .slot_in = SLOT_IN_A0,
     .step = step_ep_close,
     .allows = allows_unreserved,
     .make = make_of_managed,
     .weights = {2, 1, 1, 1, 6, 2, 1, 1}},
    {.kind = NX_SYS_IPC_SEND,
     .revisions = ON_BOTH,
     .shown = 5,
     .slot_in = SLOT_IN_A0,
     .prepares = OP_PUTS_HDR | OP_PUTS_PATTERN,
     .step = step_send,
     .allows = allows_send,
     .make = make_send,
     .weights = {10, 60, 8, 4, 6, 5, 1, 1}},
    {.kind = NX_SYS_IPC_RECV,
     .revisions = ON_BOTH,
     .shown = 5,
     .slot_in = SLOT_IN_A0,
     .fills = FILLS_SLOT,
     .prepares = OP_PUTS_JUNK,
     .step = step_recv,
     .allows = allows_recv,
     .make = make_recv,
     .weights = {8, 12, 6, 3, 5, 4, 1, 1}},
    {.kind = NX_SYS_IPC_RECV_V2,
     .revisions = ON_BOTH,
     .shown = 6,
     .slot_in = SLOT_IN_A0,
     .fills = FILLS_SLOT,
     .prepares = OP_PUTS_JUNK | OP_PUTS_DESC,
     .step = step_recv,
     .allows = allows_recv,
     .make = make_recv,
     .weights = {4, 6, 3, 2, 3, 3, 1, 1}},
};

const struct model_family model_ipc_calls = {kinds, sizeof(kinds) / sizeof(kinds[0])};
