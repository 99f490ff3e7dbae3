/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the instructions of the library's calls. While it yields, other tasks run: those are left out. The
 * two functions that yield are wrapped by the linker. */
#include "cost/cost_stream.h"

#include <stdbool.h>

struct be_stream_word;

static uint64_t begun, elsewhere, yields;

static uint64_t instructions(void)
{
    uint64_t count;
    __asm__ volatile("rdinstret %0" : "=r"(count)::"memory");
    return count;
}

void __real_be_stream_relax(uint32_t looks);
void __wrap_be_stream_relax(uint32_t looks);
void __wrap_be_stream_relax(uint32_t looks)
{
    const uint64_t before = instructions();

    __real_be_stream_relax(looks);
    yields++;
    elsewhere += instructions() - before;
}

bool __real_be_stream_sleep(const struct be_stream_word *words, uint32_t count, uint64_t deadline_ns);
bool __wrap_be_stream_sleep(const struct be_stream_word *words, uint32_t count, uint64_t deadline_ns);
bool __wrap_be_stream_sleep(const struct be_stream_word *words, uint32_t count, uint64_t deadline_ns)
{
    const uint64_t before = instructions();
    const bool slept = __real_be_stream_sleep(words, count, deadline_ns);

    yields++;
    elsewhere += instructions() - before;
    return slept;
}

void stream_cost_begin(void)
{
    elsewhere = 0;
    yields = 0;
    begun = instructions();
}

void stream_cost_end(struct stream_cost *cost, uint32_t frame)
{
    cost->instructions[frame / STREAM_BATCH_FRAMES] += instructions() - begun - elsewhere;
    cost->yields[frame / STREAM_BATCH_FRAMES] += yields;
}
