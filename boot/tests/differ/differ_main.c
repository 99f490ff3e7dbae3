/* SPDX-License-Identifier: Apache-2.0 */
/* Init of a random program: runs the program given by the block and compares each answer with the model. */
#include <stdio.h>
#include <string.h>

#include "differ/differ_exec.h"
#include "differ/differ_puppet.h"
#include "nx_call.h"

#define TEXT_BYTES 160
#define SPACES_A2 16 /* of as_create; the contract has no limit */

/* Patched by boot/tests/differ/differ_boot.py. It is volatile so that the compiler does not use the initial
 * values. */
static volatile struct differ_block block = {
    .mark = {'l', 'i', 'b', 'v', 'm', 'o', '-', 'd', 'i', 'f', 'f', 'e', 'r', '-', '0', '1'},
    .ops = 100,
    .lie_at = DIFFER_NO_OP,
    .repeat_at = DIFFER_NO_OP};

static struct differ differ;

static struct model_limits limits_of_boot(void)
{
    const bool is_a1 = nx_call0(NX_SYS_AS_SELF) == -NX_ENOSYS; /* K-04 */
    const uint32_t slots = is_a1 ? NX_SLOTS_A1 : NX_SLOTS_A2;
    const uint32_t ep_ids = is_a1 ? NX_EP_IDS_A1 : NX_EP_IDS_A2;
    const uint64_t arena_bytes = is_a1 ? NX_ARENA_BYTES_A1 : NX_ARENA_BYTES_A2;
    return (struct model_limits){.is_a1 = is_a1,
                                 .slots = block.slots ? block.slots : slots,
                                 .ep_ids = block.ep_ids ? block.ep_ids : ep_ids,
                                 .spaces = is_a1 ? MODEL_SPACES_A1 : SPACES_A2,
                                 .arena_bytes = block.arena_bytes ? block.arena_bytes : arena_bytes};
}

static void print_mismatch(const struct model_result *result)
{
    char text[TEXT_BYTES];
    model_op_text(&result->op, text, sizeof(text));
    printf("differ: seed %llu op %u: %s got %lld a1=%llu%s expected %lld: %s\n",
           (unsigned long long)block.seed, result->at, text, (long long)result->answer.a0,
           (unsigned long long)result->answer.a1, result->answer.ended ? " ended" : "",
           (long long)result->wanted, result->why);
}

/* Returns the exit status. */
static int run(void)
{
    struct model_result result;
    if (!model_run(&differ.run, &result)) {
        print_mismatch(&result);
        return 1;
    }
    printf("differ: seed %llu ops %u made %u ", (unsigned long long)block.seed, block.ops, result.executed);
    if (block.classes != 0) {
        printf("left out %u ", result.skipped);
    }
    printf("ok\n");
    return 0;
}

int main(void)
{
    differ.block = &block;
    differ.run.seed = block.seed;
    differ.run.ops = block.ops;
    differ.run.classes = block.classes;
    differ.run.left_out = (const uint8_t *)(uintptr_t)block.left_out;
    differ.run.limits = limits_of_boot();
    differ.run.limits.init = differ_places(&differ_memory);
    differ.run.unwinds = block.classes == 0; /* an unwinding may need an omitted class */
    differ.run.exec = differ_exec;
    differ.run.ctx = &differ;
    if (block.ops > DIFFER_OPS_MAX || !puppet_read(&differ.run.limits) || !differ_set_up(&differ)) {
        printf("differ: the set-up failed: bad block, puppet file or control pages\n");
        return 2;
    }
    const int status = run();
    differ_dismiss(&differ);
    return status;
}
