/* SPDX-License-Identifier: Apache-2.0 */
/* Where the kernel does not let a producer sleep on all words at once, it sleeps on one and does not spin. */
#define _GNU_SOURCE
#include "linux/lx_test.h"

#include <errno.h>
#include <sys/syscall.h>

#include "backend_stream.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* What futex_waitv answers, and how often futex was called instead. */
static int answer;
static uint32_t sleeps;

/* A sleep makes no other raw call. */
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    assert_true(number == SYS_futex_waitv || number == SYS_futex);
    sleeps += number == SYS_futex;
    errno = number == SYS_futex ? ETIMEDOUT : answer;
    return -1;
}

static bool sleeps_after(int error, uint32_t *on_one)
{
    static const uint32_t words[2] = {5, 6};
    const struct be_stream_word all[] = {{&words[0], 5}, {&words[1], 6}};

    answer = error;
    sleeps = 0;
    const bool over = be_stream_sleep(all, 2, soon());
    *on_one = sleeps;
    return over;
}

static void a_refused_sleep_is_one_on_one_word(void **state)
{
    const int refusals[] = {ENOSYS, EPERM, EACCES, EINVAL, ENOMEM};
    uint32_t on_one = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        assert_true(sleeps_after(refusals[i], &on_one));
        assert_int_equal(on_one, 1);
    }
}

static void a_changed_word_or_a_signal_ends_a_sleep(void **state)
{
    uint32_t on_one = 0;

    (void)state;
    assert_false(sleeps_after(EAGAIN, &on_one));
    assert_int_equal(on_one, 0);
    assert_false(sleeps_after(EINTR, &on_one));
    assert_int_equal(on_one, 0);
    assert_true(sleeps_after(ETIMEDOUT, &on_one));
    assert_int_equal(on_one, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_sleep_is_one_on_one_word),
        cmocka_unit_test(a_changed_word_or_a_signal_ends_a_sleep),
    };

    return cmocka_run_group_tests_name("linux/stream_sleep", tests, NULL, NULL);
}
