/* SPDX-License-Identifier: Apache-2.0 */
/* With nothing kept, a view's memory is gone after vmo_unmap. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_test.h"

/* Ends by SIGSEGV at the last step, unless another step fails. */
static _Noreturn void use_after_unmap(bool strict)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    (void)signal(SIGSEGV, SIG_DFL); /* not AddressSanitizer's */
    if ((strict && vmo_keep_limits(rig.registry, 0, 0) != VMO_OK) ||
        vmo_create(rig.registry, PAGE, &vmo) != VMO_OK ||
        vmo_map_ro(rig.registry, vmo, RANGE(0, PAGE), &view) != VMO_OK) {
        _exit(1);
    }
    const volatile uint8_t *byte = vmo_view_data(rig.registry, view);
    if (byte[0] != 0 || vmo_unmap(rig.registry, view) != VMO_OK) {
        _exit(2);
    }
    _exit(byte[0] == 0 ? 3 : 4);
}

static int end_of_child(bool strict)
{
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) {
        use_after_unmap(strict);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void strict_unmap_faults(void **state)
{
    (void)state;
    const int strict = end_of_child(true);
    assert_true(WIFSIGNALED(strict) && WTERMSIG(strict) == SIGSEGV);
    const int kept = end_of_child(false); /* the default: the mapping stays */
    assert_true(WIFEXITED(kept) && WEXITSTATUS(kept) == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strict_unmap_faults, rig_make, rig_drop),
    };
    return cmocka_run_group_tests_name("lx_keep", tests, NULL, NULL);
}
