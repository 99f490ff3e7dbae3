/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in a program that runs with closed standard streams, under limits, or beside forks. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lx_test.h"

/* What in_child's part, which takes no argument, works with. */
static const struct rlimit *child_limit;

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

/* ---- Errors ------------------------------------------------------------------------------------- */

/* The errors that the manual pages of the library's system calls name. */
static void each_foreseeable_errno_has_a_status(void **state)
{
    static const struct {
        int error;
        vmo_status status;
    } rows[] = {
        {EMFILE, VMO_ERR_NO_SLOTS},
        {ENFILE, VMO_ERR_NO_SLOTS},
        {ENOMEM, VMO_ERR_NO_MEMORY},
        {ENOSPC, VMO_ERR_NO_MEMORY},
        {EDQUOT, VMO_ERR_NO_MEMORY},
        {EAGAIN, VMO_ERR_NO_MEMORY},
        {ENOLCK, VMO_ERR_NO_MEMORY},
        {EFAULT, VMO_ERR_INVALID},
        {EBADF, VMO_ERR_BAD_HANDLE},
        {EFBIG, VMO_ERR_TOO_LARGE},
        {EOVERFLOW, VMO_ERR_TOO_LARGE},
        {EBUSY, VMO_ERR_BUSY},
        {ETXTBSY, VMO_ERR_BUSY},
        {EIO, VMO_ERR_IO},
        {ENXIO, VMO_ERR_IO},
        {ESTALE, VMO_ERR_IO},
        {ENOSYS, VMO_ERR_UNSUPPORTED},
        {EACCES, VMO_ERR_UNSUPPORTED},
        {EPERM, VMO_ERR_UNSUPPORTED},
        {EROFS, VMO_ERR_UNSUPPORTED},
        {ENODEV, VMO_ERR_UNSUPPORTED},
        {EOPNOTSUPP, VMO_ERR_UNSUPPORTED},
        {0, VMO_ERR_BACKEND},
        {EINVAL, VMO_ERR_BACKEND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_status(lx_status(rows[i].error), rows[i].status);
    }
}

/* ---- Limits ------------------------------------------------------------------------------------- */

/* In a child. The probe writes no file, so a limit of 0 bytes sends no signal and stops vmo_create alone. */
static int works_without_files(void)
{
    static uint8_t storage[VMO_REGISTRY_BYTES(2, 2, 2, 0)] __attribute__((aligned(16)));
    const struct vmo_limits limits = {.objects = 2, .mappings = 2, .views = 2};
    struct vmo_registry *registry = NULL;
    vmo_t vmo = VMO_NONE;
    vmo_t bytes = VMO_NONE;

    if (setrlimit(RLIMIT_FSIZE, child_limit) != 0) {
        return 1;
    }
    if (vmo_registry_init(storage, sizeof(storage), &limits, &registry) != VMO_OK) {
        return 2;
    }
    if (vmo_create(registry, 1, &vmo) != VMO_ERR_TOO_LARGE) {
        return 3;
    }
    return vmo_wrap_bytes(registry, storage, 1, &bytes) == VMO_OK ? 0 : 4;
}

static void a_file_size_limit_below_a_page_sends_no_signal(void **state)
{
    static const struct rlimit limits[] = {{0, 0}, {1, 1}, {1024, 1024}, {PAGE - 1, PAGE - 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        child_limit = &limits[i];
        assert_int_equal(in_child(works_without_files), 0);
    }
}

/* In a child that has probed nothing yet. Returns 0 if a limit that stops the probe hides no feature. */
static int probes_again_after(int resource, rlim_t low, vmo_status expected)
{
    struct be_info info;
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0) {
        return 1;
    }
    const struct rlimit before = limit;
    limit.rlim_cur = low;
    if (setrlimit(resource, &limit) != 0) {
        return 2;
    }
    const vmo_status status = be_init(&info);
    if (setrlimit(resource, &before) != 0 || status != expected || lx_features() != 0) {
        return 3;
    }
    return be_init(&info) == VMO_OK && lx_features() != 0 ? 0 : 4;
}

static int probes_again_after_no_descriptor(void)
{
    return probes_again_after(RLIMIT_NOFILE, 3, VMO_ERR_NO_SLOTS);
}

static int probes_again_after_no_address(void)
{
    return probes_again_after(RLIMIT_AS, 1, VMO_ERR_NO_MEMORY);
}

/* ---- Filters of system calls --------------------------------------------------------------------- */

/* Makes one system call fail with this errno, from here on in this process. */
static bool refuse_call(unsigned number, unsigned error)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof(steps) / sizeof(steps[0]), steps};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a child. */
static int works_under_seccomp(void)
{
    struct be_info info;

    if (!refuse_call(SYS_memfd_create, EPERM)) {
        return 1;
    }
    return be_init(&info) == VMO_ERR_UNSUPPORTED ? 0 : 2;
}

/* Not a case with a rig: nothing was probed yet. */
static void a_probe_without_room_hides_no_feature(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(lx_features(), 0);
    assert_int_equal(in_child(probes_again_after_no_descriptor), 0);
    assert_int_equal(in_child(probes_again_after_no_address), 0);
    assert_int_equal(in_child(works_under_seccomp), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_without_room_hides_no_feature),
        cmocka_unit_test(a_file_size_limit_below_a_page_sends_no_signal),
        CASE(each_foreseeable_errno_has_a_status),
        CASE(objects_leave_stdio_alone),
        CASE(no_room_above_stdio_closes_the_descriptor),
    };
    return cmocka_run_group_tests_name("lx_environment", tests, NULL, NULL);
}
