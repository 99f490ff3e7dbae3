/* SPDX-License-Identifier: Apache-2.0 */
/* Pollable streams, both sides in one thread: when a descriptor is readable, and when it must not be. */
#define _GNU_SOURCE
#include "linux/stream_poll.h"

#include <sys/ioctl.h>

#include "lx.h"
#include "registry.h"

static struct vmo_registry *far;
static vmo_peer_t near;

static void begin(vmo_stream_policy policy, uint32_t pollable)
{
    const struct vmo_stream_options options = options_of(policy, pollable);
    struct vmo_incoming offer;

    far = far_make(&near);
    assert_ok(
        vmo_stream_create(rig.registry, &options, producer_storage, sizeof(producer_storage), &producer));
    assert_ok(vmo_stream_offer(producer, rig.peer, TAG, soon(), &name));
    assert_ok(vmo_recv(far, near, &offer, soon()));
    assert_ok(
        vmo_stream_join(far, near, &offer, consumer_storage, sizeof(consumer_storage), soon(), &consumer));
}

static void end(void)
{
    assert_ok(vmo_stream_leave(consumer));
    assert_ok(vmo_stream_close(producer));
    far_drop(near);
}

static uint64_t wakes(void)
{
    struct vmo_stream_counters counters;

    assert_ok(vmo_stream_counters_read(producer, &counters));
    return counters.wakes;
}

static void take_until_none(void)
{
    struct vmo_frame frame;
    vmo_status status = vmo_stream_take(consumer, 0, &frame);

    for (; status == VMO_OK; status = vmo_stream_take(consumer, 0, &frame)) {
        assert_ok(vmo_stream_release(consumer, &frame));
    }
    assert_status(status, VMO_ERR_TIMED_OUT);
}

static void a_frame_is_signalled_once(void **state)
{
    (void)state;
    begin(VMO_STREAM_LATEST, 1);
    publish();
    take_until_none();
    assert_int_equal(wakes(), 0); /* nobody had polled */
    assert_int_equal(seen(consumer_fd()), 0);
    publish();
    assert_int_equal(seen(consumer_fd()), POLLIN);
    publish();
    assert_int_equal(wakes(), 1);
    take_until_none();
    assert_int_equal(seen(consumer_fd()), 0);
    take_until_none(); /* the same frame is awaited again */
    publish();
    assert_int_equal(seen(consumer_fd()), POLLIN);
    assert_int_equal(wakes(), 2);
    end();
}

static void a_buffer_is_signalled_once(void **state)
{
    struct vmo_frame frame;
    struct vmo_loan loan;
    int bytes = 0;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    for (uint32_t round = 0; round < 3; round++) {
        publish();
        publish();
        assert_status(vmo_stream_loan(producer, 0, &loan, NULL), VMO_ERR_TIMED_OUT);
        assert_int_equal(seen(producer_fd()), 0);
        for (uint32_t i = 0; i < 2; i++) {
            assert_ok(vmo_stream_take(consumer, 0, &frame));
            assert_ok(vmo_stream_release(consumer, &frame));
            assert_int_equal(seen(producer_fd()), POLLIN);
        }
        assert_int_equal(ioctl(producer->seats[0].notifier, FIONREAD, &bytes), 0);
        assert_int_equal(bytes, 1);
    }
    end();
}

/* The other side acts after the last fruitless look and before the announcement: where a side clears its
 * notifier, by the only recv of the library (-Wl,--wrap=recv). */
static void (*on_clear)(void);

ssize_t __real_recv(int fd, void *out, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *out, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *out, size_t len, int flags)
{
    void (*const act)(void) = on_clear;

    on_clear = NULL;
    if (act != NULL) {
        act();
    }
    return __real_recv(fd, out, len, flags);
}

static struct vmo_frame taken;

static void release_taken(void)
{
    assert_ok(vmo_stream_release(consumer, &taken));
}

static void announced_too_late(void **state)
{
    struct vmo_loan loan;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    on_clear = publish;
    assert_ok(vmo_stream_take(consumer, 0, &taken));
    publish();
    on_clear = release_taken;
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    assert_null(on_clear);
    end();
}

/* LATEST: the signal for a frame is cleared, and the frame is overwritten before the last look finds it. The
 * test ends its entry, as the producer does once a newer frame is there. */
static void publish_in_vain(void)
{
    publish();
    atomic_store(&producer->control->ring[(producer->next - 1) & producer->mask].sequence, 0);
}

