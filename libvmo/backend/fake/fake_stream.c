/* SPDX-License-Identifier: Apache-2.0 */
/* The port of streams on the fake: each wait is a poll, at which the test's hook acts for the other side. */
#include "backend_stream.h"
#include "fake_state.h"

bool be_stream_sleep(const struct be_stream_word *words, uint32_t count, uint64_t deadline_ns)
{
    (void)words, (void)count, (void)deadline_ns;
    fake_poll();
    return true;
}

void be_stream_wake(const void *word)
{
    (void)word;
}

bool be_stream_relax(uint32_t looks)
{
    fake_poll();
    return looks > 0;
}

vmo_status be_stream_token_make(const _Atomic uint64_t **token)
{
    static const _Atomic uint64_t one = 1; /* no test forks */

    *token = &one;
    return fake_enter();
}

void be_stream_token_drop(const _Atomic uint64_t *token)
{
    (void)token;
}
