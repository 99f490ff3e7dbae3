/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one operation as the current task, init or a puppet. */
#include "differ/differ_perform.h"

#include <string.h>

#include "nx_call.h"

#define LENGTH_ARG 3 /* of vmo_write and ipc_send */

static void prepare(struct differ_memory *memory, const struct differ_order *order)
{
    const uint32_t puts = order->prepares;
    if (puts & OP_PUTS_JUNK) {
        memset(&memory->hdr, OP_JUNK, sizeof(memory->hdr));
        memset(&memory->id, OP_JUNK, sizeof(memory->id));
        memset(memory->buf, OP_JUNK, OP_BUF_BYTES);
    }
    if (puts & OP_PUTS_HDR) {
        memory->hdr = order->op.hdr;
    }
    if (puts & OP_PUTS_PATTERN) {
        const uint64_t length = order->args[LENGTH_ARG];
        for (uint64_t i = 0; i < length && i < OP_BUF_BYTES; i++) {
            memory->buf[i] = op_pattern(order->op.fill, i);
        }
    }
    if (puts & OP_PUTS_DESC) {
        op_desc(&order->op, order->args, &memory->desc);
    }
}

static volatile uint8_t *byte_at(uint64_t va)
{
    return (volatile uint8_t *)(uintptr_t)va;
}

static void make(struct differ_memory *memory, const struct differ_order *order, struct model_answer *answer)
{
    const uint64_t *a = order->args;
    switch (order->op.kind) {
    case OP_LOAD:
        answer->a0 = *byte_at(a[0]);
        return;
    case OP_STORE:
        *byte_at(a[0]) = order->op.fill;
        return;
    case OP_FAULT:
        *byte_at(OP_NOWHERE) = order->op.fill;
        return;
    default:
        break;
    }
    const uint64_t number = order->op.kind;
    struct nx_result result;
    if (order->prepares & OP_PUTS_DESC) {
        result = nx_call(nx_address(&memory->desc), 0, 0, 0, 0, 0, number);
    } else {
        result = nx_call(a[0], a[1], a[2], a[3], a[4], a[5], number);
    }
    answer->a0 = result.a0;
    if (number == NX_SYS_WAIT || number == NX_SYS_WAIT_NOHANG) {
        answer->a1 = (uint64_t)result.a1;
    }
}

static void read_back(const struct differ_memory *memory, const struct differ_order *order,
                      struct model_answer *answer)
{
    const uint32_t puts = order->prepares;
    if (puts & OP_PUTS_JUNK) {
        answer->hdr = memory->hdr;
        answer->sum = op_sum(memory->buf, OP_BUF_BYTES);
        memcpy(answer->bytes, memory->buf, OP_LOOK_BYTES);
    }
    if (puts & OP_PUTS_DESC) {
        answer->sender_id = memory->id;
    }
}

void differ_perform(struct differ_memory *memory, const struct differ_order *order,
                    struct model_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    prepare(memory, order);
    differ_barrier();
    make(memory, order, answer);
    differ_barrier();
    read_back(memory, order, answer);
}
