/* SPDX-License-Identifier: Apache-2.0 */
/* The peer: waits for an order and replies with the instruction count at which it received it. */
#include "cost/cost_peer.h"
#include "cost/cost_call.h"
#include "nexus_abi.h"

static int64_t ask(struct cost_call *call)
{
    cost_call(call);
    return call->answer;
}

static uint64_t address(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

/* Waits without a deadline, because setting the timer is not part of a handover. The watchdog ends a hang. */
static int64_t take_order(struct nx_ipc_hdr *hdr, uint64_t *arrived)
{
    static uint8_t bytes[ORDER_BYTES];
    struct cost_call *recv =
        CALL(NX_SYS_IPC_RECV, PEER_SLOT_ORDERS, address(hdr), address(bytes), sizeof(bytes));
    cost_call(recv);
    *arrived = recv->end;
    return recv->answer;
}

static int64_t answer(uint64_t arrived)
{
    struct nx_ipc_hdr hdr = {.len = sizeof(arrived)};
    return ask(CALL(NX_SYS_IPC_SEND, PEER_SLOT_ANSWERS, address(&hdr), address(&arrived), sizeof(arrived),
                    NX_IPC_NONBLOCK));
}

int main(void)
{
    for (;;) {
        struct nx_ipc_hdr hdr;
        uint64_t arrived;

        if (take_order(&hdr, &arrived) < 0) {
            return 1;
        }
        if (hdr.type == ORDER_END) {
            return 0;
        }
        if (hdr.flags & NX_IPC_HDR_CAP_MOVE && ask(CALL(NX_SYS_CAP_CLOSE, hdr.src)) < 0) {
            return 2;
        }
        if (answer(arrived) < 0) {
            return 3;
        }
    }
}
