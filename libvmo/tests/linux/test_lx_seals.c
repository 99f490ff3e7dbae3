/* SPDX-License-Identifier: Apache-2.0 */
/* Seals on Linux: enforcement, refusals, and older kernels. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_test.h"

#define FOREVER_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* Under a tool without mremap of size 0 the library enforces PEERS, and reports that. */
static vmo_enforcer enforcer_of(vmo_t vmo)
{
    vmo_enforcer by = VMO_BY_NOBODY;

    assert_ok(vmo_seal_enforced_by(rig.registry, vmo, &by));
    return by;
}

/* Not even through a description that was opened for writing. */
static void assert_cannot_write(int descriptor)
{
    const int writer = reopen(descriptor, O_RDWR);

    assert_int_equal(pwrite(writer, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0), MAP_FAILED);
    assert_int_equal(errno, EPERM);
    void *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writer, 0);
    assert_true(at != MAP_FAILED);
    assert_int_equal(mprotect(at, PAGE, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(munmap(at, PAGE), 0);
    assert_int_equal(close(writer), 0);
}

/* ---- PEERS -------------------------------------------------------------------------------------- */

static void owner_writes_on_after_peers(void **state)
{
    const vmo_t vmo = filled(3 * PAGE);
    vmo_view_t before = NO_VIEW;
    vmo_view_t after = NO_VIEW;
    vmo_view_t reader = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, 10), &before));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    vmo_view_data_rw(rig.registry, before)[0] = 'a';
    assert_ok(vmo_write(rig.registry, vmo, RANGE(PAGE + 1, 2), "bc"));
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(PAGE, 2 * PAGE), &after));
    vmo_view_data_rw(rig.registry, after)[PAGE] = 'd';
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(0, 3 * PAGE), &reader));
    const uint8_t *bytes = vmo_view_data(rig.registry, reader);
    assert_int_equal(bytes[0], 'a');
    assert_pattern(bytes + 1, 1, PAGE);
    assert_memory_equal(bytes + PAGE + 1, "bc", 2);
    assert_int_equal(bytes[2 * PAGE], 'd');
    assert_ok(vmo_unmap(rig.registry, before));
    assert_ok(vmo_unmap(rig.registry, reader));
    assert_refused(vmo_destroy(rig.registry, vmo), VMO_ERR_STILL_MAPPED);
    /* The view is a separate mapping: it outlives the handle and the kept mapping. */
    assert_ok(vmo_close(rig.registry, vmo));
    vmo_view_data_rw(rig.registry, after)[0] = 'e';
    assert_int_equal(vmo_view_data(rig.registry, after)[PAGE], 'd');
    assert_ok(vmo_unmap(rig.registry, after));
}

static void peers_cannot_write_after_peers(void **state)
{

    (void)state;
    if (!kernel_enforces_peers()) {
        skip();
    }
    const vmo_t vmo = filled(2 * PAGE);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_int_equal(enforcer_of(vmo), VMO_BY_KERNEL);
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    assert_int_equal(fcntl(descriptor, F_GET_SEALS) & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE | F_SEAL_SEAL),
                     F_SEAL_FUTURE_WRITE);
    assert_cannot_write(descriptor);
    /* The owner's next store is seen there. */
    assert_ok(vmo_write(rig.registry, vmo, RANGE(0, 1), "n"));
    char byte = 0;
    assert_int_equal(pread(descriptor, &byte, 1, 0), 1);
    assert_int_equal(byte, 'n');
    assert_refused(vmo_send(rig.registry, rig.peer,
                            &(struct vmo_message){.vmo = vmo, .rights = VMO_RIGHTS_ALL}, PAST_NS),
                   VMO_ERR_SEALED);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void peers_after_a_writable_transfer_is_busy(void **state)
{
    const vmo_t vmo = filled(PAGE);
    vmo_seal_strength strength = VMO_SEAL_FOREVER;

    (void)state;
    const int descriptor = far_given(vmo, VMO_RIGHTS_ALL);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_ok(vmo_seal_of(rig.registry, vmo, &strength));
    assert_int_equal(strength, VMO_SEAL_NONE);
    assert_int_equal(pwrite(descriptor, "p", 1, 0), 1);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void the_mapping_that_peers_keeps_is_counted(void **state)
{
    const vmo_t first = filled(3 * PAGE);
    const vmo_t second = filled(1);

    (void)state;
    if (!kernel_enforces_peers()) {
        skip();
    }
    assert_int_equal(look().counters.kept_seal_bytes, 0);
    assert_ok(vmo_seal(rig.registry, first, VMO_SEAL_PEERS));
    assert_int_equal(look().counters.kept_seal_bytes, 3 * PAGE);
    assert_ok(vmo_seal(rig.registry, second, VMO_SEAL_PEERS));
    assert_int_equal(look().counters.kept_seal_bytes, 4 * PAGE);
    assert_ok(vmo_seal(rig.registry, first, VMO_SEAL_FOREVER));
    assert_int_equal(look().counters.kept_seal_bytes, PAGE);
    assert_ok(vmo_destroy(rig.registry, second));
    assert_int_equal(look().counters.kept_seal_bytes, 0);
    assert_ok(vmo_close(rig.registry, first));
}

static void peers_takes_over_the_writable_mapping(void **state)
{
    const uint32_t none = look().mappings;
    const vmo_t vmo = filled(3 * PAGE);
    vmo_view_t view = NO_VIEW;
    vmo_view_t again = NO_VIEW;

    (void)state;
    if (!kernel_enforces_peers()) {
        skip();
    }
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, 3 * PAGE), &view));
    uint8_t *at = vmo_view_data_rw(rig.registry, view);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_int_equal(look().mappings, none + 1);
    assert_int_equal(look().counters.kept_seal_bytes, 3 * PAGE);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(5, 1), &view));
    assert_ptr_equal(vmo_view_data_rw(rig.registry, view), at + 5);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_trim(rig.registry)); /* forgets it; the seal keeps it */
    assert_int_equal(look().mappings, none + 1);
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, 3 * PAGE), &again));
    vmo_view_data_rw(rig.registry, again)[7] = 99;
    assert_int_equal(at[7], 99);
    assert_int_equal(look().mappings, none + 2);
    assert_ok(vmo_unmap(rig.registry, again));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    assert_int_equal(look().mappings, none);
    assert_int_equal(look().counters.kept_seal_bytes, 0);
    assert_int_equal(enforcer_of(vmo), VMO_BY_KERNEL);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void a_view_outlives_the_mapping_that_peers_took(void **state)
{
    const uint32_t none = look().mappings;
    const vmo_t vmo = filled(PAGE);
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, PAGE), &view));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_ok(vmo_close(rig.registry, vmo));
    vmo_view_data_rw(rig.registry, view)[0] = 5;
    assert_int_equal(vmo_view_data(rig.registry, view)[0], 5);
    assert_int_equal(look().counters.kept_seal_bytes, 0);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_int_equal(look().mappings, none);
}

