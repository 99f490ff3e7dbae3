/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF64 file header and program header (System V ABI, chapters 4 and 5). */
#ifndef ELF64_H
#define ELF64_H

#include <stddef.h>
#include <stdint.h>

struct elf64_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file's byte order is the machine's");
_Static_assert(sizeof(struct elf64_header) == 64, "ELF64 header");
_Static_assert(offsetof(struct elf64_header, type) == 16, "ELF64 header: e_type");
_Static_assert(offsetof(struct elf64_header, entry) == 24, "ELF64 header: e_entry");
_Static_assert(offsetof(struct elf64_header, phoff) == 32, "ELF64 header: e_phoff");
_Static_assert(offsetof(struct elf64_header, shoff) == 40, "ELF64 header: e_shoff");
_Static_assert(offsetof(struct elf64_header, phentsize) == 54, "ELF64 header: e_phentsize");
_Static_assert(offsetof(struct elf64_header, phnum) == 56, "ELF64 header: e_phnum");
_Static_assert(sizeof(struct elf64_program_header) == 56, "ELF64 program header");
_Static_assert(offsetof(struct elf64_program_header, offset) == 8, "ELF64 program header: p_offset");
_Static_assert(offsetof(struct elf64_program_header, vaddr) == 16, "ELF64 program header: p_vaddr");
_Static_assert(offsetof(struct elf64_program_header, filesz) == 32, "ELF64 program header: p_filesz");
_Static_assert(offsetof(struct elf64_program_header, memsz) == 40, "ELF64 program header: p_memsz");

/* Offsets in ident after the magic, and the expected values. */
enum { ELF64_AT_CLASS = 4, ELF64_AT_DATA = 5, ELF64_AT_VERSION = 6 };
enum { ELF64_CLASS = 2, ELF64_DATA_LITTLE = 1, ELF64_VERSION = 1 };

/* Values of the file header, then of the program header: types and flags. */
enum { ELF64_TYPE_EXEC = 2, ELF64_MACHINE_RISCV = 243 };
enum { ELF64_IGNORED = 0, ELF64_LOAD = 1 };
enum { ELF64_X = 1, ELF64_W = 2, ELF64_R = 4 };

#endif
