/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges of messages between two ends in one thread, so that no wait is part of a figure: by libvmo, and
 * written by hand with the same guarantees. Each is a list of steps, so that a step can be compared with its
 * counterpart.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_POOL 4 /* objects of the exchanges that use theirs again */
#define BENCH_STEPS_MAX 11

/* A step of one message; number tells which. */
struct bench_step {
    const char *name;
    void (*take)(uint32_t number);
};

struct bench_exchange {
    const char *name;
    void (*open)(size_t bytes);
    void (*close)(void);
    struct bench_step steps[BENCH_STEPS_MAX]; /* ends with a NULL name */
};

/* A counterpart has the same index and the same steps. */
enum { BENCH_FRESH, BENCH_GUARDED, BENCH_RESEND, BENCH_POOLED, BENCH_EXCHANGES };
extern const struct bench_exchange bench_hand[BENCH_EXCHANGES];
extern const struct bench_exchange bench_vmo[BENCH_EXCHANGES];

/* Ends the program unless the condition holds. */
void bench_need(int holds, const char *what, int line);
#define NEED(condition) bench_need((condition) ? 1 : 0, #condition, __LINE__)

/* The work of both ends: a word in each page, which tells the message. */
void bench_fill(uint8_t *at, size_t bytes, uint32_t number);
void bench_check(const uint8_t *at, size_t bytes, uint32_t number);

#endif
