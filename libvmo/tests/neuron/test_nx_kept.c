/* SPDX-License-Identifier: Apache-2.0 */
/* The NEURON backend keeps one message in a task, for one channel, while the registry has no room for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nx_kept.h"

static const struct be_object object = {.owner = BE_NONE, .alias = 7};

/* Checks the bytes and the object that are kept for a channel. */
static void assert_kept(uint32_t channel, const char *expected)
{
    struct be_object found = BE_NO_OBJECT;
    char bytes[16];
    size_t len = 0;

    assert_true(nx_kept_show(channel, bytes, sizeof(bytes), &len, &found));
    assert_int_equal(len, 5);
    assert_memory_equal(bytes, expected, 5);
    assert_int_equal(found.alias, object.alias);
}

static void assert_none(uint32_t channel)
{
    struct be_object found = BE_NO_OBJECT;
    char bytes[16];
    size_t len = 99;

    assert_false(nx_kept_show(channel, bytes, sizeof(bytes), &len, &found));
    assert_int_equal(len, 99);
    assert_int_equal(found.alias, BE_NONE);
}

static void stays_until_taken(void **state)
{
    struct be_object found = BE_NO_OBJECT;
    char bytes[4];
    size_t len = 0;

    (void)state;
    assert_none(0);
    assert_true(nx_kept_put(0, "first", 5, &object));
    assert_kept(0, "first");
    assert_kept(0, "first");
    assert_true(nx_kept_put(0, "first", 5, &object)); /* refused by the registry again */
    assert_false(nx_kept_show(0, bytes, sizeof(bytes), &len, &found));
    assert_int_equal(nx_kept_take(0).alias, object.alias);
    assert_none(0);
    assert_int_equal(nx_kept_take(0).alias, BE_NONE);
}

static void one_channel_at_a_time(void **state)
{
    (void)state;
    assert_true(nx_kept_put(3, "third", 5, &object));
    assert_none(0);
    assert_false(nx_kept_put(0, "other", 5, &object));
    assert_int_equal(nx_kept_take(0).alias, BE_NONE);
    assert_kept(3, "third");
    assert_int_equal(nx_kept_take(3).alias, object.alias);
    assert_true(nx_kept_put(0, "other", 5, &object));
    assert_kept(0, "other");
    assert_int_equal(nx_kept_take(0).alias, object.alias);
}

static void longest_message(void **state)
{
    static const uint8_t bytes[481];

    (void)state;
    assert_false(nx_kept_put(1, bytes, 481, &object));
    assert_true(nx_kept_put(1, bytes, 480, &object));
    assert_int_equal(nx_kept_take(1).alias, object.alias);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_until_taken),
        cmocka_unit_test(one_channel_at_a_time),
        cmocka_unit_test(longest_message),
    };
    return cmocka_run_group_tests_name("nx_kept", tests, NULL, NULL);
}
