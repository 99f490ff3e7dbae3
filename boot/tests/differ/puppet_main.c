/* SPDX-License-Identifier: Apache-2.0 */
/* A child of the random program: makes the operations that init writes to its control page. */
#include "differ/differ_perform.h"
#include "nx_call.h"

#define MAP_FLAGS (NX_MAP_VALID | NX_MAP_READ | NX_MAP_WRITE | NX_MAP_USER)
#define IDLE_YIELDS 200000 /* yields without an order, after which init must have failed */

static struct differ_memory memory;

/* Init searches the file for it. It is volatile so that the compiler keeps and uses it. */
static const volatile struct puppet_card card = {.mark = PUPPET_MARK, .memory = &memory};

/* Maps the control page: on a2 where the kernel chooses, on a1 at a fixed address. */
static struct differ_page *map_page(void)
{
    const int64_t va = nx_call4(NX_SYS_VM_MAP, OP_CHILD_CONTROL_SLOT, 0, NX_PAGE_BYTES, MAP_FLAGS);
    if (va > 0) {
        return (struct differ_page *)(uintptr_t)va;
    }
    if (va == -NX_ENOSYS && nx_call4(NX_SYS_MAP, OP_CHILD_CONTROL_SLOT, OP_CONTROL_VA, 0, MAP_FLAGS) == 0) {
        return (struct differ_page *)(uintptr_t)OP_CONTROL_VA;
    }
    return NULL;
}

static bool await_order(const struct differ_page *page)
{
    for (uint32_t i = 0; i < IDLE_YIELDS; i++) {
        if (page->ordered != page->answered) {
            differ_barrier();
            return true;
        }
        (void)nx_call0(NX_SYS_YIELD);
    }
    return false;
}

int main(void)
{
    struct differ_page *page = map_page();
    if (page == NULL) {
        return PUPPET_NO_PAGE;
    }
    page->answered = 0;
    while (await_order(page)) {
        const struct differ_order order = page->order;
        struct model_answer answer;
        if (order.op.kind == DIFFER_DISMISS) {
            return 0;
        }
        differ_perform(card.memory, &order, &answer);
        page->answer = answer;
        differ_barrier();
        page->answered = page->ordered;
    }
    return PUPPET_IDLE;
}
