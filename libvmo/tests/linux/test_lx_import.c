/* SPDX-License-Identifier: Apache-2.0 */
/* Import of memory that others made: what each file promises, and what is refused. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lx_abi.h"
#include "lx_test.h"
#include "vmo/descriptor.h"

#define LEN (2 * PAGE)
#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB (21U << 26)
#endif
#define HUGE_BYTES (UINT64_C(2) << 20)
#define FIXED (F_SEAL_SHRINK | F_SEAL_GROW)

static const struct vmo_import_options to_write = {.rights = VMO_RIGHTS_ALL};
static const struct vmo_import_options resizable = {.flags = VMO_IMPORT_RESIZABLE};
static const struct vmo_import_options resizable_to_write = {.rights = VMO_RIGHTS_ALL,
                                                             .flags = VMO_IMPORT_RESIZABLE};
static const struct vmo_import_options peers = {.seal = VMO_SEAL_PEERS};
static const struct vmo_import_options forever = {.seal = VMO_SEAL_FOREVER};

/* ---- Tools -------------------------------------------------------------------------------------- */

static vmo_t import(int fd, const struct vmo_import_options *options)
{
    vmo_t vmo = VMO_NONE;

    assert_ok(vmo_import_fd(rig.registry, fd, options, &vmo));
    return vmo;
}

static void refuse(int fd, const struct vmo_import_options *options, vmo_status expected)
{
    vmo_t vmo = {7, 7};

    assert_refused(vmo_import_fd(rig.registry, fd, options, &vmo), expected);
    assert_true(vmo.id == 7);
}

static void assert_facts(vmo_t vmo, uint64_t len, uint64_t size, uint32_t rights, vmo_seal_strength sealed)
{
    uint64_t bytes = 0;
    uint32_t found = 0;
    vmo_seal_strength seal = VMO_SEAL_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;

    assert_ok(vmo_len(rig.registry, vmo, &bytes));
    assert_int_equal(bytes, len);
    assert_ok(vmo_size(rig.registry, vmo, &bytes));
    assert_int_equal(bytes, size);
    assert_ok(vmo_rights(rig.registry, vmo, &found));
    assert_int_equal(found, rights);
    assert_ok(vmo_seal_of(rig.registry, vmo, &seal));
    assert_int_equal(seal, sealed);
    assert_ok(vmo_seal_enforced_by(rig.registry, vmo, &by));
    assert_int_equal(by, sealed ? VMO_BY_KERNEL : VMO_BY_NOBODY);
}

/* Nobody here can seal, destroy or hand over a local VMO; a copy of it is as good as any. */
static void assert_local(vmo_t vmo)
{
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    vmo_t copy = VMO_NONE;
    int fd = -7;

    assert_refused(vmo_send(rig.registry, rig.peer, &message, PAST_NS), VMO_ERR_UNSUPPORTED);
    assert_refused(vmo_export_fd(rig.registry, vmo, VMO_RIGHT_READ, &fd), VMO_ERR_UNSUPPORTED);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_UNSUPPORTED);
    assert_refused(vmo_destroy(rig.registry, vmo), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_copy(rig.registry, vmo, &copy));
    assert_ok(vmo_destroy(rig.registry, copy));
}

static void close_both(vmo_t vmo, int fd)
{
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(close(fd), 0);
}

/* ---- Memfds ------------------------------------------------------------------------------------- */

static void read_only_by_default(void **state)
{
    (void)state;
    const int fd = memory_with(LEN, F_SEAL_SHRINK);
    assert_int_equal(pwrite(fd, "abc", 3, 5), 3);
    const vmo_t vmo = import(fd, NULL);
    char bytes[3];

    assert_facts(vmo, LEN, LEN, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_ok(vmo_read(rig.registry, vmo, RANGE(5, 3), bytes));
    assert_memory_equal(bytes, "abc", 3);
    assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_RIGHTS);
    assert_refused(vmo_destroy(rig.registry, vmo), VMO_ERR_RIGHTS);
    close_both(vmo, fd);
}

/* A reader of an import gets a description of its own, which cannot write. */
static void handed_on_read_only(void **state)
{
    (void)state;
    const int fd = memory_with(LEN, FIXED);
    const vmo_t vmo = import(fd, NULL);
    const int given = far_given(vmo, VMO_RIGHT_READ);

    assert_int_equal(fcntl(given, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(close(given), 0);
    close_both(vmo, fd);
}

static void written_through_both(void **state)
{
    (void)state;
    const int fd = memory_with(LEN, FIXED);
    const vmo_t vmo = import(fd, &to_write);
    vmo_view_t view = NO_VIEW;
    char bytes[2];

    assert_facts(vmo, LEN, LEN, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(PAGE, 1), "x"));
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, LEN), &view));
    vmo_view_data_rw(rig.registry, view)[PAGE + 1] = 'y';
    assert_int_equal(pread(fd, bytes, 2, PAGE), 2);
    assert_memory_equal(bytes, "xy", 2);
    assert_ok(vmo_unmap(rig.registry, view));
    /* the append flag that the caller's description gets later cannot divert a write */
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(3, 1), "z"));
    assert_int_equal(pread(fd, bytes, 1, 3), 1);
    assert_int_equal(bytes[0], 'z');
    close_both(vmo, fd);
}

