/* SPDX-License-Identifier: Apache-2.0 */
/* Stories about messages and transfers. */
#define _GNU_SOURCE
#include <sys/socket.h>

#include "linux/errno/errno_stories.h"

/* ---- Messages ------------------------------------------------------------------------------------------ */

static struct vmo_incoming incoming;

static void send_tag(uint32_t tag, vmo_t vmo, uint32_t rights)
{
    const struct vmo_message message = {
        .tag = tag, .vmo = vmo, .rights = rights, .body = "body", .body_bytes = 4};

    STEP(vmo_send, world.a, world.to_b, &message, step_soon());
}

static void receive_tag(uint32_t tag)
{
    STEP(vmo_recv, world.b, world.to_a, &incoming, step_soon());
    DEMAND(incoming.tag == tag && incoming.body_bytes == 4 && memcmp(incoming.body, "body", 4) == 0);
}

/* No message was received twice. */
static void queue_is_empty(void)
{
    DEMAND(vmo_recv(world.b, world.to_a, &incoming, 0) == VMO_ERR_TIMED_OUT);
}

static void messages(void)
{
    for (uint32_t tag = 1; tag <= 3; tag++) {
        send_tag(tag, VMO_NONE, 0);
    }
    for (uint32_t tag = 1; tag <= 3; tag++) {
        receive_tag(tag);
        DEMAND(vmo_rights(world.b, incoming.vmo, &(uint32_t){0}) == VMO_ERR_BAD_HANDLE);
    }
    queue_is_empty();
}

/* Sends the VMO between two messages: the order shows a message that was lost or doubled. */
static vmo_t hand_over(vmo_t vmo, uint32_t rights)
{
    send_tag(1, VMO_NONE, 0);
    send_tag(2, vmo, rights);
    send_tag(3, VMO_NONE, 0);
    receive_tag(1);
    receive_tag(2);
    const vmo_t theirs = incoming.vmo;
    receive_tag(3);
    queue_is_empty();
    DEMAND(holds_pattern(world.b, theirs));
    return theirs;
}

/* So many messages without a VMO that the sender gives notice, and gives it again before the VMO. */
static void notices(void)
{
    const vmo_t vmo = filled();

    for (uint32_t tag = 10; tag < 20; tag++) {
        send_tag(tag, VMO_NONE, 0);
        receive_tag(tag);
    }
    queue_is_empty();
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_destroy, world.a, vmo);
}

static void sent_to_read(void)
{
    const vmo_t vmo = filled();
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    vmo_view_t view;

    STEP(vmo_map_ro, world.b, theirs, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.b, view)));
    STEP(vmo_unmap, world.b, view);
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_destroy, world.a, vmo);
}

/* If no open file description can be made for the peer, it shares the creator's. */
static void sent_to_share(void)
{
    SURE(vmo_peer_allow_shared(world.a, world.to_b));
    const vmo_t vmo = filled();
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    STEP(vmo_close, world.b, theirs);
    const vmo_t writable = hand_over(vmo, VMO_RIGHTS_ALL);
    STEP(vmo_write, world.b, writable, RANGE(0, LEN), pattern());
    STEP(vmo_close, world.b, writable);
    STEP(vmo_destroy, world.a, vmo);
}

/* The receiver holds it already; the third message brings a description that can write. */
static void sent_again(void)
{
    const vmo_t vmo = filled();
    const vmo_t first = hand_over(vmo, VMO_RIGHT_READ);
    const vmo_t second = hand_over(vmo, VMO_RIGHT_READ);
    const vmo_t third = hand_over(vmo, VMO_RIGHTS_ALL);

    STEP(vmo_write, world.b, third, RANGE(0, LEN), pattern());
    STEP(vmo_close, world.b, first);
    STEP(vmo_close, world.b, second);
    STEP(vmo_close, world.b, third);
    STEP(vmo_destroy, world.a, vmo);
}

static void sent_to_write(void)
{
    const vmo_t vmo = filled();
    const vmo_t theirs = hand_over(vmo, VMO_RIGHTS_ALL);
    vmo_view_t view;

    STEP(vmo_map_rw, world.b, theirs, RANGE(0, LEN), &view);
    DEMAND(same(vmo_view_data(world.b, view)));
    vmo_view_data_rw(world.b, view)[5] = 99;
    STEP(vmo_unmap, world.b, view);
    STEP(vmo_write, world.b, theirs, RANGE(5, 1), pattern() + 5);
    DEMAND(holds_pattern(world.a, vmo));
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_close, world.a, vmo);
}

