/* SPDX-License-Identifier: Apache-2.0 */
/* Shrinks a failing program, and prints and parses the text form for a replay. */
#ifndef TESTS_MODEL_SHRINK_H
#define TESTS_MODEL_SHRINK_H

#include "model/model_host.h"

#define PROGRAM_OPS_MAX 20000

/* Determines a run completely. */
struct program {
    const struct host_boot *boot;
    uint64_t seed;
    uint32_t ops;
    enum host_fault fault;
    uint64_t classes; /* omitted classes; not in the replay */
    uint8_t left_out[PROGRAM_OPS_MAX];
};

extern const struct host_boot host_boots[];
extern const size_t host_boot_count;

/* Runs the program with the host's checks, counts and trace, and the program's fault. */
bool program_run(const struct program *program, struct host host, struct model_result *result);

/* Skips operations that the failure does not need. `is_same` runs an attempt; `last` is the operation that
 * failed, or .ops if unknown. */
void program_shrink(struct program *program, uint32_t last,
                    bool (*is_same)(const struct program *attempt, void *ctx), void *ctx);

uint32_t program_kept(const struct program *program);

/* "boot=a2 seed=3 ops=812 fault=0 keep=3,17,200", for --replay. */
void program_print(const struct program *program);
bool program_parse(struct program *program, const char *text);

#endif
