/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the facts that the boot needs from a flattened device tree (Devicetree Specification v0.3, chapter
 * 5). The blob is not trusted: every offset is checked, the blob's size bounds every loop, and a truncated
 * or random blob gives a named refusal.
 */
#ifndef CORE_FDT_H
#define CORE_FDT_H

#include <stddef.h>
#include <stdint.h>

#define FDT_BOOTARGS_MAX 1024

enum fdt_status {
    FDT_OK,
    FDT_BAD_MAGIC,
    FDT_BAD_VERSION,
    FDT_TRUNCATED,     /* a block or a token extends past the end */
    FDT_BAD_STRUCTURE, /* unknown token, unbalanced nodes, too deep */
    FDT_NO_MEMORY,     /* no memory node, or one with a bad reg */
    FDT_BAD_CHOSEN,    /* bootargs too long or unterminated, initrd-start without -end or reversed */
};

struct fdt_facts {
    uint64_t memory_pa, memory_bytes; /* the first range of the first memory node */
    uint64_t initrd_pa, initrd_bytes; /* 0, 0 if /chosen has no initrd */
    uint64_t fdt_bytes;               /* totalsize */
    char bootargs[FDT_BOOTARGS_MAX];  /* "" if /chosen has none */
};

/* blob is readable for limit_bytes. The walk never reads beyond min(limit_bytes, totalsize). */
enum fdt_status fdt_read(const void *blob, size_t limit_bytes, struct fdt_facts *facts);

const char *fdt_status_name(enum fdt_status status);

#endif
