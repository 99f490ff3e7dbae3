/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs on Linux: made, filled, mapped, given up. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lx_test.h"

#define ROUNDS 10000

/* The first case: nothing was probed yet. */
static void probing_needs_a_descriptor(void **state)
{
    struct rlimit before;
    struct be_info info;

    (void)state;
    assert_int_equal(lx_features(), 0);
    const int lowest = dup(STDOUT_FILENO);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const vmo_status status = be_init(&info);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_status(status, VMO_ERR_NO_SLOTS);
    assert_int_equal(lx_features(), 0);
    assert_ok(be_init(&info));
    assert_int_not_equal(lx_features(), 0);
}

static void says_linux(void **state)
{
    struct be_info info;

    (void)state;
    assert_string_equal(vmo_platform(rig.registry), "linux");
    assert_ok(be_init(&info));
    assert_int_equal(info.page_bytes, (uint64_t)sysconf(_SC_PAGESIZE));
    assert_int_equal(info.object_bytes_max, LX_OBJECT_BYTES_MAX);
    assert_true(info.can_unmap);
}

static void takes_all_memory_now(void **state)
{
    static const struct vmo_create_options options[] = {{.flags = 0}, {.flags = VMO_CREATE_PREFAULT}};
    struct be_object object;
    struct stat seen;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_ok(be_create(4 * PAGE, &options[i], &object));
        assert_int_equal(fstat(object.owner, &seen), 0);
        assert_int_equal(seen.st_blocks * 512, i * 4 * PAGE);
        assert_ok(be_close(&object));
    }
}

/* Set during a case: a signal comes so soon that it interrupts each longer call. The kernel then undoes the
 * whole call, as older kernels do. */
#define SHORT_BYTES (512 * 1024)
#define INTERRUPTIONS_MAX 100
static bool signals_come;
static uint32_t interruptions;

int __real_fallocate(int file, int mode, off_t off, off_t len);
int __wrap_fallocate(int file, int mode, off_t off, off_t len);
int __wrap_fallocate(int file, int mode, off_t off, off_t len)
{
    if (signals_come && len > SHORT_BYTES) {
        errno = ++interruptions < INTERRUPTIONS_MAX ? EINTR : ENOSPC;
        return -1;
    }
    return __real_fallocate(file, mode, off, len);
}

static void takes_all_memory_while_signals_come(void **state)
{
    static const struct vmo_create_options now = {.flags = VMO_CREATE_PREFAULT};
    const uint64_t bytes = 8 * SHORT_BYTES + PAGE;
    struct be_object object;
    struct stat seen;

    (void)state;
    signals_come = true;
    const vmo_status status = be_create(bytes, &now, &object);
    signals_come = false;
    assert_ok(status);
    assert_int_equal(fstat(object.owner, &seen), 0);
    assert_int_equal(seen.st_blocks * 512, bytes);
    assert_ok(be_close(&object));
}

static void life_at_each_length(void **state)
{
    const uint64_t lengths[] = {1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 17, 1024 * PAGE};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const uint64_t len = lengths[i];
        vmo_view_t view = NO_VIEW;
        uint8_t last = 0;
        const vmo_t vmo = filled(len);
        assert_ok(vmo_read(rig.registry, vmo, RANGE(len - 1, 1), &last));
        assert_int_equal(last, pattern_at(len - 1));
        assert_ok(vmo_write(rig.registry, vmo, RANGE(len - 1, 1), "z"));
        assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(0, len), &view));
        assert_pattern(vmo_view_data(rig.registry, view), 0, len - 1);
        assert_int_equal(vmo_view_data(rig.registry, view)[len - 1], 'z');
        assert_ok(vmo_unmap(rig.registry, view));
        assert_ok(vmo_destroy(rig.registry, vmo));
    }
}

