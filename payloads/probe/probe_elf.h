/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the ELF64 headers of the child's file. */
#ifndef PROBE_ELF_H
#define PROBE_ELF_H

#include <stdint.h>
#include <string.h>

#include "elf64.h"

static inline struct elf64_header elf_header(const uint8_t *elf)
{
    struct elf64_header header;
    memcpy(&header, elf, sizeof(header));
    return header;
}

/* All segments are loadable; linker/payload.ld makes no others. */
static inline unsigned elf_segments(const uint8_t *elf)
{
    return elf_header(elf).phnum;
}

static inline uint64_t elf_segment_off(const uint8_t *elf, unsigned index)
{
    return elf_header(elf).phoff + index * sizeof(struct elf64_program_header);
}

static inline struct elf64_program_header elf_segment(const uint8_t *elf, unsigned index)
{
    struct elf64_program_header segment;
    memcpy(&segment, elf + elf_segment_off(elf, index), sizeof(segment));
    return segment;
}

#endif
