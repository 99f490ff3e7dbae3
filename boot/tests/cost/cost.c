/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the cost of each path, the minimum of three runs. The first run may create a page table, and on a2 a
 * timer tick may interrupt a run. If the three costs differ, prints them all.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cost/cost_paths.h"

#define TIMES 3

static void measure(const struct cost_path *path)
{
    uint64_t cost[TIMES], least = UINT64_MAX, most = 0;
    for (unsigned i = 0; i < TIMES; i++) {
        cost[i] = cost_of(path);
        least = cost[i] < least ? cost[i] : least;
        most = cost[i] > most ? cost[i] : most;
    }
    printf("cost: %s %" PRIu64 "\n", path->name, least);
    if (most != least) {
        printf("# %s: %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", path->name, cost[0], cost[1], cost[2]);
    }
}

int main(void)
{
    cost_prepare();
    for (const struct cost_path *path = cost_paths; path->name != NULL && !cost_has_failed(); path++) {
        if (path->revisions & cost_revision()) {
            measure(path);
        }
    }
    cost_finish();
    printf("cost: %s\n", cost_has_failed() ? "failed" : "done");
    return cost_has_failed() ? 1 : 0;
}
