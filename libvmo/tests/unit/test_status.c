/* SPDX-License-Identifier: Apache-2.0 */
/* Status names and texts, and the version. */
#include "unit.h"

#include <ctype.h>

static void names_and_texts_are_distinct(void **state)
{
    (void)state;
    for (int i = 0; i < VMO_STATUS_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(vmo_status_name((vmo_status)i), vmo_status_name((vmo_status)j));
            assert_string_not_equal(vmo_status_str((vmo_status)i), vmo_status_str((vmo_status)j));
        }
    }
}

/* The names in the header's order, so that a misplaced row fails. */
static void names_match_the_header(void **state)
{
    static const char *const names[VMO_STATUS_COUNT] = {
        "VMO_OK",
        "VMO_ERR_INVALID",
        "VMO_ERR_BAD_HANDLE",
        "VMO_ERR_ZERO_LENGTH",
        "VMO_ERR_TOO_LARGE",
        "VMO_ERR_BOUNDS",
        "VMO_ERR_QUOTA",
        "VMO_ERR_TABLE_FULL",
        "VMO_ERR_NO_MEMORY",
        "VMO_ERR_NO_SLOTS",
        "VMO_ERR_RIGHTS",
        "VMO_ERR_SEALED",
        "VMO_ERR_BUSY",
        "VMO_ERR_STILL_MAPPED",
        "VMO_ERR_STILL_SHARED",
        "VMO_ERR_NOT_AUTHORISED",
        "VMO_ERR_PEER_GONE",
        "VMO_ERR_QUEUE_FULL",
        "VMO_ERR_TIMED_OUT",
        "VMO_ERR_PROTOCOL",
        "VMO_ERR_FRAGMENTED",
        "VMO_ERR_UNSUPPORTED",
        "VMO_ERR_NOT_SEALED",
        "VMO_ERR_NOT_REAPED",
        "VMO_ERR_BACKEND",
        "VMO_ERR_STORAGE",
        "VMO_ERR_IO",
        "VMO_ERR_EXPELLED",
    };

    (void)state;
    for (int i = 0; i < VMO_STATUS_COUNT; i++) {
        assert_string_equal(vmo_status_name((vmo_status)i), names[i]);
        assert_true(strlen(vmo_status_str((vmo_status)i)) > 0);
        assert_true(islower((unsigned char)vmo_status_str((vmo_status)i)[0]));
    }
}

static void unknown_numbers_have_a_name(void **state)
{
    static const int others[] = {-1, VMO_STATUS_COUNT, INT32_MAX, INT32_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const char *name = vmo_status_name((vmo_status)others[i]);
        assert_non_null(name);
        assert_non_null(vmo_status_str((vmo_status)others[i]));
        for (int j = 0; j < VMO_STATUS_COUNT; j++) {
            assert_string_not_equal(name, vmo_status_name((vmo_status)j));
        }
    }
}

static void version_matches_the_header(void **state)
{
    (void)state;
    assert_int_equal(vmo_version(), VMO_VERSION);
    assert_int_equal(VMO_VERSION, VMO_VERSION_MAJOR * 10000 + VMO_VERSION_MINOR * 100 + VMO_VERSION_PATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_texts_are_distinct),
        cmocka_unit_test(names_match_the_header),
        cmocka_unit_test(unknown_numbers_have_a_name),
        cmocka_unit_test(version_matches_the_header),
    };
    return cmocka_run_group_tests_name("unit/status", tests, NULL, NULL);
}
