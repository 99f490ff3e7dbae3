/* SPDX-License-Identifier: Apache-2.0 */
/* boot/init/bootargs.c against docs/testing/audit.md, "Boot arguments". */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mutate.h"
#include "init/bootargs.h"

#define NONCE_16 "0123456789abcdef"
#define NONCE_64 NONCE_16 NONCE_16 NONCE_16 NONCE_16

/* No field has its default here, so that the test sees which fields were set. */
static struct kernel_config start_config(void)
{
    struct kernel_config config;
    memset(&config, 0, sizeof(config));
    config.revision = REVISION_A2;
    strcpy(config.nonce, "-");
    config.without = 0x8000000000000002;
    config.watchdog_ms = 111;
    config.arena_bytes = 222;
    config.slots = 333;
    config.ep_ids = 444;
    config.tables = 555;
    config.regions = 666;
    config.ep_owner = 777;
    config.hashes = true;
    return config;
}

static void assert_same(const struct kernel_config *actual, const struct kernel_config *expected)
{
    assert_int_equal(actual->revision, expected->revision);
    assert_string_equal(actual->nonce, expected->nonce);
    assert_int_equal(actual->without, expected->without);
    assert_int_equal(actual->watchdog_ms, expected->watchdog_ms);
    assert_int_equal(actual->arena_bytes, expected->arena_bytes);
    assert_int_equal(actual->slots, expected->slots);
    assert_int_equal(actual->ep_ids, expected->ep_ids);
    assert_int_equal(actual->tables, expected->tables);
    assert_int_equal(actual->regions, expected->regions);
    assert_int_equal(actual->ep_owner, expected->ep_owner);
    assert_int_equal(actual->hashes, expected->hashes);
}

static void assert_status(enum bootargs_status actual, enum bootargs_status expected)
{
    assert_string_equal(bootargs_status_name(actual), bootargs_status_name(expected));
    assert_int_equal(actual, expected);
}

/* Parses from memory of exactly the size of the line. */
static enum bootargs_status parse(const char *line, struct kernel_config *config, size_t *where_off)
{
    char *copy = malloc(strlen(line) + 1);
    const char *where = NULL;
    enum bootargs_status status;
    strcpy(copy, line);
    status = bootargs_parse(copy, config, &where);
    assert_true((where == NULL) == (status == BOOTARGS_OK));
    if (where != NULL) {
        assert_true(where >= copy && where <= copy + strlen(copy));
        *where_off = (size_t)(where - copy);
    }
    free(copy);
    return status;
}

static void accepted(const char *line, const struct kernel_config *expected)
{
    struct kernel_config config = start_config();
    size_t where = 0;
    assert_status(parse(line, &config, &where), BOOTARGS_OK);
    assert_same(&config, expected);
}

static void refused(const char *line, enum bootargs_status expected, size_t where_expected)
{
    struct kernel_config config = start_config(), before = start_config();
    size_t where = SIZE_MAX;
    assert_status(parse(line, &config, &where), expected);
    assert_int_equal(where, where_expected);
    assert_same(&config, &before);
}

/* ---- Good lines ---------------------------------------------------------------------------------- */

static void empty_line(void **state)
{
    struct kernel_config expected = start_config();
    (void)state;
    accepted("", &expected);
}