/* No zero page of one VMO shows bytes of another. */
static void begins_as_zeroes(void **state)
{
    uint8_t bytes[64];
    const uint8_t zeroes[64] = {0};
    vmo_t vmo = filled(16 * PAGE);

    (void)state;
    assert_ok(vmo_destroy(rig.registry, vmo));
    assert_ok(vmo_create(rig.registry, 16 * PAGE, &vmo));
    for (uint64_t page = 0; page < 16; page++) {
        assert_ok(vmo_read(rig.registry, vmo, RANGE(page * PAGE, sizeof(bytes)), bytes));
        assert_memory_equal(bytes, zeroes, sizeof(bytes));
    }
    assert_ok(vmo_close(rig.registry, vmo));
}

static void length_is_fixed(void **state)
{
    struct be_object object;
    struct stat seen;

    (void)state;
    assert_ok(be_create(2 * PAGE, NULL, &object));
    const int seals = fcntl(object.owner, F_GET_SEALS);
    assert_int_equal(seals & (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE), F_SEAL_GROW | F_SEAL_SHRINK);
    assert_int_equal(ftruncate(object.owner, (off_t)PAGE), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(object.owner, (off_t)(3 * PAGE)), -1);
    assert_int_equal(fstat(object.owner, &seen), 0);
    assert_int_equal(seen.st_size, 2 * PAGE);
    assert_true(fcntl(object.owner, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(seen.st_mode & 0111, 0); /* no program */
    assert_ok(be_close(&object));
    assert_int_equal(object.owner, BE_NONE);
    assert_ok(be_close(&object));
}

static void older_kernel_makes_executable_memory(void **state)
{
    struct be_object object;

    (void)state;
    lx_features_without(LX_NOEXEC_SEAL);
    assert_ok(be_create(PAGE, NULL, &object));
    assert_int_equal(fcntl(object.owner, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
    assert_ok(be_destroy(&object));
}

static void longest_is_made_and_one_more_refused(void **state)
{
    vmo_t vmo = VMO_NONE;
    uint8_t byte = 1;

    (void)state;
    assert_ok(vmo_create(rig.registry, LX_OBJECT_BYTES_MAX, &vmo));
    assert_ok(vmo_write(rig.registry, vmo, RANGE(LX_OBJECT_BYTES_MAX - 1, 1), "e"));
    assert_ok(vmo_read(rig.registry, vmo, RANGE(LX_OBJECT_BYTES_MAX - 1, 1), &byte));
    assert_int_equal(byte, 'e');
    assert_ok(vmo_destroy(rig.registry, vmo));
    assert_refused(vmo_create(rig.registry, LX_OBJECT_BYTES_MAX + 1, &vmo), VMO_ERR_TOO_LARGE);
    struct be_object object = BE_NO_OBJECT;
    assert_refused(be_create(LX_OBJECT_BYTES_MAX + PAGE, NULL, &object), VMO_ERR_TOO_LARGE);
    assert_int_equal(object.owner, BE_NONE);
}

/* Beyond its limit of a file's size the kernel would send SIGXFSZ, which ends the program. */
static void file_size_limit_is_no_signal(void **state)
{
    struct rlimit before;
    vmo_t vmo = VMO_NONE;
    vmo_t big = VMO_NONE;
    uint8_t byte = 1;

    (void)state;
    assert_ok(vmo_create(rig.registry, 3 * PAGE, &big));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit low = {2 * PAGE, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_refused(vmo_create(rig.registry, 2 * PAGE + 1, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused(vmo_write(rig.registry, big, RANGE(2 * PAGE - 1, 2), "xy"), VMO_ERR_TOO_LARGE);
    assert_ok(vmo_read(rig.registry, big, RANGE(2 * PAGE - 1, 1), &byte));
    assert_int_equal(byte, 0);
    assert_ok(vmo_create(rig.registry, 2 * PAGE, &vmo));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_ok(vmo_destroy(rig.registry, vmo));
    assert_ok(vmo_destroy(rig.registry, big));
}

static void no_descriptor_left(void **state)
{
    struct rlimit before;
    struct be_info info;
    vmo_t vmo = VMO_NONE;
    vmo_t file = VMO_NONE;

    (void)state;
    const int memory = memory_with(PAGE, 0);
    const struct seen seen = look();
    const int lowest = dup(rig.far);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const vmo_status created = vmo_create(rig.registry, PAGE, &vmo);
    const vmo_status wrapped = vmo_wrap_file(rig.registry, memory, RANGE(0, 1), &file);
    const vmo_status again = be_init(&info);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_status(created, VMO_ERR_NO_SLOTS);
    assert_status(wrapped, VMO_ERR_NO_SLOTS);
    assert_status(again, VMO_OK); /* probed before */
    assert_same(&seen, "vmo_create", __FILE__, __LINE__);
    assert_int_equal(close(memory), 0);
}

static void no_address_left(void **state)
{
    struct rlimit before;
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    (void)state;
    skip_under_valgrind();
    assert_ok(vmo_create(rig.registry, LX_OBJECT_BYTES_MAX, &vmo));
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    const struct rlimit low = {1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &low), 0);
    const vmo_status mapped = vmo_map_ro(rig.registry, vmo, RANGE(0, LX_OBJECT_BYTES_MAX), &view);
    const vmo_status writable = vmo_map_rw(rig.registry, vmo, RANGE(0, LX_OBJECT_BYTES_MAX), &view);
    const vmo_status sealed = vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_status(mapped, VMO_ERR_NO_MEMORY);
    assert_status(writable, VMO_ERR_NO_MEMORY);
    assert_status(sealed, VMO_ERR_NO_MEMORY);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(0, 1), "a")); /* not sealed */
    assert_ok(vmo_destroy(rig.registry, vmo));
}

static void bad_pointers_are_refused(void **state)
{
    uint8_t byte = 0;

    (void)state;
    skip_under_valgrind();
    /* A page that nobody may touch. */
    uint8_t *nothing = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const vmo_t vmo = filled(2 * PAGE);
    vmo_t wrapped = VMO_NONE;
    vmo_t gone = VMO_NONE;
    assert_true(nothing != MAP_FAILED);
    for (int sealed = 0; sealed < 2; sealed++) { /* after PEERS the creator writes through a mapping */
        assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 16), nothing), VMO_ERR_INVALID);
        assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 16), (void *)1), VMO_ERR_INVALID);
        assert_refused(vmo_read(rig.registry, vmo, RANGE(0, 16), nothing), VMO_ERR_INVALID);
        assert_ok(vmo_read(rig.registry, vmo, RANGE(0, 1), &byte));
        assert_int_equal(byte, pattern_at(0));
        assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    }
    assert_ok(vmo_wrap_bytes(rig.registry, &byte, 1, &wrapped));
    assert_refused(vmo_read(rig.registry, wrapped, RANGE(0, 1), nothing), VMO_ERR_INVALID);
    assert_ok(vmo_wrap_bytes(rig.registry, nothing, PAGE, &gone));
    assert_refused(vmo_read(rig.registry, gone, RANGE(0, 1), &byte), VMO_ERR_INVALID);
    assert_ok(vmo_close(rig.registry, wrapped));
    assert_ok(vmo_close(rig.registry, gone));
    assert_int_equal(munmap(nothing, PAGE), 0);
    assert_ok(vmo_destroy(rig.registry, vmo));
}

