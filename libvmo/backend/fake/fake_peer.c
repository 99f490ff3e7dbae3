/* SPDX-License-Identifier: Apache-2.0 */
/* The port's calls about peers: spawning, waiting, messages, transfer. */
#include "backend_stream.h"
#include "fake_state.h"

#include <assert.h>
#include <string.h>

/* The slots of a channel's ends. A child's follow its bootstrap slot. */
#define CHILD_RECEIVE 1
#define CHILD_SEND 2

static struct fake_queue *queue_of(int32_t number)
{
    const struct fake_slot *slot = fake_slot(number);
    return slot != NULL && slot->kind == FAKE_ENDPOINT ? &fake.queue[slot->what] : NULL;
}

/* The side of a spawned peer, or FAKE_NOBODY for the parent and for a bad pid. */
static uint32_t child_of(const struct be_peer *peer)
{
    if (peer->pid <= 0 || (uint32_t)peer->pid >= fake.sides) {
        return FAKE_NOBODY;
    }
    return fake.side[peer->pid].parent == fake.now ? (uint32_t)peer->pid : FAKE_NOBODY;
}

static bool peer_dead(const struct be_peer *peer)
{
    uint32_t side = peer->pid == BE_NONE ? fake.side[fake.now].parent : child_of(peer);
    return side == FAKE_NOBODY || fake.side[side].life != FAKE_LIVE;
}

bool be_peer_ended(const struct be_peer *peer)
{
    return peer->send == BE_NONE || peer_dead(peer);
}

static uint32_t free_slots(void)
{
    const uint32_t live = fake.side[fake.now].slots.live;

    return live < fake.config.slots ? fake.config.slots - live : 0;
}

vmo_status be_spawn(const struct vmo_program *program, struct be_peer *out)
{
    vmo_status status = fake_enter();

    if (status != VMO_OK) {
        return status;
    }
    if (program->elf == NULL || program->elf_bytes == 0) {
        return VMO_ERR_BACKEND;
    }
    if (fake.sides == FAKE_SIDES) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (free_slots() < 3) {
        return VMO_ERR_NO_SLOTS;
    }
    uint32_t side = fake.sides++;
    uint32_t down = fake.queues++;
    uint32_t up = fake.queues++;
    struct fake_side *child = &fake.side[side];
    child->life = FAKE_LIVE;
    child->parent = fake.now;
    (void)fake_slot_fill(side, FAKE_BOOTSTRAP, 0);
    const int32_t receive = fake_slot_fill(side, FAKE_ENDPOINT, down);
    const int32_t send = fake_slot_fill(side, FAKE_ENDPOINT, up);
    assert(receive == CHILD_RECEIVE && send == CHILD_SEND);
    *out = (struct be_peer){.pid = (int32_t)side};
    out->send = fake_slot_fill(fake.now, FAKE_ENDPOINT, down);
    out->receive = fake_slot_fill(fake.now, FAKE_ENDPOINT, up);
    out->watch = fake_slot_fill(fake.now, FAKE_WATCH, side);
    return VMO_OK;
}

vmo_status be_parent(struct be_peer *out)
{
    vmo_status status = fake_enter();

    if (status != VMO_OK) {
        return status;
    }
    if (queue_of(CHILD_RECEIVE) == NULL || fake.side[fake.now].parent == FAKE_NOBODY) {
        return VMO_ERR_UNSUPPORTED;
    }
    *out = (struct be_peer){.pid = BE_NONE, .send = CHILD_SEND, .receive = CHILD_RECEIVE, .watch = BE_NONE};
    return VMO_OK;
}

vmo_status be_peer_wait(struct be_peer *peer, uint64_t deadline_ns, int32_t *exit_status)
{
    vmo_status status = fake_enter();
    uint32_t number = child_of(peer);

    if (status != VMO_OK) {
        return status;
    }
    if (peer->pid == BE_NONE || (number != FAKE_NOBODY && fake.side[number].life == FAKE_REAPED)) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (number == FAKE_NOBODY) {
        return VMO_ERR_BACKEND;
    }
    struct fake_side *side = &fake.side[number];
    while (side->life != FAKE_DEAD) {
        if (fake.clock_ns >= deadline_ns) {
            return VMO_ERR_TIMED_OUT;
        }
        fake_poll();
    }
    side->life = FAKE_REAPED;
    fake_regions_drop(number);
    *exit_status = side->exit_status;
    return VMO_OK;
}

