/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/fdt.c: the facts of a tree, and each refusal by its name. */
#include "core/fdt_tree.h"

/* ---- Good trees ---------------------------------------------------------------------------------- */

static void good_tree(void **state)
{
    struct builder b;
    struct blob blob;
    struct fdt_facts facts;
    (void)state;
    build_good(&b);
    finish(&b, &blob);
    assert_status(read_cut(&blob, blob.size, &facts), FDT_OK);
    assert_good_facts(&facts, blob.size);
    finish_strings_last(&b, &blob);
    assert_status(read_cut(&blob, blob.size, &facts), FDT_OK);
    assert_good_facts(&facts, blob.size);
    assert_status(read_cut(&blob, blob.size + 100, &facts), FDT_OK); /* a larger limit */
    assert_good_facts(&facts, blob.size);
    patch(&blob, VERSION, 16); /* version 16 has no size of the structure block */
    patch(&blob, SIZE_STRUCT, UINT32_MAX);
    assert_status(read_cut(&blob, blob.size, &facts), FDT_OK);
    assert_good_facts(&facts, blob.size);
    patch(&blob, VERSION, 18); /* newer, but compatible with 17 */
    patch(&blob, SIZE_STRUCT, (uint32_t)b.tree_bytes);
    patch(&blob, LAST_COMP, 17);
    assert_status(read_cut(&blob, blob.size, &facts), FDT_OK);
    assert_good_facts(&facts, blob.size);
}

static void cells_of_the_root(void **state)
{
    struct fdt_facts facts;
    struct builder b;
    (void)state;
    for (unsigned a = 1; a <= 2; a++) {
        for (unsigned s = 1; s <= 2; s++) {
            uint64_t base = a == 2 ? 0x180000000 : 0x40000000, size = s == 2 ? 0x240000000 : 0x1000;
            open_root(&b, a, s);
            begin(&b, "memory@0");
            prop_reg(&b, base, a, size, s);
            end(&b);
            close_root(&b);
            accepted(&b, &facts);
            assert_int_equal(facts.memory_pa, base);
            assert_int_equal(facts.memory_bytes, size);
        }
    }
    memset(&b, 0, sizeof(b)); /* no cells given: 2 and 1 */
    begin(&b, "");
    begin(&b, "memory@0");
    prop_reg(&b, 0x180000000, 2, 0x1000, 1);
    end(&b);
    close_root(&b);
    accepted(&b, &facts);
    assert_int_equal(facts.memory_pa, 0x180000000);
    assert_int_equal(facts.memory_bytes, 0x1000);
}

static void memory_by_type_alone(void **state)
{
    struct fdt_facts facts;
    struct builder b;
    (void)state;
    open_root(&b, 2, 2);
    begin(&b, "ram");
    prop_reg(&b, 0x1000, 2, 0x2000, 2); /* before device_type: any order is valid */
    prop_text(&b, "device_type", "memory");
    end(&b);
    close_root(&b);
    accepted(&b, &facts);
    assert_int_equal(facts.memory_pa, 0x1000);
    assert_int_equal(facts.memory_bytes, 0x2000);
    assert_int_equal(facts.initrd_pa, 0);
    assert_int_equal(facts.initrd_bytes, 0);
    assert_string_equal(facts.bootargs, "");
}

static void first_range_of_several(void **state)
{
    static const uint8_t reg[32] = {[6] = 0x10, [14] = 0x20, [22] = 0x30, [30] = 0x40};
    struct fdt_facts facts;
    struct builder b;
    (void)state;
    open_root(&b, 2, 2);
    begin(&b, "memory@0");
    prop(&b, "reg", reg, sizeof(reg));
    end(&b);
    close_root(&b);
    accepted(&b, &facts);
    assert_int_equal(facts.memory_pa, 0x1000);
    assert_int_equal(facts.memory_bytes, 0x2000);
}

/* ---- Refusals ------------------------------------------------------------------------------------ */

