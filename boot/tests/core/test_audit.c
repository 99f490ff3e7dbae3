/* SPDX-License-Identifier: Apache-2.0 */
/* The audit in the form that the judge reads (LINES in scripts/judge/audit.py). */
#include <stdarg.h>
#include <stdio.h>

#include "core/audit.h"
#include "core/audit_print.h"
#include "core/audit_tables.h"
#include "core/console.h"
#include "core/kernel_rig.h"
#include "core/siphash.h"

#define NONCE "0123456789abcdef"
#define R NX_MAP_READ
#define W NX_MAP_WRITE

static void ends_done(void)
{
    int code = HOST_GOES_ON;
    for (unsigned i = 0; i < 1000 && code == HOST_GOES_ON; i++) {
        code = rig_call_ends(rig_init(), NX_SYS_YIELD, (const uint64_t[6]){0});
    }
    assert_int_equal(code, EXIT_DONE);
}

static struct task *named_child(const char *name)
{
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    rig_poke(init, U_ELF, &elf, sizeof(elf));
    rig_poke(init, U_NAME, name, strlen(name));
    const int64_t pid = CALL(init, NX_SYS_EXEC_V2, U_ELF, sizeof(elf), 1, 0, U_NAME, strlen(name));
    if (!rig_is_a1()) {
        GIVES(0, init, NX_SYS_TASK_RESUME, (uint64_t)pid);
    }
    return task_find((uint64_t)pid);
}

static void boot_with_nonce(enum abi_revision revision)
{
    struct kernel_config config = rig_config(revision);
    strcpy(config.nonce, NONCE);
    rig_boot(&config);
}

/* Compares all lines between the first and the last with the expected text. "@" stands for "audit <nonce> ",
 * "<base>" for an address in the arena, in pages. */
static void prints_exactly(const char *expected)
{
    char text[8192];
    size_t used = 0;
    for (const char *c = expected; *c != '\0'; c++) {
        const uint64_t pa = host_memory().arena_pa + (*c == '<' ? (uint64_t)(c[1] - '0') * PAGE : 0);
        if (*c == '@') {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "audit " NONCE " ");
        } else if (*c == '<') {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "0x%llx", (unsigned long long)pa);
        } else {
            text[used++] = *c;
        }
        c += *c == '<' ? 2 : 0;
    }
    text[used] = '\0';
    assert_string_equal(host_console(), text);
}

