/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: a consumer acts between two words of one look. A protected page stops the look there, which
 * valgrind takes for an error. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>

#include "stream_pair.h"

/* A consumer that releases a frame and takes the next one while the producer looks has held one at a time. It
 * does so between two words of one look: the producer then reads the page of another consumer, which is
 * protected until the signal. */
static struct vmo_consumer *moving;
static struct vmo_frame moving_frame;
static void *guarded;

static void move_on(int number)
{
    (void)number;
    assert_int_equal(mprotect(guarded, PAGE, PROT_READ), 0);
    assert_ok(vmo_stream_release(moving, &moving_frame));
    moving_frame = taken(moving, 2, 0);
    moving = NULL;
}

static void no_hoarder(void **state)
{
    const struct sigaction action = {.sa_handler = move_on};
    struct sigaction before;
    struct vmo_producer *producer = producer_make(&latest);
    vmo_consumer_t names[3];
    struct vmo_loan loan;
    struct vmo_consumer *left = joined(producer, 0, &names[0]);

    (void)state;
    moving = joined(producer, 1, &names[1]);
    struct vmo_consumer *const consumer = moving;
    produce(producer, 1);
    assert_ok(vmo_stream_expel(producer, names[0]));
    AS_B;
    assert_ok(vmo_stream_leave(left));
    left = joined(producer, 0, &names[2]); /* in the same seat, from frame 2 on */
    produce(producer, 2);
    produce(producer, 3);
    moving_frame = taken(moving, 1, 0);
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL)); /* the last free buffer */
    const struct stream_page *const page = producer->seats[0].page;
    guarded = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(guarded, MAP_FAILED);
    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    producer->seats[0].page = guarded;
    const vmo_status status = vmo_stream_loan(producer, 0, &loan, NULL);
    producer->seats[0].page = page;
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    assert_int_equal(munmap(guarded, PAGE), 0);
    assert_ok(status);
    assert_null(moving);
    assert_int_equal(moving_frame.data[0], 2);
    AS_B;
    assert_ok(vmo_stream_leave(left));
    closed(producer, consumer);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(no_hoarder),
    };
    return cmocka_run_group_tests_name("unit/stream_moment", tests, NULL, NULL);
}
