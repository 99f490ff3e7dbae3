/* SPDX-License-Identifier: Apache-2.0 */
/* Header of a message. The struct of libvmo/src/message.c is repeated here on purpose, so that a change of
 * the format fails the tests. */
#ifndef TESTS_WIRE_H
#define TESTS_WIRE_H

#include <stdint.h>

#define WIRE_MAGIC 0x314F4D56u
#define WIRE_DATA 1
#define WIRE_HANDLE 2

struct wire {
    uint32_t magic;
    uint16_t kind;
    uint16_t body_bytes;
    uint32_t tag;
    uint16_t rights;
    uint16_t seal;
    uint64_t len_bytes;
    uint64_t zero;
};

#endif
