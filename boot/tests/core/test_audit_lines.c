/* SPDX-License-Identifier: Apache-2.0 */
/* The console's lines: their form, and the audit's record of their authors. */
#include "core/audit.h"
#include "core/audit_print.h"
#include "core/console.h"
#include "core/kernel_rig.h"

static void numbers(void **state)
{
    struct line line;
    (void)state;
    console_begin(&line);
    line_decimal(&line, 0);
    line_key_decimal(&line, "d", UINT64_MAX);
    line_key_signed(&line, "s", -1);
    line_key_signed(&line, "t", INT64_MIN);
    line_key_signed(&line, "u", INT64_MAX);
    line_key_address(&line, "a", 0);
    line_key_address(&line, "b", 0x10);
    line_key_address(&line, "c", UINT64_MAX);
    line_end(&line);
    assert_string_equal(
        host_console(),
        "0 d=18446744073709551615 s=-1 t=-9223372036854775808 u=9223372036854775807 a=0x0 b=0x10 "
        "c=0xffffffffffffffff\n");
}

/* Lengths around the buffer's size: no byte is lost. */
static void long_lines(void **state)
{
    (void)state;
    for (size_t n = LINE_BYTES - 2; n <= 2 * LINE_BYTES + 2; n++) {
        struct line line;
        host_console_forget();
        console_begin(&line);
        for (size_t i = 0; i < n; i++) {
            line_char(&line, (char)('a' + i % 26));
        }
        line_end(&line);
        assert_int_equal(strlen(host_console()), n + 1);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(host_console()[i], 'a' + i % 26);
        }
        assert_int_equal(host_console()[n], '\n');
    }
}

static void an_open_line_is_ended_once(void **state)
{
    struct line line;
    (void)state;
    console_write(AUDIT_BY_KERNEL, "", 0);
    console_begin(&line);
    line_end(&line);
    console_write(17, "open", 4);
    console_begin(&line);
    line_text(&line, "mine");
    line_end(&line);
    console_end_open_line();
    assert_string_equal(host_console(), "\nopen\nmine\n");
}

static void kernel_line(void)
{
    struct line line;
    console_begin(&line);
    line_text(&line, "kernel");
    line_end(&line);
}

/* The author of a line is one task, the kernel, or several. A task that only ends a line with '\n' counts. */
static void each_line_has_its_author(void **state)
{
    static const char long_text[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefXYZ\n";
    (void)state;
    console_write(17, "a\n\nb", 4);
    console_write(17, "c\n", 2);
    console_write(17, "d", 1);
    console_write(18, "e\n", 2);
    console_write(18, "f", 1);
    console_write(17, "\n", 1);
    console_write(18, "\n", 1);
    console_write(18, long_text, sizeof(long_text) - 1);
    console_write(18, "open", 4);
    kernel_line();
    console_write(17, "last", 4);
    host_console_forget();
    audit_print("-", "a2", AUDIT_DONE, 0, 0);
    const char *const expected =
        "\naudit - begin v=2 abi=a2 hashes=0\n"
        "audit - lost msgs=0 undelivered=0\n"
        "audit - say n=0 by=17 seq=1 len=1 head=61\n"
        "audit - say n=1 by=17 seq=2 len=0 head=-\n"
        "audit - say n=2 by=17 seq=3 len=2 head=6263\n"
        "audit - say n=3 by=several seq=4 len=2 head=6465\n"
        "audit - say n=4 by=several seq=5 len=1 head=66\n"
        "audit - say n=5 by=18 seq=6 len=0 head=-\n"
        "audit - say n=6 by=18 seq=7 len=67 head=30313233343536373839616263646566303132333435363738"
        "39616263646566303132333435363738396162636465663031323334353637383961626364656"
        "6\n"
        "audit - say n=7 by=18 seq=8 len=4 head=6f70656e\n"
        "audit - say n=8 by=kernel seq=9 len=6 head=6b65726e656c\n"
        "audit - say n=9 by=17 seq=10 len=4 head=6c617374\n"
        "audit - result ";
    assert_int_equal(strncmp(host_console(), expected, strlen(expected)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers, rig_fresh_audit),
        cmocka_unit_test_setup(long_lines, rig_fresh_audit),
        cmocka_unit_test_setup(an_open_line_is_ended_once, rig_fresh_audit),
        cmocka_unit_test_setup(each_line_has_its_author, rig_fresh_audit),
    };
    return cmocka_run_group_tests_name("core/audit_lines", tests, NULL, NULL);
}
