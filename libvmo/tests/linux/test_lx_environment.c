/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in a program with closed standard streams, a file size limit, filtered system calls, or forks. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_test.h"

/* Passed in a variable, since in_child runs a function without parameters. */
static const struct rlimit *child_limit;

/* Makes a system call fail with this errno for the rest of the process. */
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

/* ---- Standard streams --------------------------------------------------------------------------- */

/* Runs in a child. Returns 0 if no descriptor of an object or a file is a standard stream. */
static int makes_objects_without_stdio(void)
{
    struct be_object object = BE_NO_OBJECT;
    struct be_object file = BE_NO_OBJECT;
    struct be_info info;

    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        (void)close(stream);
    }
    if (be_init(&info) != VMO_OK || be_create(PAGE, NULL, &object) != VMO_OK ||
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

/* Else a program with a closed standard output would print into a VMO. */
static void objects_leave_stdio_alone(void **state)
{
    (void)state;
    assert_int_equal(in_child(makes_objects_without_stdio), 0);
}

/* Runs in a child. Returns 0 if a descriptor that cannot be moved is closed and reported. */
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

/* The library moves a descriptor that it makes while a standard stream is closed. */
static void a_descriptor_in_a_streams_place_is_moved(void **state)
{
    (void)state;
    const int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    assert_true(saved >= 0);
    assert_int_equal(close(STDIN_FILENO), 0);
    const int moved = lx_above_stdio(dup(saved));
    const int left = fcntl(STDIN_FILENO, F_GETFD);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(left, -1);
    assert_true(moved > STDERR_FILENO);
    assert_int_equal(fcntl(moved, F_GETFD), FD_CLOEXEC);
    assert_int_equal(close(moved) + close(saved), 0);
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
        {ENOBUFS, VMO_ERR_NO_MEMORY},
        {EFAULT, VMO_ERR_INVALID},
        {EBADF, VMO_ERR_BAD_HANDLE},
        {ENOTSOCK, VMO_ERR_BAD_HANDLE},
        {ESPIPE, VMO_ERR_UNSUPPORTED},
        {EISDIR, VMO_ERR_UNSUPPORTED},
        {EFBIG, VMO_ERR_TOO_LARGE},
        {EBUSY, VMO_ERR_UNSUPPORTED},
        {EIO, VMO_ERR_IO},
        {ENXIO, VMO_ERR_IO},
        {ESTALE, VMO_ERR_IO},
        {ENOSYS, VMO_ERR_UNSUPPORTED},
        {EACCES, VMO_ERR_UNSUPPORTED},
        {EPERM, VMO_ERR_UNSUPPORTED},
        {EINVAL, VMO_ERR_UNSUPPORTED},
        {EOVERFLOW, VMO_ERR_UNSUPPORTED},
        {ETXTBSY, VMO_ERR_UNSUPPORTED},
        {EROFS, VMO_ERR_UNSUPPORTED},
        {ENODEV, VMO_ERR_UNSUPPORTED},
        {EOPNOTSUPP, VMO_ERR_UNSUPPORTED},
        {0, VMO_ERR_BACKEND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_status(lx_status(rows[i].error), rows[i].status);
    }
}

/* ---- Limits ------------------------------------------------------------------------------------- */

/* Runs in a child. The probe writes no file, so a limit of 0 bytes sends no signal; only vmo_create fails. */
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

/* The limit of descriptors, or of address space. The type of RLIMIT_... differs between C libraries. */
static int get_limit(bool of_files, struct rlimit *limit)
{
    return of_files ? getrlimit(RLIMIT_NOFILE, limit) : getrlimit(RLIMIT_AS, limit);
}

static int set_limit(bool of_files, const struct rlimit *limit)
{
    return of_files ? setrlimit(RLIMIT_NOFILE, limit) : setrlimit(RLIMIT_AS, limit);
}

/* Runs in a child that has not probed yet. Returns 0 if a probe that a limit stopped is repeated later. */
static int probes_again_after(bool of_files, rlim_t low, vmo_status expected)
{
    struct be_info info;
    struct rlimit limit;

    if (get_limit(of_files, &limit) != 0) {
        return 1;
    }
    const struct rlimit before = limit;
    limit.rlim_cur = low;
    if (set_limit(of_files, &limit) != 0) {
        return 2;
    }
    const vmo_status status = be_init(&info);
    if (set_limit(of_files, &before) != 0 || status != expected || lx_features() != 0) {
        return 3;
    }
    return be_init(&info) == VMO_OK && lx_features() != 0 ? 0 : 4;
}

static int probes_again_after_no_descriptor(void)
{
    return probes_again_after(true, 3, VMO_ERR_NO_SLOTS);
}

static int probes_again_after_no_address(void)
{
    return probes_again_after(false, 1, VMO_ERR_NO_MEMORY);
}

/* ---- Filters of system calls --------------------------------------------------------------------- */

/* Runs in a child. */
static int works_under_seccomp(void)
{
    struct be_info info;

    if (!refuse_call(SYS_memfd_create, EPERM)) {
        return 1;
    }
    return be_init(&info) == VMO_ERR_UNSUPPORTED ? 0 : 2;
}

/* Runs without a rig, which would probe. */
static void a_probe_without_room_hides_no_feature(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(lx_features(), 0);
    assert_int_equal(in_child(probes_again_after_no_descriptor), 0);
    assert_int_equal(in_child(probes_again_after_no_address), 0);
    assert_int_equal(in_child(works_under_seccomp), 0);
}

/* Runs in a child. */
static int creates_nothing_under_seccomp(void)
{
    const struct {
        unsigned error;
        vmo_status status;
    } rows[] = {{EPERM, VMO_ERR_UNSUPPORTED}, {ENOSYS, VMO_ERR_UNSUPPORTED}, {EACCES, VMO_ERR_UNSUPPORTED}};
    vmo_t vmo = VMO_NONE;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) { /* the newest filter's errno counts */
        if (!refuse_call(SYS_memfd_create, rows[i].error)) {
            return 1;
        }
        if (vmo_create(rig.registry, PAGE, &vmo) != rows[i].status) {
            return 2;
        }
    }
    return vmo_wrap_bytes(rig.registry, rows, 1, &vmo) == VMO_OK ? 0 : 3;
}

