/* SPDX-License-Identifier: Apache-2.0 */
/* The two headers of an ELF64 file that a loader reads, for payloads that make or damage such a file. */
#ifndef PAYLOADS_ELF64_H
#define PAYLOADS_ELF64_H

#include <stdint.h>

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_segment) == 56,
               "ELF64 header and program header");

#endif
