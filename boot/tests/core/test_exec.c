/* SPDX-License-Identifier: Apache-2.0 */
/* The refusals of exec and of the boot (K-12, K-13, K-17), and the end of a run: K-65, the watchdog, a
 * panic. */
#include "core/audit_tables.h"
#include "core/frames.h"
#include "core/kernel_rig.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/sched.h"

/* ---- exec ---------------------------------------------------------------------------------------- */

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

/* ---- The boot ------------------------------------------------------------------------------------ */

struct boot {
    struct kernel_config config;
    const struct image *elf;
    uint64_t elf_bytes;
    struct kernel_memory memory;
};

static void do_boot(void *ctx)
{
    const struct boot *boot = ctx;
    kernel_init(&boot->config, &boot->memory);
    kernel_start(host_elf_pa(), boot->elf_bytes);
}

/* Boots with the test's changes and checks the reason. */
static void boot_ends(const struct boot *boot, int code, const char *reason)
{
    struct boot copy = *boot;
    host_reset();
    memcpy(port_ptr(host_elf_pa()), boot->elf, sizeof(*boot->elf));
    rig_forget();
    assert_int_equal(host_run(do_boot, &copy), code);
    assert_non_null(strstr(host_console(), reason));
}

static struct boot good_boot(enum abi_revision revision, struct image *elf)
{
    host_reset();
    rig_make_elf(elf);
    return (struct boot){rig_config(revision), elf, sizeof(*elf), host_memory()};
}

static void an_init_that_is_refused(void **state)
{
    struct image elf;
    (void)state;
    for (enum abi_revision revision = REVISION_A1; revision <= REVISION_A2; revision++) {
        struct boot boot = good_boot(revision, &elf);
        boot_ends(&boot, HOST_GOES_ON, "");
        elf.eh.e_machine = EM_386;
        boot_ends(&boot, EXIT_REFUSED, "kernel: refused: bad-type\naudit - begin v=2");
        assert_int_equal(frames_in_use(), 0);
        rig_make_elf(&elf);
        elf.ph[PH_DATA].p_memsz = 3 * MIB;
        boot_ends(&boot, HOST_GOES_ON, "");
        elf.ph[PH_DATA].p_memsz = 17 * MIB;
        boot_ends(&boot, EXIT_REFUSED,
                  revision == REVISION_A1 ? "refused: the init image is over 4 MiB"
                                          : "refused: not enough frames for init");
    }
}

/* K-12: only a1 needs the symbol. */
static void an_init_without_gp(void **state)
{
    struct image elf;
    (void)state;
    struct boot boot = good_boot(REVISION_A1, &elf);
    elf.eh.e_shnum = 0;
    boot_ends(&boot, EXIT_REFUSED, "refused: the init ELF has no symbol __global_pointer$");
    boot.config.revision = REVISION_A2;
    boot_ends(&boot, HOST_GOES_ON, "");
    assert_int_equal(rig_init()->frame.x[REG_GP], RIG_DATA_VA + 0x800);
    boot.config.revision = REVISION_A1;
    boot.elf_bytes = 2500001;
    boot_ends(&boot, EXIT_REFUSED, "refused: the init ELF is over 2.5 MB");
}

static void a_config_that_panics(void **state)
{
    struct image elf;
    (void)state;
    struct boot boot = good_boot(REVISION_A2, &elf);
    boot.config.slots = 257;
    boot_ends(&boot, EXIT_PANIC, "kernel: panic: slots out of bounds 0x101\n");
    boot.config.slots = 1;
    boot_ends(&boot, EXIT_PANIC, "kernel: panic: slots out of bounds 0x1\n");
    boot = good_boot(REVISION_A2, &elf);
    boot.config.ep_ids = 366;
    boot_ends(&boot, EXIT_PANIC, "kernel: panic: ep_ids out of bounds 0x16e\n");
    boot = good_boot(REVISION_A2, &elf);
    boot.config.regions = 65;
    boot_ends(&boot, EXIT_PANIC, "kernel: panic: regions out of bounds 0x41\n");
    boot = good_boot(REVISION_A2, &elf);
    boot.config.arena_bytes = 4097;
    boot_ends(&boot, EXIT_PANIC, "kernel: panic: arena_bytes is not whole pages 0x1001\n");
    boot.config.arena_bytes = 0; /* the revision's default: more than the host has */
    boot_ends(&boot, EXIT_PANIC, "kernel: panic: no room for the arena 0x1000000\n");
}

static void defaults(void **state)
{
    struct kernel_config config;
    (void)state;
    kernel_config_default(&config);
    assert_int_equal(config.revision, REVISION_A2);
    assert_string_equal(config.nonce, "-");
    assert_int_equal(config.watchdog_ms, 4000);
    assert_int_equal(config.without, 0);
    assert_int_equal(config.slots | config.ep_ids | config.tables | config.arena_bytes, 0);
    assert_int_equal(config.regions | config.ep_owner, 0);
}

