/* SPDX-License-Identifier: Apache-2.0 */
/* File ranges: mapped, not copied; and truncated files. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_test.h"

#define FILE_BYTES (3 * PAGE + 100)

/* An unlinked file, filled with the pattern. */
static FILE *file_make(void)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    for (uint64_t i = 0; i < FILE_BYTES; i++) {
        assert_int_not_equal(fputc(pattern_at(i), file), EOF);
    }
    assert_int_equal(fflush(file), 0);
    return file;
}

static void range_is_mapped_and_read(void **state)
{
    FILE *file = file_make();
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    uint8_t bytes[300];

    (void)state;
    assert_ok(vmo_wrap_file(rig.registry, fileno(file), RANGE(PAGE + 10, 2 * PAGE + 90), &vmo));
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(PAGE - 20, 300), &view));
    assert_pattern(vmo_view_data(rig.registry, view), 2 * PAGE - 10, 300);
    assert_ok(vmo_read(rig.registry, vmo, RANGE(2 * PAGE - 210, 300), bytes));
    assert_pattern(bytes, 3 * PAGE - 200, 300);
    /* Shared: a later write to the file is seen. */
    assert_int_equal(pwrite(fileno(file), "~", 1, (off_t)(2 * PAGE)), 1);
    assert_int_equal(vmo_view_data(rig.registry, view)[10], '~');
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(fclose(file), 0);
}

static void own_descriptor_outlives_the_callers(void **state)
{
    FILE *file = file_make();
    vmo_t vmo = VMO_NONE;
    uint8_t bytes[10];

    (void)state;
    assert_ok(vmo_wrap_file(rig.registry, fileno(file), RANGE(0, FILE_BYTES), &vmo));
    assert_int_equal(fclose(file), 0);
    assert_ok(vmo_read(rig.registry, vmo, RANGE(FILE_BYTES - 10, 10), bytes));
    assert_pattern(bytes, FILE_BYTES - 10, 10);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void what_is_no_such_range_is_refused(void **state)
{
    FILE *file = file_make();
    vmo_t vmo = VMO_NONE;

    (void)state;
    const struct vmo_range beyond[] = {{0, FILE_BYTES + 1}, {FILE_BYTES, 1}, {FILE_BYTES - 1, 2},
                                       {UINT64_MAX, 1},     {1, UINT64_MAX}, {UINT64_MAX - 1, UINT64_MAX}};
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        assert_refused(vmo_wrap_file(rig.registry, fileno(file), beyond[i], &vmo), VMO_ERR_BOUNDS);
    }
    assert_refused(vmo_wrap_file(rig.registry, fileno(file), RANGE(0, 0), &vmo), VMO_ERR_ZERO_LENGTH);
    assert_int_equal(vmo.id, VMO_NONE.id);
    assert_int_equal(fclose(file), 0);
}

static void what_is_no_such_file_is_refused(void **state)
{
    FILE *file = file_make();
    char name[64];
    int ends[2];
    vmo_t vmo = VMO_NONE;

    (void)state;
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fileno(file));
    const int write_only = open(name, O_WRONLY | O_CLOEXEC);
    const int path_only = open(name, O_PATH | O_CLOEXEC);
    const int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(write_only >= 0 && path_only >= 0 && folder >= 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const int wrong[] = {-1, 987654, write_only, path_only, folder, ends[0], rig.far};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_refused(vmo_wrap_file(rig.registry, wrong[i], RANGE(0, 1), &vmo), VMO_ERR_INVALID);
    }
    assert_int_equal(close(write_only) + close(path_only) + close(folder) + close(ends[0]) + close(ends[1]),
                     0);
    assert_int_equal(fclose(file), 0);
}

/* Regular files of the kernel that have a size and cannot be mapped, or have none. */
static void a_file_that_cannot_be_mapped_is_refused_by_the_wrap(void **state)
{
    const struct {
        const char *name;
        vmo_status status;
    } rows[] = {
        {"/sys/kernel/notes", VMO_ERR_UNSUPPORTED},  {"/sys/kernel/vmcoreinfo", VMO_ERR_UNSUPPORTED},
        {"/sys/kernel/fscaps", VMO_ERR_UNSUPPORTED}, {"/proc/self/maps", VMO_ERR_BOUNDS},
        {"/proc/version", VMO_ERR_BOUNDS},           {"/dev/zero", VMO_ERR_INVALID},
    };
    vmo_t vmo = VMO_NONE;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int file = open(rows[i].name, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            assert_refused(vmo_wrap_file(rig.registry, file, RANGE(0, 1), &vmo), rows[i].status);
            assert_int_equal(close(file), 0);
        }
    }
}

/* With O_DIRECT the kernel reads aligned ranges alone; any range can be mapped. */
static void a_file_without_a_cache_is_read_through_a_mapping(void **state)
{
    FILE *file = file_make();
    vmo_t vmo = VMO_NONE;
    uint8_t bytes[10];

    (void)state;
    if (fcntl(fileno(file), F_SETFL, O_DIRECT) != 0) {
        skip();
    }
    assert_ok(vmo_wrap_file(rig.registry, fileno(file), RANGE(3, FILE_BYTES - 3), &vmo));
    assert_ok(vmo_read(rig.registry, vmo, RANGE(PAGE, 10), bytes));
    assert_pattern(bytes, PAGE + 3, 10);
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(fclose(file), 0);
}

