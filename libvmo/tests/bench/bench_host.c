/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the exchanges of libvmo beside those written by hand. bench_host.py runs it and prints tables.
 *
 *   bench_host times BYTES MESSAGES RUNS    a line for each step: exchange, step, nanoseconds by hand
 *                                           (quartiles of the runs), then by libvmo
 *   bench_host count BYTES MESSAGES         under callgrind: user instructions of each exchange, by both
 *
 * The time of a step is the median of its messages in one run, then the median of the runs. Runs by hand and
 * by libvmo alternate, so that both meet the same load.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <valgrind/callgrind.h>

#include "bench/bench.h"

#define MESSAGES_MAX 20000
#define RUNS_MAX 101
#define WARM_UP 16

enum { BY_HAND, BY_VMO, WAYS };

static uint64_t taken[BENCH_STEPS_MAX + 1][MESSAGES_MAX]; /* the last row: the whole message */
static uint64_t medians[WAYS][BENCH_STEPS_MAX + 1][RUNS_MAX];

static uint64_t now_ns(void)
{
    struct timespec now;

    NEED(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t first = *(const uint64_t *)a;
    const uint64_t second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

static uint64_t median(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), by_size);
    return values[count / 2];
}

static const struct bench_exchange *exchange_of(int way, int which)
{
    return way == BY_HAND ? &bench_hand[which] : &bench_vmo[which];
}

static size_t steps_of(const struct bench_exchange *exchange)
{
    size_t count = 0;

    while (exchange->steps[count].name) {
        count++;
    }
    return count;
}

static void exchange_one(const struct bench_exchange *exchange, uint32_t number)
{
    for (const struct bench_step *step = exchange->steps; step->name; step++) {
        step->take(number);
    }
}

/* One message, timed as message `slot` of the run. */
static void time_one(const struct bench_exchange *exchange, uint32_t number, uint32_t slot)
{
    const size_t steps = steps_of(exchange);
    const uint64_t start = now_ns();
    uint64_t before = start;

    for (size_t step = 0; step < steps; step++) {
        exchange->steps[step].take(number);
        const uint64_t after = now_ns();
        taken[step][slot] = after - before;
        before = after;
    }
    taken[steps][slot] = before - start;
}

static void time_run(int way, int which, size_t bytes, uint32_t messages, uint32_t run)
{
    const struct bench_exchange *exchange = exchange_of(way, which);

    exchange->open(bytes);
    for (uint32_t i = 0; i < WARM_UP; i++) {
        exchange_one(exchange, i);
    }
    for (uint32_t i = 0; i < messages; i++) {
        time_one(exchange, WARM_UP + i, i);
    }
    exchange->close();
    for (size_t step = 0; step <= steps_of(exchange); step++) {
        medians[way][step][run] = median(taken[step], messages);
    }
}

static void time_exchange(int which, size_t bytes, uint32_t messages, uint32_t runs)
{
    const struct bench_exchange *exchange = exchange_of(BY_HAND, which);
    const size_t steps = steps_of(exchange);

    for (uint32_t run = 0; run < runs; run++) {
        time_run((int)(run % WAYS), which, bytes, messages, run);
        time_run((int)((run + 1) % WAYS), which, bytes, messages, run);
    }
    for (size_t step = 0; step <= steps; step++) {
        printf("%s\t%s", exchange->name, step < steps ? exchange->steps[step].name : "all");
        for (int way = 0; way < WAYS; way++) {
            uint64_t *ordered = medians[way][step];
            const uint64_t middle = median(ordered, runs);

            printf("\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, ordered[runs / 4], middle, ordered[runs * 3 / 4]);
        }
        printf("\n");
    }
}

static void count_exchange(int way, int which, size_t bytes, uint32_t messages)
{
    const struct bench_exchange *exchange = exchange_of(way, which);
    char name[64];

    exchange->open(bytes);
    for (uint32_t i = 0; i < WARM_UP; i++) {
        exchange_one(exchange, i);
    }
    CALLGRIND_TOGGLE_COLLECT;
    for (uint32_t i = 0; i < messages; i++) {
        exchange_one(exchange, WARM_UP + i);
    }
    CALLGRIND_TOGGLE_COLLECT;
    (void)snprintf(name, sizeof(name), "%s-%s", exchange->name, way == BY_HAND ? "hand" : "vmo");
    CALLGRIND_DUMP_STATS_AT(name);
    exchange->close();
}

int main(int argc, char **argv)
{
    const bool times = argc == 5 && strcmp(argv[1], "times") == 0;

    NEED(times || (argc == 4 && strcmp(argv[1], "count") == 0));
    const size_t bytes = strtoul(argv[2], NULL, 10);
    const uint32_t messages = (uint32_t)strtoul(argv[3], NULL, 10);
    const uint32_t runs = times ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
    NEED(bytes && messages && messages <= MESSAGES_MAX && runs && runs <= RUNS_MAX);
    for (int which = 0; which < BENCH_EXCHANGES; which++) {
        if (times) {
            time_exchange(which, bytes, messages, runs);
        } else {
            count_exchange(BY_HAND, which, bytes, messages);
            count_exchange(BY_VMO, which, bytes, messages);
        }
    }
    return 0;
}
