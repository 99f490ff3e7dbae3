/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/elf.c: the content of a plan, and each refusal by its name. */
#include "core/elf_image.h"
#include "nexus_abi.h"

/* ---- Plans --------------------------------------------------------------------------------------- */

static void good_image(void **state)
{
    struct image im;
    struct elf_plan plan;
    (void)state;
    make_good(&im);
    accepted(&im, &plan);
    assert_int_equal(plan.entry, 0x10010);
    assert_int_equal(plan.gp_default, 0x12040);
    assert_int_equal(plan.segment_count, 2);
    assert_int_equal(plan.segments[0].va, 0x10000);
    assert_int_equal(plan.segments[0].mem_bytes, 100);
    assert_int_equal(plan.segments[0].file_off, offsetof(struct image, bytes));
    assert_int_equal(plan.segments[0].file_bytes, 100);
    assert_int_equal(plan.segments[0].prot, NX_PROT_READ | NX_PROT_EXEC);
    assert_int_equal(plan.segments[1].va, 0x11840);
    assert_int_equal(plan.segments[1].mem_bytes, 0x3000);
    assert_int_equal(plan.segments[1].file_off, offsetof(struct image, bytes) + 100);
    assert_int_equal(plan.segments[1].file_bytes, 156);
    assert_int_equal(plan.segments[1].prot, NX_PROT_READ | NX_PROT_WRITE);
}

static void gp_without_a_writable_segment(void **state)
{
    struct image im;
    struct elf_plan plan;
    (void)state;
    make_good(&im);
    im.ph[PH_DATA].p_flags = PF_R;
    accepted(&im, &plan);
    assert_int_equal(plan.gp_default, 0x10810);
    im.ph[PH_DATA].p_flags = PF_W; /* implies R */
    accepted(&im, &plan);
    assert_int_equal(plan.segments[1].prot, NX_PROT_READ | NX_PROT_WRITE);
    assert_int_equal(plan.gp_default, 0x12040);
}

static void header_is_refused(void **state)
{
    struct image good, im;
    (void)state;
    make_good(&good);
#define WITH(change, status) (im = good, im.change, refused(&im, status))
    WITH(eh.e_ident[EI_MAG0] = 0x7E, ELF_BAD_MAGIC);
    WITH(eh.e_ident[EI_MAG3] = 'f', ELF_BAD_MAGIC);
    WITH(eh.e_ident[EI_CLASS] = ELFCLASS32, ELF_BAD_CLASS);
    WITH(eh.e_ident[EI_DATA] = ELFDATA2MSB, ELF_BAD_DATA);
    WITH(eh.e_ident[EI_VERSION] = 0, ELF_BAD_TYPE);
    WITH(eh.e_type = ET_DYN, ELF_BAD_TYPE);
    WITH(eh.e_machine = EM_X86_64, ELF_BAD_TYPE);
    WITH(eh.e_version = 2, ELF_BAD_TYPE);
    WITH(eh.e_phentsize = 0, ELF_BAD_HEADER);
    WITH(eh.e_phentsize = 57, ELF_BAD_HEADER);
    WITH(eh.e_phnum = 0, ELF_BAD_HEADER);
    WITH(eh.e_phnum = 65, ELF_BAD_HEADER);
    WITH(eh.e_phoff = sizeof(im) - PH_USED * sizeof(Elf64_Phdr) + 1, ELF_BAD_HEADER);
    WITH(eh.e_phoff = UINT64_MAX - 8, ELF_BAD_HEADER);
    WITH(eh.e_entry = 0x10011, ELF_BAD_ENTRY);
}

static void entry_is_in_an_executable_segment(void **state)
{
    struct image good, im;
    struct elf_plan plan;
    (void)state;
    make_good(&good);
    WITH(eh.e_entry = 0xFFFE, ELF_BAD_ENTRY);
    WITH(eh.e_entry = 0x10064, ELF_BAD_ENTRY);
    WITH(eh.e_entry = 0x11840, ELF_BAD_ENTRY);
    WITH(eh.e_entry = 0, ELF_BAD_ENTRY);
    im = good;
    im.eh.e_entry = 0x10062;
    accepted(&im, &plan);
    im.eh.e_entry = 0x10000;
    accepted(&im, &plan);
}

