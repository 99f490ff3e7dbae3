/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A story runs once for each planned failure, in its own process. Its steps are the calls under test: a step
 * that fails must return a documented status, leave everything as it was, and succeed when it is made again.
 */
#ifndef TESTS_LX_STEP_H
#define TESTS_LX_STEP_H

#include <stdio.h>
#include <string.h>

#include "linux/errno/lx_wrap.h"
#include "page.h"
#include "vmo/channel.h"
#include "vmo/descriptor.h"

#define STEP_NOT_COME "the planned call did not come"

#define LEN (2 * PAGE + 3)
#define RANGE(off, len) ((struct vmo_range){(off), (len)})

/* Two registries of one process, joined by a socket; each allows the other. */
struct errno_world {
    struct vmo_registry *a;
    struct vmo_registry *b;
    vmo_peer_t to_b;         /* a's */
    vmo_peer_t to_a;         /* b's */
    void (*unchanged)(void); /* a story's own look after a failed step, or NULL */
};
extern struct errno_world world;

struct story {
    const char *name;
    void (*run)(void);
    bool bare; /* makes its registries itself */
    int marks;
};
/* Marks of a story: bits 0 to 2 are standard streams that are closed. EACH_CALL: fails each of its calls,
 * since sites that other stories reach, too, have more to undo in this one. */
#define EACH_CALL 8
struct story_group {
    const struct story *stories;
    size_t count;
};
extern const struct story_group *const story_groups[];
extern const size_t story_group_count;

/* Runs a story in this process, and ends the process. */
_Noreturn void step_run(const struct story *story, bool old_kernel);

/* What the steps are made of. */
void step_begin(const char *function, vmo_status expected);
bool step_failed(vmo_status status);
void step_again(vmo_status status);
_Noreturn void step_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Called after the other end has acted during a step: its counts, and a descriptor that it closed (or -1),
 * are no change by the step. */
void step_others_acted(int closed);

#define STEP(function, ...) STEP_ANSWERS(VMO_OK, function, __VA_ARGS__)
/* A step that ends with this status when no call fails. */
#define STEP_ANSWERS(expected, function, ...)                                                                \
    do {                                                                                                     \
        step_begin(#function, expected);                                                                     \
        if (step_failed(function(__VA_ARGS__))) {                                                            \
            step_again(function(__VA_ARGS__));                                                               \
        }                                                                                                    \
    } while (0)

/* What a story itself demands, and calls that never fail in it. */
#define DEMAND(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            step_wrong("line %d: %s", __LINE__, #condition);                                                 \
        }                                                                                                    \
    } while (0)
#define SURE(call) DEMAND((call) == VMO_OK)

/* A deadline that passes only if a test fails. */
uint64_t step_soon(void);

#endif
