/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_op.h"

#define NO_CALL UINT32_MAX

static const uint32_t numbers[OP_KINDS] = {
    [OP_GETPID] = NX_SYS_GETPID,
    [OP_VMO_CREATE] = NX_SYS_VMO_CREATE,
    [OP_VMO_WRITE] = NX_SYS_VMO_WRITE,
    [OP_VMO_READ] = NX_SYS_VMO_READ,
    [OP_VMO_DESTROY] = NX_SYS_VMO_DESTROY,
    [OP_SHARE_RO] = NX_SYS_VMO_SHARE_RO,
    [OP_QUERY] = NX_SYS_CAP_QUERY,
    [OP_MAP] = NX_SYS_MAP,
    [OP_VM_MAP] = NX_SYS_VM_MAP,
    [OP_VM_UNMAP] = NX_SYS_VM_UNMAP,
    [OP_LOAD] = NO_CALL,
    [OP_STORE] = NO_CALL,
    [OP_TRANSFER] = NX_SYS_CAP_TRANSFER,
    [OP_TRANSFER_TO] = NX_SYS_CAP_TRANSFER_TO,
    [OP_CLOSE] = NX_SYS_CAP_CLOSE,
    [OP_CLONE] = NX_SYS_CAP_CLONE,
    [OP_AS_CREATE] = NX_SYS_AS_CREATE,
    [OP_AS_SELF] = NX_SYS_AS_SELF,
    [OP_AS_MAP] = NX_SYS_AS_MAP,
    [OP_EP_CREATE] = NX_SYS_EP_CREATE,
    [OP_EP_CREATE_FOR] = NX_SYS_EP_CREATE_FOR,
    [OP_EP_CREATE_OLD] = NX_SYS_EP_CREATE_OLD,
    [OP_EP_CLOSE] = NX_SYS_EP_CLOSE,
    [OP_SEND] = NX_SYS_IPC_SEND,
    [OP_RECV] = NX_SYS_IPC_RECV,
    [OP_RECV_V2] = NX_SYS_IPC_RECV_V2,
    [OP_SPAWN] = NX_SYS_EXEC,
    [OP_EXEC] = NX_SYS_EXEC,
    [OP_RESUME] = NX_SYS_TASK_RESUME,
    [OP_EXIT] = NX_SYS_EXIT,
    [OP_FAULT] = NO_CALL,
    [OP_WAIT] = NX_SYS_WAIT,
    [OP_WAIT_NOHANG] = NX_SYS_WAIT_NOHANG,
};

uint32_t op_number(const struct model_op *op)
{
    return numbers[op->kind];
}

unsigned op_prepares(const struct model_op *op)
{
    switch (op->kind) {
    case OP_VMO_WRITE:
        return OP_PUTS_PATTERN;
    case OP_SEND:
        return OP_PUTS_HDR | OP_PUTS_PATTERN;
    case OP_VMO_READ:
    case OP_QUERY:
    case OP_RECV:
    case OP_EXEC:
        return OP_PUTS_JUNK;
    case OP_RECV_V2:
        return OP_PUTS_JUNK | OP_PUTS_DESC;
    default:
        return 0;
    }
}

void op_desc(const struct model_op *op, const uint64_t args[OP_ARGS], struct nx_ipc_recv_v2 *desc)
{
    *desc = (struct nx_ipc_recv_v2){.magic = NX_IPC_V2_MAGIC ^ (op->fill == 1),
                                    .version = NX_IPC_V2_VERSION + (op->fill == 2),
                                    .slot = (uint32_t)args[0],
                                    .reserved0 = op->fill == 3,
                                    .hdr = args[1],
                                    .buf = args[2],
                                    .max = args[3],
                                    .sender_id = args[5],
                                    .flags = (uint32_t)args[4],
                                    .reserved1 = op->fill == 4};
}
