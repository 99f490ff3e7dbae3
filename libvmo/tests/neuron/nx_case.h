/* SPDX-License-Identifier: Apache-2.0 */
/* A case of cmocka that runs in its own process, since the backend has static state. */
#ifndef NX_CASE_H
#define NX_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "nx_stub.h"

typedef void case_run(const void *context);
#define CASE(test, runner)                                                                                   \
    {                                                                                                        \
        .name = #test, .test_func = (runner), .initial_state = &(case_run *)                                 \
        {                                                                                                    \
            test                                                                                             \
        }                                                                                                    \
    }

static inline void alone(void **state)
{
    case_run *const run = *(case_run **)*state;

    assert_true(stub_alone(run, NULL));
}

/* The case gets true for ABI revision a1, false for a2. */
static inline void alone_on_both(void **state)
{
    case_run *const run = *(case_run **)*state;

    assert_true(stub_alone(run, &(bool){true}));
    assert_true(stub_alone(run, &(bool){false}));
}

#endif
