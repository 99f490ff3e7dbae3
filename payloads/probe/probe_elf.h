/* SPDX-License-Identifier: Apache-2.0 */
/* As much of ELF64 as the probe reads of its child's file, and changes in a copy. */
#ifndef PROBE_ELF_H
#define PROBE_ELF_H

#include <stdint.h>
#include <string.h>

#include "elf64.h"

#define ELF_W 2u
#define ELF_X 1u
#define ELF_CLASS 4 /* in ident */
#define ELF_DATA 5
#define ELF_IGNORED 0 /* a segment type that is not loaded */

static inline struct elf_header elf_header(const uint8_t *elf)
{
    struct elf_header header;

    memcpy(&header, elf, sizeof header);
    return header;
}

/* linker/payload.ld makes loadable segments only. */
static inline unsigned elf_segments(const uint8_t *elf)
{
    return elf_header(elf).phnum;
}

static inline uint64_t elf_segment_off(const uint8_t *elf, unsigned index)
{
    return elf_header(elf).phoff + index * sizeof(struct elf_segment);
}

static inline struct elf_segment elf_segment(const uint8_t *elf, unsigned index)
{
    struct elf_segment segment;

    memcpy(&segment, elf + elf_segment_off(elf, index), sizeof segment);
    return segment;
}

#endif
