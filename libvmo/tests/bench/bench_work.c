/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "page.h"

void bench_need(int holds, const char *what, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "bench: line %d: %s does not hold\n", line, what);
        exit(2);
    }
}

void bench_fill(uint8_t *at, size_t bytes, uint32_t number)
{
    for (size_t off = 0; off < bytes; off += PAGE) {
        memcpy(at + off, &number, sizeof(number));
    }
}

void bench_check(const uint8_t *at, size_t bytes, uint32_t number)
{
    uint32_t found = 0;

    for (size_t off = 0; off < bytes; off += PAGE) {
        memcpy(&found, at + off, sizeof(found));
        NEED(found == number);
    }
}
