/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fdt.h"

#include <stdbool.h>
#include <string.h>

#define FDT_MAGIC 0xD00DFEEDu

enum { HEADER_BYTES = 40, DEPTH_MAX = 16, VERSION_MIN = 16, VERSION_KNOWN = 17 };
enum { TOKEN_BEGIN_NODE = 1, TOKEN_END_NODE = 2, TOKEN_PROP = 3, TOKEN_NOP = 4, TOKEN_END = 9 };

/* Byte offsets of the header's words. */
enum {
    AT_MAGIC = 0,
    AT_TOTALSIZE = 4,
    AT_OFF_STRUCT = 8,
    AT_OFF_STRINGS = 12,
    AT_VERSION = 20,
    AT_LAST_COMP = 24,
    AT_SIZE_STRINGS = 32,
    AT_SIZE_STRUCT = 36
};

/* The open child of the root; deeper nodes are skipped. */
struct node {
    bool is_memory, is_chosen;
    const uint8_t *reg;
    uint32_t reg_bytes; /* 0: no reg seen */
};

struct walk {
    const uint8_t *blob;
    uint64_t pos, struct_end;          /* the rest of the structure block */
    uint64_t strings_off, strings_end; /* the strings block */
    unsigned depth;                    /* 1 inside the root */
    bool root_seen;
    bool child_seen; /* the open node had a child: no property may follow */
    bool memory_seen, chosen_seen;
    bool initrd_start_seen, initrd_end_seen;
    uint64_t initrd_start, initrd_end;
    uint32_t address_cells, size_cells; /* of the root */
    struct node node;
};

struct property {
    const char *name;
    const uint8_t *value;
    uint32_t bytes;
};

/* Reads a big-endian number of 4 or 8 bytes at any alignment. */
static uint64_t big_endian(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)big_endian(at, 4);
}

/* Consumes bytes and their padding to the next word from the structure block; NULL past its end. */
static const uint8_t *take(struct walk *walk, uint64_t bytes)
{
    const uint8_t *at = walk->blob + walk->pos;
    uint64_t padded = (bytes + 3) / 4 * 4;
    if (padded > walk->struct_end - walk->pos) {
        return NULL;
    }
    walk->pos += padded;
    return at;
}

static enum fdt_status open_blob(struct walk *walk, const uint8_t *blob, uint64_t limit_bytes)
{
    uint64_t total, struct_off, strings_off, version;
    if (limit_bytes < HEADER_BYTES) {
        return FDT_TRUNCATED;
    }
    if (word_at(blob + AT_MAGIC) != FDT_MAGIC) {
        return FDT_BAD_MAGIC;
    }
    version = word_at(blob + AT_VERSION);
    if (version < VERSION_MIN || word_at(blob + AT_LAST_COMP) > VERSION_KNOWN) {
        return FDT_BAD_VERSION;
    }
    total = word_at(blob + AT_TOTALSIZE);
    struct_off = word_at(blob + AT_OFF_STRUCT);
    strings_off = word_at(blob + AT_OFF_STRINGS);
    /* Version 16 does not give the size of the structure block. */
    walk->struct_end = version > VERSION_MIN ? struct_off + word_at(blob + AT_SIZE_STRUCT) : total;
    walk->strings_end = strings_off + word_at(blob + AT_SIZE_STRINGS);
    if (total < HEADER_BYTES || total > limit_bytes || struct_off > total || walk->struct_end > total ||
        walk->strings_end > total) {
        return FDT_TRUNCATED;
    }
    if (struct_off % 4 != 0) {
        return FDT_BAD_STRUCTURE;
    }
    walk->blob = blob;
    walk->pos = struct_off;
    walk->strings_off = strings_off;
    return FDT_OK;
}

