/* SPDX-License-Identifier: Apache-2.0 */
/* Header of a message, as a far end without the library encodes it. A second copy of libvmo/src/message.c's
 * on purpose: a change of the format must fail the tests. */
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
