/* SPDX-License-Identifier: Apache-2.0 */
/* K-55: blocks in each blocking call while no other task can run. */
#include "evil/evil.h"

#define MS UINT64_C(1000000)

int main(void)
{
    static uint64_t sender_id;
    const uint64_t ep = (uint64_t)CALL(NX_SYS_EP_CREATE, NX_SLOT_FACTORY, 1);
    const struct nx_ipc_recv_v2 desc = {.magic = NX_IPC_V2_MAGIC,
                                        .version = NX_IPC_V2_VERSION,
                                        .slot = (uint32_t)ep,
                                        .hdr = AT(&evil_hdr),
                                        .buf = AT(evil_buf),
                                        .max = sizeof(evil_buf),
                                        .sender_id = AT(&sender_id)};
    evil_says("recv", evil_recv(ep, 0, 0));
    SAYS("recv_v2", NX_SYS_IPC_RECV_V2, AT(&desc));
    evil_says("recv until a deadline", evil_recv(ep, 0, (uint64_t)CALL(NX_SYS_NSEC, 0) + MS));
    evil_says("send", evil_send(ep, NOTHING, 0)); /* the queue has room for this one */
    evil_says("send to the full queue", evil_send(ep, NOTHING, 0));
    evil_says("recv what was sent", evil_recv(ep, 0, 0));
    return 0;
}
