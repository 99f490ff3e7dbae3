/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities moved by messages (K-53, K-54, K-28). Init is sender and receiver. */
#include "probe/probe.h"

#define SMALL 16
#define SHORT 8

/* Slots of this part: the endpoint, the VMO, and the capability that is moved. */
struct move {
    uint64_t endpoint, vmo, travels;
};

static uint8_t buf[SMALL];

static int64_t send_move(const struct move *move, uint64_t slot)
{
    const struct nx_ipc_hdr hdr = {.src = (uint32_t)slot, .flags = NX_IPC_HDR_CAP_MOVE, .len = SMALL};
    return post(move->endpoint, &hdr, pattern());
}

/* Checks by its size that a slot holds the VMO. */
static void row_works(const char *id, const char *what, uint64_t slot)
{
    ROW(id, what, NX_SYS_VMO_WRITE, slot, PAGE, at(pattern()), 0);
}

static void there_and_back(const struct move *move)
{
    struct nx_ipc_hdr hdr = {.src = 0};
    const volatile uint8_t *page = view(move->travels, 0, false);
    (void)CALL(NX_SYS_VMO_WRITE, move->vmo, 0, at(pattern()), SMALL);
    row_len("K-54.send", "ipc_send", "moves a clone", send_move(move, move->travels), SMALL);
    ROW("K-54.left", "its slot at the sender", NX_SYS_CAP_CLOSE, move->travels);
    row_len("K-54.recv", "ipc_recv", "what was moved", take(move->endpoint, &hdr, buf, SMALL), SMALL);
    (void)row_slot("K-54.arrived", "ipc_recv", "src in the header", hdr.src, move->travels);
    row_works("K-54.works", "what arrived, length 0 at the end", hdr.src);
    row_if("K-54.mapping-stays", "ipc_send", "a mapping of what was moved", shows(page, pattern(), SMALL),
           "same-bytes", 0);
    unview(page);
}

static void refusals(const struct move *move)
{
    row("K-54.manage", "ipc_send", "moves an endpoint with manage", send_move(move, move->endpoint));
    row("K-54.factory", "ipc_send", "moves the factory", send_move(move, FACTORY));
    row("K-54.empty", "ipc_send", "moves an empty slot", send_move(move, EMPTY_SLOT));
}

/* The queue has depth 1. */
static void full_queue(const struct move *move)
{
    const struct nx_ipc_hdr plain = {.len = SMALL};
    struct nx_ipc_hdr hdr;
    (void)post(move->endpoint, &plain, pattern());
    row("K-54.full", "ipc_send", "a move, queue at its depth", send_move(move, move->travels));
    row_works("K-54.rolled-back", "the slot after that, length 0 at the end", move->travels);
    (void)take(move->endpoint, &hdr, buf, SMALL);
}

static void small_buffer(const struct move *move)
{
    struct nx_ipc_hdr hdr = {.src = EMPTY_SLOT};
    (void)send_move(move, move->travels);
    row("K-53.moved", "ipc_recv", "a move, 16 bytes into 8", take(move->endpoint, &hdr, buf, SHORT));
    ROW("K-53.moved-arrived", "src in its header", NX_SYS_CAP_CLOSE, hdr.src);
}

static void full_table(const struct move *move)
{
    struct nx_ipc_hdr hdr;
    (void)CALL(NX_SYS_CAP_CLONE, move->vmo);
    (void)send_move(move, move->travels);
    const uint64_t count = fill_table(move->vmo);
    row("K-54.table-full", "ipc_recv", "a move into a full table", take(move->endpoint, &hdr, buf, SMALL));
    close_slots(move->travels, move->travels);
    row_len("K-54.kept", "ipc_recv", "once a slot is free", take(move->endpoint, &hdr, buf, SMALL), SMALL);
    close_slots(move->travels, move->travels + count - 1);
}

/* a2 refuses to move the capability of a closed endpoint. */
static void closed_endpoint(const struct move *move)
{
    const uint64_t closes = new_endpoint(1);
    const int64_t closed = CALL(NX_SYS_CAP_TRANSFER, NX_PID_INIT, closes, NX_RIGHT_SEND);
    (void)CALL(NX_SYS_EP_CLOSE, closes);
    row("K-54.closed", "ipc_send", "moves a closed endpoint", send_move(move, (uint64_t)closed));
    close_slots((uint64_t)closed, (uint64_t)closed);
}

static void alias(const struct move *move)
{
    struct nx_ipc_hdr hdr = {.src = 0};
    (void)CALL(NX_SYS_VMO_SHARE_RO, move->vmo);
    (void)send_move(move, move->travels);
    (void)take(move->endpoint, &hdr, buf, SMALL);
    (void)row_slot("K-28.move", "ipc_recv", "an alias that was moved", hdr.src, move->travels);
    ROW("K-28.move-write", "an alias that was moved", NX_SYS_VMO_WRITE, hdr.src, 0, at(pattern()), 1);
    close_slots(move->travels, move->travels);
}

void probe_ipc_move(void)
{
    struct move move = {.endpoint = new_endpoint(1), .vmo = new_vmo(PAGE)};
    move.travels = move.vmo + 1;
    (void)CALL(NX_SYS_CAP_CLONE, move.vmo);
    there_and_back(&move);
    refusals(&move);
    full_queue(&move);
    small_buffer(&move);
    full_table(&move);
    if (!probe_is_a1()) {
        alias(&move);
        closed_endpoint(&move);
    }
    (void)CALL(NX_SYS_EP_CLOSE, move.endpoint);
    close_slots(move.vmo, move.vmo);
}
