/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in a program that runs with closed standard streams, under limits, or beside forks. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lx_test.h"

/* ---- Standard streams --------------------------------------------------------------------------- */

/* In a child. Returns 0 if no descriptor of an object or a file is a standard stream. */
static int makes_objects_without_stdio(void)
{
    struct be_object object = BE_NO_OBJECT;
    struct be_object file = BE_NO_OBJECT;
    struct be_info info;

    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        (void)close(stream);
    }
    if (be_init(&info) != VMO_OK || be_create(PAGE, &object) != VMO_OK ||
        be_wrap_file(object.owner, RANGE(0, PAGE), &file) != VMO_OK) {
        return 1;
    }
    if (object.owner <= STDERR_FILENO || file.alias <= STDERR_FILENO) {
        return 2;
    }
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        if (fcntl(stream, F_GETFD) != -1) {
            return 3;
        }
    }
    return (fcntl(object.owner, F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 4;
}

/* A program with a closed standard output does not print into a VMO. */
static void objects_leave_stdio_alone(void **state)
{
    (void)state;
    assert_int_equal(in_child(makes_objects_without_stdio), 0);
}

/* In a child. Returns 0 if a descriptor that cannot be moved is closed and reported. */
static int finds_no_room_above_stdio(void)
{
    const struct rlimit three = {3, 3};

    (void)close(STDIN_FILENO);
    if (setrlimit(RLIMIT_NOFILE, &three) != 0) {
        return 1;
    }
    errno = 0;
    if (lx_above_stdio(dup(STDERR_FILENO)) != -1 || errno != EMFILE) {
        return 2;
    }
    return fcntl(STDIN_FILENO, F_GETFD) == -1 ? 0 : 3;
}

static void no_room_above_stdio_closes_the_descriptor(void **state)
{
    (void)state;
    assert_int_equal(in_child(finds_no_room_above_stdio), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(objects_leave_stdio_alone),
        CASE(no_room_above_stdio_closes_the_descriptor),
    };
    return cmocka_run_group_tests_name("lx_environment", tests, NULL, NULL);
}