static void length_that_is_not_promised(void **state)
{
    (void)state;
    static const int seals[] = {0, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_GROW | F_SEAL_WRITE};

    for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
        const int fd = memory_with(LEN, seals[i]);
        refuse(fd, NULL, VMO_ERR_NOT_SEALED);
        const vmo_t vmo = import(fd, &resizable);
        assert_facts(vmo, LEN, 0, VMO_RIGHT_READ, VMO_SEAL_NONE);
        assert_local(vmo);
        close_both(vmo, fd);
    }
    const int fd = memory_with(LEN, F_SEAL_SHRINK); /* a write could be diverted to a new end */
    refuse(fd, &to_write, VMO_ERR_NOT_SEALED);
    assert_int_equal(close(fd), 0);
}

static void seals_that_are_demanded(void **state)
{
    (void)state;
    const int plain = memory_with(LEN, FIXED);
    const int future = memory_with(LEN, FIXED | F_SEAL_FUTURE_WRITE);
    const int sealed = memory_with(LEN, FIXED | F_SEAL_WRITE);
    const int weak = memory_with(LEN, F_SEAL_WRITE);
    const struct vmo_import_options weak_forever = {.seal = VMO_SEAL_FOREVER, .flags = VMO_IMPORT_RESIZABLE};

    refuse(plain, &peers, VMO_ERR_NOT_SEALED);
    refuse(future, &forever, VMO_ERR_NOT_SEALED);
    refuse(weak, &weak_forever, VMO_ERR_NOT_SEALED); /* sealed bytes can be cut off */
    refuse(future, &to_write, VMO_ERR_SEALED);
    refuse(sealed, &to_write, VMO_ERR_SEALED);
    refuse(weak, &resizable_to_write, VMO_ERR_SEALED);
    const vmo_t first = import(future, &peers);
    const vmo_t second = import(sealed, &forever);
    assert_facts(first, LEN, LEN, VMO_RIGHT_READ, VMO_SEAL_PEERS);
    assert_facts(second, LEN, LEN, VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    close_both(first, future);
    close_both(second, sealed);
    assert_int_equal(close(plain), 0);
    assert_int_equal(close(weak), 0);
}

static void part_of_a_page_is_local(void **state)
{
    (void)state;
    const int fd = memory_with(PAGE + 9, FIXED);
    const vmo_t vmo = import(fd, &to_write);

    assert_facts(vmo, PAGE + 9, 0, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(PAGE + 8, 1), "x"));
    assert_refused(vmo_write(rig.registry, vmo, RANGE(PAGE + 8, 2), "xx"), VMO_ERR_BOUNDS);
    assert_local(vmo);
    close_both(vmo, fd);
}

/* ---- Files that change their length ------------------------------------------------------------- */

static void cut_off_after_the_import(void **state)
{
    (void)state;
    const int fd = memory_with(LEN, 0);
    const vmo_t vmo = import(fd, &resizable_to_write);
    struct stat seen;
    char byte = 'a';

    assert_int_equal(ftruncate(fd, PAGE), 0);
    assert_refused(vmo_read(rig.registry, vmo, RANGE(PAGE, 1), &byte), VMO_ERR_BOUNDS);
    assert_int_equal(byte, 'a');
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0); /* not of the library's own description */
    assert_ok(vmo_write(rig.registry, vmo, RANGE(PAGE + 7, 1), "x"));
    assert_int_equal(fstat(fd, &seen), 0);
    assert_int_equal(seen.st_size, PAGE + 8);
    close_both(vmo, fd);
}

static vmo_t cut;

static int touch_what_was_cut(void)
{
    vmo_view_t view = NO_VIEW;

    (void)signal(SIGBUS, SIG_DFL); /* not AddressSanitizer's */
    if (vmo_map_ro(rig.registry, cut, RANGE(0, LEN), &view) != VMO_OK) {
        return 2;
    }
    const volatile uint8_t *bytes = vmo_view_data(rig.registry, view);
    return bytes[0] == 0 && bytes[PAGE] == 0 ? 0 : 1;
}

/* What RESIZABLE gives up by name. */
static void view_past_the_new_end(void **state)
{
    (void)state;
    const int fd = memory_with(LEN, 0);

    cut = import(fd, &resizable);
    assert_int_equal(ftruncate(fd, PAGE), 0);
    const int end = in_child(touch_what_was_cut);
    assert_true(WIFSIGNALED(end) && WTERMSIG(end) == SIGBUS);
    close_both(cut, fd);
}