static void a_filter_that_refuses_memfds_has_a_status(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(creates_nothing_under_seccomp), 0);
}

/* Runs in a child. Returns 0 if vmo_write after PEERS works without process_vm_readv. */
static int writes_through_a_pipe(void)
{
    static uint8_t bytes[200000];
    uint8_t found[200000];
    vmo_t vmo = VMO_NONE;
    void *nothing = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = pattern_at(i);
    }
    if (nothing == MAP_FAILED || vmo_create(rig.registry, sizeof(bytes), &vmo) != VMO_OK ||
        vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) != VMO_OK) {
        return 1;
    }
    if (!refuse_call(SYS_process_vm_readv, EPERM)) {
        return 2;
    }
    const uint32_t descriptors = look().descriptors;
    if (vmo_write(rig.registry, vmo, RANGE(0, sizeof(bytes)), bytes) != VMO_OK ||
        vmo_read(rig.registry, vmo, RANGE(0, sizeof(found)), found) != VMO_OK ||
        memcmp(bytes, found, sizeof(found)) != 0) {
        return 3;
    }
    if (vmo_write(rig.registry, vmo, RANGE(0, 1), nothing) != VMO_ERR_INVALID) {
        return 4;
    }
    if (look().descriptors != descriptors) {
        return 5;
    }
    const struct rlimit none = {3, 3};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0 ||
        vmo_write(rig.registry, vmo, RANGE(0, 1), bytes) != VMO_ERR_NO_SLOTS) {
        return 6;
    }
    return 0;
}

static void a_filter_that_refuses_process_vm_readv_costs_a_pipe(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(writes_through_a_pipe), 0);
}

static void older_kernel_copies_through_a_pipe(void **state)
{
    uint8_t from[70000];
    uint8_t to[sizeof(from)] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(from); i++) {
        from[i] = pattern_at(i);
    }
    lx_features_without(LX_VM_READ);
    const uint32_t descriptors = look().descriptors;
    assert_ok(be_copy(to, from, sizeof(from)));
    assert_memory_equal(to, from, sizeof(from));
    assert_int_equal(look().descriptors, descriptors);
    if (getenv("LD_PRELOAD") == NULL) { /* valgrind hides bad pointers from the kernel */
        assert_status(be_copy(to, (void *)1, 1), VMO_ERR_INVALID);
        assert_status(be_copy((void *)1, from, 1), VMO_ERR_INVALID);
        assert_int_equal(look().descriptors, descriptors);
    }
}

/* ---- Forks -------------------------------------------------------------------------------------- */

/* Forks a child that lives until *hold is closed, and exits with 0 if it can read none of the memory. */
static pid_t fork_a_bystander(const void *const *memory, size_t count, int *hold)
{
    int ends[2];
    char byte = 0;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int probe[2];
        bool reached = pipe2(probe, O_CLOEXEC) != 0;
        for (size_t i = 0; i < count; i++) { /* write fails with EFAULT for memory that is not mapped */
            reached = reached || write(probe[1], memory[i], 1) != -1;
        }
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 && !reached ? 0 : 1);
    }
    assert_int_equal(close(ends[0]), 0);
    *hold = ends[1];
    return child;
}

static void assert_ends_well(pid_t child, int hold)
{
    int ended = -1;

    assert_int_equal(close(hold), 0);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

/* A child inherits neither the views nor the mapping kept for PEERS, so the owner can still seal FOREVER. */
static void a_forked_child_gets_no_mapping(void **state)
{
    (void)state;
    for (int by_way_of_peers = 0; by_way_of_peers < 2; by_way_of_peers++) {
        const vmo_t vmo = filled(2 * PAGE);
        vmo_view_t writer = NO_VIEW;
        vmo_view_t reader = NO_VIEW;
        int hold = -1;
        if (by_way_of_peers) {
            assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
        }
        assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, PAGE), &writer));
        assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(PAGE, PAGE), &reader));
        const void *const memory[] = {vmo_view_data(rig.registry, writer),
                                      vmo_view_data(rig.registry, reader)};
        const pid_t child = fork_a_bystander(memory, 2, &hold);
        vmo_view_data_rw(rig.registry, writer)[0] = 'w';
        assert_ok(vmo_unmap(rig.registry, writer));
        assert_ok(vmo_unmap(rig.registry, reader));
        const vmo_status sealed = vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER);
        assert_ends_well(child, hold);
        assert_status(sealed, VMO_OK);
        assert_ok(vmo_close(rig.registry, vmo));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_without_room_hides_no_feature),
        cmocka_unit_test(a_file_size_limit_below_a_page_sends_no_signal),
        CASE(each_foreseeable_errno_has_a_status),
        CASE(a_filter_that_refuses_memfds_has_a_status),
        CASE(a_filter_that_refuses_process_vm_readv_costs_a_pipe),
        CASE(a_forked_child_gets_no_mapping),
        CASE(objects_leave_stdio_alone),
        CASE(no_room_above_stdio_closes_the_descriptor),
        CASE(a_descriptor_in_a_streams_place_is_moved),
        CASE(older_kernel_copies_through_a_pipe),
    };
    return cmocka_run_group_tests_name("lx_environment", tests, NULL, NULL);
}
