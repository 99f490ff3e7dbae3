/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that differ_boot.py patches into differ.elf before each boot, so that a seed needs no link. */
#ifndef DIFFER_BLOCK_H
#define DIFFER_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#define DIFFER_MARK_BYTES 16
#define DIFFER_OPS_MAX 4096
#define DIFFER_NO_OP UINT32_MAX

struct differ_block {
    char mark[DIFFER_MARK_BYTES]; /* "libvmo-differ-01", once in the file */
    uint64_t seed;
    uint64_t classes;     /* leave out the operations of these classes (model_class.def) */
    uint64_t arena_bytes; /* the boot's limits, as in the boot arguments */
    uint32_t slots;
    uint32_t ep_ids;
    uint32_t ops;
    uint32_t lie_at;    /* falsify the answer of this operation before the model sees it */
    uint32_t repeat_at; /* make this operation twice; the model sees the first answer */
    uint32_t trace;     /* 1: print each operation and its answer */
    uint8_t left_out[DIFFER_OPS_MAX];
};

_Static_assert(offsetof(struct differ_block, seed) == 16 && offsetof(struct differ_block, slots) == 40 &&
                   offsetof(struct differ_block, trace) == 60 &&
                   offsetof(struct differ_block, left_out) == 64,
               "differ_boot.py packs it");

#endif
