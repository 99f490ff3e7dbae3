/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs of huge pages: refused where the machine has none, and all of their life where it has some. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lx_test.h"

#define PAGES 3 /* that the cases need at once */

static const struct vmo_create_options huge = {.flags = VMO_CREATE_HUGE};
static uint64_t huge_bytes;

static vmo_t make(uint64_t len_bytes)
{
    vmo_t vmo = VMO_NONE;

    assert_ok(vmo_create_with(rig.registry, len_bytes, &huge, &vmo));
    return vmo;
}

/* ---- Everywhere --------------------------------------------------------------------------------- */

static void refused_beyond_the_pool(void **state)
{
    vmo_t vmo = {77, 77};

    (void)state;
    const vmo_status kind = huge_bytes ? VMO_ERR_NO_MEMORY : VMO_ERR_UNSUPPORTED;
    assert_refused(vmo_create_with(rig.registry, UINT64_C(1) << 39, &huge, &vmo), kind);
    assert_int_equal(vmo.id, 77);
}

static void limits_count_whole_huge_pages(void **state)
{
    static uint8_t storage[VMO_REGISTRY_BYTES(1, 1, 1, 1)] __attribute__((aligned(16)));
    struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1, .total_bytes_max = huge_bytes - 1};
    struct vmo_registry *small = NULL;
    vmo_t vmo = VMO_NONE;

    (void)state;
    assert_ok(vmo_registry_init(storage, sizeof(storage), &limits, &small));
    assert_refused(vmo_create_with(small, 1, &huge, &vmo), huge_bytes ? VMO_ERR_QUOTA : VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_registry_fini(small));
}

/* ---- Where the machine has some ----------------------------------------------------------------- */

static void written_and_read(void **state)
{
    const vmo_t vmo = make(huge_bytes + 1);
    vmo_view_t view = NO_VIEW;
    vmo_t copy = VMO_NONE;
    uint64_t size = 0;
    uint8_t byte = 0;

    (void)state;
    assert_ok(vmo_size(rig.registry, vmo, &size));
    assert_int_equal(size, 2 * huge_bytes);
    assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 1), "x"), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(huge_bytes, 1), &view));
    assert_int_equal(vmo_view_data(rig.registry, view)[0], 0);
    vmo_view_data_rw(rig.registry, view)[0] = 'x';
    assert_ok(vmo_read(rig.registry, vmo, RANGE(huge_bytes, 1), &byte));
    assert_int_equal(byte, 'x');
    assert_ok(vmo_copy(rig.registry, vmo, &copy));
    assert_ok(vmo_read(rig.registry, copy, RANGE(huge_bytes, 1), &byte));
    assert_int_equal(byte, 'x');
    assert_ok(vmo_destroy(rig.registry, copy));
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_destroy(rig.registry, vmo));
}

static void sealed(void **state)
{
    const vmo_t vmo = make(1);
    const struct vmo_import_options options = {.seal = VMO_SEAL_FOREVER};
    vmo_view_t view = NO_VIEW;
    vmo_t twin = VMO_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;
    int fd = -1;

    (void)state;
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_refused(vmo_map_rw(rig.registry, vmo, RANGE(0, 1), &view), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(0, 1), "p"));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    assert_ok(vmo_seal_enforced_by(rig.registry, vmo, &by));
    assert_int_equal(by, VMO_BY_KERNEL);
    assert_refused(vmo_map_rw(rig.registry, vmo, RANGE(0, 1), &view), VMO_ERR_SEALED);
    assert_ok(vmo_export_fd(rig.registry, vmo, VMO_RIGHT_READ, &fd));
    assert_ok(vmo_import_fd(rig.registry, fd, &options, &twin));
    assert_ok(vmo_map_ro(rig.registry, twin, RANGE(0, 1), &view));
    assert_int_equal(vmo_view_data(rig.registry, view)[0], 'p');
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_close(rig.registry, twin));
    assert_ok(vmo_close(rig.registry, vmo));
    assert_int_equal(close(fd), 0);
}

/* The seal takes over the mapping, and later views use it. */
static void sealed_after_a_view_of_the_whole(void **state)
{
    const vmo_t vmo = make(huge_bytes);
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, huge_bytes), &view));
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(1, 1), &view));
    vmo_view_data_rw(rig.registry, view)[0] = 'v';
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_destroy(rig.registry, vmo));
}

static void not_handed_over(void **state)
{
    const vmo_t vmo = make(1);
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_ticket ticket;

    (void)state;
    assert_refused(vmo_send(rig.registry, rig.peer, &message, PAST_NS), VMO_ERR_UNSUPPORTED);
    assert_refused(vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_destroy(rig.registry, vmo));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

/* Sets huge_bytes; returns why this machine cannot run the cases with huge pages, or NULL. */
static const char *without_huge_pages(void)
{
    struct vmo_registry *registry = NULL;
    const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1};
    uint8_t shift = 0;
    vmo_t vmo = VMO_NONE;

    if (vmo_registry_new(&limits, &registry) != VMO_OK || be_huge_pages(&shift) != VMO_OK) {
        return "no memfd of huge pages";
    }
    huge_bytes = UINT64_C(1) << shift;
    if (vmo_create_with(registry, PAGES * huge_bytes, &huge, &vmo) != VMO_OK) {
        return vmo_registry_free(registry) == VMO_OK ? "vm.nr_hugepages is less than 3" : "it is not freed";
    }
    return vmo_close(registry, vmo) == VMO_OK && vmo_registry_free(registry) == VMO_OK ? NULL : "it stays";
}

int main(void)
{
    const char *reason = without_huge_pages();
    const struct CMUnitTest everywhere[] = {
        CASE(refused_beyond_the_pool),
        CASE(limits_count_whole_huge_pages),
    };
    const struct CMUnitTest with_pages[] = {
        CASE(written_and_read),
        CASE(sealed),
        CASE(sealed_after_a_view_of_the_whole),
        CASE(not_handed_over),
    };
    const int failed = cmocka_run_group_tests_name("lx_huge", everywhere, NULL, NULL);

    if (reason != NULL) {
        printf("# not run: lx_huge_with_pages: %s\n", reason);
        return failed;
    }
    return failed + cmocka_run_group_tests_name("lx_huge_with_pages", with_pages, NULL, NULL);
}