static void sent_sealed(void)
{
    const vmo_t vmo = filled();

    SURE(vmo_peer_require(world.b, world.to_a, VMO_SEAL_PEERS));
    SURE(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    STEP(vmo_close, world.b, theirs);
    SURE(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    const vmo_t again = hand_over(vmo, VMO_RIGHT_READ);
    STEP(vmo_close, world.b, again);
    STEP(vmo_close, world.a, vmo);
}

/* The creator seals after a peer got the VMO read-only. */
static void sealed_after_sending(void)
{
    vmo_enforcer by = VMO_BY_NOBODY;

    sealing = filled();
    const vmo_t theirs = hand_over(sealing, VMO_RIGHT_READ);
    seal_step(VMO_SEAL_PEERS);
    SURE(vmo_seal_enforced_by(world.a, sealing, &by));
    if (by == VMO_BY_KERNEL) {
        seal_step(VMO_SEAL_FOREVER);
    } else { /* the kernel did not say whether the peer can write */
        DEMAND(vmo_seal(world.a, sealing, VMO_SEAL_FOREVER) != VMO_ERR_BACKEND);
    }
    DEMAND(holds_pattern(world.b, theirs));
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_close, world.a, sealing);
}

/* Three VMOs in one message, between two messages: one is for writing, and one comes twice. */
static void sent_together(void)
{
    const vmo_t first = filled(), second = filled();
    const struct vmo_message message = {.tag = 2, .body = "body", .body_bytes = 4};
    const struct vmo_item items[] = {
        {first, VMO_RIGHT_READ}, {second, VMO_RIGHTS_ALL}, {second, VMO_RIGHT_READ}};
    vmo_t theirs[VMO_MANY_MAX];
    uint32_t count = 0;

    send_tag(1, VMO_NONE, 0);
    STEP(vmo_send_many, world.a, world.to_b, &message, items, 3, step_soon());
    send_tag(3, VMO_NONE, 0);
    receive_tag(1);
    STEP_ANSWERS(VMO_ERR_UNSUPPORTED, vmo_recv, world.b, world.to_a, &incoming, step_soon());
    STEP(vmo_recv_many, world.b, world.to_a, &incoming, theirs, &count, step_soon());
    DEMAND(incoming.tag == 2 && count == 3);
    receive_tag(3);
    queue_is_empty();
    for (uint32_t i = 0; i < count; i++) {
        DEMAND(holds_pattern(world.b, theirs[i]));
        STEP(vmo_close, world.b, theirs[i]);
    }
    STEP(vmo_destroy, world.a, first);
    STEP(vmo_destroy, world.a, second);
}

/* ---- Waiting ------------------------------------------------------------------------------------------- */

static void send_once(void)
{
    const struct vmo_message message = {.tag = 7, .body = "body", .body_bytes = 4};

    wrap_on_wait = NULL;
    SURE(vmo_send(world.a, world.to_b, &message, 0));
    step_others_acted(-1);
}

static void receive_waits(void)
{
    wrap_on_wait = send_once;
    receive_tag(7);
    queue_is_empty();
}

static void receive_all(void)
{
    wrap_on_wait = NULL;
    while (vmo_recv(world.b, world.to_a, &incoming, 0) == VMO_OK) {
    }
    step_others_acted(-1);
}

static void send_waits(void)
{
    const struct vmo_message message = {.tag = 6};

    while (vmo_send(world.a, world.to_b, &message, 0) == VMO_OK) {
    }
    wrap_on_wait = receive_all;
    send_tag(8, VMO_NONE, 0);
    receive_tag(8);
    queue_is_empty();
}

static void poll_step(uint32_t wanted, uint32_t found)
{
    struct vmo_polled all[] = {{world.to_a, wanted, 0}};

    STEP(vmo_poll, world.b, all, 1, step_soon());
    DEMAND(all[0].found == found);
}

/* Polls for a message, then for the end beside a message. */
static void polled(void)
{
    const struct vmo_message message = {.tag = 8, .body = "body", .body_bytes = 4};
    int fd = -1;

    STEP(vmo_peer_fd, world.b, world.to_a, &fd);
    wrap_on_wait = send_once;
    poll_step(VMO_POLL_MESSAGE, VMO_POLL_MESSAGE);
    receive_tag(7);
    SURE(vmo_send(world.a, world.to_b, &message, 0));
    SURE(vmo_peer_hangup(world.a, world.to_b));
    poll_step(VMO_POLL_MESSAGE, VMO_POLL_MESSAGE | VMO_POLL_ENDED);
    receive_tag(8);
    poll_step(VMO_POLL_MESSAGE | VMO_POLL_ROOM, VMO_POLL_ENDED);
}

/* ---- Transfers ----------------------------------------------------------------------------------------- */

static void accept_step(const struct vmo_ticket *ticket)
{
    vmo_t theirs = VMO_NONE;

    STEP(vmo_accept, world.b, world.to_a, ticket, &theirs);
    DEMAND(holds_pattern(world.b, theirs));
    STEP(vmo_close, world.b, theirs);
}

static void transfers(void)
{
    struct vmo_ticket tickets[3];
    const vmo_t vmo = filled();

    for (size_t i = 0; i < 3; i++) {
        STEP(vmo_transfer, world.a, vmo, world.to_b, VMO_RIGHT_READ, &tickets[i]);
    }
    accept_step(&tickets[1]); /* parks the first */
    accept_step(&tickets[0]);
    send_tag(1, VMO_NONE, 0);
    receive_tag(1); /* parks the third */
    accept_step(&tickets[2]);
    STEP(vmo_close, world.a, vmo);
}

static void transfer_to_write(void)
{
    struct vmo_ticket ticket;
    const vmo_t vmo = filled();

    STEP(vmo_transfer, world.a, vmo, world.to_b, VMO_RIGHTS_ALL, &ticket);
    accept_step(&ticket);
    STEP(vmo_destroy, world.a, vmo);
}

/* Opens a second channel between the registries. */
static void open_channel(vmo_peer_t *near, vmo_peer_t *far)
{
    int ends[2];

    DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    STEP(vmo_peer_open, world.a, ends[0], near);
    STEP(vmo_peer_open, world.b, ends[1], far);
    SURE(vmo_peer_allow(world.a, *near));
}

/* The peer is closed while a transfer is parked and another is queued. */
static void transfers_left(void)
{
    struct vmo_ticket tickets[2];
    const vmo_t vmo = filled();
    vmo_peer_t near, far;

    open_channel(&near, &far);
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[0]);
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[1]);
    vmo_t theirs = VMO_NONE;
    STEP(vmo_accept, world.b, far, &tickets[1], &theirs);
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[1]);
    STEP(vmo_peer_close, world.b, far);
    STEP(vmo_peer_close, world.a, near);
    DEMAND(holds_pattern(world.b, theirs));
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_close, world.a, vmo);
}

