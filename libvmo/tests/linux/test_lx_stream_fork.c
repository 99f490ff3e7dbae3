/* SPDX-License-Identifier: Apache-2.0 */
/* A child that is forked must not write the words of its parent's streams: each call is refused there. */
#include "linux/lx_test.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmo/stream.h"

#define TAG 9

static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(2, 1)];
static alignas(16) uint8_t consumer_storage[VMO_STREAM_CONSUMER_BYTES];

static int refused_everywhere(struct vmo_producer *producer, struct vmo_consumer *consumer,
                              const struct vmo_loan *on_loan, const struct vmo_frame *held)
{
    struct vmo_stream_counters counters;
    struct vmo_loan loan;
    struct vmo_frame frame;
    vmo_consumer_t name = {1};
    int fd = -1;
    const vmo_status answers[] = {
        vmo_stream_offer(producer, rig.peer, TAG, 0, &name),
        vmo_stream_loan(producer, 0, &loan, NULL),
        vmo_stream_publish(producer, on_loan, 1, 1),
        vmo_stream_copy_in(producer, on_loan, (struct vmo_range){0, 1}, "", VMO_READER_NEAR),
        vmo_stream_drop(producer, on_loan),
        vmo_stream_expel(producer, name),
        vmo_stream_counters_read(producer, &counters),
        vmo_stream_producer_fd(producer, &fd),
        vmo_stream_close(producer),
        vmo_stream_take(consumer, 0, &frame),
        vmo_stream_release(consumer, held),
        vmo_stream_fd(consumer, &fd),
        vmo_stream_leave(consumer),
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answers[i] != VMO_ERR_BAD_HANDLE) {
            return 1;
        }
    }
    return 0;
}

static void a_forked_child_is_refused(void **state)
{
    const struct vmo_stream_options options = {
        .buffers = 2, .consumers = 1, .hold = 1, .capacity_bytes = PAGE};
    struct vmo_producer *producer = NULL;
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    struct vmo_loan loan;
    struct vmo_frame frame;
    vmo_consumer_t name;
    vmo_peer_t near;
    int status = -1;

    (void)state;
    struct vmo_registry *far = far_make(&near);
    assert_ok(
        vmo_stream_create(rig.registry, &options, producer_storage, sizeof(producer_storage), &producer));
    assert_ok(vmo_stream_offer(producer, rig.peer, TAG, soon(), &name));
    assert_ok(vmo_recv(far, near, &offer, soon()));
    assert_ok(
        vmo_stream_join(far, near, &offer, consumer_storage, sizeof(consumer_storage), soon(), &consumer));
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    assert_ok(vmo_stream_publish(producer, &loan, 1, 1));
    assert_ok(vmo_stream_take(consumer, 0, &frame));
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    (void)fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(refused_everywhere(producer, consumer, &loan, &frame));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_ok(vmo_stream_release(consumer, &frame));
    assert_ok(vmo_stream_publish(producer, &loan, 1, 1));
    assert_ok(vmo_stream_take(consumer, 0, &frame));
    assert_ok(vmo_stream_leave(consumer));
    assert_ok(vmo_stream_close(producer));
    far_drop(near);
}

/* A kernel or a filter refuses the one madvise, which makes a page that a fork clears. */
static bool refuses;

int __real_madvise(void *at, size_t len, int advice);
int __wrap_madvise(void *at, size_t len, int advice);
int __wrap_madvise(void *at, size_t len, int advice)
{
    if (refuses) {
        errno = EINVAL;
        return -1;
    }
    return __real_madvise(at, len, advice);
}

static void forks_cannot_be_told(void **state)
{
    const struct vmo_stream_options options = {
        .buffers = 2, .consumers = 1, .hold = 1, .capacity_bytes = PAGE};
    struct vmo_producer *producer = NULL;
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    vmo_consumer_t name;
    vmo_peer_t near;

    (void)state;
    struct vmo_registry *far = far_make(&near);
    refuses = true;
    assert_status(
        vmo_stream_create(rig.registry, &options, producer_storage, sizeof(producer_storage), &producer),
        VMO_ERR_UNSUPPORTED);
    refuses = false;
    assert_ok(
        vmo_stream_create(rig.registry, &options, producer_storage, sizeof(producer_storage), &producer));
    assert_ok(vmo_stream_offer(producer, rig.peer, TAG, soon(), &name));
    assert_ok(vmo_recv(far, near, &offer, soon()));
    refuses = true;
    assert_status(
        vmo_stream_join(far, near, &offer, consumer_storage, sizeof(consumer_storage), soon(), &consumer),
        VMO_ERR_UNSUPPORTED);
    refuses = false;
    assert_ok(
        vmo_stream_join(far, near, &offer, consumer_storage, sizeof(consumer_storage), soon(), &consumer));
    assert_ok(vmo_stream_leave(consumer));
    assert_ok(vmo_stream_close(producer));
    far_drop(near);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_forked_child_is_refused, rig_make, rig_drop),
        cmocka_unit_test_setup_teardown(forks_cannot_be_told, rig_make, rig_drop),
    };

    return cmocka_run_group_tests_name("linux/stream_fork", tests, NULL, NULL);
}