/* ---- The end ------------------------------------------------------------------------------------- */

static int yields_until_end(struct task *init, uint64_t status, unsigned limit)
{
    for (unsigned i = 1; i <= limit; i++) {
        const int code = rig_call_ends(init, NX_SYS_YIELD, (const uint64_t[6]){status});
        if (code != HOST_GOES_ON) {
            assert_int_equal(i, limit);
            return code;
        }
    }
    return HOST_GOES_ON;
}

static void init_is_done_after_a_thousand_yields(void **state)
{
    (void)state;
    struct task *init = rig_init();
    assert_int_equal(yields_until_end(init, 0, 999), HOST_GOES_ON);
    GIVES(17, init, NX_SYS_GETPID, 0); /* any other call restarts the count */
    assert_int_equal(yields_until_end(init, 0, 1000), EXIT_DONE);
    assert_non_null(strstr(host_console(), " result init=done status=0 instret=1234567\n"));
}

static void init_is_done_badly(void **state)
{
    (void)state;
    assert_int_equal(yields_until_end(rig_init(), (uint64_t)-3, 1000), EXIT_DONE_BADLY);
    assert_non_null(strstr(host_console(), " result init=done status=-3 "));
}

static void not_done_while_another_lives(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    for (unsigned i = 0; i < 1500; i++) {
        GIVES(18, init, NX_SYS_YIELD, 0);
        GIVES(17, child, NX_SYS_YIELD, 0);
    }
    rig_exit(child, 0); /* a zombie is not alive */
    ENDS(EXIT_DONE, init, NX_SYS_YIELD, 0);
}

#define TURNS 32u /* consecutive yields, after which a failed init does not wait for others */

static void check_init_fails_while_child_is(const char *state_of_child)
{
    assert_non_null(
        strstr(host_console(), "kernel: init failed while other tasks are alive\nkernel: task pid=18 "));
    assert_non_null(strstr(host_console(), state_of_child));
    assert_non_null(strstr(host_console(), " result init=done status=5 "));
}

static void a_failed_init_does_not_wait_for_a_suspended_child(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    assert_int_equal(rig_exec_elf(init, &elf, sizeof(elf)), 18);
    assert_int_equal(yields_until_end(init, 5, TURNS - 1), HOST_GOES_ON);
    GIVES(17, init, NX_SYS_GETPID, 0); /* any other call restarts the count */
    assert_int_equal(yields_until_end(init, 5, TURNS), EXIT_DONE_BADLY);
    check_init_fails_while_child_is(" state=suspended\n");
}

static void a_failed_init_does_not_wait_for_a_blocked_child(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    assert_int_equal(rig_call(child, NX_SYS_IPC_RECV, (const uint64_t[6]){0, U_HDR, U_BUF, 8}), RIG_WAITS);
    GIVES(17, init, NX_SYS_GETPID, 0);
    assert_int_equal(yields_until_end(init, 5, TURNS), EXIT_DONE_BADLY);
    check_init_fails_while_child_is(" state=blocked-in-receive\n");
}

/* Each yield of init gives the child a whole time slice. */
static void a_failed_init_does_not_wait_for_a_spinning_child(void **state)
{
    (void)state;
    struct task *init = rig_init();
    (void)rig_child(init);
    GIVES(17, init, NX_SYS_GETPID, 0);
    for (unsigned turn = 1; turn < TURNS; turn++) {
        GIVES(18, init, NX_SYS_YIELD, 5);
        host_ticks += SCHED_TICK_TICKS;
        kernel_timer();
        assert_ptr_equal(rig_current(), init);
    }
    ENDS(EXIT_DONE_BADLY, init, NX_SYS_YIELD, 5);
    check_init_fails_while_child_is(" state=ready\n");
}

/* A child that polls ends by its own exit; init's status is reported after that. */
static void a_failed_init_waits_for_a_polling_child(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    for (unsigned i = 0; i < 1500; i++) {
        GIVES(18, init, NX_SYS_YIELD, 5);
        GIVES(18, child, NX_SYS_GETPID, 0);
        GIVES(17, child, NX_SYS_YIELD, 0);
    }
    rig_exit(child, 0);
    ENDS(EXIT_DONE_BADLY, init, NX_SYS_YIELD, 5);
    assert_null(strstr(host_console(), "init failed"));
}

/* Any loop of yields has status 0 in a0, so 0 does not end the run while others live. */
static void an_init_that_did_not_fail_waits(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    assert_int_equal(rig_exec_elf(init, &elf, sizeof(elf)), 18);
    assert_int_equal(yields_until_end(init, 0, 1500), HOST_GOES_ON);
}

static void init_must_not_exit(void **state)
{
    (void)state;
    ENDS(EXIT_INIT_ENDED, rig_init(), NX_SYS_EXIT, 0);
    rig_hazard(17, NX_SYS_EXIT, "K-65", "init-exits");
    assert_non_null(strstr(host_console(), " result init=exited status=0 "));
}

