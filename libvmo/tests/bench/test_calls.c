/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a message, by libvmo and by hand, counted exactly: those of the wrapped backend,
 * without what the C library answers itself. No end waits, so waits are counted apart.
 *
 *   test_calls [show]     also prints the calls of each message
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "linux/errno/lx_wrap.h"
#include "page.h"

#define BYTES (2 * PAGE)
#define WARM_UP 32 /* messages until each is like the one before */

/* Most calls that libvmo may make for a message. */
struct bound {
    uint32_t hand; /* what the same costs by hand */
    uint32_t vmo;
};
static const struct bound bounds[BENCH_EXCHANGES] = {
    [BENCH_FRESH] = {17, 20}, [BENCH_RESEND] = {10, 8}, [BENCH_POOLED] = {4, 4}};

static bool show;
static uint32_t ran;
static bool good = true;

static bool is_system_call(enum row row)
{
    return row != ROW_clock_gettime && row != ROW_sysconf && row != ROW_malloc;
}

static uint32_t calls_of(const struct bench_exchange *exchange)
{
    uint32_t calls = 0;
    uint32_t number = 0;

    exchange->open(BYTES);
    while (number < WARM_UP) {
        for (const struct bench_step *step = exchange->steps; step->name; step++) {
            step->take(number);
        }
        number++;
    }
    for (const struct bench_step *step = exchange->steps; step->name; step++) {
        wrap->count[LANE_PARENT] = 0;
        wrap->armed = true;
        step->take(number);
        wrap->armed = false;
        for (uint32_t i = 0; i < wrap->count[LANE_PARENT]; i++) {
            const enum row row = wrap->trace[LANE_PARENT][i].row;
            calls += is_system_call(row);
            if (show && is_system_call(row)) {
                printf("#   %s: %s\n", step->name, wrap_rows[row].name);
            }
        }
    }
    exchange->close();
    return calls;
}

static void check(bool holds, const char *exchange, const char *who, uint32_t calls, uint32_t bound)
{
    printf("%s %u - %s %s: %u calls a message, %u expected\n", holds ? "ok" : "not ok", ++ran, exchange, who,
           calls, bound);
    good = good && holds;
}

int main(int argc, char **argv)
{
    show = argc > 1 && strcmp(argv[1], "show") == 0;
    wrap_open();
    wrap_begin();
    for (int which = 0; which < BENCH_EXCHANGES; which++) {
        const struct bound *bound = &bounds[which];
        const uint32_t hand = calls_of(&bench_hand[which]);
        const uint32_t vmo = calls_of(&bench_vmo[which]);
        check(hand == bound->hand, bench_hand[which].name, "by hand", hand, bound->hand);
        check(vmo == bound->vmo, bench_vmo[which].name, "by libvmo", vmo, bound->vmo);
    }
    printf("1..%u\n", ran);
    return good ? 0 : 1;
}
