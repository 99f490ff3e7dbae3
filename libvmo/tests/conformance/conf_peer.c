/* SPDX-License-Identifier: Apache-2.0 */
/* The peer: receives orders, carries them out with the public API, and sends the results. */
#include <string.h>

#include "conformance/conf_order.h"
#include "conformance/conf_peer_fill.h"
#include "conformance/conf_peer_stream.h"
#include "conformance/conf_port.h"
#include "page.h"
#include "vmo/stream.h"

#define READ_BYTES_MAX 64

static struct peer_state {
    struct vmo_registry *registry;
    vmo_peer_t parent;
    vmo_t vmos[PEER_HELD];
    vmo_view_t views[PEER_HELD];
    vmo_t gate; /* of OP_PAUSE; VMO_NONE while the peer receives */
    uint64_t pause_end_ns;
    bool next_many;           /* OP_NEXT_MANY */
    vmo_t many[VMO_MANY_MAX]; /* of the message that was received by vmo_recv_many */
    uint32_t many_count;
    uint64_t refusals;
    vmo_status refused_last;
    int32_t end_status;
} me;

uint64_t conf_hash(const uint8_t *bytes, uint64_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (uint64_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint8_t conf_pattern(uint64_t off)
{
    return (uint8_t)(off * 7 + off / PAGE * 13 + 1);
}

uint64_t conf_pattern_hash(uint64_t off, uint64_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (uint64_t i = 0; i < len; i++) {
        const uint8_t byte = conf_pattern(off + i);
        hash = (hash ^ byte) * UINT64_C(0x100000001b3);
    }
    return hash;
}

void conf_peer_begin(struct vmo_registry *registry, vmo_peer_t parent)
{
    me = (struct peer_state){.registry = registry, .parent = parent, .end_status = 1};
    if (vmo_peer_allow(registry, parent) == VMO_OK) {
        me.end_status = 0;
    }
    conf_peer_stream_begin(registry);
}

int32_t conf_peer_status(void)
{
    return me.end_status;
}

static vmo_status send(uint32_t tag, vmo_t vmo, uint32_t rights, const struct conf_answer *answer)
{
    const struct vmo_message message = {
        .tag = tag, .vmo = vmo, .rights = rights, .body = answer, .body_bytes = sizeof(*answer)};

    return vmo_send(me.registry, me.parent, &message, vmo_now_ns(me.registry) + conf_port()->patience_ns);
}

static vmo_status describe(vmo_t vmo, struct conf_answer *answer)
{
    vmo_seal_strength seal = VMO_SEAL_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;

    vmo_status status = vmo_len(me.registry, vmo, &answer->len);
    if (status == VMO_OK) {
        status = vmo_size(me.registry, vmo, &answer->size);
    }
    if (status == VMO_OK) {
        status = vmo_rights(me.registry, vmo, &answer->rights);
    }
    if (status == VMO_OK) {
        status = vmo_seal_of(me.registry, vmo, &seal);
    }
    if (status == VMO_OK) {
        status = vmo_seal_enforced_by(me.registry, vmo, &by);
    }
    answer->seal = seal;
    answer->enforcer = by;
    return status;
}

static vmo_status read_range(vmo_t vmo, struct vmo_range range, struct conf_answer *answer)
{
    uint8_t bytes[READ_BYTES_MAX];

    if (range.len_bytes > sizeof(bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    const vmo_status status = vmo_read(me.registry, vmo, range, bytes);
    if (status == VMO_OK) {
        answer->value = conf_hash(bytes, range.len_bytes);
    }
    return status;
}

static vmo_status map(const struct conf_order *order, vmo_view_t *view, struct conf_answer *answer)
{
    const vmo_t vmo = me.vmos[order->held];
    const vmo_status status = order->op == OP_MAP_RW ? vmo_map_rw(me.registry, vmo, order->range, view)
                                                     : vmo_map_ro(me.registry, vmo, order->range, view);

    if (status == VMO_OK) {
        answer->value = conf_hash(vmo_view_data(me.registry, *view), vmo_view_len(me.registry, *view));
    }
    return status;
}

/* PEEK and POKE access memory directly, so the range is checked here. */
static vmo_status touch(const struct conf_order *order, struct conf_answer *answer)
{
    const vmo_view_t view = me.views[order->held];
    const uint64_t len = vmo_view_len(me.registry, view);

    if (order->range.off_bytes >= len || order->range.len_bytes > len - order->range.off_bytes) {
        return VMO_ERR_BOUNDS;
    }
    if (order->op == OP_PEEK) {
        answer->value =
            conf_hash(vmo_view_data(me.registry, view) + order->range.off_bytes, order->range.len_bytes);
        return VMO_OK;
    }
    uint8_t *data = vmo_view_data_rw(me.registry, view);
    if (data == NULL) {
        return VMO_ERR_RIGHTS;
    }
    data[order->range.off_bytes] = (uint8_t)order->arg;
    return VMO_OK;
}

static vmo_status refusals(struct conf_answer *answer)
{
    answer->value = me.refusals;
    me.refusals = 0;
    return me.refused_last;
}

static vmo_status pause(const struct conf_order *order)
{
    me.gate = me.vmos[order->held];
    me.pause_end_ns = vmo_now_ns(me.registry) + conf_port()->patience_ns;
    return VMO_OK;
}

static vmo_status count(struct conf_answer *answer)
{
    const struct conf_held held = conf_port_held();

    answer->value = held.slots;
    answer->len = held.mappings;
    return VMO_OK;
}

static vmo_status many(const struct conf_order *order, struct conf_answer *answer)
{
    for (uint32_t i = 1; i < order->arg; i++) {
        const vmo_status status = send(OP_MANY, VMO_NONE, 0, answer);
        if (status != VMO_OK) {
            return status;
        }
        answer->value++;
    }
    return VMO_OK;
}

_Static_assert(PEER_HELD == VMO_MANY_MAX, "a place for each VMO of a message");

static vmo_status take_many(struct conf_answer *answer)
{
    memcpy(me.vmos, me.many, me.many_count * sizeof(me.many[0]));
    answer->value = me.many_count;
    return VMO_OK;
}

static vmo_status send_many(const struct conf_order *order)
{
    struct vmo_item items[PEER_HELD];

    for (uint32_t i = 0; i < PEER_HELD; i++) {
        items[i] = (struct vmo_item){me.vmos[i], VMO_RIGHT_READ};
    }
    return vmo_send_many(me.registry, me.parent, &(const struct vmo_message){.tag = OP_SEND_MANY}, items,
                         order->arg, vmo_now_ns(me.registry) + conf_port()->patience_ns);
}

static vmo_status transfer(const struct conf_order *order, struct conf_answer *answer)
{
    struct vmo_ticket ticket = {0};
    const vmo_status status = vmo_transfer(me.registry, me.vmos[order->held], me.parent, order->arg, &ticket);

    answer->value = ticket.name;
    return status;
}

static vmo_status on_vmo(const struct conf_order *order, struct conf_answer *answer)
{
    vmo_t *vmo = &me.vmos[order->held];

    switch (order->op) {
    case OP_ACCEPT:
        return vmo_accept(me.registry, me.parent, &order->ticket, vmo);
    case OP_CREATE:
        return vmo_create(me.registry, order->range.len_bytes, vmo);
    case OP_ASK:
        return describe(*vmo, answer);
    case OP_READ:
        return read_range(*vmo, order->range, answer);
    case OP_WRITE: {
        const uint8_t byte = (uint8_t)order->arg;
        return vmo_write(me.registry, *vmo, (struct vmo_range){order->range.off_bytes, 1}, &byte);
    }
    case OP_SEAL:
        return vmo_seal(me.registry, *vmo, (vmo_seal_strength)order->arg);
    case OP_DESTROY:
        return vmo_destroy(me.registry, *vmo);
    case OP_CLOSE:
        return vmo_close(me.registry, *vmo);
    case OP_DUP:
        return vmo_dup(me.registry, *vmo, order->arg, &me.vmos[(order->held + 1) % PEER_HELD]);
    case OP_SEND:
        return send(OP_SEND, *vmo, order->arg, answer);
    default:
        return transfer(order, answer);
    }
}

static vmo_status fill(const struct conf_order *order)
{
    return conf_peer_fill(me.registry, me.vmos[order->held], me.views[order->held], order);
}

static vmo_status perform(const struct conf_order *order, const struct vmo_incoming *incoming,
                          struct conf_answer *answer)
{
    switch (order->op) {
    case OP_ECHO:
        answer->value = order->arg;
        return VMO_OK;
    case OP_TAKE:
        me.vmos[order->held] = incoming->vmo;
        return describe(incoming->vmo, answer);
    case OP_MAP_RO:
    case OP_MAP_RW:
        return map(order, &me.views[order->held], answer);
    case OP_PEEK:
    case OP_POKE:
        return touch(order, answer);
    case OP_UNMAP:
        return vmo_unmap(me.registry, me.views[order->held]);
    case OP_REQUIRE:
        return vmo_peer_require(me.registry, me.parent, (vmo_seal_strength)order->arg);
    case OP_REFUSALS:
        return refusals(answer);
    case OP_COUNT:
        return count(answer);
    case OP_MANY:
        return many(order, answer);
    case OP_NEXT_MANY:
        me.next_many = true;
        return VMO_OK;
    case OP_TAKE_MANY:
        return take_many(answer);
    case OP_SEND_MANY:
        return send_many(order);
    case OP_PAUSE:
        return pause(order);
    case OP_TAKE_FRAME:
    case OP_READ_FRAME:
    case OP_RELEASE_FRAME:
    case OP_LEAVE_STREAM:
        return conf_peer_stream(order, answer);
    case OP_FILL:
        return fill(order);
    default:
        return on_vmo(order, answer);
    }
}

static enum conf_step obey(const struct vmo_incoming *incoming)
{
    struct conf_order order;
    struct conf_answer answer = {0};

    if (vmo_stream_is_offer(incoming)) {
        answer.status = (int32_t)conf_peer_join(me.parent, incoming);
        return send(incoming->tag, VMO_NONE, 0, &answer) == VMO_OK ? STEP_OBEYED : STEP_END;
    }
    if (incoming->body_bytes != sizeof(order)) {
        me.end_status = 3;
        return STEP_END;
    }
    memcpy(&order, incoming->body, sizeof(order));
    order.held %= PEER_HELD;
    order.consumer %= PEER_CONSUMERS;
    switch (order.op) {
    case OP_FILL_CRASH:
        (void)fill(&order); /* the fault is what the suite sees */
        conf_port_crash();
        return STEP_END;
    case OP_CRASH:
        conf_port_crash();
        return STEP_END;
    case OP_HANG_UP:
        me.end_status = vmo_peer_close(me.registry, me.parent) == VMO_OK ? 0 : 4;
        return STEP_END;
    case OP_END:
        me.end_status = (int32_t)order.arg;
        return STEP_END;
    default:
        answer.status = (int32_t)perform(&order, incoming, &answer);
        if (send(order.op, VMO_NONE, 0, &answer) != VMO_OK) {
            me.end_status = 5;
            return STEP_END;
        }
        return STEP_OBEYED;
    }
}

/* One look at the gate. It is no message, since the queue may be full. */
static enum conf_step look_at_gate(void)
{
    uint8_t opened = 0;

    if (vmo_read(me.registry, me.gate, (struct vmo_range){0, sizeof(opened)}, &opened) != VMO_OK ||
        vmo_now_ns(me.registry) >= me.pause_end_ns) {
        me.end_status = 7;
        return STEP_END;
    }
    if (opened) {
        me.gate = VMO_NONE;
    } else {
        conf_port_yield();
    }
    return STEP_OBEYED;
}

static vmo_status receive(struct vmo_incoming *incoming, uint64_t deadline_ns)
{
    if (!me.next_many) {
        return vmo_recv(me.registry, me.parent, incoming, deadline_ns);
    }
    const vmo_status status =
        vmo_recv_many(me.registry, me.parent, incoming, me.many, &me.many_count, deadline_ns);
    me.next_many = status == VMO_ERR_TIMED_OUT;
    return status;
}

enum conf_step conf_peer_step(uint64_t deadline_ns)
{
    struct vmo_incoming incoming;

    if (me.gate.id != VMO_NONE.id) {
        return look_at_gate();
    }
    const vmo_status status = receive(&incoming, deadline_ns);

    if (status == VMO_OK) {
        return obey(&incoming);
    }
    if (status == VMO_ERR_TIMED_OUT) {
        return STEP_IDLE;
    }
    if (status == VMO_ERR_PEER_GONE || status == VMO_ERR_BAD_HANDLE) {
        return STEP_END;
    }
    me.refusals++;
    me.refused_last = status;
    return STEP_OBEYED;
}