static void truncated_file_is_refused_by_read(void **state)
{
    FILE *file = file_make();
    vmo_t vmo = VMO_NONE;
    uint8_t bytes[8] = "before";
    const uint8_t before[8] = "before";

    (void)state;
    assert_ok(vmo_wrap_file(rig.registry, fileno(file), RANGE(0, FILE_BYTES), &vmo));
    assert_int_equal(ftruncate(fileno(file), (off_t)PAGE), 0);
    assert_refused(vmo_read(rig.registry, vmo, RANGE(PAGE - 4, 8), bytes), VMO_ERR_BOUNDS);
    assert_refused(vmo_read(rig.registry, vmo, RANGE(2 * PAGE, 8), bytes), VMO_ERR_BOUNDS);
    assert_memory_equal(bytes, before, sizeof(bytes));
    assert_ok(vmo_read(rig.registry, vmo, RANGE(PAGE - 8, 8), bytes));
    assert_pattern(bytes, PAGE - 8, 8);
    vmo_t copy = VMO_NONE;
    const uint32_t descriptors = look().descriptors;
    assert_status(vmo_copy(rig.registry, vmo, &copy), VMO_ERR_BOUNDS);
    assert_int_equal(look().descriptors, descriptors);
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(fclose(file), 0);
}

/* vmo.h: an access to a view past the new end raises SIGBUS, and only that access. */
static void truncated_file_is_a_sigbus_in_a_view(void **state)
{
    FILE *file = file_make();
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    int ended = 0;

    (void)state;
    assert_ok(vmo_wrap_file(rig.registry, fileno(file), RANGE(0, FILE_BYTES), &vmo));
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(0, FILE_BYTES), &view));
    assert_int_equal(ftruncate(fileno(file), (off_t)PAGE), 0);
    const volatile uint8_t *bytes = vmo_view_data(rig.registry, view);
    assert_int_equal(bytes[PAGE - 1], pattern_at(PAGE - 1));
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGBUS, SIG_DFL);
        _exit(bytes[2 * PAGE]);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended));
    assert_int_equal(WTERMSIG(ended), SIGBUS);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(fclose(file), 0);
}

static void wrapped_file_stays_here(void **state)
{
    FILE *file = file_make();
    vmo_t vmo = VMO_NONE;
    vmo_t copy = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    uint8_t bytes[16];

    (void)state;
    assert_ok(vmo_wrap_file(rig.registry, fileno(file), RANGE(5, PAGE), &vmo));
    assert_refused(vmo_send(rig.registry, rig.peer,
                            &(struct vmo_message){.vmo = vmo, .rights = VMO_RIGHT_READ}, PAST_NS),
                   VMO_ERR_UNSUPPORTED);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_UNSUPPORTED);
    assert_refused(vmo_destroy(rig.registry, vmo), VMO_ERR_UNSUPPORTED);
    assert_refused(vmo_map_rw(rig.registry, vmo, RANGE(0, 1), &view), VMO_ERR_RIGHTS);
    assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    assert_ok(vmo_copy(rig.registry, vmo, &copy));
    assert_ok(vmo_read(rig.registry, copy, RANGE(PAGE - 16, 16), bytes));
    assert_pattern(bytes, PAGE - 11, 16);
    assert_ok(vmo_destroy(rig.registry, copy));
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(fclose(file), 0);
}

/* Without a free huge page a mapping would be refused for another reason. */
static void a_file_of_huge_pages_is_refused_by_the_wrap(void **state)
{
    const int file = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
    struct stat seen;
    vmo_t vmo = VMO_NONE;

    (void)state;
    if (file < 0) {
        skip(); /* this machine has none */
    }
    assert_int_equal(fstat(file, &seen), 0);
    assert_int_equal(ftruncate(file, seen.st_blksize), 0);
    assert_refused(vmo_wrap_file(rig.registry, file, RANGE(0, 1), &vmo), VMO_ERR_UNSUPPORTED);
    assert_int_equal(close(file), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(range_is_mapped_and_read),
        CASE(own_descriptor_outlives_the_callers),
        CASE(what_is_no_such_range_is_refused),
        CASE(what_is_no_such_file_is_refused),
        CASE(truncated_file_is_refused_by_read),
        CASE(truncated_file_is_a_sigbus_in_a_view),
        CASE(wrapped_file_stays_here),
        CASE(a_file_that_cannot_be_mapped_is_refused_by_the_wrap),
        CASE(a_file_of_huge_pages_is_refused_by_the_wrap),
        CASE(a_file_without_a_cache_is_read_through_a_mapping),
    };
    return cmocka_run_group_tests_name("lx_file", tests, NULL, NULL);
}