static void header_refused(void **state)
{
    struct builder b;
    struct blob good, blob;
    (void)state;
    build_good(&b);
    finish(&b, &good);
#define WITH(at, word, status)                                                                               \
    (blob = good, patch(&blob, (at), (uint32_t)(word)), blob_refused(&blob, (status)))
    WITH(0, 0xEDFE0DD0, FDT_BAD_MAGIC);
    WITH(VERSION, 15, FDT_BAD_VERSION);
    WITH(LAST_COMP, 18, FDT_BAD_VERSION);
    WITH(TOTALSIZE, good.size + 1, FDT_TRUNCATED);
    WITH(TOTALSIZE, good.size - 1, FDT_TRUNCATED);
    WITH(TOTALSIZE, HEADER - 1, FDT_TRUNCATED);
    WITH(TOTALSIZE, 0, FDT_TRUNCATED);
    WITH(TOTALSIZE, UINT32_MAX, FDT_TRUNCATED);
    WITH(OFF_STRUCT, UINT32_MAX - 3, FDT_TRUNCATED);
    WITH(OFF_STRUCT, good.size, FDT_TRUNCATED);
    WITH(OFF_STRUCT, HEADER + 1, FDT_BAD_STRUCTURE);
    WITH(OFF_STRINGS, UINT32_MAX, FDT_TRUNCATED);
    WITH(OFF_STRINGS, good.size - b.strings_bytes + 1, FDT_TRUNCATED);
    WITH(SIZE_STRINGS, UINT32_MAX, FDT_TRUNCATED);
    WITH(SIZE_STRINGS, 0, FDT_TRUNCATED);
    WITH(SIZE_STRINGS, b.strings_bytes - 1, FDT_TRUNCATED); /* the last name has no NUL */
    WITH(SIZE_STRUCT, UINT32_MAX, FDT_TRUNCATED);
    WITH(SIZE_STRUCT, 0, FDT_TRUNCATED);
    WITH(SIZE_STRUCT, b.tree_bytes - 1, FDT_TRUNCATED);
    WITH(VERSION, 0, FDT_BAD_VERSION);
    blob = good; /* the blocks fit a total without room for the header */
    patch(&blob, TOTALSIZE, HEADER - 4);
    for (size_t at = OFF_STRUCT; at <= SIZE_STRUCT; at += 4) {
        if (at != VERSION && at != LAST_COMP) {
            patch(&blob, at, 0);
        }
    }
    patch(&blob, SIZE_STRUCT, 8);
    blob_refused(&blob, FDT_TRUNCATED);
    blob = good; /* a valid tree, misaligned by one byte */
    memmove(blob.bytes + blob.size - b.tree_bytes + 1, blob.bytes + blob.size - b.tree_bytes, b.tree_bytes);
    blob.size++;
    patch(&blob, TOTALSIZE, (uint32_t)blob.size);
    patch(&blob, OFF_STRUCT, (uint32_t)(blob.size - b.tree_bytes));
    blob_refused(&blob, FDT_BAD_STRUCTURE);
    patch(&good, VERSION, 16); /* version 16: the size of the structure block does not bound the walk */
    WITH(OFF_STRUCT, good.size + 4, FDT_TRUNCATED);
}

static void tokens_refused(void **state)
{
    static const uint32_t unknown[] = {0, 5, 8, 10, 0x01000000, UINT32_MAX};
    struct builder b;
    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        open_root(&b, 2, 2);
        put_word(&b, unknown[i]);
        close_root(&b);
        refused(&b, FDT_BAD_STRUCTURE);
    }
    open_root(&b, 2, 2);
    add_memory(&b);
    prop_text(&b, "late", "after a child");
    close_root(&b);
    refused(&b, FDT_BAD_STRUCTURE);
}

