/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's main paths, each as a function that takes it once. */
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

/* In the order in which they are to be taken; the last has no name. */
extern const struct cost_path cost_paths[];

/* What the paths need, and its end. */
void cost_prepare(void);
void cost_finish(void);

/* Takes it once: the instructions from each ecall of it to the next instruction of the caller, added up. */
uint64_t cost_of(const struct cost_path *path);

/* ON_A1 or ON_A2. */
unsigned cost_revision(void);

/* Whether a call was refused since the start; it has been printed. */
bool cost_has_failed(void);

#endif