/* Ends the child that this side spawned, as SIGKILL does on Linux. */
vmo_status be_peer_kill(const struct be_peer *peer)
{
    const vmo_status status = fake_enter();
    const uint32_t number = child_of(peer);

    if (status != VMO_OK) {
        return status;
    }
    if (number == FAKE_NOBODY || fake.side[number].life == FAKE_REAPED) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (fake.side[number].life == FAKE_LIVE) {
        fake_side_end(number, FAKE_KILLED);
    }
    return VMO_OK;
}

static void hang_up(struct be_peer *peer)
{
    if (peer->send == BE_NONE) {
        return;
    }
    if (peer->pid != BE_NONE) { /* the spawner owns both endpoints and ends them */
        fake.side[fake.now].queues_closed |= UINT32_C(1) << fake_slot(peer->send)->what;
        fake_queue_close(queue_of(peer->send));
        fake_queue_close(queue_of(peer->receive));
    }
    fake_slot_empty(fake.now, peer->send);
    fake_slot_empty(fake.now, peer->receive);
    peer->send = BE_NONE;
    peer->receive = BE_NONE;
}

vmo_status be_peer_hangup(struct be_peer *peer)
{
    const vmo_status status = fake_enter();

    if (status == VMO_OK) {
        hang_up(peer);
    }
    return status;
}

vmo_status be_peer_close(struct be_peer *peer)
{
    vmo_status status = fake_enter();

    if (status != VMO_OK) {
        return status;
    }
    if (peer->send != BE_NONE && (queue_of(peer->send) == NULL || queue_of(peer->receive) == NULL)) {
        return VMO_ERR_BACKEND;
    }
    hang_up(peer);
    if (peer->watch != BE_NONE) {
        fake_slot_empty(fake.now, peer->watch);
    }
    *peer = (struct be_peer){.pid = BE_NONE, .send = BE_NONE, .receive = BE_NONE, .watch = BE_NONE};
    return VMO_OK;
}

/* The capability to hand over: the alias if there is one and WRITE was not requested. */
static vmo_status cap_for(const struct be_object *object, bool writable, struct fake_slot *out)
{
    const struct fake_slot *slot = writable ? fake_slot(object->owner) : fake_reader(object);

    if (!fake_is_vmo(slot) || (writable && slot->kind != FAKE_OWNER)) {
        return VMO_ERR_RIGHTS;
    }
    *out = *slot;
    out->owned = false; /* by the receiver */
    return VMO_OK;
}