static void nodes_unbalanced(void **state)
{
    struct builder b;
    (void)state;
    open_root(&b, 2, 2); /* not closed */
    add_memory(&b);
    put_word(&b, END);
    refused(&b, FDT_BAD_STRUCTURE);
    open_root(&b, 2, 2); /* closed twice */
    add_memory(&b);
    end(&b);
    close_root(&b);
    refused(&b, FDT_BAD_STRUCTURE);
    open_root(&b, 2, 2); /* closed twice, then opened again */
    add_memory(&b);
    end(&b);
    end(&b);
    begin(&b, "");
    put_word(&b, END);
    refused(&b, FDT_BAD_STRUCTURE);
    open_root(&b, 2, 2); /* a second root */
    add_memory(&b);
    end(&b);
    begin(&b, "");
    close_root(&b);
    refused(&b, FDT_BAD_STRUCTURE);
    memset(&b, 0, sizeof(b)); /* no root */
    put_word(&b, END);
    refused(&b, FDT_BAD_STRUCTURE);
    memset(&b, 0, sizeof(b)); /* a property before the root */
    prop_text(&b, "model", "x");
    begin(&b, "");
    prop_cells(&b, "#size-cells", 2, 1);
    add_memory(&b);
    close_root(&b);
    refused(&b, FDT_BAD_STRUCTURE);
}

/* The root is 1 deep, so n nested children make n + 1. */
static void depth_is_bounded(void **state)
{
    struct fdt_facts facts;
    struct builder b;
    (void)state;
    for (unsigned n = 15; n <= 16; n++) {
        open_root(&b, 2, 2);
        add_memory(&b);
        for (unsigned i = 0; i < n; i++) {
            begin(&b, "n");
        }
        for (unsigned i = 0; i < n; i++) {
            end(&b);
        }
        close_root(&b);
        if (n == 15) {
            accepted(&b, &facts);
        } else {
            refused(&b, FDT_BAD_STRUCTURE);
        }
    }
}

/* A tree with one memory node, this reg and these cells. */
static void memory_refused(unsigned address_cells, unsigned size_cells, const void *reg, size_t n)
{
    struct builder b;
    open_root(&b, address_cells, size_cells);
    begin(&b, "memory@0");
    prop_text(&b, "device_type", "memory");
    if (reg != NULL) {
        prop(&b, "reg", reg, n);
    }
    end(&b);
    close_root(&b);
    refused(&b, FDT_NO_MEMORY);
}

static void no_memory(void **state)
{
    static const uint8_t two[8] = {[3] = 2};
    static const uint8_t whole[16] = {[6] = 0x10, [14] = 0x20}, empty[16] = {[6] = 0x10};
    uint8_t wraps[16] = {[14] = 0x20};
    struct builder b;
    (void)state;
    memory_refused(2, 2, NULL, 0);
    memory_refused(2, 2, whole, 0);
    memory_refused(2, 2, whole, 15);
    memory_refused(2, 2, whole, 8);
    memory_refused(2, 1, whole, 16);
    memory_refused(3, 1, whole, 16);
    memory_refused(0, 2, whole, 16);
    memory_refused(2, 0, whole, 16);
    memory_refused(1, 3, whole, 16);
    memory_refused(2, 2, empty, 16);
    memset(wraps, 0xFF, 7);
    memory_refused(2, 2, wraps, 16);
    open_root(&b, 2, 2);
    close_root(&b);
    refused(&b, FDT_NO_MEMORY);
    open_root(&b, 2, 2); /* not a memory node: another type, no unit address, or not a child of the root */
    begin(&b, "memory");
    prop_text(&b, "device_type", "memorx");
    prop(&b, "reg", whole, 16);
    add_memory(&b);
    end(&b);
    close_root(&b);
    refused(&b, FDT_NO_MEMORY);
    memset(&b, 0, sizeof(b)); /* cells that are not one word */
    begin(&b, "");
    prop(&b, "#address-cells", two, 8);
    prop_cells(&b, "#size-cells", 2, 1);
    add_memory(&b);
    close_root(&b);
    refused(&b, FDT_NO_MEMORY);
    open_root(&b, 2, 2); /* a type with only the same prefix */
    begin(&b, "ram");
    prop(&b, "device_type", "memory\0x", 9);
    prop(&b, "reg", whole, 16);
    end(&b);
    close_root(&b);
    refused(&b, FDT_NO_MEMORY);
}

static void open_chosen(struct builder *b)
{
    open_root(b, 2, 2);
    add_memory(b);
    begin(b, "chosen");
}

static void close_chosen(struct builder *b)
{
    end(b);
    close_root(b);
}

