/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses an ELF64 executable into a plan and touches no memory of the new task. The file is in physical
 * memory (init) or in a task's address space (exec), so a callback reads it.
 */
#ifndef CORE_ELF_H
#define CORE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 8

/* `read` copies n bytes from file offset off to dst. It cannot fail: the source's creator checks its memory,
 * and the parser checks every range against `bytes`. */
struct elf_source {
    void (*read)(void *ctx, uint64_t off, void *dst, size_t n);
    void *ctx;
    uint64_t bytes;
};

struct elf_segment {
    uint64_t va;        /* as in the file; page offset included */
    uint64_t mem_bytes; /* > 0 */
    uint64_t file_off;
    uint64_t file_bytes; /* <= mem_bytes */
    uint32_t prot;       /* NX_PROT_* */
};

struct elf_plan {
    uint64_t entry;
    uint64_t gp_default; /* K-12: first writable segment's va + 0x800, else entry + 0x800 */
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* in the file's order */
};

/* Every refusal has its own name; sys/ maps it to the error of the revision (K-13). */
enum elf_status {
    ELF_OK,
    ELF_TOO_SHORT, /* under 64 bytes */
    ELF_BAD_MAGIC,
    ELF_BAD_CLASS,  /* not 64-bit */
    ELF_BAD_DATA,   /* not little-endian */
    ELF_BAD_TYPE,   /* e_type, e_machine or e_version: the real loaders do not check them; a hazard here */
    ELF_BAD_HEADER, /* phentsize, phoff, phnum */
    ELF_BAD_ENTRY,  /* odd, or in no executable segment */
    ELF_NO_SEGMENT,
    ELF_TOO_MANY_SEGMENTS,
    ELF_BAD_SEGMENT, /* file range outside the file, filesz > memsz, wrap, outside user addresses */
    ELF_WRITE_EXEC,  /* K-13 */
    ELF_SHARED_PAGE, /* two segments share a page, K-13 */
    ELF_NO_SYMBOL    /* elf_symbol: no .symtab or not in it */
};

/* Checks the whole file against the limits above and fills *plan. On refusal *plan is zeroed. */
enum elf_status elf_plan(const struct elf_source *source, struct elf_plan *plan);

/* Looks a symbol up in .symtab (init's __global_pointer$, K-12). The file's size bounds the search. */
enum elf_status elf_symbol(const struct elf_source *source, const char *name, uint64_t *value);

const char *elf_status_name(enum elf_status status);

#endif