vmo_status be_send_many(struct be_peer *peer, const struct be_carried *carried, uint32_t count,
                        const void *bytes, size_t len, uint64_t deadline_ns)
{
    vmo_status status = fake_enter();
    struct fake_queue *queue = queue_of(peer->send);
    struct fake_slot caps[VMO_MANY_MAX] = {0};

    if (status == VMO_OK && peer->send == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    for (uint32_t i = 0; i < count && status == VMO_OK; i++) {
        status = cap_for(carried[i].object, carried[i].writable, &caps[i]);
    }
    if (status != VMO_OK) {
        return status;
    }
    if (queue == NULL || len > FAKE_MESSAGE_MAX_BYTES) {
        return VMO_ERR_INVALID;
    }
    if (free_slots() < count) { /* the clones that are moved need slots for the moment */
        return VMO_ERR_NO_SLOTS;
    }
    for (;;) {
        if (queue->closed || peer_dead(peer)) {
            return VMO_ERR_PEER_GONE;
        }
        const bool many = queue->bytes + len > fake.config.queued_bytes_max;
        if (!many && queue->count < fake.config.depth) {
            break;
        }
        if (fake.clock_ns >= deadline_ns) {
            return many ? VMO_ERR_QUEUE_FULL : VMO_ERR_TIMED_OUT;
        }
        fake_poll();
    }
    struct fake_message *message = &queue->messages[(queue->head + queue->count) % FAKE_DEPTH_MAX];
    memcpy(message->bytes, bytes, len);
    message->len = len;
    message->count = count;
    for (uint32_t i = 0; i < count; i++) {
        message->caps[i] = caps[i];
        fake_cap_count(&caps[i], true);
        carried[i].object->own.sent_to |= UINT32_C(1) << (queue - fake.queue);
    }
    queue->count++;
    queue->bytes += (uint32_t)len;
    return VMO_OK;
}

vmo_status be_send(struct be_peer *peer, struct be_object *object, bool writable, const void *bytes,
                   size_t len, uint64_t deadline_ns)
{
    const struct be_carried one[VMO_MANY_MAX] = {{object, writable}};

    return be_send_many(peer, one, object != NULL, bytes, len, deadline_ns);
}

/* Enters received capabilities into the receiver's table, all or none. */
static vmo_status caps_arrive(const struct fake_message *message, struct be_object *objects)
{
    if (free_slots() < message->count) {
        return VMO_ERR_NO_SLOTS;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        const int32_t slot = fake_slot_fill(fake.now, message->caps[i].kind, message->caps[i].what);
        objects[i] = BE_NO_OBJECT;
        if (message->caps[i].kind == FAKE_ALIAS) {
            objects[i].alias = slot;
        } else {
            objects[i].owner = slot;
        }
        fake_own(&objects[i]);
    }
    return VMO_OK;
}

/* Waits for the next message of at most max bytes. */
static vmo_status next_message(const struct be_peer *peer, size_t max, uint64_t deadline_ns,
                               const struct fake_message **out)
{
    struct fake_queue *queue = queue_of(peer->receive);

    if (peer->receive == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    if (queue == NULL) {
        return VMO_ERR_INVALID;
    }
    while (queue->count == 0) {
        if (queue->closed || peer_dead(peer)) {
            return VMO_ERR_PEER_GONE;
        }
        if (fake.clock_ns >= deadline_ns) {
            return VMO_ERR_TIMED_OUT;
        }
        fake_poll();
    }
    *out = &queue->messages[queue->head];
    if ((*out)->len > max) {
        fake_queue_pop(queue);
        return VMO_ERR_PROTOCOL;
    }
    return VMO_OK;
}

vmo_status be_recv_many(struct be_peer *peer, void *bytes, size_t max, size_t *len,
                        struct be_object objects[VMO_MANY_MAX], uint32_t *count, uint64_t deadline_ns)
{
    vmo_status status = fake_enter();
    const struct fake_message *message = NULL;

    if (status == VMO_OK) {
        status = next_message(peer, max, deadline_ns, &message);
    }
    if (status == VMO_OK) {
        status = caps_arrive(message, objects);
    }
    if (status != VMO_OK) {
        return status;
    }
    memcpy(bytes, message->bytes, message->len);
    *len = message->len;
    *count = message->count;
    return VMO_OK;
}

vmo_status be_recv(struct be_peer *peer, void *bytes, size_t max, size_t *len, struct be_object *object,
                   uint64_t deadline_ns)
{
    vmo_status status = fake_enter();
    const struct fake_message *message = NULL;
    struct be_object arrived = BE_NO_OBJECT;

    if (status == VMO_OK) {
        status = next_message(peer, max, deadline_ns, &message);
    }
    if (status == VMO_OK && message->count <= 1) {
        status = caps_arrive(message, &arrived);
    }
    if (status != VMO_OK) {
        return status;
    }
    memcpy(bytes, message->bytes, message->len);
    *len = message->len;
    *object = arrived;
    return VMO_OK;
}

uint32_t be_recv_several(const struct be_peer *peer)
{
    const struct fake_queue *queue = queue_of(peer->receive);
    const uint32_t count = queue == NULL ? 0 : queue->messages[queue->head].count;

    return count > 1 ? count : 0;
}

vmo_status be_recv_take(const struct be_peer *peer)
{
    const vmo_status status = fake_enter();

    if (status == VMO_OK) {
        fake_queue_pop(queue_of(peer->receive));
    }
    return status;
}

/* Undoes be_recv, which cannot fail, so it is not counted as a call. */
vmo_status be_recv_keep(const struct be_peer *peer, const void *bytes, size_t len, struct be_object *object)
{
    const int32_t slots[] = {object->owner, object->alias};

    (void)peer, (void)bytes, (void)len;
    for (uint32_t i = 0; i < 2; i++) {
        if (slots[i] != BE_NONE) {
            fake_slot_empty(fake.now, slots[i]);
        }
    }
    *object = BE_NO_OBJECT;
    return VMO_OK;
}

vmo_status be_transfer(struct be_object *object, bool writable, struct be_peer *peer, uint32_t *name)
{
    vmo_status status = fake_enter();
    struct fake_slot cap = {0};

    if (status == VMO_OK) {
        status = cap_for(object, writable, &cap);
    }
    if (status != VMO_OK) {
        return status;
    }
    /* As on NEURON, a child does not know its parent's pid. */
    if (!fake.config.has_transfer || peer->pid == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (peer->send == BE_NONE || peer_dead(peer)) {
        return VMO_ERR_PEER_GONE;
    }
    int32_t slot = fake_slot_fill((uint32_t)peer->pid, cap.kind, cap.what);
    if (slot == BE_NONE) {
        return VMO_ERR_NO_SLOTS;
    }
    *name = (uint32_t)slot;
    return VMO_OK;
}

/* A name is any slot but the bootstrap; be_verify checks that it holds a VMO. */
vmo_status be_transfer_peek(struct be_peer *peer, uint32_t name, struct be_object *out)
{
    vmo_status status = fake_enter();

    (void)peer; /* a name is a slot of this side, for every peer */
    if (status != VMO_OK) {
        return status;
    }
    const struct fake_slot *slot = name < fake.config.slots ? fake_slot((int32_t)name) : NULL;
    if (name == 0 || slot == NULL || slot->owned) {
        return VMO_ERR_PROTOCOL;
    }
    if (slot->kind == FAKE_ALIAS) {
        *out = (struct be_object){.owner = BE_NONE, .alias = (int32_t)name};
    } else {
        *out = (struct be_object){.owner = (int32_t)name, .alias = BE_NONE};
    }
    return VMO_OK;
}

/* Cannot fail, so it is not counted as a call. */
void be_transfer_consume(struct be_peer *peer, uint32_t name)
{
    (void)peer;
    fake_slot((int32_t)name)->owned = true;
}

/* Not counted as a call. */
bool be_is_user(const void *memory, uint64_t bytes)
{
    const uint64_t at = (uint64_t)(uintptr_t)memory;

    return at <= FAKE_USER_TOP && bytes <= FAKE_USER_TOP - at;
}

uint64_t be_now_ns(void)
{
    uint64_t now = fake.clock_ns;

    fake.clock_ns += fake.config.step_ns;
    return now;
}

vmo_status be_peer_open(int descriptor, struct be_peer *out)
{
    (void)descriptor, (void)out;
    const vmo_status status = fake_enter();
    return status == VMO_OK ? VMO_ERR_UNSUPPORTED : status;
}

/* Each peer gets a capability of its own. */
void be_peer_allow_shared(struct be_peer *peer)
{
    (void)peer;
}

/* A receive waits in the kernel. */
void be_peer_looks(struct be_peer *peer, uint32_t looks)
{
    (void)peer, (void)looks;
}

/* Cannot fail, so it is not counted as a call. */
bool be_peer_unreaped(const struct be_peer *peer)
{
    const uint32_t number = child_of(peer);

    return peer->pid != BE_NONE && number != FAKE_NOBODY && fake.side[number].life == FAKE_DEAD;
}
