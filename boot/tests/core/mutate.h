/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded mutations for the parsers' tests. A seed gives the same bytes on every machine. */
#ifndef TESTS_CORE_MUTATE_H
#define TESTS_CORE_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#define MUTATIONS 10000

/* xorshift64*; the state must not be 0. */
static inline uint64_t mutate_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DULL;
}

/* Changes 1 to 4 bytes: to a likely boundary value, by one bit, or to a random value. */
static inline void mutate_bytes(uint8_t *bytes, size_t n, uint64_t *state)
{
    static const uint8_t nasty[] = {0x00, 0x01, 0x02, 0x03, 0x09, 0x7F, 0x80, 0xFF};
    uint64_t changes = mutate_next(state) % 4 + 1;
    for (uint64_t i = 0; i < changes; i++) {
        uint8_t *at = bytes + mutate_next(state) % n;
        uint64_t dice = mutate_next(state);
        if (dice % 3 == 0) {
            *at = nasty[dice / 3 % sizeof(nasty)];
        } else if (dice % 3 == 1) {
            *at = (uint8_t)(*at ^ 1u << dice / 3 % 8);
        } else {
            *at = (uint8_t)(dice >> 8);
        }
    }
}

#endif
