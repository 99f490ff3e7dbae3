/* SPDX-License-Identifier: Apache-2.0 */
/* The refusals of the boot (K-12), and the end of a run: K-65, the watchdog, a panic. */
#include "core/audit_tables.h"
#include "core/frames.h"
#include "core/kernel_rig.h"
#include "core/panic.h"
#include "core/sched.h"

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
    return cmocka_run_group_tests_name("core/run", tests, NULL, NULL);
}
