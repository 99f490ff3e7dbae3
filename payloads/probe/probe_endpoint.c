/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints: create and close (K-56, K-57). */
#include "probe/probe.h"

static void refused_creates(void)
{
    ROW("K-56.not-factory", "an endpoint as factory", NX_SYS_EP_CREATE, BOOTSTRAP, 1);
    ROW("K-56.no-factory", "an empty slot as factory", NX_SYS_EP_CREATE, EMPTY_SLOT, 1);
    ROW("K-56.depth-first", "depth 0, an empty slot as factory", NX_SYS_EP_CREATE, EMPTY_SLOT, 0);
    ROW("K-56.for-depth-first", "depth 0, an empty slot as factory", NX_SYS_EP_CREATE_FOR, EMPTY_SLOT,
        NX_PID_INIT, 0);
    ROW("K-56.for-no-factory", "an empty slot as factory", NX_SYS_EP_CREATE_FOR, EMPTY_SLOT, NX_PID_INIT, 1);
    ROW("K-56.for-unknown", "a pid that nobody has", NX_SYS_EP_CREATE_FOR, FACTORY, NO_SUCH_PID, 1);
}

static int64_t copy_of(uint64_t slot, uint64_t rights)
{
    return CALL(NX_SYS_CAP_TRANSFER, NX_PID_INIT, slot, rights);
}

/* Uses the slots from `free` on for copies of the endpoint: one to send, one to receive, one for both. */
static void closes(uint64_t endpoint, uint64_t free)
{
    struct nx_ipc_hdr hdr = {.len = 0};
    const uint64_t sender = free, receiver = free + 1;
    uint64_t word = 0;
    row_slot("K-56.send-right", "cap_transfer", "a new endpoint with send", copy_of(endpoint, NX_RIGHT_SEND),
             sender);
    row_slot("K-56.recv-right", "cap_transfer", "a new endpoint with recv", copy_of(endpoint, NX_RIGHT_RECV),
             receiver);
    const uint64_t both = (uint64_t)copy_of(endpoint, NX_RIGHT_SEND | NX_RIGHT_RECV);
    ROW("K-57.no-manage", "a copy without manage", NX_SYS_EP_CLOSE, both);
    ROW("K-57.no-manage-slot", "its slot", NX_SYS_CAP_CLOSE, both);
    row("K-57.no-manage-open", "ipc_send", "to the endpoint after that", post(sender, &hdr, &word));
    ROW("K-57.close", "with manage", NX_SYS_EP_CLOSE, endpoint);
    ROW("K-57.close-slot", "its slot", NX_SYS_CAP_CLOSE, endpoint);
    row("K-57.later-send", "ipc_send", "to a closed endpoint", post(sender, &hdr, &word));
    row("K-57.later-recv", "ipc_recv", "from a closed endpoint", take(receiver, &hdr, &word, sizeof(word)));
    ROW("K-57.empty-slot", "an empty slot", NX_SYS_EP_CLOSE, EMPTY_SLOT);
    close_slots(sender, receiver);
}

void probe_endpoint(void)
{
    const uint64_t first = FIRST_SLOT;
    ROW("K-56.depth-0", "depth 0", NX_SYS_EP_CREATE, FACTORY, 0);
    ROW("K-56.depth-257", "depth 257", NX_SYS_EP_CREATE, FACTORY, NX_EP_DEPTH_MAX + 1);
    row_slot("K-56.depth-1", "endpoint_create", "depth 1", CALL(NX_SYS_EP_CREATE, FACTORY, 1), first);
    row_slot("K-56.depth-256", "endpoint_create", "depth 256",
             CALL(NX_SYS_EP_CREATE, FACTORY, NX_EP_DEPTH_MAX), first + 1);
    refused_creates();
    row_slot("K-56.for-self", "endpoint_create_for", "oneself",
             CALL(NX_SYS_EP_CREATE_FOR, FACTORY, NX_PID_INIT, 1), first + 2);
    row_slot("K-40.create-for-32", "endpoint_create_for", "oneself, bit 32 of the pid set",
             CALL(NX_SYS_EP_CREATE_FOR, FACTORY, BIT_32 | NX_PID_INIT, 1), first + 3);
    (void)CALL(NX_SYS_EP_CLOSE, first + 3);
    closes(first, first + 3);
    (void)CALL(NX_SYS_EP_CLOSE, first + 1);
    (void)CALL(NX_SYS_EP_CLOSE, first + 2);
}
