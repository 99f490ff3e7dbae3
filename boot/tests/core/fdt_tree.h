/* SPDX-License-Identifier: Apache-2.0 */
/* Builds valid device trees for tests to damage, and reads them. */
#ifndef TESTS_CORE_FDT_TREE_H
#define TESTS_CORE_FDT_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/fdt.h"

enum { BEGIN = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };
enum { HEADER = 40, TOTALSIZE = 4, OFF_STRUCT = 8, OFF_STRINGS = 12, VERSION = 20, LAST_COMP = 24 };
enum { SIZE_STRINGS = 32, SIZE_STRUCT = 36, BLOCK_MAX = 4096 };

/* ---- The builder: both blocks grow separately and then become a blob
 * ------------------------------------- */

struct builder {
    uint8_t tree[BLOCK_MAX];
    char strings[BLOCK_MAX];
    size_t tree_bytes, strings_bytes;
};

struct blob {
    uint8_t bytes[3 * BLOCK_MAX];
    size_t size;
};

static inline void put_be(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--, value >>= 8) {
        at[i - 1] = (uint8_t)value;
    }
}

static inline void put_word(struct builder *b, uint32_t word)
{
    assert_true(b->tree_bytes + 4 <= sizeof(b->tree));
    put_be(b->tree + b->tree_bytes, word, 4);
    b->tree_bytes += 4;
}

static inline void put_bytes(struct builder *b, const void *bytes, size_t n)
{
    assert_true(b->tree_bytes + n + 4 <= sizeof(b->tree));
    memcpy(b->tree + b->tree_bytes, bytes, n);
    b->tree_bytes = (b->tree_bytes + n + 3) / 4 * 4;
}

static inline void begin(struct builder *b, const char *name)
{
    put_word(b, BEGIN);
    put_bytes(b, name, strlen(name) + 1);
}

static inline void end(struct builder *b)
{
    put_word(b, END_NODE);
}

static inline void prop(struct builder *b, const char *name, const void *value, size_t n)
{
    put_word(b, PROP);
    put_word(b, (uint32_t)n);
    put_word(b, (uint32_t)b->strings_bytes);
    strcpy(b->strings + b->strings_bytes, name);
    b->strings_bytes += strlen(name) + 1;
    put_bytes(b, value, n);
}

static inline void prop_text(struct builder *b, const char *name, const char *text)
{
    prop(b, name, text, strlen(text) + 1);
}

static inline void prop_cells(struct builder *b, const char *name, uint64_t value, unsigned cells)
{
    uint8_t be[8];
    put_be(be, value, 4 * cells);
    prop(b, name, be, 4 * cells);
}

static inline void prop_reg(struct builder *b, uint64_t base, unsigned base_cells, uint64_t size,
                            unsigned size_cells)
{
    uint8_t be[16];
    put_be(be, base, 4 * base_cells);
    put_be(be + 4 * base_cells, size, 4 * size_cells);
    prop(b, "reg", be, 4 * (base_cells + size_cells));
}

static inline void patch(struct blob *blob, size_t at, uint32_t word)
{
    put_be(blob->bytes + at, word, 4);
}

static inline void header(struct blob *blob, size_t tree_at, size_t tree_bytes, size_t text_at,
                          size_t text_bytes)
{
    patch(blob, 0, 0xD00DFEED);
    patch(blob, TOTALSIZE, (uint32_t)blob->size);
    patch(blob, OFF_STRUCT, (uint32_t)tree_at);
    patch(blob, OFF_STRINGS, (uint32_t)text_at);
    patch(blob, 16, HEADER); /* an empty reservation block */
    patch(blob, VERSION, 17);
    patch(blob, LAST_COMP, 16);
    patch(blob, SIZE_STRINGS, (uint32_t)text_bytes);
    patch(blob, SIZE_STRUCT, (uint32_t)tree_bytes);
}

/* The structure block is last, so that a truncated blob has a truncated tree. */
static inline void finish(const struct builder *b, struct blob *blob)
{
    size_t text_at = HEADER + 16, tree_at = (text_at + b->strings_bytes + 3) / 4 * 4;
    memset(blob, 0, sizeof(*blob));
    memcpy(blob->bytes + text_at, b->strings, b->strings_bytes);
    memcpy(blob->bytes + tree_at, b->tree, b->tree_bytes);
    blob->size = tree_at + b->tree_bytes;
    header(blob, tree_at, b->tree_bytes, text_at, b->strings_bytes);
}

