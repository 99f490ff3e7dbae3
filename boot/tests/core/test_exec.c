/* SPDX-License-Identifier: Apache-2.0 */
/* The refusals of exec (K-12, K-13, K-17). */
#include "core/audit_tables.h"
#include "core/kernel_rig.h"

static void refuses_elf(int64_t answer, const struct image *elf, int line)
{
    struct task *init = rig_init();
    rig_poke(init, U_ELF, elf, sizeof(*elf));
    rig_refuses(answer, __FILE__, line, init, NX_SYS_EXEC, (const uint64_t[6]){U_ELF, sizeof(*elf), 1});
}

static void bad_files(void **state)
{
    struct image good, elf;
    (void)state;
    const int64_t shared = rig_is_a1() ? -NX_EINVAL : -NX_EEXIST;
    rig_make_elf(&good);
#define WITH(answer, change) (elf = good, elf.change, refuses_elf(answer, &elf, __LINE__))
    WITH(-NX_EINVAL, eh.e_ident[EI_MAG1] = 'x');
    WITH(-NX_EINVAL, eh.e_ident[EI_CLASS] = ELFCLASS32);
    WITH(-NX_EINVAL, eh.e_ident[EI_DATA] = ELFDATA2MSB);
    WITH(-NX_EINVAL, eh.e_phentsize = 0);
    WITH(-NX_EINVAL, eh.e_entry = 0x10011);
    WITH(-NX_EINVAL, eh.e_entry = RIG_DATA_VA);
    WITH(-NX_EINVAL, eh.e_phnum = 1); /* nothing to load */
    WITH(-NX_EINVAL, ph[PH_TEXT].p_offset = UINT64_MAX);
    WITH(-NX_EINVAL, ph[PH_TEXT].p_vaddr = NX_USER_TOP);
    WITH(-NX_EPERM, ph[PH_TEXT].p_flags = PF_R | PF_W | PF_X);
    WITH(shared, ph[PH_DATA].p_vaddr = RIG_TEXT_VA + 200);
    WITH(-NX_EPERM, ph[PH_DATA].p_memsz = 0x1F000000); /* too large for the memory */

    elf = good;
    for (unsigned i = 0; i < 9; i++) {
        elf.ph[i] =
            (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = 0x100000 * (i + 1), .p_memsz = 1};
    }
    elf.eh.e_phnum = 9;
    refuses_elf(-NX_EPERM, &elf, __LINE__);
    assert_int_equal(audit.hazard_count.used, 0);
}

/* The real loaders do not check these fields, so the refusal is also a hazard. */
static void file_kinds_that_real_loaders_do_not_check(void **state)
{
    struct image good, elf;
    (void)state;
    rig_make_elf(&good);
    WITH(-NX_EINVAL, eh.e_type = ET_DYN);
    rig_hazard(17, NX_SYS_EXEC, "K-13", "elf-type-not-looked-at");
    WITH(-NX_EINVAL, eh.e_machine = EM_386);
    rig_hazard(17, NX_SYS_EXEC, "K-13", "elf-type-not-looked-at");
}

static void bad_arguments(void **state)
{
    struct image elf;
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    rig_make_elf(&elf);
    rig_poke(init, U_ELF, &elf, sizeof(elf));
#define EXEC(answer, ...) REFUSES(answer, init, NX_SYS_EXEC, __VA_ARGS__)
    EXEC(-NX_EINVAL, U_ELF, 0, 1);
    EXEC(-NX_EINVAL, U_ELF, 63, 1);
    EXEC(-NX_EINVAL, U_ELF, sizeof(elf), 0);
    EXEC(-NX_EINVAL, 0, sizeof(elf), 1);
    EXEC(-NX_EINVAL, U_ELF, UINT64_MAX, 1);
    EXEC(-NX_EPERM, U_ELF, sizeof(elf), NX_USER_STACK_TOP / PAGE); /* more stack than addresses */
    EXEC(-NX_EPERM, U_ELF, sizeof(elf), UINT64_MAX);
    EXEC(-NX_EPERM, U_ELF, sizeof(elf), 20000); /* more than memory */
    EXEC(rig_is_a1() ? -NX_EINVAL : -NX_EEXIST, U_ELF, sizeof(elf),
         0x1FFF0); /* the stack would overlap the data */
    EXEC(-NX_EINVAL, U_NOWHERE, sizeof(elf), 1);
    rig_hazard(17, NX_SYS_EXEC, "K-64", "unmapped-pointer");
#define EXEC_V2(answer, ...) REFUSES(answer, init, NX_SYS_EXEC_V2, U_ELF, sizeof(elf), __VA_ARGS__)
    EXEC_V2(-NX_EINVAL, 1, 0, U_NAME, 65);
    EXEC_V2(-NX_EINVAL, 1, 0, 0, 4);
    EXEC_V2(-NX_EINVAL, 0, 0, U_NAME, 4);

    GIVES(0, child, NX_SYS_CAP_CLOSE, 0); /* no SEND in slot 0 */
    rig_poke(child, U_ELF, &elf, sizeof(elf));
    REFUSES(-NX_EPERM, child, NX_SYS_EXEC, U_ELF, sizeof(elf), 1);
    assert_int_equal(rig_give(rig_endpoint(1), child, NX_RIGHT_RECV), 0);
    REFUSES(-NX_EPERM, child, NX_SYS_EXEC, U_ELF, sizeof(elf), 1);
}

