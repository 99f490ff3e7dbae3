/* SPDX-License-Identifier: Apache-2.0 */
#include "differ/differ_exec.h"

#include <stdio.h>
#include <string.h>

#include "differ/differ_perform.h"
#include "differ/differ_puppet.h"
#include "nx_call.h"

#define MAP_FLAGS (NX_MAP_VALID | NX_MAP_READ | NX_MAP_WRITE | NX_MAP_USER)
#define PATIENCE 40           /* yields; each runs every puppet. Must be below 1,000, which end a run */
#define CHILD_MISSING (-9999) /* replaces the answer if a started child does not respond */
#define TEXT_BYTES 160

struct differ_memory differ_memory;

/* ---- Set-up -------------------------------------------------------------------------------------- */

static int64_t map_control(bool is_a1, uint64_t slot, uint64_t number)
{
    const uint64_t va = OP_CONTROL_VA + number * NX_PAGE_BYTES;
    if (!is_a1) {
        return nx_call4(NX_SYS_VM_MAP, slot, 0, NX_PAGE_BYTES, MAP_FLAGS);
    }
    const int64_t answer = nx_call4(NX_SYS_MAP, slot, va, 0, MAP_FLAGS);
    return answer == 0 ? (int64_t)va : answer;
}

bool differ_set_up(struct differ *differ)
{
    for (uint64_t i = 0; i < OP_CONTROLS; i++) {
        const int64_t slot = nx_call2(NX_SYS_VMO_CREATE, UINT64_MAX, NX_PAGE_BYTES);
        if (slot != (int64_t)(OP_CONTROL_SLOT + i)) {
            return false;
        }
        const int64_t va = map_control(differ->run.limits.is_a1, (uint64_t)slot, i);
        if (va <= 0) {
            return false;
        }
        differ->children[i].page = (struct differ_page *)(uintptr_t)va;
    }
    return true;
}

/* ---- Children ------------------------------------------------------------------------------------ */

/* Yields until the child has answered its order. Returns false if it does not. */
static bool await_answer(const struct differ_page *page)
{
    for (unsigned i = 0; i < PATIENCE; i++) {
        if (page->answered == page->ordered) {
            differ_barrier();
            return true;
        }
        (void)nx_call0(NX_SYS_YIELD);
    }
    return false;
}

static bool give_order(struct differ_page *page, const struct differ_order *order)
{
    page->order = *order;
    differ_barrier();
    page->ordered++;
    return await_answer(page);
}

static void spawn(struct differ *differ, uint64_t actor, struct model_answer *answer)
{
    struct differ_child *child = &differ->children[actor - 1];
    *child->page = (struct differ_page){.answered = PAGE_EMPTY};
    answer->a0 = nx_call4(NX_SYS_EXEC, nx_address(puppet_elf), puppet_elf_bytes, PUPPET_STACK_PAGES, 0);
    if (answer->a0 <= 0) {
        return;
    }
    child->pid = (uint64_t)answer->a0;
    answer->a1 =
        (uint64_t)nx_call3(NX_SYS_CAP_TRANSFER, child->pid, OP_CONTROL_SLOT + actor - 1, NX_RIGHT_MAP);
    if (differ->run.limits.is_a1 && !await_answer(child->page)) {
        answer->a0 = CHILD_MISSING;
    }
}

/* Waits until a resumed child has mapped its control page. */
static void await_first_answer(const struct differ *differ, uint64_t pid, struct model_answer *answer)
{
    for (unsigned i = 0; i < OP_CONTROLS; i++) {
        if (differ->children[i].pid == pid && !await_answer(differ->children[i].page)) {
            answer->a0 = CHILD_MISSING;
        }
    }
}

void differ_dismiss(struct differ *differ)
{
    const struct differ_order order = {.op = {.kind = DIFFER_DISMISS}};
    for (unsigned i = 0; i < OP_CONTROLS; i++) {
        const struct differ_child *child = &differ->children[i];
        if (child->pid == 0) {
            continue;
        }
        (void)nx_call1(NX_SYS_TASK_RESUME, child->pid); /* refused unless suspended */
        (void)await_answer(child->page);                /* fails if the child has ended */
        (void)give_order(child->page, &order);          /* the child exits without an answer */
    }
}

/* ---- One operation ------------------------------------------------------------------------------- */

static void trace(const struct differ *differ, const struct model_op *op, const struct model_answer *answer)
{
    char text[TEXT_BYTES];
    model_op_text(op, text, sizeof(text));
    printf("differ: op %u: %s = %lld a1=%llu%s\n", differ->run.at, text, (long long)answer->a0,
           (unsigned long long)answer->a1, answer->ended ? " ended" : "");
}

static void perform(struct differ *differ, const struct differ_order *order, struct model_answer *answer)
{
    const uint8_t actor = order->op.actor;
    memset(answer, 0, sizeof(*answer));
    if (order->op.kind == OP_SPAWN) {
        spawn(differ, order->args[0], answer);
    } else if (actor == 0) {
        differ_perform(&differ_memory, order, answer);
    } else if (give_order(differ->children[actor - 1].page, order)) {
        *answer = differ->children[actor - 1].page->answer;
    } else {
        answer->ended = 1;
    }
    if (order->op.kind == NX_SYS_TASK_RESUME && answer->a0 == 0) {
        await_first_answer(differ, order->args[0], answer);
    }
}

static void lie(struct model_answer *answer)
{
    if (answer->ended) {
        answer->ended = 0;
    } else {
        answer->a0 ^= 1;
    }
}

void differ_exec(void *ctx, const struct model_op *op, const uint64_t args[OP_ARGS],
                 struct model_answer *answer)
{
    struct differ *differ = ctx;
    struct differ_order order = {.op = *op, .prepares = op_prepares(op)};
    memcpy(order.args, args, sizeof(order.args));
    perform(differ, &order, answer);
    if (differ->run.at == differ->block->repeat_at) {
        struct model_answer unseen;
        perform(differ, &order, &unseen);
    }
    if (differ->run.at == differ->block->lie_at) {
        lie(answer);
    }
    if (differ->block->trace) {
        trace(differ, op, answer);
    }
}
