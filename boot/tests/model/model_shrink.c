/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSES 4       /* over single operations, while a pass removes one */
#define PAIRS_UP_TO 16 /* a program this short is also shrunk by pairs */

const struct host_boot host_boots[] = {
    {.name = "a2"},
    {.name = "a2-small",
     .slots = 14,
     .ep_ids = 12,
     .regions = 10,
     .ep_owner = 5,
     .arena_bytes = 256 * NX_PAGE_BYTES},
    {.name = "a1", .is_a1 = true},
    {.name = "a1-small",
     .is_a1 = true,
     .slots = 14,
     .ep_ids = 12,
     .ep_owner = 5,
     .arena_bytes = 512 * NX_PAGE_BYTES},
};
const size_t host_boot_count = sizeof(host_boots) / sizeof(host_boots[0]);

bool program_run(const struct program *program, struct host host, struct model_result *result)
{
    static struct model_run run;
    host.fault = program->fault;
    run.seed = program->seed;
    run.ops = program->ops;
    run.classes = program->classes;
    run.left_out = program->left_out;
    return host_run_program(program->boot, &host, &run, result);
}

/* ---- Shrinking ----------------------------------------------------------------------------------------- */

/* Decides whether an attempt fails in the same way. */
struct judge {
    bool (*is_same)(const struct program *attempt, void *ctx);
    void *ctx;
};

/* Skips [from, from + n) and `also` if the program then still fails. Returns whether it did. */
static bool drop(struct program *program, uint32_t from, uint32_t n, uint32_t also, const struct judge *judge)
{
    static struct program attempt;
    const uint32_t kept = program_kept(program);
    attempt = *program;
    for (uint32_t i = from; i < from + n && i < program->ops; i++) {
        attempt.left_out[i] = 1;
    }
    attempt.left_out[also] = 1;
    if (program_kept(&attempt) == kept || !judge->is_same(&attempt, judge->ctx)) {
        return false;
    }
    *program = attempt;
    return true;
}

/* Skips two operations at once, e.g. one that takes a slot and one that frees it. */
static bool drop_pairs(struct program *program, const struct judge *judge)
{
    bool went = false;
    for (uint32_t i = 0; i < program->ops; i++) {
        for (uint32_t k = i + 1; k < program->ops && program->left_out[i] == 0; k++) {
            if (program->left_out[k] == 0) {
                went = drop(program, i, 1, k, judge) || went;
            }
        }
    }
    return went;
}

static bool drop_singles(struct program *program, const struct judge *judge)
{
    bool went = false;
    for (uint32_t i = program->ops; i-- > 0;) {
        went = drop(program, i, 1, i, judge) || went;
    }
    return went;
}

/* Finds the shortest prefix that fails, by bisection. A prefix of `low` operations does not fail. */
static void cut(struct program *program, const struct judge *judge)
{
    static struct program attempt;
    uint32_t low = 0;
    while (program->ops - low > 1) {
        attempt = *program;
        attempt.ops = low + (program->ops - low) / 2;
        if (judge->is_same(&attempt, judge->ctx)) {
            program->ops = attempt.ops;
        } else {
            low = attempt.ops;
        }
    }
}

void program_shrink(struct program *program, uint32_t last,
                    bool (*is_same)(const struct program *attempt, void *ctx), void *ctx)
{
    const struct judge judge = {is_same, ctx};
    if (last < program->ops) {
        program->ops = last + 1;
    } else {
        cut(program, &judge);
    }
    for (uint32_t n = program->ops / 2; n > 1; n /= 2) {
        for (uint32_t from = 0; from < program->ops; from += n) {
            (void)drop(program, from, n, from, &judge);
        }
    }
    bool went = true;
    for (unsigned pass = 0; pass < PASSES && went; pass++) {
        went = drop_singles(program, &judge);
        if (program_kept(program) <= PAIRS_UP_TO) {
            went = drop_pairs(program, &judge) || went;
        }
    }
}

uint32_t program_kept(const struct program *program)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < program->ops; i++) {
        kept += program->left_out[i] == 0;
    }
    return kept;
}

/* ---- Text form ----------------------------------------------------------------------------------------- */

void program_print(const struct program *program)
{
    const char *separator = "keep=";
    printf("boot=%s seed=%llu ops=%u fault=%d ", program->boot->name, (unsigned long long)program->seed,
           program->ops, (int)program->fault);
    const uint32_t kept = program_kept(program);
    if (kept == program->ops || kept == 0) {
        printf(kept == 0 ? "keep=none" : "keep=all");
        return;
    }
    for (uint32_t i = 0; i < program->ops; i++) {
        if (program->left_out[i] != 0) {
            continue;
        }
        printf("%s%u", separator, i);
        separator = ",";
    }
}

static const struct host_boot *find_boot(const char *name)
{
    for (size_t i = 0; i < host_boot_count; i++) {
        if (strcmp(host_boots[i].name, name) == 0) {
            return &host_boots[i];
        }
    }
    return NULL;
}

static bool parse_keep(struct program *program, const char *text)
{
    char *end;
    if (strcmp(text, "all") == 0) {
        return true;
    }
    memset(program->left_out, 1, sizeof(program->left_out));
    if (strcmp(text, "none") == 0) {
        return true;
    }
    for (;; text = end + 1) {
        const unsigned long i = strtoul(text, &end, 10);
        if (end == text || i >= program->ops) {
            return false;
        }
        program->left_out[i] = 0;
        if (*end != ',') {
            return *end == '\0';
        }
    }
}

bool program_parse(struct program *program, const char *text)
{
    static char boot[20], keep[8 * PROGRAM_OPS_MAX];
    unsigned long long seed;
    int fault;
    memset(program, 0, sizeof(*program));
    if (sscanf(text, "boot=%19s seed=%llu ops=%u fault=%d keep=%159999s", boot, &seed, &program->ops, &fault,
               keep) != 5) {
        return false;
    }
    program->boot = find_boot(boot);
    program->seed = seed;
    program->fault = (enum host_fault)fault;
    return program->boot != NULL && program->ops <= PROGRAM_OPS_MAX && fault >= 0 && fault < HOST_FAULTS &&
           parse_keep(program, keep);
}
