/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A valid ELF file for tests to damage, and a source that reads it. The layout is that of the host's
 * <elf.h>, not of abi/elf64.h, on purpose: a wrong layout there must not be wrong in the kernel and in its
 * test alike.
 */
#ifndef TESTS_CORE_ELF_IMAGE_H
#define TESTS_CORE_ELF_IMAGE_H

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/elf.h"

#define GP_NAME "__global_pointer$"
#define GP_VALUE 0x12345678u
#define LONG_NAME_BYTES 150 /* longer than two of the reader's chunks */

enum { PH_STACK, PH_TEXT, PH_DATA, PH_EMPTY, PH_USED, PH_ROOM = 66 };
enum { SH_NULL, SH_STRTAB, SH_SYMTAB, SH_USED };
enum { SYM_GP = 37, SYM_LONG = 38, SYM_USED = 40 };

/* An executable file as one struct: the offset of a member is its offset in the file. */
struct image {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[PH_ROOM];
    uint8_t bytes[256];
    Elf64_Shdr sh[SH_USED];
    Elf64_Sym sym[SYM_USED];
    char str[512];
};

_Static_assert(sizeof(struct image) == offsetof(struct image, str) + 512, "no padding");

static inline void long_name(char *name)
{
    memset(name, 'n', LONG_NAME_BYTES - 1);
    name[LONG_NAME_BYTES - 1] = 0;
}

static inline void add_symbols(struct image *im)
{
    uint32_t at = 1;
    im->sh[SH_STRTAB].sh_type = SHT_STRTAB;
    im->sh[SH_STRTAB].sh_offset = offsetof(struct image, str);
    im->sh[SH_STRTAB].sh_size = sizeof(im->str);
    im->sh[SH_SYMTAB].sh_type = SHT_SYMTAB;
    im->sh[SH_SYMTAB].sh_offset = offsetof(struct image, sym);
    im->sh[SH_SYMTAB].sh_size = sizeof(im->sym);
    im->sh[SH_SYMTAB].sh_entsize = sizeof(im->sym[0]);
    im->sh[SH_SYMTAB].sh_link = SH_STRTAB;
    for (unsigned i = 1; i < SYM_USED; i++) {
        im->sym[i] = (Elf64_Sym){.st_name = 0, .st_shndx = SHN_ABS, .st_value = 0xDEAD};
    }
    /* One name shares a prefix with the name looked for, one extends it. */
    strcpy(im->str + at, "__global_pointer");
    im->sym[2].st_name = at;
    at += (uint32_t)sizeof("__global_pointer");
    strcpy(im->str + at, GP_NAME "x");
    im->sym[3].st_name = at;
    at += (uint32_t)sizeof(GP_NAME "x");
    strcpy(im->str + at, GP_NAME);
    im->sym[4] = (Elf64_Sym){.st_name = at, .st_shndx = SHN_UNDEF, .st_value = 0xBAD};
    im->sym[SYM_GP] = (Elf64_Sym){.st_name = at, .st_shndx = SHN_ABS, .st_value = GP_VALUE};
    at += (uint32_t)sizeof(GP_NAME);
    long_name(im->str + at);
    im->sym[SYM_LONG] = (Elf64_Sym){.st_name = at, .st_shndx = SHN_ABS, .st_value = 77};
}

/* Text and data, a header to ignore and an empty segment to skip. Offsets are not congruent with
 * addresses. */
static inline void make_good(struct image *im)
{
    memset(im, 0, sizeof(*im));
    memcpy(im->eh.e_ident, ELFMAG, SELFMAG);
    im->eh.e_ident[EI_CLASS] = ELFCLASS64;
    im->eh.e_ident[EI_DATA] = ELFDATA2LSB;
    im->eh.e_ident[EI_VERSION] = EV_CURRENT;
    im->eh.e_type = ET_EXEC;
    im->eh.e_machine = EM_RISCV;
    im->eh.e_version = EV_CURRENT;
    im->eh.e_entry = 0x10010;
    im->eh.e_phoff = offsetof(struct image, ph);
    im->eh.e_shoff = offsetof(struct image, sh);
    im->eh.e_phentsize = sizeof(Elf64_Phdr);
    im->eh.e_phnum = PH_USED;
    im->eh.e_shentsize = sizeof(Elf64_Shdr);
    im->eh.e_shnum = SH_USED;
    im->ph[PH_STACK] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_W | PF_X, .p_memsz = UINT64_MAX};
    im->ph[PH_TEXT] = (Elf64_Phdr){.p_type = PT_LOAD,
                                   .p_flags = PF_R | PF_X,
                                   .p_offset = offsetof(struct image, bytes),
                                   .p_vaddr = 0x10000,
                                   .p_filesz = 100,
                                   .p_memsz = 100};
    im->ph[PH_DATA] = (Elf64_Phdr){.p_type = PT_LOAD,
                                   .p_flags = PF_R | PF_W,
                                   .p_offset = offsetof(struct image, bytes) + 100,
                                   .p_vaddr = 0x11840,
                                   .p_filesz = 156,
                                   .p_memsz = 0x3000};
    im->ph[PH_EMPTY] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = 7, .p_offset = UINT64_MAX, .p_filesz = 9};
    add_symbols(im);
}

/* ---- The source: memory of the exact size, and a check of every range
 * ------------------------------------ */

struct file {
    const uint8_t *bytes;
    uint64_t size;
};

static inline void file_read(void *ctx, uint64_t off, void *dst, size_t n)
{
    struct file *file = ctx;
    assert_true(n <= file->size && off <= file->size - n);
    memcpy(dst, file->bytes + off, n);
}

static inline enum elf_status plan_file(const void *bytes, size_t size, struct elf_plan *plan)
{
    uint8_t *copy = malloc(size + !size);
    struct file file = {copy, size};
    const struct elf_source source = {file_read, &file, size};
    enum elf_status status;
    memcpy(copy, bytes, size);
    memset(plan, 0xA5, sizeof(*plan));
    status = elf_plan(&source, plan);
    free(copy);
    return status;
}

static inline enum elf_status find_symbol(const void *bytes, size_t size, const char *name, uint64_t *value)
{
    uint8_t *copy = malloc(size + !size);
    struct file file = {copy, size};
    const struct elf_source source = {file_read, &file, size};
    enum elf_status status;
    memcpy(copy, bytes, size);
    status = elf_symbol(&source, name, value);
    free(copy);
    return status;
}

static inline void assert_status(enum elf_status actual, enum elf_status expected)
{
    assert_string_equal(elf_status_name(actual), elf_status_name(expected));
    assert_int_equal(actual, expected);
}

static inline void assert_zero_plan(const struct elf_plan *plan)
{
    static const struct elf_plan zero;
    assert_memory_equal(plan, &zero, sizeof(zero));
}

static inline void refused(const struct image *im, enum elf_status expected)
{
    struct elf_plan plan;
    assert_status(plan_file(im, sizeof(*im), &plan), expected);
    assert_zero_plan(&plan);
}

static inline void accepted(const struct image *im, struct elf_plan *plan)
{
    assert_status(plan_file(im, sizeof(*im), plan), ELF_OK);
}

#endif