static void number_of_segments(void **state)
{
    struct image im;
    struct elf_plan plan;
    (void)state;
    make_good(&im);
    im.ph[PH_TEXT].p_type = PT_NOTE;
    im.ph[PH_DATA].p_memsz = 0;
    refused(&im, ELF_NO_SEGMENT);

    make_good(&im);
    im.eh.e_phnum = 64; /* the others are PT_NULL */
    for (unsigned i = 0; i < ELF_SEGMENTS_MAX - 2; i++) {
        im.ph[PH_USED + i] = im.ph[PH_TEXT];
        im.ph[PH_USED + i].p_vaddr = 0x40000 + i * 0x1000;
    }
    accepted(&im, &plan);
    assert_int_equal(plan.segment_count, ELF_SEGMENTS_MAX);
    assert_int_equal(plan.segments[7].va, 0x45000);
    im.ph[63] = im.ph[PH_TEXT];
    im.ph[63].p_vaddr = 0x50000;
    refused(&im, ELF_TOO_MANY_SEGMENTS);
}

static void file_range_of_a_segment(void **state)
{
    struct image good, im;
    struct elf_plan plan;
    (void)state;
    make_good(&good);
    WITH(ph[PH_DATA].p_offset = sizeof(im) - 155, ELF_BAD_SEGMENT);
    WITH(ph[PH_DATA].p_offset = UINT64_MAX - 100, ELF_BAD_SEGMENT);
    WITH(ph[PH_TEXT].p_filesz = 101, ELF_BAD_SEGMENT);
    WITH(ph[PH_DATA].p_filesz = UINT64_MAX, ELF_BAD_SEGMENT);
    WITH(ph[PH_DATA].p_flags = 0, ELF_BAD_SEGMENT);
    im = good;
    im.ph[PH_DATA].p_offset = sizeof(im) - 156;
    accepted(&im, &plan);
    im.ph[PH_DATA].p_filesz = 0; /* no bytes: the offset is ignored */
    im.ph[PH_DATA].p_offset = UINT64_MAX;
    accepted(&im, &plan);
    assert_int_equal(plan.segments[1].file_off, 0);
}

/* Moves the data segment to [va, va + bytes). */
static struct image data_at(uint64_t va, uint64_t bytes)
{
    struct image im;
    make_good(&im);
    im.ph[PH_DATA].p_vaddr = va;
    im.ph[PH_DATA].p_memsz = bytes;
    im.ph[PH_DATA].p_filesz = 0;
    return im;
}

