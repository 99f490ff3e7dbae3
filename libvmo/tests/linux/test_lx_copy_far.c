/* SPDX-License-Identifier: Apache-2.0 */
/* Stores past the caches change what memcpy would, at all alignments and lengths around whole lines. */
#include "lx_test.h"

#define ALIGNMENTS 64
#define LENGTH_MAX 200
#define ROOM (ALIGNMENTS + LENGTH_MAX + ALIGNMENTS)

static uint8_t from[ROOM], actual[ROOM], expected[ROOM];

static void check_copy(size_t to_shift, size_t from_shift, size_t len)
{
    memset(actual, 0xee, sizeof(actual));
    memset(expected, 0xee, sizeof(expected));
    memcpy(expected + to_shift, from + from_shift, len);
    be_copy_far(actual + to_shift, from + from_shift, len);
    assert_memory_equal(actual, expected, sizeof(actual));
}

static void copies_as_memcpy(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROOM; i++) {
        from[i] = (uint8_t)(i * 7 + 1);
    }
    for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
        for (size_t len = 0; len <= LENGTH_MAX; len++) {
            check_copy(shift, 0, len);
            check_copy(shift, 13, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(copies_as_memcpy)};
    return cmocka_run_group_tests_name("lx_copy_far", tests, NULL, NULL);
}