static void file_of_tmpfs(void **state)
{
    (void)state;
    char name[] = "/dev/shm/libvmo-import-XXXXXX";
    const int fd = mkostemp(name, O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(ftruncate(fd, (off_t)LEN), 0);
    refuse(fd, NULL, VMO_ERR_NOT_SEALED);
    const vmo_t vmo = import(fd, &resizable_to_write);
    assert_facts(vmo, LEN, 0, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(1, 1), "x"));
    assert_local(vmo);
    close_both(vmo, fd);
}

/* ---- Other kinds of memory ---------------------------------------------------------------------- */

static int huge_memory(void)
{
    return memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_HUGE_2MB);
}

/* The reason why this machine cannot run the case, or NULL. */
static const char *without_huge_pages(void)
{
    const int fd = huge_memory();
    void *at = MAP_FAILED;

    if (fd < 0) {
        return "no memfd of huge pages";
    }
    if (ftruncate(fd, 2 * HUGE_BYTES) == 0) {
        at = mmap(NULL, 2 * HUGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    }
    (void)close(fd);
    if (at == MAP_FAILED) {
        return "vm.nr_hugepages is less than 2";
    }
    (void)munmap(at, 2 * HUGE_BYTES);
    return NULL;
}

static void huge_pages(void **state)
{
    (void)state;
    const int fd = huge_memory();
    vmo_view_t view = NO_VIEW;
    vmo_view_t part = NO_VIEW;

    assert_int_equal(ftruncate(fd, 2 * HUGE_BYTES), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, FIXED), 0);
    const vmo_t vmo = import(fd, &to_write);
    assert_facts(vmo, 2 * HUGE_BYTES, 0, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 1), "x"), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(HUGE_BYTES + PAGE, 3), &view));
    vmo_view_data_rw(rig.registry, view)[0] = 'x';
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(HUGE_BYTES + PAGE, 1), &part));
    assert_int_equal(vmo_view_data(rig.registry, part)[0], 'x');
    assert_ok(vmo_unmap(rig.registry, part));
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_trim(rig.registry));
    assert_local(vmo);
    close_both(vmo, fd);
}

/* The kernel's struct udmabuf_create and its call. */
struct udmabuf {
    uint32_t memfd;
    uint32_t flags;
    uint64_t offset;
    uint64_t size;
};
#define UDMABUF_CLOEXEC 1
#define MAKE_UDMABUF _IOW('u', 0x42, struct udmabuf)

static void dma_buf(void **state)
{
    (void)state;
    const int maker = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
    char bytes[3];

    assert_true(maker >= 0);
    const int memory = memory_with(LEN, F_SEAL_SHRINK);
    assert_int_equal(pwrite(memory, "abc", 3, PAGE), 3);
    struct udmabuf wanted = {.memfd = (uint32_t)memory, .flags = UDMABUF_CLOEXEC, .size = LEN};
    const int fd = ioctl(maker, MAKE_UDMABUF, &wanted);
    assert_true(fd >= 0);
    const vmo_t vmo = import(fd, NULL);
    assert_facts(vmo, LEN, 0, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_ok(vmo_read(rig.registry, vmo, RANGE(PAGE, 3), bytes));
    assert_memory_equal(bytes, "abc", 3);
    assert_local(vmo);
    close_both(vmo, fd);
    assert_int_equal(close(memory), 0);
    assert_int_equal(close(maker), 0);
}

/* The file system that a wrapped fstatfs reports instead of the true one; 0: the true one. */
static unsigned claimed_type;

int __real_fstatfs(int fd, struct statfs *out);
int __wrap_fstatfs(int fd, struct statfs *out);

int __wrap_fstatfs(int fd, struct statfs *out)
{
    const int failed = __real_fstatfs(fd, out);

    if (claimed_type != 0) {
        memset(&out->f_type, 0, sizeof(out->f_type));
        memcpy(&out->f_type, &claimed_type, sizeof(claimed_type));
    }
    return failed;
}

/* On any machine: a file that promises no length by a seal is a VMO if its type is that of dma-bufs. */
static void dma_buf_by_its_type(void **state)
{
    (void)state;
    const int fd = memfd_create("unsealable", MFD_CLOEXEC);
    vmo_view_t view = NO_VIEW;

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)LEN), 0);
    refuse(fd, NULL, VMO_ERR_NOT_SEALED);
    claimed_type = DMA_BUF_MAGIC;
    refuse(fd, &peers, VMO_ERR_NOT_SEALED);
    const vmo_t vmo = import(fd, &to_write);
    claimed_type = 0x01020304; /* unknown */
    refuse(fd, NULL, VMO_ERR_UNSUPPORTED);
    claimed_type = 0;
    assert_facts(vmo, LEN, 0, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(PAGE, 1), &view));
    vmo_view_data_rw(rig.registry, view)[0] = 'd';
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_trim(rig.registry));
    assert_local(vmo);
    close_both(vmo, fd);
}

