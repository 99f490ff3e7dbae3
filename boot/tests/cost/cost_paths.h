/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's main paths, each a function that runs it once. */
#ifndef COST_PATHS_H
#define COST_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#define ON_A1 1u
#define ON_A2 2u
#define ON_BOTH (ON_A1 | ON_A2)

struct cost_path {
    const char *name;
    unsigned revisions;
    void (*take)(void);
};

/* In order of execution; the last entry has no name. */
extern const struct cost_path cost_paths[];

/* Create and release the objects that the paths need. */
void cost_prepare(void);
void cost_finish(void);

/* Runs the path once. Returns the sum of instructions from each ecall to the caller's next instruction. */
uint64_t cost_of(const struct cost_path *path);

/* ON_A1 or ON_A2. */
unsigned cost_revision(void);

/* For a path of another file: counts instructions, and reports a refusal. */
void cost_spend(uint64_t instructions);
void cost_refused(const char *name);

/* cost_sha256.c: the SHA-256 of 64 bytes and of 64 KiB. */
void cost_take_sha256_block(void);
void cost_take_sha256_64k(void);

/* cost_stream.c: both sides' library work for a frame, and the yields of 16 frames through 4 buffers. */
void cost_take_stream(void);
void cost_take_stream_yields(void);
void cost_take_stream_latest(void);
void cost_take_stream_latest_yields(void);
void cost_stream_finish(void);

/* Whether any call was refused since the start; the refusal has been printed. */
bool cost_has_failed(void);

#endif