static void do_fault(void *ctx)
{
    kernel_fault(FAULT_LOAD, *(const uint64_t *)ctx);
    (void)rig_current(); /* as arch does */
}

static void init_faults(void **state)
{
    uint64_t va = 0xABC;
    (void)state;
    assert_int_equal(host_run(do_fault, &va), EXIT_INIT_ENDED);
    rig_has_ended();
    rig_hazard(17, AUDIT_CALL_FAULT, "K-65", "init-faults");
    assert_non_null(strstr(host_console(), "kernel: pid=17 killed: load fault va=0xabc pc=0x10010\n"));
    assert_non_null(strstr(host_console(), " result init=faulted status=-22 "));
}

static void do_timer(void *ctx)
{
    (void)ctx;
    kernel_timer();
}

static void the_watchdog_ends_the_run(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init), *other = rig_child(init);
    struct image elf;
    rig_make_elf(&elf);
    assert_int_equal(rig_exec_elf(init, &elf, sizeof(elf)), 20); /* suspended on a2 */
    assert_int_equal(rig_recv(child, 0, 64, 0, 0), RIG_WAITS);
    rig_exit(other, 0);
    GIVES(17, init, NX_SYS_GETPID, 0);
    host_ticks = 4000 * 10000 - 1;
    assert_int_equal(host_run(do_timer, NULL), HOST_GOES_ON);
    rig_run(init);
    host_ticks++;
    assert_int_equal(host_run(do_timer, NULL), EXIT_WATCHDOG);
    rig_has_ended();
    assert_non_null(strstr(host_console(), "kernel: watchdog: pid=17 pc=0x100"));
    assert_non_null(strstr(host_console(), " last call=18 state=blocked-in-receive\n"));
    assert_non_null(
        strstr(host_console(), rig_is_a1() ? "call=0 state=ready\n" : "call=0 state=suspended\n"));
    assert_non_null(strstr(host_console(), " last call=25 state=running\n"));
    assert_null(strstr(host_console(), "pid=19 pc")); /* ended tasks are not listed */
    assert_non_null(strstr(host_console(), " result init=watchdog status=0 "));
}

static void the_watchdog_while_all_wait(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(1);
    assert_int_equal(rig_send(init, ep, 1, 8, CAP_NO_SLOT, 0, 0), 8);
    GIVES(RIG_WAITS, init, NX_SYS_WAIT, 0);
    assert_int_equal(rig_recv(child, 0, 8, 0, 9000000000), RIG_WAITS);
    rig_hazard(child->pid, NX_SYS_IPC_RECV, "K-55", "blocks-alone");
    host_ticks = kernel_next_event();
    assert_int_equal(host_ticks, 4000 * 10000);
    assert_int_equal(host_run(do_timer, NULL), EXIT_WATCHDOG);
    rig_has_ended();
    assert_non_null(strstr(host_console(), "kernel: watchdog: every task waits\n"));
    assert_non_null(strstr(host_console(), " last call=12 state=blocked-in-wait\n"));
}

static void do_panic(void *ctx)
{
    kernel_panic("for the test", *(const uint64_t *)ctx);
}

static void a_panic_says_why_and_prints_the_audit(void **state)
{
    uint64_t detail = 0xF00;
    (void)state;
    GIVES('x', rig_init(), NX_SYS_DEBUG_PUTC, 'x'); /* an open line */
    assert_int_equal(host_run(do_panic, &detail), EXIT_PANIC);
    assert_non_null(strstr(host_console(), "x\nkernel: panic: for the test 0xf00\naudit - begin v=2 abi="));
    assert_non_null(strstr(host_console(), " result init=panic status=0 "));
    host_console_forget();
    assert_int_equal(host_run(do_panic, &detail), EXIT_PANIC); /* a panic within a panic */
    assert_string_equal(host_console(), "");
    rig_forget();
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
        BOOTS(an_init_that_is_refused),
        BOOTS(an_init_without_gp),
        BOOTS(a_config_that_panics),
        cmocka_unit_test(defaults),
        ON_A2(a_failed_init_does_not_wait_for_a_suspended_child),
        ON_EACH(a_failed_init_does_not_wait_for_a_blocked_child),
        ON_A2(a_failed_init_does_not_wait_for_a_spinning_child),
        ON_EACH(a_failed_init_waits_for_a_polling_child),
        ON_A2(an_init_that_did_not_fail_waits),
        ON_EACH(init_is_done_after_a_thousand_yields),
        ON_EACH(init_is_done_badly),
        ON_EACH(not_done_while_another_lives),
        ON_EACH(init_must_not_exit),
        ON_EACH(init_faults),
        ON_EACH(the_watchdog_ends_the_run),
        ON_EACH(the_watchdog_while_all_wait),
        ON_EACH(a_panic_says_why_and_prints_the_audit),
    };
    return cmocka_run_group_tests_name("core/exec and end", tests, NULL, NULL);
}
