/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_op.h"

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