/* The receiver hangs up while a transfer is parked. */
static void hung_up(void)
{
    const struct vmo_message message = {.tag = 7};
    struct vmo_ticket tickets[2];
    const vmo_t vmo = filled();
    vmo_t theirs = VMO_NONE;
    vmo_peer_t near, far;

    open_channel(&near, &far);
    SURE(vmo_peer_allow(world.b, far));
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[0]);
    STEP(vmo_transfer, world.a, vmo, near, VMO_RIGHT_READ, &tickets[1]);
    STEP(vmo_accept, world.b, far, &tickets[1], &theirs);
    STEP(vmo_peer_hangup, world.b, far);
    STEP_ANSWERS(VMO_ERR_PEER_GONE, vmo_accept, world.b, far, &tickets[0], &theirs);
    STEP_ANSWERS(VMO_ERR_PEER_GONE, vmo_send, world.b, far, &message, step_soon());
    STEP_ANSWERS(VMO_ERR_PEER_GONE, vmo_recv, world.b, far, &incoming, step_soon());
    STEP_ANSWERS(VMO_ERR_PEER_GONE, vmo_recv, world.a, near, &incoming, step_soon());
    STEP(vmo_peer_hangup, world.b, far);
    STEP(vmo_peer_close, world.b, far);
    STEP(vmo_peer_close, world.a, near);
    DEMAND(holds_pattern(world.b, theirs));
    STEP(vmo_close, world.b, theirs);
    STEP(vmo_close, world.a, vmo);
}

static const struct story stories[] = {
    {"messages", messages, false, 0},
    {"notices", notices, false, 0},
    {"sent to read", sent_to_read, false, 0},
    {"sent to write", sent_to_write, false, 0},
    {"sent again", sent_again, false, EACH_CALL},
    {"sent to share", sent_to_share, false, 0},
    {"sent sealed", sent_sealed, false, 0},
    {"sent together", sent_together, false, 0},
    {"sealed after sending", sealed_after_sending, false, 0},
    {"a receiver waits", receive_waits, false, 0},
    {"a sender waits", send_waits, false, 0},
    {"polled", polled, false, 0},
    {"transfers", transfers, false, 0},
    {"a transfer to write", transfer_to_write, false, 0},
    {"transfers left behind", transfers_left, false, 0},
    {"hung up", hung_up, false, 0},
};
const struct story_group message_stories = STORY_GROUP(stories);
