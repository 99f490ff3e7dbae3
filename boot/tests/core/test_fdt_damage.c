/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/fdt.c: blobs truncated at every byte, and random damage. */
#include "core/fdt_tree.h"
#include "core/mutate.h"

/* ---- Cuts and damage ----------------------------------------------------------------------------- */

static void every_prefix(void **state)
{
    struct fdt_facts facts;
    struct builder b;
    struct blob blob;
    (void)state;
    build_good(&b);
    finish(&b, &blob);
    for (size_t n = 0; n < blob.size; n++) {
        assert_status(read_cut(&blob, n, &facts), FDT_TRUNCATED);
        assert_zero_facts(&facts);
    }
}

/* The header's sizes match the truncated blob, so the walk itself must detect it: first with the tree last
 * in both versions, then inside the strings. */
static void every_prefix_admitted(void **state)
{
    size_t tree_at, text_at;
    struct builder b;
    struct blob blob;
    (void)state;
    build_good(&b);
    finish(&b, &blob);
    tree_at = blob.size - b.tree_bytes;
    for (uint32_t version = 16; version <= 17; version++) {
        finish(&b, &blob);
        patch(&blob, VERSION, version);
        for (blob.size--; blob.size >= tree_at; blob.size--) {
            patch(&blob, TOTALSIZE, (uint32_t)blob.size);
            patch(&blob, SIZE_STRUCT, (uint32_t)(blob.size - tree_at));
            blob_refused(&blob, FDT_TRUNCATED);
        }
    }
    finish_strings_last(&b, &blob);
    text_at = blob.size - b.strings_bytes;
    for (blob.size--; blob.size >= text_at; blob.size--) {
        patch(&blob, TOTALSIZE, (uint32_t)blob.size);
        patch(&blob, SIZE_STRINGS, (uint32_t)(blob.size - text_at));
        blob_refused(&blob, FDT_TRUNCATED);
    }
}

static void random_damage(void **state)
{
    uint64_t random = 0x5EED0FD7;
    unsigned good = 0;
    struct builder b;
    struct blob whole;
    (void)state;
    build_good(&b);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        struct blob blob;
        struct fdt_facts facts;
        enum fdt_status status;
        if (i % 2 == 0) {
            finish(&b, &whole);
        } else {
            finish_strings_last(&b, &whole);
        }
        blob = whole;
        mutate_bytes(blob.bytes, i % 5 == 0 ? HEADER : blob.size, &random);
        status = read_cut(&blob, blob.size, &facts);
        assert_string_not_equal(fdt_status_name(status), "unknown");
        if (status != FDT_OK) {
            assert_zero_facts(&facts);
            continue;
        }
        good++;
        assert_true(facts.fdt_bytes >= HEADER && facts.fdt_bytes <= blob.size);
        assert_true(facts.memory_bytes > 0 && facts.memory_pa + facts.memory_bytes > facts.memory_pa);
        assert_true(facts.initrd_pa + facts.initrd_bytes >= facts.initrd_pa);
        assert_non_null(memchr(facts.bootargs, 0, sizeof(facts.bootargs)));
    }
    assert_in_range(good, MUTATIONS / 10, MUTATIONS - MUTATIONS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(every_prefix_admitted),
        cmocka_unit_test(random_damage),
    };
    return cmocka_run_group_tests_name("core/fdt damage", tests, NULL, NULL);
}
