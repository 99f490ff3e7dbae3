/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: an unmapped pointer in each pointer argument. */
#include "evil/evil.h"

static const struct nx_ipc_recv_v2 good = {.magic = NX_IPC_V2_MAGIC, .version = NX_IPC_V2_VERSION, .max = 8};

static void receive(const char *what, uint64_t hdr, uint64_t buf, uint64_t sender_id)
{
    struct nx_ipc_recv_v2 desc = good;
    desc.hdr = hdr;
    desc.buf = buf;
    desc.sender_id = sender_id;
    desc.flags = NX_IPC_NONBLOCK;
    SAYS(what, NX_SYS_IPC_RECV_V2, AT(&desc));
}

int main(void)
{
    static struct evil_elf elf;
    static uint64_t sender_id;
    const uint64_t hdr = AT(&evil_hdr), buf = AT(evil_buf), poll = NX_IPC_NONBLOCK;
    const uint64_t vmo = (uint64_t)CALL(NX_SYS_VMO_CREATE, ANY_SLOT, NX_PAGE_BYTES);
    evil_make_elf(&elf, child_exits);
    SAYS("vmo_write", NX_SYS_VMO_WRITE, vmo, 0, UNMAPPED, 1);
    SAYS("exec elf", NX_SYS_EXEC, UNMAPPED, sizeof(elf), 1, 0);
    SAYS("exec_v2 elf", NX_SYS_EXEC_V2, UNMAPPED, sizeof(elf), 1, 0, buf, 1);
    SAYS("exec_v2 name", NX_SYS_EXEC_V2, AT(&elf), sizeof(elf), 1, 0, UNMAPPED, 1);
    SAYS("send hdr", NX_SYS_IPC_SEND, 0, UNMAPPED, buf, 0, poll);
    SAYS("send buf", NX_SYS_IPC_SEND, 0, hdr, UNMAPPED, 1, poll);
    SAYS("recv hdr", NX_SYS_IPC_RECV, 0, UNMAPPED, buf, 1, poll);
    SAYS("recv buf", NX_SYS_IPC_RECV, 0, hdr, UNMAPPED, 1, poll);
    SAYS("recv_v2 desc", NX_SYS_IPC_RECV_V2, UNMAPPED);
    receive("recv_v2 hdr", UNMAPPED, buf, AT(&sender_id));
    receive("recv_v2 buf", hdr, UNMAPPED, AT(&sender_id));
    receive("recv_v2 sender_id", hdr, buf, UNMAPPED);
    SAYS("cap_query", NX_SYS_CAP_QUERY, vmo, UNMAPPED);
    SAYS("debug_write", NX_SYS_DEBUG_WRITE, UNMAPPED, 1);
    SAYS("vmo_read", NX_SYS_VMO_READ, vmo, 0, UNMAPPED, 1);
    return 0;
}
