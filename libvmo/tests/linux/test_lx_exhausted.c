/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in a program that runs out of mappings, addresses or locked memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lx_test.h"

#define NOBODY 65534

/* Maps single pages until the kernel refuses. Protections alternate, so the kernel cannot merge the pages. */
static bool use_up_mappings(void)
{
    for (uint32_t i = 0; i < 2000000; i++) {
        const int protection = i % 2 ? PROT_NONE : PROT_READ;
        if (mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED) {
            return errno == ENOMEM;
        }
    }
    return false;
}

/* Runs in a child. */
static int finds_no_mapping_free(void)
{
    struct be_object object = BE_NO_OBJECT;
    struct be_object sealed = BE_NO_OBJECT;
    struct vmo_counters counters = {0};
    vmo_enforcer by = VMO_BY_NOBODY;
    void *at = NULL;

    if (be_create(PAGE, NULL, &object) != VMO_OK || be_create(2 * PAGE, NULL, &sealed) != VMO_OK ||
        be_seal(&sealed, VMO_SEAL_PEERS, &(const struct be_writer){.at = NULL}, &by) != VMO_OK) {
        return 1;
    }
    if (!use_up_mappings()) {
        return 2;
    }
    if (be_map(&object, RANGE(0, PAGE), true, &at, &counters) != VMO_ERR_NO_SLOTS ||
        be_map(&object, RANGE(0, PAGE), false, &at, &counters) != VMO_ERR_NO_SLOTS) {
        return 3;
    }
    if (be_seal(&object, VMO_SEAL_PEERS, &(const struct be_writer){.at = NULL}, &by) != VMO_ERR_NO_SLOTS) {
        return 4;
    }
    return sealed.own.kept == NULL ||
                   be_map(&sealed, RANGE(0, PAGE), true, &at, &counters) == VMO_ERR_NO_SLOTS
               ? 0
               : 5;
}

static void more_mappings_than_the_kernel_has_are_no_slots(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(finds_no_mapping_free), 0);
}

/* Limits the address space to the present size and `more` bytes. */
static bool limit_addresses(uint64_t more)
{
    unsigned long long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");

    if (statm == NULL || fscanf(statm, "%llu", &pages) != 1 || fclose(statm) != 0) {
        return false;
    }
    const rlim_t bytes = pages * PAGE + more;
    const struct rlimit limit = {bytes, bytes};
    return setrlimit(RLIMIT_AS, &limit) == 0;
}

/* Runs in a child. */
static int finds_no_addresses_for_a_second_view(void)
{
    const uint64_t bytes = UINT64_C(1) << 36;
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    if (vmo_create(rig.registry, bytes, &vmo) != VMO_OK ||
        vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) != VMO_OK || !limit_addresses(64 * PAGE)) {
        return 1;
    }
    if (vmo_map_rw(rig.registry, vmo, RANGE(0, bytes), &view) != VMO_ERR_NO_MEMORY ||
        vmo_map_ro(rig.registry, vmo, RANGE(0, bytes), &view) != VMO_ERR_NO_MEMORY) {
        return 2;
    }
    return vmo_map_rw(rig.registry, vmo, RANGE(bytes - 1, 1), &view) == VMO_OK ? 0 : 3;
}

static void no_addresses_for_a_view_after_peers_is_no_memory(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(finds_no_addresses_for_a_second_view), 0);
}

/* Runs in a child. Uses syscall, since ASan replaces mlockall by a function that does nothing. */
static int finds_no_memory_to_lock(void)
{
    const struct rlimit one_page = {PAGE, PAGE};
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    if (geteuid() == 0 &&
        (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)) {
        return 1;
    }
    if (vmo_create(rig.registry, 100 * PAGE, &vmo) != VMO_OK || syscall(SYS_mlockall, MCL_FUTURE) != 0 ||
        setrlimit(RLIMIT_MEMLOCK, &one_page) != 0) {
        return 2;
    }
    if (vmo_map_rw(rig.registry, vmo, RANGE(0, 100 * PAGE), &view) != VMO_ERR_NO_MEMORY ||
        vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS) != VMO_ERR_NO_MEMORY) {
        return 3;
    }
    return vmo_write(rig.registry, vmo, RANGE(0, 1), "w") == VMO_OK ? 0 : 4;
}

static void a_limit_of_locked_memory_is_no_memory(void **state)
{
    (void)state;
    skip_under_valgrind();
    assert_int_equal(in_child(finds_no_memory_to_lock), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(more_mappings_than_the_kernel_has_are_no_slots),
        CASE(no_addresses_for_a_view_after_peers_is_no_memory),
        CASE(a_limit_of_locked_memory_is_no_memory),
    };
    return cmocka_run_group_tests_name("lx_exhausted", tests, NULL, NULL);
}
