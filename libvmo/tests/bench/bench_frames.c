/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "bench/bench_frames.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#define WARM_UP 16
#define PROBE_TURNS 2000
#define WATCHDOG_S 8
#define LINE 64
#define MEET_US 50

struct frame_run frame_run;

/* What both processes write. */
struct record {
    _Alignas(LINE) atomic_uint turn; /* of the probe; even: the producer's */
    _Alignas(LINE) uint64_t started;
    uint64_t stopped;
    struct rusage before[2];
    struct rusage after[2];
};
static struct record *record;

static uint64_t now_ns(void)
{
    struct timespec now;

    NEED(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void *frame_memory(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    NEED(at != MAP_FAILED);
    return at;
}

void frame_pause(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- The work ----------------------------------------------------------------------------------- */

static void fill_past_cache(uint8_t *at, size_t bytes, int value)
{
#if defined(__x86_64__)
    const __m128i word = _mm_set1_epi8((char)value);
    for (size_t off = 0; off + sizeof(word) <= bytes; off += sizeof(word)) {
        _mm_stream_si128((__m128i *)(void *)(at + off), word);
    }
    _mm_sfence();
#else
    memset(at, value, bytes);
#endif
}

void frame_begin(uint64_t number)
{
    if (number == WARM_UP) {
        NEED(getrusage(RUSAGE_SELF, &record->before[0]) == 0);
        record->started = now_ns();
    }
}

void frame_number(uint8_t *at, uint64_t number)
{
    memcpy(at, &number, sizeof(number));
}

void frame_fill(uint8_t *at, uint64_t number)
{
    frame_begin(number);
    if (frame_run.fill == FILL_ALL) {
        memset(at, (int)(number & UINT8_MAX), frame_run.bytes);
    } else if (frame_run.fill == FILL_HINT) {
        fill_past_cache(at, frame_run.bytes, (int)(number & UINT8_MAX));
    }
    frame_number(at, number);
}

static uint64_t sum_of(const uint8_t *at, size_t bytes)
{
    uint64_t sums[8] = {0};
    uint64_t words[8];

    for (size_t off = 0; off + sizeof(words) <= bytes; off += sizeof(words)) {
        memcpy(words, at + off, sizeof(words));
        for (size_t i = 0; i < 8; i++) {
            sums[i] += words[i];
        }
    }
    for (size_t i = 1; i < 8; i++) {
        sums[0] += sums[i];
    }
    return sums[0];
}

void frame_stop(void)
{
    record->stopped = now_ns();
}

void frame_read(const uint8_t *at, uint64_t number)
{
    static volatile uint64_t sink;
    uint64_t found = 0;

    if (number == WARM_UP) {
        NEED(getrusage(RUSAGE_SELF, &record->before[1]) == 0);
    }
    memcpy(&found, at, sizeof(found));
    NEED(found == number);
    if (frame_run.fill != FILL_NONE) {
        sink = sum_of(at, frame_run.bytes);
    }
    if (number + 1 == frame_run.count) {
        frame_stop();
        NEED(getrusage(RUSAGE_SELF, &record->after[1]) == 0);
    }
    (void)sink;
}

/* ---- Two processors ----------------------------------------------------------------------------- */

static void pin(size_t processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    NEED(sched_setaffinity(0, sizeof(set), &set) == 0);
}

/* Hands a line to the other processor and back; the least ns of one way. side: 0 or 1. */
static uint64_t probe(unsigned side)
{
    const unsigned first = atomic_load(&record->turn) & ~1u;
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < PROBE_TURNS; i++) {
        const uint64_t start = now_ns();
        while (atomic_load_explicit(&record->turn, memory_order_acquire) != first + 2 * i + side) {
        }
        atomic_fetch_add_explicit(&record->turn, 1, memory_order_release);
        const uint64_t taken = now_ns() - start;
        least = i && taken < least ? taken : least;
    }
    return least / 2;
}

/* Both sides are here before one goes on. Sleeps, since another library may have threads on this processor.
 */
static void meet(atomic_uint *count)
{
    const unsigned mine = atomic_fetch_add(count, 1);

    while (atomic_load(count) < (mine | 1u) + 1) {
        (void)usleep(MEET_US);
    }
}

static void consume(const struct frame_way *way, atomic_uint *arrived)
{
    (void)alarm(WATCHDOG_S);
    pin(1);
    meet(arrived);
    (void)probe(1);
    way->consume();
    meet(arrived);
    (void)probe(1);
    _exit(0);
}

static long delta(long before, long after)
{
    return after - before;
}

static void run(const struct frame_way *way)
{
    atomic_uint *arrived = frame_memory(LINE);
    int ended = -1;

    record = frame_memory(sizeof(*record));
    frame_run.producer = getpid();
    if (way->prepare != NULL) {
        way->prepare();
    }
    const pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) {
        consume(way, arrived);
    }
    (void)alarm(WATCHDOG_S);
    pin(0);
    meet(arrived);
    const uint64_t line_before = probe(0);
    way->produce();
    NEED(getrusage(RUSAGE_SELF, &record->after[0]) == 0);
    meet(arrived);
    const uint64_t line_after = probe(0);
    NEED(waitpid(child, &ended, 0) == child && ended == 0);
    printf("%.1f\t%" PRIu64 "\t%" PRIu64 "\t%ld\t%ld\t%ld\t%ld\n",
           (double)(record->stopped - record->started) / (double)(frame_run.count - WARM_UP), line_before,
           line_after, delta(record->before[0].ru_minflt, record->after[0].ru_minflt),
           delta(record->before[1].ru_minflt, record->after[1].ru_minflt),
           delta(record->before[0].ru_nvcsw, record->after[0].ru_nvcsw),
           delta(record->before[1].ru_nvcsw, record->after[1].ru_nvcsw));
}

int main(int argc, char **argv)
{
    static const char *const fills[] = {"all", "hint", "none"};

    for (const struct frame_way *way = frame_ways; argc == 1 && way->name != NULL; way++) {
        puts(way->name);
    }
    if (argc == 1) {
        return 0;
    }
    NEED(argc == 5);
    frame_run.bytes = strtoul(argv[2], NULL, 10);
    frame_run.count = strtoul(argv[3], NULL, 10) + WARM_UP;
    NEED(frame_run.bytes >= 64 && frame_run.bytes % 64 == 0);
    bool known = false;
    for (unsigned i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        if (strcmp(argv[4], fills[i]) == 0) {
            frame_run.fill = (enum frame_fill)i;
            known = true;
        }
    }
    NEED(known);
    for (const struct frame_way *way = frame_ways; way->name != NULL; way++) {
        if (strcmp(way->name, argv[1]) == 0) {
            run(way);
            return 0;
        }
    }
    (void)fprintf(stderr, "bench_frames: no way is called %s\n", argv[1]);
    return 2;
}