static void bootargs_in_chosen(void **state)
{
    char text[FDT_BOOTARGS_MAX + 1];
    struct fdt_facts facts;
    struct builder b;
    (void)state;
    memset(text, 'a', sizeof(text));
    text[FDT_BOOTARGS_MAX - 1] = 0;
    open_chosen(&b);
    prop_text(&b, "bootargs", text); /* exactly the maximum */
    close_chosen(&b);
    accepted(&b, &facts);
    assert_string_equal(facts.bootargs, text);
    text[FDT_BOOTARGS_MAX - 1] = 'a';
    text[FDT_BOOTARGS_MAX] = 0;
    open_chosen(&b); /* one byte too long */
    prop_text(&b, "bootargs", text);
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
    open_chosen(&b); /* no NUL */
    prop(&b, "bootargs", "abi=a1", 6);
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
    open_chosen(&b); /* a NUL within */
    prop(&b, "bootargs", "abi\0a1", 7);
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
    open_chosen(&b); /* no bytes at all */
    prop(&b, "bootargs", "", 0);
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
    open_chosen(&b); /* two such nodes */
    end(&b);
    begin(&b, "chosen");
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
}

static void initrd_in_chosen(void **state)
{
    struct fdt_facts facts;
    struct builder b;
    (void)state;
    open_chosen(&b); /* 8 bytes, and the two sizes mixed */
    prop_cells(&b, "linux,initrd-start", 0x80001000, 1);
    prop_cells(&b, "linux,initrd-end", 0x180001000, 2);
    close_chosen(&b);
    accepted(&b, &facts);
    assert_int_equal(facts.initrd_pa, 0x80001000);
    assert_int_equal(facts.initrd_bytes, 0x100000000);
    open_chosen(&b); /* an empty initrd is absent */
    prop_cells(&b, "linux,initrd-start", 0x80001000, 2);
    prop_cells(&b, "linux,initrd-end", 0x80001000, 2);
    close_chosen(&b);
    accepted(&b, &facts);
    assert_int_equal(facts.initrd_pa, 0);
    assert_int_equal(facts.initrd_bytes, 0);
    open_chosen(&b);
    prop_cells(&b, "linux,initrd-start", 0x80001000, 2);
    prop_cells(&b, "linux,initrd-end", 0x80000FFF, 2);
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
    open_chosen(&b);
    prop_cells(&b, "linux,initrd-start", 0x80001000, 2);
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
    open_chosen(&b);
    prop_cells(&b, "linux,initrd-end", 0x80001000, 2);
    close_chosen(&b);
    refused(&b, FDT_BAD_CHOSEN);
    for (size_t n = 0; n <= 16; n++) {
        if (n != 4 && n != 8) {
            open_chosen(&b);
            prop(&b, "linux,initrd-start", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", n);
            prop_cells(&b, "linux,initrd-end", 0x80001000, 2);
            close_chosen(&b);
            refused(&b, FDT_BAD_CHOSEN);
        }
    }
}

static void names_are_distinct(void **state)
{
    (void)state;
    for (unsigned i = FDT_OK; i <= FDT_BAD_CHOSEN; i++) {
        assert_string_not_equal(fdt_status_name((enum fdt_status)i), "unknown");
        for (unsigned j = FDT_OK; j < i; j++) {
            assert_string_not_equal(fdt_status_name((enum fdt_status)i), fdt_status_name((enum fdt_status)j));
        }
    }
    assert_string_equal(fdt_status_name((enum fdt_status)(FDT_BAD_CHOSEN + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_tree),
        cmocka_unit_test(cells_of_the_root),
        cmocka_unit_test(memory_by_type_alone),
        cmocka_unit_test(first_range_of_several),
        cmocka_unit_test(header_refused),
        cmocka_unit_test(tokens_refused),
        cmocka_unit_test(nodes_unbalanced),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(bootargs_in_chosen),
        cmocka_unit_test(initrd_in_chosen),
        cmocka_unit_test(names_are_distinct),
    };
    return cmocka_run_group_tests_name("core/fdt", tests, NULL, NULL);
}
