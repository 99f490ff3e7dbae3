/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: a pointer to read-only memory in each argument through which the kernel writes. */
#include "evil/evil.h"

static const uint8_t constant[64] = {1};

int main(void)
{
    const uint64_t hdr = AT(&evil_hdr), buf = AT(evil_buf), poll = NX_IPC_NONBLOCK;
    const uint64_t vmo = (uint64_t)CALL(NX_SYS_VMO_CREATE, ANY_SLOT, NX_PAGE_BYTES);
    const struct nx_ipc_recv_v2 desc = {.magic = NX_IPC_V2_MAGIC,
                                        .version = NX_IPC_V2_VERSION,
                                        .hdr = hdr,
                                        .buf = buf,
                                        .max = sizeof(evil_buf),
                                        .sender_id = AT(constant),
                                        .flags = NX_IPC_NONBLOCK};
    SAYS("recv hdr", NX_SYS_IPC_RECV, 0, AT(constant), buf, 1, poll);
    SAYS("recv buf", NX_SYS_IPC_RECV, 0, hdr, AT(constant), 1, poll);
    SAYS("recv_v2 sender_id", NX_SYS_IPC_RECV_V2, AT(&desc));
    SAYS("cap_query", NX_SYS_CAP_QUERY, vmo, AT(constant));
    SAYS("vmo_read", NX_SYS_VMO_READ, vmo, 0, AT(constant), 1);
    evil_says("constant", constant[0]);
    return 0;
}