static void cleared_and_overwritten(void **state)
{
    struct vmo_frame frame;

    (void)state;
    begin(VMO_STREAM_LATEST, 1);
    take_until_none();
    on_clear = publish_in_vain;
    assert_status(vmo_stream_take(consumer, 0, &frame), VMO_ERR_TIMED_OUT);
    assert_null(on_clear);
    assert_int_equal(seen(consumer_fd()), 0);
    publish();
    assert_int_equal(seen(consumer_fd()), POLLIN);
    assert_ok(vmo_stream_take(consumer, 0, &frame));
    assert_int_equal(frame.lost, 1);
    end();
}

/* A producer that only sleeps, or is busy, is not notified. */
static void nobody_polls(void **state)
{
    struct vmo_frame frame;
    struct vmo_loan loan;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    for (uint32_t i = 0; i < 100; i++) {
        assert_ok(vmo_stream_loan(producer, soon(), &loan, NULL));
        assert_ok(vmo_stream_publish(producer, &loan, 1, 1));
        assert_ok(vmo_stream_take(consumer, soon(), &frame));
        assert_ok(vmo_stream_release(consumer, &frame));
    }
    assert_int_equal(wakes(), 0);
    assert_int_equal(seen(consumer_fd()), 0);
    assert_int_equal(seen(producer_fd()), 0);
    end();
}

static void expelled(void **state)
{
    struct vmo_frame frame;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    take_until_none();
    assert_ok(vmo_stream_expel(producer, name));
    assert_true(seen(consumer_fd()) & POLLHUP);
    assert_status(vmo_stream_take(consumer, 0, &frame), VMO_ERR_EXPELLED);
    assert_int_equal(seen(producer_fd()), 0);
    end();
}

static void closed(void **state)
{
    struct vmo_frame frame;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    take_until_none();
    publish();
    assert_ok(vmo_stream_close(producer));
    assert_true(seen(consumer_fd()) & POLLHUP);
    assert_ok(vmo_stream_take(consumer, 0, &frame));
    assert_ok(vmo_stream_release(consumer, &frame));
    assert_status(vmo_stream_take(consumer, 0, &frame), VMO_ERR_PEER_GONE);
    assert_ok(vmo_stream_leave(consumer));
    far_drop(near);
}

static void the_consumer_leaves(void **state)
{
    struct vmo_stream_counters counters;
    struct vmo_loan loan;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    publish();
    publish();
    assert_status(vmo_stream_loan(producer, 0, &loan, NULL), VMO_ERR_TIMED_OUT);
    assert_ok(vmo_stream_leave(consumer));
    assert_true(seen(producer_fd()) & POLLIN);
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    assert_int_equal(seen(producer_fd()), 0);
    assert_ok(vmo_stream_counters_read(producer, &counters));
    assert_int_equal(counters.expelled, 0); /* to leave is no offence */
    assert_ok(vmo_stream_close(producer));
    far_drop(near);
}

/* A child that was forked and lives on keeps every descriptor open. */
static pid_t fork_idle(int *until_closed)
{
    int ends[2];
    char byte = 0;

    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    assert_int_equal(close(ends[0]), 0);
    *until_closed = ends[1];
    return pid;
}

static int child_lives = -1;
static pid_t child;

static void begin_and_fork(void)
{
    begin(VMO_STREAM_BACKPRESSURE, 1);
    child = fork_idle(&child_lives);
}

