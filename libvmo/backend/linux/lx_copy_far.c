/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores past the caches, which every x86-64 has. A usual store to a line that a far processor has read last
 * waits until that processor has given the line up; such a store does not.
 */
#include <string.h>

#include "backend.h"

#ifdef __x86_64__

#include <emmintrin.h>

#define LINE 64

static void store_line(uint8_t *to, const uint8_t *from)
{
    for (size_t off = 0; off < LINE; off += sizeof(__m128i)) {
        _mm_stream_si128((void *)(to + off), _mm_loadu_si128((const void *)(from + off)));
    }
}

void be_copy_far(uint8_t *to, const uint8_t *from, size_t len)
{
    const size_t before = -(uintptr_t)to % LINE; /* to the first whole line */
    const size_t head = before < len ? before : len;
    size_t done = head;

    memcpy(to, from, head);
    for (; len - done >= LINE; done += LINE) {
        store_line(to + done, from + done);
    }
    memcpy(to + done, from + done, len - done);
    _mm_sfence(); /* these stores are weakly ordered: the message that follows must not overtake them */
}

#else

void be_copy_far(uint8_t *to, const uint8_t *from, size_t len)
{
    memcpy(to, from, len);
}

#endif
