/* SPDX-License-Identifier: Apache-2.0 */
/* The storm guard (K-03): limits consecutive calls from the same instruction. */
#ifndef CORE_STORM_H
#define CORE_STORM_H

#include <stdint.h>

enum storm_verdict {
    STORM_CALM,
    STORM_BEGINS, /* the first call over the limit in this boot */
    STORM_LASTS
};

void storm_init(void);

/* Counts a call from this program counter, whichever task makes it. */
enum storm_verdict storm_count(uint64_t pc);

#endif