static void end_child(void)
{
    int status = -1;

    assert_int_equal(close(child_lives), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_forked_child_hides_no_expel(void **state)
{
    (void)state;
    begin_and_fork();
    assert_ok(vmo_stream_expel(producer, name));
    assert_true(seen(consumer_fd()) & POLLHUP);
    end();
    end_child();
}

static void a_forked_child_hides_no_close(void **state)
{
    (void)state;
    begin_and_fork();
    assert_ok(vmo_stream_close(producer));
    assert_true(seen(consumer_fd()) & POLLHUP);
    assert_ok(vmo_stream_leave(consumer));
    far_drop(near);
    end_child();
}

static void a_forked_child_hides_no_leave(void **state)
{
    (void)state;
    begin_and_fork();
    assert_ok(vmo_stream_leave(consumer));
    assert_true(seen(producer_fd()) & POLLIN);
    assert_ok(vmo_stream_close(producer));
    far_drop(near);
    end_child();
}

/* A consumer that closes its notifier alone would keep the producer's descriptor readable for ever. */
static void the_consumer_hangs_up(void **state)
{
    vmo_consumer_t about = {0};
    struct vmo_loan loan;
    int fd = -1;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    publish();
    publish();
    assert_ok(vmo_stream_fd(consumer, &fd));
    assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
    assert_status(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_PEER_GONE);
    assert_int_equal(about.id, name.id);
    assert_int_equal(seen(producer_fd()), 0);
    end();
}

/* Bytes without cause: each look clears thousands, answers as if there were none, and never waits. */
static void a_flood(void **state)
{
    static const char bytes[1024];
    struct vmo_frame frame;
    struct vmo_loan loan;
    uint32_t looks = 0;

    (void)state;
    begin(VMO_STREAM_BACKPRESSURE, 1);
    const int to_consumer = producer->seats[0].notifier;
    while (send(to_consumer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
    }
    while (seen(consumer_fd())) {
        assert_status(vmo_stream_take(consumer, 0, &frame), VMO_ERR_TIMED_OUT);
        looks++;
    }
    assert_in_range(looks, 2, 2000);
    publish();
    assert_int_equal(seen(consumer_fd()), POLLIN);
    assert_ok(vmo_stream_take(consumer, 0, &frame));
    publish();
    while (send(consumer_fd(), bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
    }
    while (seen(producer_fd())) {
        assert_status(vmo_stream_loan(producer, 0, &loan, NULL), VMO_ERR_TIMED_OUT);
    }
    assert_ok(vmo_stream_release(consumer, &frame));
    assert_int_equal(seen(producer_fd()), POLLIN);
    end();
}

/* The page is the consumer's view that can be written. */
static void find_page(void *context, const struct vmo_live *live)
{
    if (live->kind == VMO_LIVE_VIEW && live->rights == VMO_RIGHTS_ALL) {
        *(void **)context = vmo_view_data_rw(far, live->view);
    }
}

static void not_pollable(void **state)
{
    int fd = -1;

    (void)state;
    begin(VMO_STREAM_LATEST, 0);
    assert_status(vmo_stream_fd(consumer, &fd), VMO_ERR_UNSUPPORTED);
    assert_status(vmo_stream_producer_fd(producer, &fd), VMO_ERR_UNSUPPORTED);
    assert_status(vmo_stream_fd(consumer, NULL), VMO_ERR_INVALID);
    assert_status(vmo_stream_fd(NULL, &fd), VMO_ERR_INVALID);
    assert_status(vmo_stream_producer_fd(producer, NULL), VMO_ERR_INVALID);
    assert_status(vmo_stream_producer_fd(NULL, &fd), VMO_ERR_INVALID);
    assert_int_equal(fd, -1);
    /* A consumer that claims to poll all the same is not rung. */
    struct stream_page *page = NULL;
    assert_ok(vmo_registry_each(far, find_page, &page));
    atomic_store(&page->awaits, STREAM_POLLS | 1);
    publish();
    assert_int_equal(wakes(), 0);
    end();
}

/* The other side hands over a file of another kind, on which a call may block, or none. */
static void no_notifier(void **state)
{
    int ends[2];
    int32_t got = BE_NONE;
    uint32_t sent = 0;

    (void)state;
    far = far_make(&near);
    assert_int_equal(pipe(ends), 0);
    assert_ok(lx_send_descriptor(&registry_peer(rig.registry, rig.peer)->be, ends[1], soon(), &sent));
    struct be_peer *from = &registry_peer(far, near)->be;
    assert_status(be_stream_notifier_take(from, sent, &got), VMO_ERR_PROTOCOL);
    assert_status(be_stream_notifier_take(from, sent + 1, &got), VMO_ERR_PROTOCOL);
    assert_int_equal(got, BE_NONE);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    far_drop(near);
}

#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_RIG(a_frame_is_signalled_once),
        IN_RIG(a_buffer_is_signalled_once),
        IN_RIG(announced_too_late),
        IN_RIG(cleared_and_overwritten),
        IN_RIG(nobody_polls),
        IN_RIG(expelled),
        IN_RIG(closed),
        IN_RIG(the_consumer_leaves),
        IN_RIG(a_forked_child_hides_no_expel),
        IN_RIG(a_forked_child_hides_no_close),
        IN_RIG(a_forked_child_hides_no_leave),
        IN_RIG(the_consumer_hangs_up),
        IN_RIG(a_flood),
        IN_RIG(not_pollable),
        IN_RIG(no_notifier),
    };

    (void)alarm(WATCHDOG_S);
    return cmocka_run_group_tests_name("linux/stream_poll", tests, NULL, NULL);
}
