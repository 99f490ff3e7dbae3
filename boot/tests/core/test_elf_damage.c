/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/elf.c: files truncated at every byte, symbol tables, random damage. */
#include "core/elf_image.h"
#include "core/mutate.h"
#include "nexus_abi.h"

/* ---- Cuts ---------------------------------------------------------------------------------------- */

static void every_prefix(void **state)
{
    struct image im;
    struct elf_plan plan;
    (void)state;
    make_good(&im);
    for (size_t n = 0; n <= sizeof(im); n++) {
        enum elf_status expected = n < 64                                                 ? ELF_TOO_SHORT
                                   : n < offsetof(struct image, ph[PH_USED])              ? ELF_BAD_HEADER
                                   : n < offsetof(struct image, bytes) + sizeof(im.bytes) ? ELF_BAD_SEGMENT
                                                                                          : ELF_OK;
        uint64_t value = 5;
        enum elf_status symbol = n < 64 ? ELF_TOO_SHORT : n < sizeof(im) ? ELF_NO_SYMBOL : ELF_OK;
        assert_status(plan_file(&im, n, &plan), expected);
        if (expected != ELF_OK) {
            assert_zero_plan(&plan);
        }
        assert_status(find_symbol(&im, n, GP_NAME, &value), symbol);
        assert_int_equal(value, symbol == ELF_OK ? GP_VALUE : 5);
    }
}

/* ---- Symbols ------------------------------------------------------------------------------------- */

static void no_symbol(const struct image *im, const char *name)
{
    uint64_t value = 5;
    assert_status(find_symbol(im, sizeof(*im), name, &value), ELF_NO_SYMBOL);
    assert_int_equal(value, 5);
}

static void symbols_found(void **state)
{
    char name[LONG_NAME_BYTES];
    struct image im;
    uint64_t value = 5;
    (void)state;
    make_good(&im);
    assert_status(find_symbol(&im, sizeof(im), GP_NAME, &value), ELF_OK);
    assert_int_equal(value, GP_VALUE);
    long_name(name);
    assert_status(find_symbol(&im, sizeof(im), name, &value), ELF_OK);
    assert_int_equal(value, 77);
    name[LONG_NAME_BYTES - 2] = 'm';
    no_symbol(&im, name);
    no_symbol(&im, "__global");
    no_symbol(&im, "absent");
    im.sym[SYM_GP].st_shndx = SHN_UNDEF; /* the other symbol of that name is undefined, too */
    no_symbol(&im, GP_NAME);
}

static void symbol_tables_refused(void **state)
{
    struct image good, im;
    uint64_t value = 5;
    (void)state;
    make_good(&good);
#define MISSING(change) (im = good, im.change, no_symbol(&im, GP_NAME))
    MISSING(eh.e_shnum = 0);
    MISSING(eh.e_shentsize = 63);
    MISSING(eh.e_shoff = sizeof(im) - sizeof(im.sh) + 1);
    MISSING(eh.e_shoff = UINT64_MAX - 63);
    MISSING(sh[SH_SYMTAB].sh_type = SHT_DYNSYM);
    MISSING(sh[SH_SYMTAB].sh_entsize = 23);
    MISSING(sh[SH_SYMTAB].sh_link = SH_USED);
    MISSING(sh[SH_SYMTAB].sh_link = UINT32_MAX);
    MISSING(sh[SH_SYMTAB].sh_offset = sizeof(im) - sizeof(im.sym) + 1);
    MISSING(sh[SH_SYMTAB].sh_size = UINT64_MAX);
    MISSING(sh[SH_SYMTAB].sh_size = SYM_GP * sizeof(Elf64_Sym));
    MISSING(sh[SH_STRTAB].sh_type = SHT_PROGBITS);
    MISSING(sh[SH_STRTAB].sh_offset++);
    MISSING(sh[SH_STRTAB].sh_size = UINT64_MAX - 1);
    MISSING(sh[SH_STRTAB].sh_size = im.sym[SYM_GP].st_name + sizeof(GP_NAME) - 1);
    MISSING(sym[SYM_GP].st_name = UINT32_MAX);
    im = good;
    im.eh.e_ident[EI_CLASS] = ELFCLASS32;
    assert_status(find_symbol(&im, sizeof(im), GP_NAME, &value), ELF_BAD_CLASS);
    im.eh.e_ident[0] = 0;
    assert_status(find_symbol(&im, sizeof(im), GP_NAME, &value), ELF_BAD_MAGIC);
    assert_int_equal(value, 5);
}

/* ---- Damage -------------------------------------------------------------------------------------- */

/* The conditions that every accepted plan must meet, written independently of the parser. */
static void assert_sound(const struct elf_plan *plan, uint64_t size)
{
    bool entry_found = false;
    assert_in_range(plan->segment_count, 1, ELF_SEGMENTS_MAX);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *s = &plan->segments[i];
        uint64_t first = s->va & ~0xFFFull, end = (s->va + s->mem_bytes + 0xFFF) & ~0xFFFull;
        assert_true(s->mem_bytes > 0 && s->mem_bytes < 0x80000000 && s->file_bytes <= s->mem_bytes);
        assert_true(first >= 0x1000 && end > first && end <= 0x80000000);
        assert_true(end <= 0x1FF00000 || first >= 0x2000B000);
        assert_true(s->file_off <= size && s->file_bytes <= size - s->file_off);
        assert_true(s->prot != 0 && s->prot != NX_PROT_WRITE && s->prot < 6);
        entry_found |= (s->prot & NX_PROT_EXEC) && plan->entry >= s->va && plan->entry < s->va + s->mem_bytes;
        for (uint32_t j = 0; j < i; j++) {
            uint64_t other = plan->segments[j].va & ~0xFFFull;
            uint64_t other_end = plan->segments[j].va + plan->segments[j].mem_bytes;
            assert_true(end <= other || first >= other_end);
        }
    }
    assert_true(entry_found && plan->entry % 2 == 0);
}

static void random_damage(void **state)
{
    uint64_t random = 0x5EED0E1F;
    unsigned good = 0;
    (void)state;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        struct image im;
        struct elf_plan plan;
        uint64_t value = 5;
        enum elf_status status;
        /* One third each: the headers that are read, the section tables, any byte. */
        make_good(&im);
        if (i % 3 == 0) {
            mutate_bytes((uint8_t *)&im, offsetof(struct image, ph[PH_USED]), &random);
        } else if (i % 3 == 1) {
            mutate_bytes((uint8_t *)im.sh, sizeof(im.sh) + sizeof(im.sym), &random);
        } else {
            mutate_bytes((uint8_t *)&im, sizeof(im), &random);
        }
        status = plan_file(&im, sizeof(im), &plan);
        assert_string_not_equal(elf_status_name(status), "unknown");
        if (status == ELF_OK) {
            assert_sound(&plan, sizeof(im));
            good++;
        } else {
            assert_zero_plan(&plan);
        }
        status = find_symbol(&im, sizeof(im), GP_NAME, &value);
        assert_true(status == ELF_OK || value == 5);
    }
    assert_in_range(good, MUTATIONS / 10, MUTATIONS - MUTATIONS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(symbols_found),
        cmocka_unit_test(symbol_tables_refused),
        cmocka_unit_test(random_damage),
    };
    return cmocka_run_group_tests_name("core/elf damage", tests, NULL, NULL);
}