static enum fdt_status begin_node(struct walk *walk)
{
    const char *name = (const char *)(walk->blob + walk->pos);
    const char *nul = memchr(name, 0, (size_t)(walk->struct_end - walk->pos));
    if (nul == NULL || take(walk, (uint64_t)(nul - name) + 1) == NULL) {
        return FDT_TRUNCATED;
    }
    if (walk->depth == DEPTH_MAX || (walk->depth == 0 && walk->root_seen)) {
        return FDT_BAD_STRUCTURE;
    }
    walk->depth++;
    walk->root_seen = true;
    walk->child_seen = false;
    if (walk->depth == 2) {
        walk->node = (struct node){.is_memory = strncmp(name, "memory@", 7) == 0,
                                   .is_chosen = strcmp(name, "chosen") == 0};
        if (walk->node.is_chosen && walk->chosen_seen) {
            return FDT_BAD_CHOSEN;
        }
        walk->chosen_seen = walk->chosen_seen || walk->node.is_chosen;
    }
    return FDT_OK;
}

static bool is_cells(uint32_t cells)
{
    return cells == 1 || cells == 2;
}

/* Reads the first range of a memory node's reg. */
static enum fdt_status memory_range(const struct walk *walk, struct fdt_facts *facts)
{
    uint32_t address_bytes = walk->address_cells * 4, size_bytes = walk->size_cells * 4;
    if (!is_cells(walk->address_cells) || !is_cells(walk->size_cells) || walk->node.reg_bytes == 0 ||
        walk->node.reg_bytes % (address_bytes + size_bytes) != 0) {
        return FDT_NO_MEMORY;
    }
    facts->memory_pa = big_endian(walk->node.reg, address_bytes);
    facts->memory_bytes = big_endian(walk->node.reg + address_bytes, size_bytes);
    return facts->memory_bytes != 0 && facts->memory_bytes <= UINT64_MAX - facts->memory_pa ? FDT_OK
                                                                                            : FDT_NO_MEMORY;
}

static enum fdt_status end_node(struct walk *walk, struct fdt_facts *facts)
{
    enum fdt_status status = FDT_OK;
    if (walk->depth == 0) {
        return FDT_BAD_STRUCTURE;
    }
    if (walk->depth == 2 && walk->node.is_memory && !walk->memory_seen) {
        status = memory_range(walk, facts);
        walk->memory_seen = true;
    }
    walk->depth--;
    walk->child_seen = true;
    return status;
}

/* A cells property that is not one word counts as 0 cells, which memory_range refuses. */
static void root_property(struct walk *walk, const struct property *property)
{
    uint32_t cells = property->bytes == 4 ? word_at(property->value) : 0;
    if (strcmp(property->name, "#address-cells") == 0) {
        walk->address_cells = cells;
    } else if (strcmp(property->name, "#size-cells") == 0) {
        walk->size_cells = cells;
    }
}

static void child_property(struct walk *walk, const struct property *property)
{
    if (strcmp(property->name, "reg") == 0) {
        walk->node.reg = property->value;
        walk->node.reg_bytes = property->bytes;
    } else if (strcmp(property->name, "device_type") == 0 && property->bytes == sizeof("memory") &&
               memcmp(property->value, "memory", sizeof("memory")) == 0) {
        walk->node.is_memory = true;
    }
}

static enum fdt_status chosen_property(struct walk *walk, const struct property *property,
                                       struct fdt_facts *facts)
{
    bool is_start = strcmp(property->name, "linux,initrd-start") == 0;
    bool is_end = strcmp(property->name, "linux,initrd-end") == 0;
    if (strcmp(property->name, "bootargs") == 0) {
        /* One string: its only NUL is its last byte. */
        if (property->bytes == 0 || property->bytes > FDT_BOOTARGS_MAX ||
            memchr(property->value, 0, property->bytes) != property->value + property->bytes - 1) {
            return FDT_BAD_CHOSEN;
        }
        memcpy(facts->bootargs, property->value, property->bytes);
    }
    if ((is_start || is_end) && property->bytes != 4 && property->bytes != 8) {
        return FDT_BAD_CHOSEN;
    }
    if (is_start) {
        walk->initrd_start = big_endian(property->value, property->bytes);
        walk->initrd_start_seen = true;
    } else if (is_end) {
        walk->initrd_end = big_endian(property->value, property->bytes);
        walk->initrd_end_seen = true;
    }
    return FDT_OK;
}