/* Code without the right to read can be fetched, and the kernel does not read it either. */
static void an_execute_only_segment(void **state)
{
    struct image elf;
    char byte;
    (void)state;
    struct task *init = rig_init();
    rig_make_elf(&elf);
    elf.ph[PH_TEXT].p_flags = PF_X;
    const struct task *child = task_find((uint64_t)rig_exec_elf(init, &elf, sizeof(elf)));
    assert_non_null(child);
    assert_true(rig_fetch(child, RIG_TEXT_VA));
    assert_false(rig_load(child, RIG_TEXT_VA, &byte, 1));
}

static void a_name_of_64_bytes(void **state)
{
    struct image elf;
    (void)state;
    struct task *init = rig_init();
    rig_make_elf(&elf);
    rig_poke(init, U_ELF, &elf, sizeof(elf));
    rig_fill(init, U_NAME, 'n', 64);
    GIVES(18, init, NX_SYS_EXEC_V2, U_ELF, sizeof(elf), 1, 0, U_NAME, 64);
    assert_int_equal(strlen(task_find(18)->name), 64);
    assert_string_equal(audit.tasks[1].name, task_find(18)->name);
}

/* K-17: a refused exec counts once its header was accepted. */
static void address_spaces_run_out_on_a1(void **state)
{
    struct image good, elf;
    (void)state;
    struct task *init = rig_init();
    rig_make_elf(&good);
    WITH(-NX_EINVAL, eh.e_ident[EI_MAG1] = 'x');
    WITH(-NX_EPERM, ph[PH_TEXT].p_flags = PF_R | PF_W | PF_X); /* 1 */
    for (unsigned i = 0; i < 12; i++) {
        GIVES(1 + (int)i + 1, init, NX_SYS_AS_CREATE, 0); /* 13 */
    }
    WITH(-NX_ENOMEM, eh.e_flags = 0);
    rig_hazard(17, NX_SYS_EXEC, "K-17", "one-address-space-too-many");
    REFUSES(-NX_ENOMEM, init, NX_SYS_AS_CREATE, 0);
    rig_hazard(17, NX_SYS_AS_CREATE, "K-17", "one-address-space-too-many");
}

/* K-17: the page tables of a1 are never freed. A child takes those of an address space, and three leaf tables
 * for the rig's image and stack. */
static void page_tables_run_out_on_a1(void **state)
{
    enum { BUDGET = 204, OF_SPACE = 15, OF_IMAGE = 3, CHILDREN = 9 };
    struct image elf;
    (void)state;
    struct task *init = rig_init();
    const uint64_t vmo = rig_vmo(init, NX_PAGE_BYTES), apart = NX_SUPERPAGE_BYTES;
    const uint64_t flags = NX_MAP_VALID | NX_MAP_USER | NX_MAP_READ;
    rig_make_elf(&elf);
    for (unsigned i = 0; i < CHILDREN; i++) {
        rig_exit(rig_child(init), 0);
        GIVES(18 + i, init, NX_SYS_WAIT, 0);
    }
    uint64_t left = BUDGET - CHILDREN * (OF_SPACE + OF_IMAGE);
    assert_int_equal(aspace_tables_left(), left);
    GIVES(0, init, NX_SYS_MAP, vmo, NX_A1_MAP_BASE, 0, flags); /* a middle and a leaf table */
    GIVES(0, init, NX_SYS_MAP, vmo, NX_A1_MAP_BASE + NX_PAGE_BYTES, 0, flags);
    uint64_t va = NX_A1_MAP_BASE + apart;
    for (left -= 2; left > 1; left--, va += apart) {
        GIVES(0, init, NX_SYS_MAP, vmo, va, 0, flags);
    }
    REFUSES(-NX_ENOMEM, init, NX_SYS_EXEC, U_ELF, sizeof(elf), 1);
    rig_hazard(17, NX_SYS_EXEC, "K-17", "one-address-space-too-many");
    GIVES(0, init, NX_SYS_MAP, vmo, va, 0, flags);
    REFUSES(-NX_ENOMEM, init, NX_SYS_MAP, vmo, va + apart, 0, flags);
    rig_hazard(17, NX_SYS_MAP, "K-17", "page-tables-run-out");
    GIVES(0, init, NX_SYS_MAP, vmo, va + NX_PAGE_BYTES, 0, flags); /* in a table that exists */
}

/* a1 allocates images from the arena, of which only 8 MiB is mapped (K-20). */
static void an_image_crosses_the_mapped_arena(void **state)
{
    struct image elf;
    (void)state;
    struct task *init = rig_init();
    rig_make_elf(&elf);
    const uint64_t vmo = rig_vmo(init, 8 * MIB - 20 * PAGE);
    assert_int_equal(vmo, 2);
    refuses_elf(-NX_EPERM, &elf, __LINE__);
    rig_hazard(17, NX_SYS_EXEC, "K-20", "crosses-the-mapped-arena");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(bad_files),
        ON_EACH(file_kinds_that_real_loaders_do_not_check),
        ON_EACH(bad_arguments),
        ON_EACH(an_execute_only_segment),
        ON_EACH(a_name_of_64_bytes),
        ON_A1(address_spaces_run_out_on_a1),
        ON_A1(page_tables_run_out_on_a1),
        ON_A1(an_image_crosses_the_mapped_arena),
    };
    return cmocka_run_group_tests_name("core/exec", tests, NULL, NULL);
}
