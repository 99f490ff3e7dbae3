/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the ways to fill and to copy a fresh VMO, and vmo_copy_in with each hint while another processor
 * reads
 * (`make bench-bytes`). Prints medians of microseconds. A line that goes back and forth shows whether the two
 * processors are near: far ones take over 100 ns a turn.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmo/vmo.h"

#define RUNS 41
#define TURNS 20000
#define BYTES_MAX (UINT64_C(8) << 20)

static struct vmo_registry *registry;
static uint8_t source[BYTES_MAX];

static void must(vmo_status status, const char *what)
{
    if (status != VMO_OK) {
        fprintf(stderr, "bench_bytes: %s: %s\n", what, vmo_status_name(status));
        exit(1);
    }
}
#define MUST(call) must((call), #call)

static double us_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double now_us(void)
{
    return us_of(CLOCK_MONOTONIC);
}

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double us[RUNS])
{
    qsort(us, RUNS, sizeof(us[0]), by_value);
    return us[RUNS / 2];
}

/* ---- One-shot ----------------------------------------------------------------------------------- */

static void by_write(vmo_t of, uint64_t len, vmo_t *out)
{
    (void)of;
    MUST(vmo_create(registry, len, out));
    MUST(vmo_write(registry, *out, (struct vmo_range){0, len}, source));
}

static void by_view(vmo_t of, uint64_t len, vmo_t *out)
{
    vmo_view_t view;

    (void)of;
    MUST(vmo_create(registry, len, out));
    MUST(vmo_map_rw(registry, *out, (struct vmo_range){0, len}, &view));
    memcpy(vmo_view_data_rw(registry, view), source, len);
    MUST(vmo_unmap(registry, view));
}

static void by_copy(vmo_t of, uint64_t len, vmo_t *out)
{
    (void)len;
    MUST(vmo_copy(registry, of, out));
}

/* What vmo_copy did before: a read into a view. */
static void by_read(vmo_t of, uint64_t len, vmo_t *out)
{
    vmo_view_t view;

    MUST(vmo_create(registry, len, out));
    MUST(vmo_map_rw(registry, *out, (struct vmo_range){0, len}, &view));
    MUST(vmo_read(registry, of, (struct vmo_range){0, len}, vmo_view_data_rw(registry, view)));
    MUST(vmo_unmap(registry, view));
}

static void one_shot(uint64_t len)
{
    static void (*const ways[])(vmo_t, uint64_t, vmo_t *) = {by_write, by_view, by_copy, by_read};
    double us[4][RUNS];
    vmo_t of;

    by_write(VMO_NONE, len, &of);
    for (size_t run = 0; run < RUNS; run++) {
        for (size_t way = 0; way < 4; way++) {
            vmo_t made = VMO_NONE;
            const double begin = us_of(CLOCK_PROCESS_CPUTIME_ID);
            ways[way](of, len, &made);
            MUST(vmo_destroy(registry, made));
            us[way][run] = us_of(CLOCK_PROCESS_CPUTIME_ID) - begin;
        }
    }
    MUST(vmo_destroy(registry, of));
    printf("%9llu %12.1f %12.1f %12.1f %12.1f\n", (unsigned long long)len, median(us[0]), median(us[1]),
           median(us[2]), median(us[3]));
}

/* ---- Two processors ----------------------------------------------------------------------------- */

static atomic_uint turn; /* even: the producer's, odd: the consumer's */
static uint64_t reads_len;
static const uint8_t *reads;
static double read_us[RUNS];

static void pin(size_t processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        puts("# the threads are not pinned");
    }
}

static void wait_for(unsigned wanted)
{
    while (atomic_load_explicit(&turn, memory_order_acquire) != wanted) {
    }
}

static void pass(void)
{
    atomic_fetch_add_explicit(&turn, 1, memory_order_release);
}

static uint64_t sum_of(const uint8_t *bytes, uint64_t len)
{
    uint64_t sum = 0, word;

    for (uint64_t at = 0; at < len; at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        sum += word;
    }
    return sum;
}

static void *consume(void *unused)
{
    static volatile uint64_t sink;

    pin(1);
    for (unsigned i = 0; i < TURNS; i++) {
        wait_for(2 * i + 1);
        pass();
    }
    for (unsigned i = 0; i < 2 * RUNS; i++) {
        wait_for(2 * (TURNS + i) + 1);
        const double begin = now_us();
        sink = sum_of(reads, reads_len);
        read_us[i % RUNS] = now_us() - begin;
        pass();
    }
    (void)sink;
    return unused;
}

static void two_processors(uint64_t len)
{
    double copy[2][RUNS], read[2] = {0};
    pthread_t consumer;
    vmo_t vmo;
    vmo_view_t view;

    MUST(vmo_create(registry, len, &vmo));
    MUST(vmo_map_rw(registry, vmo, (struct vmo_range){0, len}, &view));
    MUST(vmo_copy_in(registry, view, (struct vmo_range){0, len}, source, VMO_READER_NEAR));
    reads = vmo_view_data(registry, view);
    reads_len = len;
    atomic_store(&turn, 0);
    if (pthread_create(&consumer, NULL, consume, NULL) != 0) {
        must(VMO_ERR_BACKEND, "pthread_create");
    }
    pin(0);
    double line = 1e9;
    for (unsigned i = 0; i < TURNS; i++) {
        const double begin = now_us();
        wait_for(2 * i);
        pass();
        wait_for(2 * i + 2);
        const double ns = (now_us() - begin) * 1e3 / 2;
        line = ns < line ? ns : line;
    }
    for (unsigned i = 0; i < 2 * RUNS; i++) {
        const size_t way = i / RUNS;
        wait_for(2 * (TURNS + i));
        if (i == RUNS) {
            read[0] = median(read_us);
        }
        const double start = now_us();
        MUST(vmo_copy_in(registry, view, (struct vmo_range){0, len}, source, (vmo_reader)way));
        copy[way][i % RUNS] = now_us() - start;
        pass();
    }
    (void)pthread_join(consumer, NULL);
    read[1] = median(read_us);
    MUST(vmo_unmap(registry, view));
    MUST(vmo_destroy(registry, vmo));
    printf("%9llu %12.1f %12.1f %12.1f %12.1f %12.0f\n", (unsigned long long)len, median(copy[0]), read[0],
           median(copy[1]), read[1], line);
}

int main(void)
{
    static const struct vmo_limits limits = {.objects = 4, .mappings = 8, .views = 8, .peers = 1};
    static const uint64_t lengths[] = {UINT64_C(64) << 10, UINT64_C(1) << 20, BYTES_MAX};

    memset(source, 7, sizeof(source));
    MUST(vmo_registry_new(&limits, &registry));
    puts("one-shot, us of processor time: create, fill, destroy");
    puts("    bytes    vmo_write         view     vmo_copy    read into view");
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        one_shot(lengths[i]);
    }
    puts("another processor reads, us: vmo_copy_in, then the read");
    puts("    bytes    near: copy         read   far: copy         read   line, ns");
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        two_processors(lengths[i]);
    }
    MUST(vmo_registry_free(registry));
    return 0;
}
