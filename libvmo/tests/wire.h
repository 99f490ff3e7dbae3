/* SPDX-License-Identifier: Apache-2.0 */
/* Header of a message. The structs of libvmo/src/message.h are repeated here on purpose, so that a change of
 * the format fails the tests. */
#ifndef TESTS_WIRE_H
#define TESTS_WIRE_H

#include <stdint.h>

#define WIRE_MAGIC 0x314F4D56u
#define WIRE_DATA 1
#define WIRE_HANDLE 2
#define WIRE_MANY 3

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

/* WIRE_MANY: one for each VMO, after the header. */
struct wire_item {
    uint64_t len_bytes;
    uint16_t rights;
    uint16_t seal;
    uint32_t zero;
};

#endif