/* ---- Refusals ----------------------------------------------------------------------------------- */

static void other_descriptors(void **state)
{
    (void)state;
    const int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int disk = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const int path = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    int pipes[2];

    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    refuse(folder, NULL, VMO_ERR_UNSUPPORTED);
    refuse(disk, NULL, VMO_ERR_UNSUPPORTED);
    refuse(path, NULL, VMO_ERR_INVALID);
    refuse(pipes[0], NULL, VMO_ERR_UNSUPPORTED);
    refuse(pipes[1], NULL, VMO_ERR_INVALID);
    const int closing[] = {folder, disk, path, pipes[0], pipes[1]};
    for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++) {
        assert_int_equal(close(closing[i]), 0);
    }
    refuse(pipes[1], NULL, VMO_ERR_INVALID);
}

static void modes(void **state)
{
    (void)state;
    const int fd = memory_with(LEN, FIXED);
    const int reader = reopen(fd, O_RDONLY);
    const int writer = reopen(fd, O_WRONLY);
    const int empty = memory_with(0, FIXED);

    refuse(reader, &to_write, VMO_ERR_RIGHTS);
    refuse(writer, NULL, VMO_ERR_INVALID);
    refuse(empty, NULL, VMO_ERR_ZERO_LENGTH);
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    refuse(fd, NULL, VMO_ERR_INVALID);
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(reader), 0);
    assert_int_equal(close(writer), 0);
    assert_int_equal(close(empty), 0);
}

/* ---- Export ------------------------------------------------------------------------------------- */

static void exported_descriptors(void **state)
{
    (void)state;
    const vmo_t vmo = filled(LEN);
    int reader = -1;
    int writer = -1;

    assert_ok(vmo_export_fd(rig.registry, vmo, VMO_RIGHT_READ, &reader));
    assert_ok(vmo_export_fd(rig.registry, vmo, VMO_RIGHTS_ALL, &writer));
    assert_int_equal(fcntl(reader, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(writer, F_GETFL) & O_ACCMODE, O_RDWR);
    assert_int_equal(fcntl(reader, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(writer, F_GETFD), FD_CLOEXEC);
    assert_true(reader > STDERR_FILENO && writer > STDERR_FILENO);
    assert_true(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0) == MAP_FAILED);
    assert_int_equal(fcntl(writer, F_SETFL, O_APPEND), 0); /* not of the creator's description */
    assert_ok(vmo_write(rig.registry, vmo, RANGE(0, 1), "x"));
    assert_int_equal(close(reader), 0);
    assert_int_equal(close(writer), 0);
    assert_ok(vmo_destroy(rig.registry, vmo));
}

static void exported_above_the_streams(void **state)
{
    (void)state;
    const vmo_t vmo = filled(LEN);
    const int kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    int fd = -1;

    assert_int_equal(close(STDIN_FILENO), 0);
    assert_ok(vmo_export_fd(rig.registry, vmo, VMO_RIGHT_READ, &fd));
    const vmo_t twin = import(fd, NULL);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(kept), 0);
    assert_true(fd > STDERR_FILENO);
    close_both(twin, fd);
    assert_ok(vmo_destroy(rig.registry, vmo));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

/* Runs a case that needs a machine of its own; says so where it cannot. */
static int run_alone(const char *name, const struct CMUnitTest *test, const char *reason)
{
    if (reason != NULL) {
        printf("# not run: %s: %s\n", name, reason);
        return 0;
    }
    const struct CMUnitTest tests[] = {*test};
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest huge = CASE(huge_pages);
    const struct CMUnitTest dma = CASE(dma_buf);
    const struct CMUnitTest tests[] = {
        CASE(read_only_by_default),        CASE(handed_on_read_only),        CASE(written_through_both),
        CASE(length_that_is_not_promised), CASE(seals_that_are_demanded),    CASE(part_of_a_page_is_local),
        CASE(cut_off_after_the_import),    CASE(view_past_the_new_end),      CASE(file_of_tmpfs),
        CASE(dma_buf_by_its_type),         CASE(other_descriptors),          CASE(modes),
        CASE(exported_descriptors),        CASE(exported_above_the_streams),
    };
    return cmocka_run_group_tests_name("lx_import", tests, NULL, NULL) +
           run_alone("lx_import_huge", &huge, without_huge_pages()) +
           run_alone("lx_import_dma_buf", &dma,
                     access("/dev/udmabuf", R_OK | W_OK) == 0 ? NULL : "no /dev/udmabuf");
}
