/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Linux backend's system calls, wrapped at link time: counts them while a step of a story runs, and fails
 * one as planned. The plan, the counts and the trace lie in memory that a story's process shares with the
 * driver.
 */
#ifndef TESTS_LX_WRAP_H
#define TESTS_LX_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmo/vmo.h"

#define TRACE_MAX 1024
#define TEXT_MAX 400

/* Rows of errnos.def. */
enum row {
#define CALL(name, errors) ROW_##name,
#define FCNTL(command, errors) ROW_##command,
#define RAW(name, errors) ROW_##name,
#include "errnos.def"
#undef CALL
#undef FCNTL
#undef RAW
    ROWS
};
struct wrap_row {
    const char *name;
    const int *errors; /* ends with 0 */
};
extern const struct wrap_row wrap_rows[ROWS];

/* Who makes a call: the process of the story, or the child that it has forked. */
enum lane { LANE_PARENT, LANE_CHILD, LANES };

enum how {
    HOW_ERROR,   /* the call fails with an errno; close closes the descriptor, as the kernel does */
    HOW_ALWAYS,  /* this call and all later ones of the same row fail until the step ends */
    HOW_SHORT,   /* it moves about half of the bytes; sendmsg sends all and reports less */
    HOW_NOTHING, /* it moves no byte and returns 0 */
    HOW_KILLED,  /* the process is killed before the call */
    HOWS
};

struct wrap_plan {
    bool set;
    enum lane lane;
    uint32_t nth; /* call of its lane, counted through the story, from 0 */
    enum row row;
    enum how how;
    int error;
    uint32_t step; /* the step in which this call comes */
};

struct wrap_call {
    enum row row;
    uint32_t step;
    uintptr_t site; /* where the call returns to */
};

struct wrap_shared {
    struct wrap_plan plan;
    bool armed;
    uint32_t step; /* that runs, from 1 */
    uint32_t fired;
    uint32_t count[LANES];
    struct wrap_call trace[LANES][TRACE_MAX];
    const char *function[TRACE_MAX]; /* of each step: a literal of the program */
    vmo_status status;               /* of the step with the failure */
    bool absorbed;                   /* the step succeeded in spite of it */
    char text[TEXT_MAX];             /* what went wrong; "" is good */
};
extern struct wrap_shared *wrap;

/* Called before each wait of a step, unless it is NULL: the other end's turn. */
extern void (*wrap_on_wait)(void);

/* In a story: gives every call of a row this error, until 0 takes it back. */
void wrap_refuse(enum row row, int error);

/* Makes the shared memory. In the process of a story: counts its calls from here on. */
void wrap_open(void);
void wrap_begin(void);

#endif