static void views_alias_and_outlive_the_handle(void **state)
{
    vmo_view_t writer = NO_VIEW;
    vmo_view_t reader = NO_VIEW;
    const vmo_t vmo = filled(3 * PAGE);

    (void)state;
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(PAGE, PAGE), &writer));
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(0, 3 * PAGE), &reader));
    vmo_view_data_rw(rig.registry, writer)[5] = 'w';
    assert_int_equal(vmo_view_data(rig.registry, reader)[PAGE + 5], 'w');
    assert_refused(vmo_destroy(rig.registry, vmo), VMO_ERR_STILL_MAPPED);
    assert_ok(vmo_close(rig.registry, vmo));
    vmo_view_data_rw(rig.registry, writer)[6] = 'x';
    assert_int_equal(vmo_view_data(rig.registry, reader)[PAGE + 6], 'x');
    assert_ok(vmo_unmap(rig.registry, writer));
    assert_ok(vmo_unmap(rig.registry, reader));
}

static void readers_cannot_store(void **state)
{
    int ends[2];
    vmo_view_t view = NO_VIEW;
    const vmo_t vmo = filled(PAGE);

    (void)state;
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(0, PAGE), &view));
    assert_null(vmo_view_data_rw(rig.registry, view));
    /* The kernel's word: it will not write into a page that is read-only here. */
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "w", 1), 1);
    assert_int_equal(read(ends[0], (void *)(uintptr_t)vmo_view_data(rig.registry, view), 1), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(close(ends[0]) + close(ends[1]), 0);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_destroy(rig.registry, vmo));
}