static void every_key(void **state)
{
    struct kernel_config expected;
    (void)state;
#define SETS(line, change) (expected = start_config(), expected.change, accepted(line, &expected))
    SETS("abi=a1", revision = REVISION_A1);
    SETS("abi=a2", revision = REVISION_A2);
    SETS("without=51", without = 1ull << 51);
    SETS("without=51,53", without = 1ull << 51 | 1ull << 53);
    SETS("without=0,63,0", without = 1ull | 1ull << 63);
    SETS("watchdog_ms=1", watchdog_ms = 1);
    SETS("watchdog_ms=600000", watchdog_ms = 600000);
    SETS("arena_bytes=4096", arena_bytes = 4096);
    SETS("arena_bytes=234881024", arena_bytes = 0xE000000);
    SETS("slots=2", slots = 2);
    SETS("slots=256", slots = 256);
    SETS("ep_ids=1", ep_ids = 1);
    SETS("ep_ids=365", ep_ids = 365);
    SETS("tables=1", tables = 1);
    SETS("tables=4294967295", tables = UINT32_MAX);
    SETS("regions=1", regions = 1);
    SETS("regions=64", regions = 64);
    SETS("ep_owner=1", ep_owner = 1);
    SETS("ep_owner=96", ep_owner = 96);
    SETS("hashes=0", hashes = false);
    SETS("hashes=1", hashes = true);
    expected = start_config();
    strcpy(expected.nonce, NONCE_16);
    accepted("nonce=" NONCE_16, &expected);
    strcpy(expected.nonce, NONCE_64);
    accepted("nonce=" NONCE_64, &expected);
}

static void whole_line(void **state)
{
    static const char line[] =
        "hashes=1 ep_owner=7 regions=9 tables=12 ep_ids=20 slots=30 arena_bytes=8192 watchdog_ms=50 "
        "without=1,2 nonce=" NONCE_16 " abi=a1";
    struct kernel_config expected = {REVISION_A1, NONCE_16, 6, 50, 8192, 30, 20, 12, 9, 7, true};
    (void)state;
    accepted(line, &expected);
}

/* ---- Refusals ------------------------------------------------------------------------------------ */

static void unknown_keys(void **state)
{
    (void)state;
    refused("abj=a1", BOOTARGS_UNKNOWN_KEY, 0);
    refused("ABI=a1", BOOTARGS_UNKNOWN_KEY, 0);
    refused("ab=a1", BOOTARGS_UNKNOWN_KEY, 0);
    refused("abi2=a1", BOOTARGS_UNKNOWN_KEY, 0);
    refused("=a1", BOOTARGS_UNKNOWN_KEY, 0);
    refused("quiet", BOOTARGS_UNKNOWN_KEY, 0);
    refused(" ", BOOTARGS_UNKNOWN_KEY, 0);
    refused(" abi=a1", BOOTARGS_UNKNOWN_KEY, 0);
    refused("abi=a1 ", BOOTARGS_UNKNOWN_KEY, 7);
    refused("abi=a1  slots=4", BOOTARGS_UNKNOWN_KEY, 7);
    refused("abi=a1 slots=4 colour=red tables=3", BOOTARGS_UNKNOWN_KEY, 15);
    refused("\tabi=a1", BOOTARGS_UNKNOWN_KEY, 0);
}

static void missing_values(void **state)
{
    static const char *const keys[] = {"abi",    "nonce",  "without", "watchdog_ms", "arena_bytes", "slots",
                                       "ep_ids", "tables", "regions", "ep_owner",    "hashes"};
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char line[64];
        refused(keys[i], BOOTARGS_NO_VALUE, 0);
        snprintf(line, sizeof(line), "%s=", keys[i]);
        refused(line, BOOTARGS_NO_VALUE, 0);
        snprintf(line, sizeof(line), "abi=a1 %s= slots=3", keys[i]);
        refused(line, BOOTARGS_NO_VALUE, 7);
    }
}