/* The strings are last, as in the output of dtc and QEMU. */
static inline void finish_strings_last(const struct builder *b, struct blob *blob)
{
    size_t tree_at = HEADER + 16, text_at = tree_at + b->tree_bytes;
    memset(blob, 0, sizeof(*blob));
    memcpy(blob->bytes + tree_at, b->tree, b->tree_bytes);
    memcpy(blob->bytes + text_at, b->strings, b->strings_bytes);
    blob->size = text_at + b->strings_bytes;
    header(blob, tree_at, b->tree_bytes, text_at, b->strings_bytes);
}

/* ---- Trees --------------------------------------------------------------------------------------- */

#define MEMORY_PA 0x80000000u
#define MEMORY_BYTES 0x14000000u
#define INITRD_PA 0x88200000u
#define INITRD_END 0x88212345u
#define BOOTARGS "abi=a1 nonce=0123456789abcdef"

static inline void open_root(struct builder *b, unsigned address_cells, unsigned size_cells)
{
    memset(b, 0, sizeof(*b));
    begin(b, "");
    prop_cells(b, "#address-cells", address_cells, 1);
    prop_cells(b, "#size-cells", size_cells, 1);
}

static inline void add_memory(struct builder *b)
{
    begin(b, "memory@80000000");
    prop_text(b, "device_type", "memory");
    prop_reg(b, MEMORY_PA, 2, MEMORY_BYTES, 2);
    begin(b, "bank");
    prop_reg(b, 1, 1, 1, 1);
    end(b);
    end(b);
}

static inline void close_root(struct builder *b)
{
    end(b);
    put_word(b, END);
}

/* The tree of QEMU's virt machine, plus decoys: the same properties below other nodes must be ignored. */
static inline void build_good(struct builder *b)
{
    open_root(b, 2, 2);
    prop_text(b, "model", "built here");
    begin(b, "cpus");
    prop_cells(b, "#address-cells", 1, 1);
    prop_cells(b, "#size-cells", 0, 1);
    begin(b, "memory@1");
    prop_reg(b, 1, 1, 1, 1);
    end(b);
    begin(b, "chosen");
    prop_text(b, "bootargs", "decoy");
    end(b);
    end(b);
    put_word(b, NOP);
    add_memory(b);
    begin(b, "chosen");
    prop_text(b, "bootargs", BOOTARGS);
    put_word(b, NOP);
    prop_cells(b, "linux,initrd-end", INITRD_END, 1);
    prop_cells(b, "linux,initrd-start", INITRD_PA, 1);
    begin(b, "chosen");
    prop_text(b, "bootargs", "decoy");
    end(b);
    end(b);
    begin(b, "memory@90000000");
    prop_text(b, "device_type", "memory");
    end(b);
    close_root(b);
}

/* ---- Reading from memory of the exact size at an odd address
 * --------------------------------------------- */

static inline enum fdt_status read_cut(const struct blob *blob, size_t limit, struct fdt_facts *facts)
{
    uint8_t *copy = malloc(limit + 1);
    enum fdt_status status;
    memcpy(copy + 1, blob->bytes, limit);
    memset(facts, 0xA5, sizeof(*facts));
    status = fdt_read(copy + 1, limit, facts);
    free(copy);
    return status;
}

static inline void assert_status(enum fdt_status actual, enum fdt_status expected)
{
    assert_string_equal(fdt_status_name(actual), fdt_status_name(expected));
    assert_int_equal(actual, expected);
}

static inline void assert_zero_facts(const struct fdt_facts *facts)
{
    static const struct fdt_facts zero;
    assert_memory_equal(facts, &zero, sizeof(zero));
}

static inline void blob_refused(const struct blob *blob, enum fdt_status expected)
{
    struct fdt_facts facts;
    assert_status(read_cut(blob, blob->size, &facts), expected);
    assert_zero_facts(&facts);
}

static inline void refused(const struct builder *b, enum fdt_status expected)
{
    struct blob blob;
    finish(b, &blob);
    blob_refused(&blob, expected);
    finish_strings_last(b, &blob);
    blob_refused(&blob, expected);
}

static inline void accepted(const struct builder *b, struct fdt_facts *facts)
{
    struct blob blob;
    finish(b, &blob);
    assert_status(read_cut(&blob, blob.size, facts), FDT_OK);
    assert_int_equal(facts->fdt_bytes, blob.size);
}

static inline void assert_good_facts(const struct fdt_facts *facts, size_t size)
{
    assert_int_equal(facts->memory_pa, MEMORY_PA);
    assert_int_equal(facts->memory_bytes, MEMORY_BYTES);
    assert_int_equal(facts->initrd_pa, INITRD_PA);
    assert_int_equal(facts->initrd_bytes, INITRD_END - INITRD_PA);
    assert_int_equal(facts->fdt_bytes, size);
    assert_string_equal(facts->bootargs, BOOTARGS);
}

#endif