/* The program closed the library's descriptor, by closefrom for instance. */
static void a_descriptor_that_the_program_closed_is_a_bad_handle(void **state)
{
    struct be_object object = {.owner = 987654, .alias = BE_NONE};
    struct vmo_counters counters = {0};
    uint8_t byte = 0;
    void *at = NULL;

    (void)state;
    assert_status(be_read(&object, RANGE(0, 1), &byte), VMO_ERR_BAD_HANDLE);
    assert_status(be_write(&object, RANGE(0, 1), "a"), VMO_ERR_BAD_HANDLE);
    assert_status(be_map(&object, RANGE(0, PAGE), true, &at, &counters), VMO_ERR_BAD_HANDLE);
    assert_status(be_map(&object, RANGE(0, PAGE), false, &at, &counters), VMO_ERR_BAD_HANDLE);
    assert_null(at);
    assert_status(be_unmap(&byte, PAGE), VMO_ERR_UNSUPPORTED); /* not at a page's start */
    assert_status(be_close(&object), VMO_ERR_BAD_HANDLE);
    assert_int_equal(object.owner, BE_NONE);
}

static void rounds_without_growth(void **state)
{
    (void)state;
    const struct seen before = look();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        vmo_t vmo = VMO_NONE;
        vmo_view_t view = NO_VIEW;
        assert_ok(vmo_create(rig.registry, PAGE + i % (3 * PAGE), &vmo));
        assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, 1), &view));
        assert_int_equal(*vmo_view_data(rig.registry, view), 0);
        *vmo_view_data_rw(rig.registry, view) = (uint8_t)(i | 1);
        assert_ok(vmo_unmap(rig.registry, view));
        if (i % 3 == 1) {
            assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
        }
        if (i % 3 == 2) {
            assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
            assert_ok(vmo_close(rig.registry, vmo));
        } else {
            assert_ok(vmo_destroy(rig.registry, vmo));
        }
    }
    const struct seen after = look();
    assert_int_equal(after.descriptors, before.descriptors);
    assert_int_equal(after.mappings, before.mappings);
    assert_int_equal(after.counters.map_misses - before.counters.map_misses, ROUNDS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probing_needs_a_descriptor),
        CASE(says_linux),
        CASE(takes_all_memory_now),
        CASE(takes_all_memory_while_signals_come),
        CASE(life_at_each_length),
        CASE(begins_as_zeroes),
        CASE(length_is_fixed),
        CASE(older_kernel_makes_executable_memory),
        CASE(longest_is_made_and_one_more_refused),
        CASE(file_size_limit_is_no_signal),
        CASE(no_descriptor_left),
        CASE(no_address_left),
        CASE(bad_pointers_are_refused),
        CASE(views_alias_and_outlive_the_handle),
        CASE(readers_cannot_store),
        CASE(a_descriptor_that_the_program_closed_is_a_bad_handle),
        CASE(rounds_without_growth),
    };
    return cmocka_run_group_tests_name("lx_object", tests, NULL, NULL);
}