/* Where nothing may stay mapped without a view, the seal makes a mapping of its own. */
static void a_limited_mapping_is_not_taken(void **state)
{
    const uint32_t none = look().mappings;
    const vmo_t vmo = filled(PAGE);
    vmo_view_t view = NO_VIEW;

    (void)state;
    if (!kernel_enforces_peers()) {
        skip();
    }
    assert_ok(vmo_keep_limits(rig.registry, 0, 0));
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, PAGE), &view));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_int_equal(look().mappings, none + 2);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_int_equal(look().mappings, none + 1);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* ---- FOREVER ------------------------------------------------------------------------------------ */

static void nobody_writes_after_forever(void **state)
{
    (void)state;
    for (int by_way_of_peers = 0; by_way_of_peers < 2; by_way_of_peers++) {
        const vmo_t vmo = filled(2 * PAGE);
        vmo_view_t view = NO_VIEW;
        uint32_t rights = 0;
        if (by_way_of_peers) {
            assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
        }
        assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
        assert_int_equal(enforcer_of(vmo), VMO_BY_KERNEL);
        assert_ok(vmo_rights(rig.registry, vmo, &rights));
        assert_int_equal(rights, VMO_RIGHT_READ);
        assert_refused(vmo_write(rig.registry, vmo, RANGE(0, 1), "x"), VMO_ERR_SEALED);
        assert_refused(vmo_map_rw(rig.registry, vmo, RANGE(0, 1), &view), VMO_ERR_SEALED);
        assert_refused(vmo_destroy(rig.registry, vmo), VMO_ERR_SEALED);
        const int descriptor = far_given(vmo, VMO_RIGHT_READ);
        assert_int_equal(fcntl(descriptor, F_GET_SEALS) & FOREVER_SEALS, FOREVER_SEALS);
        assert_cannot_write(descriptor);
        assert_int_equal(close(descriptor), 0);
        assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(0, 2 * PAGE), &view));
        assert_pattern(vmo_view_data(rig.registry, view), 0, 2 * PAGE);
        assert_ok(vmo_unmap(rig.registry, view));
        assert_ok(vmo_close(rig.registry, vmo));
    }
}

static void forever_is_busy_while_viewed(void **state)
{
    const vmo_t vmo = filled(PAGE);
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, PAGE), &view));
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    vmo_view_data_rw(rig.registry, view)[0] = 'w';
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_map_ro(rig.registry, vmo, RANGE(0, PAGE), &view));
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER)); /* kept mappings do not count */
    assert_ok(vmo_close(rig.registry, vmo));
}

/* A mapping that the library does not know, through a description opened anew. */
static uint8_t *map_as_a_stranger(int descriptor)
{
    const int writer = reopen(descriptor, O_RDWR);
    uint8_t *stranger = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);

    assert_true(stranger != MAP_FAILED);
    assert_int_equal(close(writer), 0);
    return stranger;
}