static void addresses_of_a_segment(void **state)
{
    static const struct {
        uint64_t va, bytes;
        bool good;
    } cases[] = {
        {0xFFF, 0x10, false},
        {0, 0x2000, false},
        {0x1000, 0x1000, true},
        {0x7FFFFFFF, 1, true},
        {0x7FFFFFFF, 2, false},
        {0x80000000, 1, false},
        {0x7FFFF000, 0x1000, true},
        {0x7FFFF000, 0x1001, false},
        {0x20000, UINT64_MAX, false},
        {0x20000, UINT64_MAX - 0x1FFFF, false},
        {UINT64_MAX - 1, 1, false},
        {0xFFFFFFC000000000, 0x1000, false},
        {0x1FE00000, 0x100000, true},
        {0x1FE00000, 0x100001, false},
        {0x1FF00000, 1, false},
        {0x2000AFFF, 1, false},
        {0x2000B000, 1, true},
        {0x1FE00000, 0x30000000, false},
        {0x20005000, 0x100000, false},
        {0x2000B000, 0x5FFF5000, true},
        {0x2000B000, 0x5FFF5001, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct image im = data_at(cases[i].va, cases[i].bytes);
        struct elf_plan plan;
        if (cases[i].good) {
            accepted(&im, &plan);
            assert_int_equal(plan.segments[1].va, cases[i].va);
            assert_int_equal(plan.segments[1].mem_bytes, cases[i].bytes);
        } else {
            refused(&im, ELF_BAD_SEGMENT);
        }
    }
}

static void write_and_execute(void **state)
{
    struct image good, im;
    (void)state;
    make_good(&good);
    WITH(ph[PH_TEXT].p_flags = PF_R | PF_W | PF_X, ELF_WRITE_EXEC);
    WITH(ph[PH_DATA].p_flags = PF_W | PF_X, ELF_WRITE_EXEC);
}

static void shared_pages(void **state)
{
    struct image im = data_at(0x10064, 8); /* directly after the text, in the same page */
    struct elf_plan plan;
    (void)state;
    refused(&im, ELF_SHARED_PAGE);
    im = data_at(0xF000, 0x1001); /* its last byte */
    refused(&im, ELF_SHARED_PAGE);
    im = data_at(0xF000, 0x10000); /* around it */
    refused(&im, ELF_SHARED_PAGE);
    im = data_at(0x10000, 100); /* the same */
    refused(&im, ELF_SHARED_PAGE);
    im = data_at(0xF000, 0x1000);
    accepted(&im, &plan);
    im = data_at(0x11000, 0x1000);
    accepted(&im, &plan);
}

/* An image with every error, fixed one by one: each is reported in the enum's order. */
static void order_of_refusals(void **state)
{
    struct image good, im;
    struct elf_plan plan;
    (void)state;
    make_good(&good);
    im = good;
    memset(&im.eh, 0xFF, sizeof(im.eh));
    im.ph[PH_TEXT].p_flags = PF_W | PF_X;
    im.ph[PH_DATA].p_vaddr = 0;
    refused(&im, ELF_BAD_MAGIC);
    memcpy(im.eh.e_ident, ELFMAG, SELFMAG);
    refused(&im, ELF_BAD_CLASS);
    im.eh.e_ident[EI_CLASS] = ELFCLASS64;
    refused(&im, ELF_BAD_DATA);
    im.eh.e_ident[EI_DATA] = ELFDATA2LSB;
    refused(&im, ELF_BAD_TYPE);
    memcpy(&im.eh, &good.eh, offsetof(Elf64_Ehdr, e_entry));
    refused(&im, ELF_BAD_HEADER);
    im.eh.e_phoff = good.eh.e_phoff;
    im.eh.e_phentsize = good.eh.e_phentsize;
    im.eh.e_phnum = good.eh.e_phnum;
    refused(&im, ELF_BAD_ENTRY);
    im.eh.e_entry = 2;
    refused(&im, ELF_BAD_SEGMENT);
    im.ph[PH_DATA].p_vaddr = 0x10800;
    refused(&im, ELF_WRITE_EXEC);
    im.ph[PH_TEXT].p_flags = PF_X;
    refused(&im, ELF_SHARED_PAGE);
    im.ph[PH_DATA].p_vaddr = 0x11000;
    refused(&im, ELF_BAD_ENTRY);
    im.eh.e_entry = good.eh.e_entry;
    accepted(&im, &plan);
}

static void names_are_distinct(void **state)
{
    (void)state;
    for (unsigned i = ELF_OK; i <= ELF_NO_SYMBOL; i++) {
        assert_string_not_equal(elf_status_name((enum elf_status)i), "unknown");
        for (unsigned j = ELF_OK; j < i; j++) {
            assert_string_not_equal(elf_status_name((enum elf_status)i), elf_status_name((enum elf_status)j));
        }
    }
    assert_string_equal(elf_status_name((enum elf_status)(ELF_NO_SYMBOL + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_image),
        cmocka_unit_test(gp_without_a_writable_segment),
        cmocka_unit_test(header_is_refused),
        cmocka_unit_test(entry_is_in_an_executable_segment),
        cmocka_unit_test(number_of_segments),
        cmocka_unit_test(file_range_of_a_segment),
        cmocka_unit_test(addresses_of_a_segment),
        cmocka_unit_test(write_and_execute),
        cmocka_unit_test(shared_pages),
        cmocka_unit_test(order_of_refusals),
        cmocka_unit_test(names_are_distinct),
    };
    return cmocka_run_group_tests_name("core/elf", tests, NULL, NULL);
}