static unsigned count_of(const char *what)
{
    unsigned n = 0;
    for (const char *at = strstr(host_console(), what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

/* ---- Whole audits -------------------------------------------------------------------------------- */

static void a_run_on_a2(void **state)
{
    (void)state;
    boot_with_nonce(REVISION_A2);
    struct task *init = rig_init(), *child = named_child("con sumer=\x7F");
    assert_int_equal(rig_vmo(init, 2 * PAGE), 2);
    GIVES(3, init, NX_SYS_VMO_WRITE, 2, 0, U_BUF, 3);
    GIVES(2, init, NX_SYS_VMO_WRITE, 2, 3, U_BUF + 3, 2);
    GIVES(3, init, NX_SYS_VMO_SHARE_RO, 2);
    assert_int_equal(rig_give(3, child, NX_RIGHT_MAP), 1);
    const uint64_t seen = (uint64_t)CALL(child, NX_SYS_VM_MAP, 1, 0, 2 * PAGE, R);
    const uint64_t fills = (uint64_t)CALL(init, NX_SYS_VM_MAP, 2, PAGE, PAGE, R | W);
    assert_true(rig_store(init, fills, "x", 1) && rig_load(child, seen, &(char){0}, 1));
    GIVES(0, init, NX_SYS_VM_UNMAP, fills, PAGE);
    assert_int_equal(rig_endpoint(4), 4);
    assert_int_equal(rig_give(4, child, NX_RIGHT_RECV), 2);
    rig_fill(init, U_BUF, 0xA7, 140);
    GIVES(5, init, NX_SYS_CAP_CLONE, 2);
    assert_int_equal(rig_send(init, 4, 9, 140, 5, 0, 0), 140);
    assert_int_equal(rig_recv(child, 2, 140, 0, 0), 140);
    assert_int_equal(rig_send(child, 0, 65535, 0, CAP_NO_SLOT, 0, 0), 0);
    assert_int_equal(rig_recv(init, 0, 0, 0, 0), 0);
    GIVES(3, child, NX_SYS_VMO_READ, 3, 0, U_BUF, 3);
    assert_int_equal(rig_send(init, 4, 9, 1, CAP_NO_SLOT, 0, 0), 1); /* never received */
    rig_exit(child, -7);
    GIVES(18, init, NX_SYS_WAIT, 18);
    GIVES(6, init, NX_SYS_VMO_CREATE, 6, PAGE);
    GIVES(0, init, NX_SYS_VMO_DESTROY, 6);
    rig_fault(named_child(""), FAULT_ILLEGAL, 0);
    rig_hazard(19, AUDIT_CALL_FAULT, "K-64", "illegal-instruction");
    GIVES(-NX_EINVAL, init, NX_SYS_DEBUG_WRITE, U_NOWHERE, 1);
    rig_hazard(17, NX_SYS_DEBUG_WRITE, "K-64", "unmapped-pointer");
    host_console_forget();
    GIVES('.', init, NX_SYS_DEBUG_PUTC, '.'); /* an open line at the end of the run */
    ends_done();

    /* Frames: init has 65: a root, a middle table, 3 leaf tables, 1 + 32 + 27 pages. The dead child has 50,
     * with 12 for its stack and 2 leaf tables. Then one for the message, one leaf table for vm_map, one
     * middle table for its GiB. */
    prints_exactly(
        ".\n"
        "@begin v=2 abi=a2 hashes=0\n"
        "@task pid=17 parent=0 state=live end=none status=0 name=init\n"
        "@task pid=18 parent=17 state=reaped end=exit status=-7 name=con?sumer??\n"
        "@task pid=19 parent=17 state=faulted end=fault status=-22 name=-\n"
        "@vmo id=1 creator=17 base=<0> bytes=8192 state=live\n"
        "@vmo id=2 creator=17 base=<2> bytes=4096 state=destroyed\n"
        "@map pid=18 vmo=1 off=0 bytes=8192 prot=r via=vm_map alias=1 state=unmapped accessed=1 "
        "dirtied=0 base=<0> made=2 ended=12 user=77\n"
        "@map pid=17 vmo=1 off=4096 bytes=4096 prot=rw via=vm_map alias=0 state=unmapped "
        "accessed=1 dirtied=1 "
        "base=<1> made=3 ended=4 user=77\n"
        "@copy pid=17 into=5 from=0\n"
        "@copy pid=18 into=0 from=3\n"
        "@copy pid=19 into=0 from=0\n"
        "@hand from=17 to=18 via=transfer kind=alias vmo=1 rights=4 slot=1 seq=1 wcaps=0 wmaps=0\n"
        "@hand from=17 to=18 via=transfer kind=endpoint vmo=0 rights=2 slot=2 seq=5 wcaps=0 wmaps=0\n"
        "@hand from=17 to=18 via=move kind=vmo vmo=1 rights=4 slot=3 seq=8 wcaps=0 wmaps=0\n"
        "@msg n=0 from=17 to=18 len=140 type=9 flags=1 moved=vmo sent=6 seq=7 user=77 head="
        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
        "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7\n"
        "@msg n=1 from=18 to=17 len=0 type=65535 flags=0 moved=none sent=9 seq=10 user=77 head=-\n"
        "@lost msgs=0 undelivered=1\n"
        "@say n=0 by=kernel seq=13 len=66 "
        "head=6b65726e656c3a207069643d3139206b696c6c65643a20696c6c6567616c2d69"
        "6e737472756374696f6e206661756c742076613d3078302070633d3078313030\n"
        "@say n=1 by=17 seq=14 len=1 head=2e\n"
        "@res when=start slots=2 regions=0 vmos=0 endpoints=1 arena_bytes=0 frames=65\n"
        "@res when=done slots=5 regions=0 vmos=1 endpoints=2 arena_bytes=8192 frames=118\n"
        "@res when=end slots=0 regions=0 vmos=1 endpoints=0 arena_bytes=8192 frames=0\n"
        "@keep what=endpoint_ids n=1\n"
        "@hazard pid=19 call=fault id=K-64 what=illegal-instruction\n"
        "@hazard pid=17 call=44 id=K-64 what=unmapped-pointer\n"
        "@result init=done status=0 instret=1234567\n"
        "@end lines=27\n");
}

static void a_run_on_a1(void **state)
{
    (void)state;
    boot_with_nonce(REVISION_A1);
    struct task *init = rig_init(), *child = named_child("consumer");
    const uint64_t flags = NX_MAP_VALID | NX_MAP_USER, vmo = rig_vmo(init, 3 * PAGE);
    const uint64_t theirs = rig_give(vmo, child, NX_RIGHT_MAP);
    for (uint64_t at = 0; at < 3 * PAGE; at += PAGE) {
        GIVES(0, child, NX_SYS_MAP, theirs, NX_A1_MAP_BASE + at, at, flags | R);
    }
    GIVES(0, init, NX_SYS_MAP, vmo, NX_A1_MAP_BASE, PAGE, flags | R | NX_MAP_EXEC);
    const uint64_t space = (uint64_t)CALL(init, NX_SYS_AS_CREATE, 0);
    GIVES(0, init, NX_SYS_AS_MAP, space, vmo, 0x1000, PAGE, NX_PROT_READ | NX_PROT_WRITE, 1);
    assert_true(rig_load(child, NX_A1_MAP_BASE, &(char){0}, 1));
    assert_true(rig_load(child, NX_A1_MAP_BASE + 2 * PAGE, &(char){0}, 1));
    host_console_forget();
    rig_exit(child, 0);
    ends_done();
    /* The image takes 45 pages of the arena before the VMO: 1 + 32 + 12. Frames at the end: init's 65, 2
     * tables for its map, the child's 5, 2 tables, 3 for the address space of as_create. */
    char expected[4096];
    snprintf(expected, sizeof(expected),
             "@begin v=2 abi=a1 hashes=0\n"
             "@task pid=17 parent=0 state=live end=none status=0 name=init\n"
             "@task pid=18 parent=17 state=exited end=exit status=0 name=consumer\n"
             "@vmo id=1 creator=17 base=0x%llx bytes=12288 state=live\n"
             "@map pid=18 vmo=1 off=0 bytes=12288 prot=r via=map alias=0 state=live accessed=2 dirtied=0 "
             "base=0x%llx made=2 ended=0 user=77\n"
             "@map pid=17 vmo=1 off=4096 bytes=4096 prot=rx via=map alias=0 state=live accessed=0 dirtied=0 "
             "base=0x%llx made=3 ended=0 user=77\n"
             "@map pid=17 vmo=1 off=0 bytes=4096 prot=rw via=as_map alias=0 state=live accessed=0 dirtied=0 "
             "base=0x%llx made=4 ended=0 user=77\n"
             "@copy pid=17 into=0 from=0\n"
             "@copy pid=18 into=0 from=0\n"
             "@hand from=17 to=18 via=transfer kind=vmo vmo=1 rights=4 slot=1 seq=1 wcaps=0 wmaps=0\n"
             "@lost msgs=0 undelivered=0\n"
             "@res when=start slots=2 regions=0 vmos=0 endpoints=1 arena_bytes=0 frames=65\n"
             "@res when=done slots=3 regions=0 vmos=1 endpoints=1 arena_bytes=196608 frames=77\n"
             "@res when=end slots=0 regions=0 vmos=1 endpoints=0 arena_bytes=196608 frames=0\n"
             "@keep what=arena_bytes n=196608\n"
             "@keep what=address_spaces n=2\n"
             "@keep what=endpoint_ids n=0\n"
             "@result init=done status=0 instret=1234567\n"
             "@end lines=19\n",
             (unsigned long long)host_memory().arena_pa + 45 * PAGE,
             (unsigned long long)host_memory().arena_pa + 45 * PAGE,
             (unsigned long long)host_memory().arena_pa + 46 * PAGE,
             (unsigned long long)host_memory().arena_pa + 45 * PAGE);
    prints_exactly(expected);
}

/* The hash that the audit must give a VMO or a file, from the definition in docs/testing/audit.md. */
static const char *sip_of(const void *bytes, size_t n)
{
    static char texts[8][17];
    static unsigned turn;
    const struct sip_key key = {siphash(&(struct sip_key){0, 0}, NONCE, strlen(NONCE)),
                                siphash(&(struct sip_key){1, 0}, NONCE, strlen(NONCE))};
    uint8_t *page = aligned_alloc(PAGE, PAGE);
    uint64_t hashes[16] = {0}, pages = 0;
    for (size_t off = 0; off < n; off += PAGE) {
        memset(page, 0, PAGE);
        memcpy(page, (const uint8_t *)bytes + off, n - off < PAGE ? n - off : PAGE);
        hashes[pages++] = siphash(&key, page, PAGE);
    }
    free(page);
    char *text = texts[turn++ % 8];
    snprintf(text, sizeof(texts[0]), "%016llx",
             (unsigned long long)siphash(&key, hashes, (size_t)pages * sizeof(hashes[0])));
    return text;
}

__attribute__((format(printf, 1, 2))) static void prints_line(const char *form, ...)
{
    char line[400];
    va_list values;
    va_start(values, form);
    const int used = snprintf(line, sizeof(line), "audit " NONCE " ");
    vsnprintf(line + used, sizeof(line) - (size_t)used, form, values);
    va_end(values);
    if (strstr(host_console(), line) == NULL) {
        fail_msg("no line '%s' in\n%s", line, host_console());
    }
}

/* With hashes=1: images, and each granted VMO when it is granted, when its receiver sends next, and at its
 * end, slack included; and who could write it when it was granted. */
static void a_hashed_run(void **state)
{
    (void)state;
    struct kernel_config config = rig_config(REVISION_A2);
    strcpy(config.nonce, NONCE);
    config.hashes = true;
    rig_boot(&config);
    struct task *init = rig_init(), *child = named_child("c");
    static uint8_t bytes[2 * PAGE];
    assert_int_equal(rig_vmo(init, 2 * PAGE), 2);
    GIVES(3, init, NX_SYS_VMO_SHARE_RO, 2);
    const uint64_t writes = (uint64_t)CALL(init, NX_SYS_VM_MAP, 2, PAGE, PAGE, R | W);
    assert_true(rig_store(init, writes + PAGE - 1, "z", 1)); /* the last byte of the slack */
    bytes[2 * PAGE - 1] = 'z';
    const char *granted = sip_of(bytes, sizeof(bytes));
    assert_int_equal(rig_give(3, child, NX_RIGHT_MAP), 1);
    GIVES(0, init, NX_SYS_VM_UNMAP, writes, PAGE);
    GIVES(0, init, NX_SYS_CAP_CLOSE, 2);
    assert_int_equal(rig_endpoint(4), 2);
    assert_int_equal(rig_give(2, child, NX_RIGHT_RECV), 2);
    assert_int_equal(rig_send(init, 2, 9, 0, 3, 0, 0), 0); /* moves the alias, so it is granted again */
    assert_int_equal(rig_recv(child, 2, 0, 0, 0), 0);
    assert_int_equal(rig_send(child, 0, 1, 0, CAP_NO_SLOT, 0, 0), 0);
    assert_int_equal(rig_send(child, 0, 1, 0, CAP_NO_SLOT, 0, 0), 0);
    assert_int_equal(rig_vmo(init, PAGE), 3); /* never granted, so never hashed */
    assert_int_equal(rig_vmo(init, PAGE), 4);
    assert_int_equal(rig_give(4, child, NX_RIGHT_MAP), 4);
    GIVES(0, child, NX_SYS_CAP_CLOSE, 4);
    GIVES(0, init, NX_SYS_VMO_DESTROY, 4);
    GIVES(0, init, NX_SYS_VMO_DESTROY, 3);
    rig_exit(child, 0);
    host_console_forget();
    ends_done();

    struct image elf;
    rig_make_elf(&elf);
    prints_line("begin v=2 abi=a2 hashes=1\n");
    prints_line("image pid=17 bytes=%zu stack_pages=16 gp=0x", sizeof(elf));
    prints_line("image pid=18 bytes=%zu stack_pages=1 gp=0x0 sip=%s\n", sizeof(elf),
                sip_of(&elf, sizeof(elf)));
    prints_line("hand from=17 to=18 via=transfer kind=alias vmo=1 rights=4 slot=1 seq=2 wcaps=1 wmaps=1\n");
    prints_line("hand from=17 to=18 via=move kind=alias vmo=1 rights=4 slot=3 seq=8 wcaps=0 wmaps=0\n");
    prints_line("hash vmo=1 when=grant pid=18 seq=3 bytes=8192 sip=%s\n", granted);
    prints_line("hash vmo=1 when=grant pid=18 seq=9 bytes=8192 sip=%s\n", granted);
    prints_line("hash vmo=1 when=reply pid=18 seq=11 bytes=8192 sip=%s\n", granted);
    prints_line("hash vmo=1 when=reply pid=18 seq=12 bytes=8192 sip=%s\n", granted);
    prints_line("hash vmo=1 when=end pid=0 seq=17 bytes=8192 sip=%s\n", granted);
    prints_line("hash vmo=3 when=grant pid=18 seq=15 bytes=4096 sip=%s\n", sip_of(bytes, PAGE));
    prints_line("hash vmo=3 when=destroyed pid=0 seq=16 bytes=4096 sip=%s\n", sip_of(bytes, PAGE));
    assert_int_equal(count_of(" hash "), 7);
}

/* Without a nonce the lines carry "-". */
static void no_nonce(void **state)
{
    static const char *const nonces[] = {"", "-"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct kernel_config config = rig_config(REVISION_A2);
        strcpy(config.nonce, nonces[i]);
        rig_boot(&config);
        ends_done();
        assert_int_equal(
            strncmp(host_console(), "audit - begin v=2 abi=a2 hashes=0\naudit - task pid=17 ", 54), 0);
    }
}

/* ---- Bounded tables ------------------------------------------------------------------------------ */

static void full_tables_print_an_overflow_line(void **state)
{
    enum { OVER = 2 };
    (void)state;
    const struct cap cap = {.kind = CAP_VMO, .object = 1};
    for (uint32_t i = 0; i < AUDIT_TASKS_MAX + OVER; i++) {
        audit_task(NX_PID_INIT + i, 0, "t");
    }
    for (uint32_t i = 0; i < AUDIT_VMOS_MAX + OVER; i++) {
        audit_vmo(i + 1, 17, 0x1000, PAGE);
    }
    for (uint32_t i = 0; i < AUDIT_MAPS_MAX + OVER; i++) {
        audit_map_made(i + 1, &(struct audit_map){.pid = 17});
    }
    for (uint32_t i = 0; i < AUDIT_GRANTS_MAX + OVER; i++) {
        audit_grant(17, 18, AUDIT_GRANT_MOVE, 1, &cap, 0);
    }
    /* The answer to all grants, then destroys of the same VMO, fill the table of hashes. */
    audit.vmos[0].base_pa = host_memory().arena_pa;
    audit_enable_hashes(NONCE);
    audit_sent(18, &(struct audit_stamp){0});
    for (uint32_t i = AUDIT_GRANTS_MAX; i < AUDIT_HASHES_MAX + OVER; i++) {
        audit_vmo_destroyed(1);
    }
    audit.vmos[0].destroyed = false;
    audit.hashes = false;
    for (uint32_t i = 0; i < AUDIT_MSGS_MAX + OVER; i++) {
        audit_msg(&(struct audit_msg){.from = 17, .head = (const uint8_t *)""});
    }
    for (uint32_t i = 0; i < AUDIT_CONSOLE_MAX + OVER; i++) {
        console_write(17, "said\n", 5);
    }
    for (uint32_t i = 0; i < AUDIT_HAZARDS_MAX + OVER; i++) {
        audit_hazard(17, 1, "K-00", "word");
    }
    for (uint32_t i = 0; i < AUDIT_UNRECLAIMED_MAX + OVER; i++) {
        audit_unreclaimed("endpoint_ids", i);
    }

    /* Records that were lost must not change those that were kept. */
    const struct audit_usage used = {5, 6};
    audit_map_unmapped(0, &used);
    audit_map_unmapped(AUDIT_MAPS_MAX + 1, &used);
    audit_map_usage(AUDIT_MAPS_MAX + 1, &used);
    audit_map_extended(AUDIT_MAPS_MAX + 1, 4096);
    audit_task_ended(NX_PID_INIT + AUDIT_TASKS_MAX, AUDIT_END_FAULT, -1);
    audit_task_reaped(NX_PID_INIT + AUDIT_TASKS_MAX);
    audit_copied_into_vmo(NX_PID_INIT + AUDIT_TASKS_MAX, 9);
    audit_copied_from_vmo(NX_PID_INIT - 1, 9);
    audit_vmo_destroyed(AUDIT_VMOS_MAX + 1);
    audit_vmo_destroyed(0);
    host_console_forget();
    audit_print(NONCE, "a2", AUDIT_DONE, 0, 0);

    static const char *const kinds[] = {"task", "vmo", "map", "hand", "msg", "say", "hash", "hazard"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char line[100];
        snprintf(line, sizeof(line), "audit " NONCE " overflow kind=%s lost=2\n", kinds[i]);
        assert_int_equal(count_of(line), 1);
    }
    assert_int_equal(count_of(" overflow "), 8);
    assert_int_equal(count_of(" lost msgs=2 undelivered=0\n"), 1);
    assert_int_equal(count_of(" task pid="), AUDIT_TASKS_MAX);
    assert_int_equal(count_of(" msg n="), AUDIT_MSGS_MAX);
    assert_int_equal(count_of(" len=4 head=73616964\n"), AUDIT_CONSOLE_MAX);
    assert_int_equal(count_of(" keep what="), AUDIT_UNRECLAIMED_MAX);
    assert_int_equal(count_of(" state=live end=none status=0 name=t\n"), AUDIT_TASKS_MAX);
    assert_int_equal(count_of(" into=0 from=0\n"), AUDIT_TASKS_MAX);
    assert_int_equal(count_of(" state=destroyed"), 0);
    assert_int_equal(count_of(" accessed=0 dirtied=0 "), AUDIT_MAPS_MAX);
    assert_int_equal(count_of(" res "), 0);

    char last[100];
    snprintf(last, sizeof(last), "audit " NONCE " end lines=%u\n", count_of("\n"));
    assert_string_equal(host_console() + strlen(host_console()) - strlen(last), last);
}

static void every_word(void **state)
{
    (void)state;
    const struct cap caps[] = {{.kind = CAP_ENDPOINT, .object = 3, .rights = 1},
                               {.kind = CAP_VMO, .object = 4, .rights = 4},
                               {.kind = CAP_ALIAS, .object = 5}};
    for (size_t i = 0; i < 3; i++) {
        audit_grant(17, 18, i % 2 ? AUDIT_GRANT_MOVE : AUDIT_GRANT_TRANSFER, 9, &caps[i], 7);
    }
    audit_msg(&(struct audit_msg){.moved = CAP_ALIAS, .head = (const uint8_t *)""});
    audit_msg(
        &(struct audit_msg){.moved = CAP_ENDPOINT, .head_bytes = 2, .head = (const uint8_t[]){0x0F, 0xF0}});
    audit_hazard(17, 0, "K-00", "first");
    for (enum audit_result result = AUDIT_DONE; result <= AUDIT_REFUSED; result++) {
        audit_print("-", "a1", result, INT64_MIN, UINT64_MAX);
    }
    assert_int_equal(count_of("via=transfer kind=endpoint vmo=0 rights=1 slot=9 seq=1 wcaps=7 wmaps=0\n"), 6);
    assert_int_equal(count_of("via=move kind=vmo vmo=4 rights=4 slot=9 seq=2 wcaps=7 wmaps=0\n"), 6);
    assert_int_equal(count_of("via=transfer kind=alias vmo=5 rights=0 slot=9 seq=3 wcaps=7 wmaps=0\n"), 6);
    assert_int_equal(count_of("flags=0 moved=alias sent=0 seq=4 user=0 head=-\n"), 6);
    assert_int_equal(count_of("flags=0 moved=endpoint sent=0 seq=5 user=0 head=0ff0\n"), 6);
    assert_int_equal(count_of("hazard pid=17 call=0 id=K-00 what=first\n"), 6);
    static const char *const results[] = {"done", "exited", "faulted", "watchdog", "panic", "refused"};
    for (size_t i = 0; i < 6; i++) {
        char line[120];
        snprintf(line, sizeof(line), "audit - result init=%s status=-9223372036854775808 instret=%s\n",
                 results[i], "18446744073709551615");
        assert_int_equal(count_of(line), 1);
    }
    assert_int_equal(count_of("audit - end lines=10\n"), 6); /* counted again for each audit */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOTS(a_run_on_a2),
        BOOTS(a_run_on_a1),
        BOOTS(a_hashed_run),
        BOOTS(no_nonce),
        cmocka_unit_test_setup(full_tables_print_an_overflow_line, rig_fresh_audit),
        cmocka_unit_test_setup(every_word, rig_fresh_audit),
    };
    return cmocka_run_group_tests_name("core/audit", tests, NULL, NULL);
}