static void forever_is_busy_while_a_stranger_can_write(void **state)
{
    const vmo_t vmo = filled(PAGE);
    uint8_t byte = 0;

    (void)state;
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    uint8_t *stranger = map_as_a_stranger(descriptor);
    const uint32_t mappings = look().mappings;
    assert_status(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_int_equal(look().mappings, mappings - 1); /* the unused one that filled() left */
    assert_refused(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_int_equal(enforcer_of(vmo), VMO_BY_NOBODY);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(0, 1), "o"));
    assert_ok(vmo_read(rig.registry, vmo, RANGE(0, 1), &byte));
    assert_int_equal(byte, 'o');
    assert_int_equal(munmap(stranger, PAGE), 0);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

static uint8_t *strangers;

static void unmap_stranger(int signal)
{
    (void)signal;
    (void)munmap(strangers, PAGE);
}

/* A child that another thread forked while a view was made has it mapped until it calls exec. */
static void forever_waits_for_a_mapping_that_goes_soon(void **state)
{
    const vmo_t vmo = filled(PAGE);
    const struct itimerval soon_once = {.it_value = {.tv_usec = 1000}};
    struct sigaction before;
    const struct sigaction action = {.sa_handler = unmap_stranger};

    (void)state;
    const int descriptor = far_given(vmo, VMO_RIGHT_READ);
    strangers = map_as_a_stranger(descriptor);
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon_once, NULL), 0);
    const vmo_status status = vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER);
    assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0}}, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_status(status, VMO_OK);
    assert_int_equal(enforcer_of(vmo), VMO_BY_KERNEL);
    assert_int_equal(close(descriptor), 0);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* A process that was forked meanwhile does not inherit the kept mapping. */
static void forever_after_peers_despite_a_fork(void **state)
{
    vmo_t vmo = VMO_NONE;
    int hold[2];
    int ended = -1;
    char byte = 0;

    (void)state;
    assert_ok(vmo_create(rig.registry, PAGE, &vmo));
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* lives until the pipe ends */
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    const vmo_status sealed = vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER);
    assert_int_equal(close(hold[0]) + close(hold[1]), 0);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_status(sealed, VMO_OK);
    assert_ok(vmo_close(rig.registry, vmo));
}

/* ---- Kernels that lack something ---------------------------------------------------------------------- */

static void older_kernel_leaves_peers_to_the_library(void **state)
{
    const vmo_t vmo = filled(PAGE);
    vmo_view_t view = NO_VIEW;

    (void)state;
    lx_features_without(LX_PEERS_SEAL);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_PEERS));
    assert_int_equal(enforcer_of(vmo), VMO_BY_LIBRARY);
    assert_ok(vmo_write(rig.registry, vmo, RANGE(0, 1), "o"));
    assert_ok(vmo_map_rw(rig.registry, vmo, RANGE(0, 1), &view));
    assert_ok(vmo_unmap(rig.registry, view));
    assert_refused(vmo_send(rig.registry, rig.peer,
                            &(struct vmo_message){.vmo = vmo, .rights = VMO_RIGHTS_ALL}, PAST_NS),
                   VMO_ERR_SEALED);
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    assert_int_equal(enforcer_of(vmo), VMO_BY_KERNEL);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void older_kernel_maps_sealed_memory_private(void **state)
{
    const vmo_t plain = filled(PAGE);
    const vmo_t sealed = filled(PAGE);
    vmo_view_t view = NO_VIEW;

    (void)state;
    lx_features_without(LX_SHARED_RO);
    assert_ok(vmo_seal(rig.registry, sealed, VMO_SEAL_FOREVER));
    assert_ok(vmo_map_ro(rig.registry, plain, RANGE(0, PAGE), &view));
    assert_ok(vmo_unmap(rig.registry, view));
    assert_int_equal(look().counters.private_maps, 0);
    assert_int_equal(count_mappings(" r--p "), 0);
    assert_ok(vmo_map_ro(rig.registry, sealed, RANGE(0, PAGE), &view));
    assert_pattern(vmo_view_data(rig.registry, view), 0, PAGE);
    assert_int_equal(look().counters.private_maps, 1);
    assert_int_equal(count_mappings(" r--p "), 1);
    assert_ok(vmo_unmap(rig.registry, view));
    assert_ok(vmo_close(rig.registry, plain));
    assert_ok(vmo_close(rig.registry, sealed));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(owner_writes_on_after_peers),
        CASE(peers_cannot_write_after_peers),
        CASE(peers_after_a_writable_transfer_is_busy),
        CASE(the_mapping_that_peers_keeps_is_counted),
        CASE(peers_takes_over_the_writable_mapping),
        CASE(a_view_outlives_the_mapping_that_peers_took),
        CASE(a_limited_mapping_is_not_taken),
        CASE(nobody_writes_after_forever),
        CASE(forever_is_busy_while_viewed),
        CASE(forever_is_busy_while_a_stranger_can_write),
        CASE(forever_waits_for_a_mapping_that_goes_soon),
        CASE(forever_after_peers_despite_a_fork),
        CASE(older_kernel_leaves_peers_to_the_library),
        CASE(older_kernel_maps_sealed_memory_private),
    };
    return cmocka_run_group_tests_name("lx_seals", tests, NULL, NULL);
}