/* Reads a property and checks that its name ends inside the strings block. */
static enum fdt_status read_property(struct walk *walk, struct property *property)
{
    const uint8_t *head = take(walk, 8);
    uint64_t name_off;
    if (head == NULL) {
        return FDT_TRUNCATED;
    }
    property->bytes = word_at(head);
    property->value = take(walk, property->bytes);
    name_off = walk->strings_off + word_at(head + 4);
    if (property->value == NULL || name_off >= walk->strings_end) {
        return FDT_TRUNCATED;
    }
    property->name = (const char *)(walk->blob + name_off);
    return memchr(property->name, 0, (size_t)(walk->strings_end - name_off)) != NULL ? FDT_OK : FDT_TRUNCATED;
}

static enum fdt_status one_property(struct walk *walk, struct fdt_facts *facts)
{
    struct property property;
    enum fdt_status status = read_property(walk, &property);
    if (status != FDT_OK) {
        return status;
    }
    if (walk->depth == 0 || walk->child_seen) {
        return FDT_BAD_STRUCTURE;
    }
    if (walk->depth == 1) {
        root_property(walk, &property);
    } else if (walk->depth == 2 && walk->node.is_chosen) {
        return chosen_property(walk, &property, facts);
    } else if (walk->depth == 2) {
        child_property(walk, &property);
    }
    return FDT_OK;
}

/* Each round consumes at least one word, so the block's size bounds the walk. */
static enum fdt_status walk_tokens(struct walk *walk, struct fdt_facts *facts)
{
    enum fdt_status status = FDT_OK;
    while (status == FDT_OK) {
        const uint8_t *token = take(walk, 4);
        if (token == NULL) {
            return FDT_TRUNCATED;
        }
        switch (word_at(token)) {
        case TOKEN_BEGIN_NODE:
            status = begin_node(walk);
            break;
        case TOKEN_END_NODE:
            status = end_node(walk, facts);
            break;
        case TOKEN_PROP:
            status = one_property(walk, facts);
            break;
        case TOKEN_NOP:
            break;
        case TOKEN_END:
            return walk->depth == 0 && walk->root_seen ? FDT_OK : FDT_BAD_STRUCTURE;
        default:
            return FDT_BAD_STRUCTURE;
        }
    }
    return status;
}

/* Treats an empty initrd as absent. */
static enum fdt_status initrd_range(const struct walk *walk, struct fdt_facts *facts)
{
    if (walk->initrd_start_seen != walk->initrd_end_seen || walk->initrd_end < walk->initrd_start) {
        return FDT_BAD_CHOSEN;
    }
    if (walk->initrd_end > walk->initrd_start) {
        facts->initrd_pa = walk->initrd_start;
        facts->initrd_bytes = walk->initrd_end - walk->initrd_start;
    }
    return FDT_OK;
}

static enum fdt_status collect_facts(const uint8_t *blob, size_t limit_bytes, struct fdt_facts *facts)
{
    struct walk walk = {.address_cells = 2, .size_cells = 1};
    enum fdt_status status = open_blob(&walk, blob, limit_bytes);
    if (status == FDT_OK) {
        status = walk_tokens(&walk, facts);
    }
    if (status == FDT_OK && !walk.memory_seen) {
        status = FDT_NO_MEMORY;
    }
    if (status == FDT_OK) {
        status = initrd_range(&walk, facts);
    }
    if (status == FDT_OK) {
        facts->fdt_bytes = word_at(blob + AT_TOTALSIZE);
    }
    return status;
}

enum fdt_status fdt_read(const void *blob, size_t limit_bytes, struct fdt_facts *facts)
{
    enum fdt_status status;
    memset(facts, 0, sizeof(*facts));
    status = collect_facts(blob, limit_bytes, facts);
    if (status != FDT_OK) {
        memset(facts, 0, sizeof(*facts));
    }
    return status;
}

const char *fdt_status_name(enum fdt_status status)
{
    static const char *const names[] = {
        [FDT_OK] = "ok",
        [FDT_BAD_MAGIC] = "bad-magic",
        [FDT_BAD_VERSION] = "bad-version",
        [FDT_TRUNCATED] = "truncated",
        [FDT_BAD_STRUCTURE] = "bad-structure",
        [FDT_NO_MEMORY] = "no-memory",
        [FDT_BAD_CHOSEN] = "bad-chosen",
    };
    return (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}