static void bad_values(void **state)
{
    static const char *const lines[] = {
        "abi=a3",
        "abi=A1",
        "abi=a",
        "abi=a11",
        "abi==a1",
        "nonce=0123456789abcde",
        "nonce=" NONCE_64 "0",
        "nonce=0123456789abcdeF",
        "nonce=0123456789abcdeg",
        "nonce=0x23456789abcdef",
        "without=64",
        "without=,",
        "without=51,",
        "without=,51",
        "without=51,,53",
        "without=51;53",
        "without=-1",
        "without=18446744073709551667", /* 51 after a wrap */
        "watchdog_ms=0",
        "watchdog_ms=600001",
        "watchdog_ms=5s",
        "watchdog_ms=+5",
        "watchdog_ms=0x10",
        "watchdog_ms=18446744073709551617", /* 1 after a wrap */
        "watchdog_ms=99999999999999999999999999999999",
        "arena_bytes=0",
        "arena_bytes=4095",
        "arena_bytes=4097",
        "arena_bytes=234885120",
        "arena_bytes=16M",
        "slots=1",
        "slots=257",
        "slots=4294967298", /* 2 after a wrap */
        "ep_ids=0",
        "ep_ids=366",
        "tables=0",
        "tables=4294967296",
        "tables=11\n",
        "regions=0",
        "regions=65",
        "ep_owner=0",
        "ep_owner=97",
        "hashes=2",
        "hashes=01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char line[160];
        refused(lines[i], BOOTARGS_BAD_VALUE, 0);
        snprintf(line, sizeof(line), "%s %s", i < 5 ? "slots=4" : "abi=a1", lines[i]);
        refused(line, BOOTARGS_BAD_VALUE, i < 5 ? 8 : 7);
    }
}

static void repeated_keys(void **state)
{
    static const char *const words[] = {
        "abi=a1",   ("nonce=" NONCE_16), "without=3", "watchdog_ms=9", "arena_bytes=4096", "slots=9",
        "ep_ids=9", "tables=9",          "regions=9", "ep_owner=9",    "hashes=1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char line[128];
        snprintf(line, sizeof(line), "%s %s", words[i], words[i]);
        refused(line, BOOTARGS_REPEATED, strlen(words[i]) + 1);
    }
    refused("abi=a1 slots=4 abi=a2", BOOTARGS_REPEATED, 15);
}

/* Damaged lines: a refused line changes nothing; an accepted line stays within the limits. */
static void random_damage(void **state)
{
    static const char whole[] = "abi=a1 nonce=" NONCE_16 " without=51,53 watchdog_ms=4000 "
                                "arena_bytes=8192 slots=64 ep_ids=20 tables=11";
    const struct kernel_config before = start_config();
    uint64_t random = 0x5EED0B00;
    unsigned good = 0;
    (void)state;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        char line[sizeof(whole)];
        struct kernel_config config = before;
        size_t where;
        enum bootargs_status status;
        memcpy(line, whole, sizeof(whole));
        mutate_bytes((uint8_t *)line, sizeof(whole) - 1, &random);
        status = parse(line, &config, &where);
        assert_string_not_equal(bootargs_status_name(status), "unknown");
        if (status != BOOTARGS_OK) {
            assert_same(&config, &before);
            continue;
        }
        good++;
        assert_in_range(strlen(config.nonce), 1, 64);
        assert_int_equal(config.arena_bytes == 222 ? 0 : config.arena_bytes % 4096, 0);
        assert_true(config.watchdog_ms >= 1 && config.watchdog_ms <= 600000);
        assert_true(config.slots == 333 || (config.slots >= 2 && config.slots <= 256));
    }
    assert_in_range(good, MUTATIONS / 100, MUTATIONS - MUTATIONS / 10);
}

static void names_are_distinct(void **state)
{
    (void)state;
    for (unsigned i = BOOTARGS_OK; i <= BOOTARGS_REPEATED; i++) {
        const char *name = bootargs_status_name((enum bootargs_status)i);
        assert_string_not_equal(name, "unknown");
        for (unsigned j = BOOTARGS_OK; j < i; j++) {
            assert_string_not_equal(name, bootargs_status_name((enum bootargs_status)j));
        }
    }
    assert_string_equal(bootargs_status_name((enum bootargs_status)(BOOTARGS_REPEATED + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_line),         cmocka_unit_test(every_key),
        cmocka_unit_test(whole_line),         cmocka_unit_test(unknown_keys),
        cmocka_unit_test(missing_values),     cmocka_unit_test(bad_values),
        cmocka_unit_test(repeated_keys),      cmocka_unit_test(random_damage),
        cmocka_unit_test(names_are_distinct),
    };
    return cmocka_run_group_tests_name("init/bootargs", tests, NULL, NULL);
}
