/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams in three threads, a producer and two consumers, for ThreadSanitizer. On the fake both sides have
 * the shared memory at one address: two mappings of one object would be unrelated memory for ThreadSanitizer,
 * which then could find no race.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "fake_state.h"
#include "vmo/stream.h"

#define TAG 9
#define FRAMES UINT64_C(100000)
#define WORDS 16 /* of a frame */
#define FOR_EVER UINT64_MAX

static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(8, 2)];
static alignas(16) uint8_t consumer_storage[2][VMO_STREAM_CONSUMER_BYTES];
static struct fake_state of_main; /* each thread has its copy: none changes during a run */

struct reader {
    struct vmo_consumer *consumer;
    uint64_t taken;
    uint64_t lost;
    const char *wrong; /* cmocka's asserts belong to the main thread */
};

/* ThreadSanitizer calls this at each report. */
void __tsan_on_report(void *report);
static atomic_uint reports;

void __tsan_on_report(void *report)
{
    (void)report;
    reports++;
}

static uint64_t word_of(uint64_t sequence, uint32_t i)
{
    return (sequence + i) * UINT64_C(0x9E3779B97F4A7C15);
}

static void let_others_run(void *context)
{
    (void)context;
    (void)sched_yield();
}

static bool holds(const struct vmo_frame *frame)
{
    const uint64_t *words = (const void *)frame->data;

    for (uint32_t i = 0; i < WORDS; i++) {
        if (words[i] != word_of(frame->sequence, i)) {
            return false;
        }
    }
    return frame->len_bytes == WORDS * sizeof(*words) && frame->tag == ~frame->sequence;
}

/* Takes frames up to the last one, and holds two at a time. */
static const char *read_all(struct reader *reader)
{
    struct vmo_frame before = {0};
    struct vmo_frame frame = {0};

    while (frame.sequence != FRAMES) {
        if (vmo_stream_take(reader->consumer, FOR_EVER, &frame) != VMO_OK) {
            return "a take failed";
        }
        if (!holds(&frame) || (before.sequence && !holds(&before))) {
            return "a frame is not what was published";
        }
        if (before.sequence && vmo_stream_release(reader->consumer, &before) != VMO_OK) {
            return "a release failed";
        }
        reader->taken++;
        reader->lost += frame.lost;
        before = frame;
    }
    return vmo_stream_release(reader->consumer, &frame) == VMO_OK ? NULL : "the last release failed";
}

static void *run_reader(void *context)
{
    struct reader *reader = context;

    fake = of_main;
    fake_side(1);
    fake_on_poll(let_others_run, NULL);
    reader->wrong = read_all(reader);
    return NULL;
}

static void run(vmo_stream_policy policy)
{
    const struct vmo_stream_options options = {.policy = policy,
                                               .buffers = policy == VMO_STREAM_LATEST ? 6 : 4,
                                               .consumers = 2,
                                               .hold = 2,
                                               .looks = 64,
                                               .capacity_bytes = PAGE};
    struct reader readers[2] = {{0}};
    struct vmo_producer *producer = NULL;
    struct vmo_incoming incoming;
    vmo_consumer_t name;
    pthread_t threads[2];

    assert_ok(vmo_stream_create(world.a, &options, producer_storage, sizeof(producer_storage), &producer));
    for (uint32_t i = 0; i < 2; i++) {
        AS_A;
        assert_ok(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, &name));
        AS_B;
        assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
        assert_ok(vmo_stream_join(world.b, world.to_a, &incoming, consumer_storage[i],
                                  sizeof(consumer_storage[i]), SOON_NS, &readers[i].consumer));
        AS_A;
    }
    of_main = fake;
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_reader, &readers[i]), 0);
    }
    fake_on_poll(let_others_run, NULL);
    for (uint64_t s = 1; s <= FRAMES; s++) {
        struct vmo_loan loan;
        assert_ok(vmo_stream_loan(producer, FOR_EVER, &loan, NULL));
        uint64_t *words = (void *)loan.data;
        for (uint32_t i = 0; i < WORDS; i++) {
            words[i] = word_of(s, i);
        }
        assert_ok(vmo_stream_publish(producer, &loan, WORDS * sizeof(*words), ~s));
    }
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_string_equal(readers[i].wrong ? readers[i].wrong : "", "");
        assert_int_equal(readers[i].taken + readers[i].lost, FRAMES);
        assert_true(policy == VMO_STREAM_LATEST || readers[i].lost == 0);
        print_message("taken %llu, lost %llu\n", (unsigned long long)readers[i].taken,
                      (unsigned long long)readers[i].lost);
        AS_B;
        assert_ok(vmo_stream_leave(readers[i].consumer));
        AS_A;
    }
    assert_ok(vmo_stream_close(producer));
    assert_int_equal(reports, 0);
}

static void backpressure(void **state)
{
    (void)state;
    run(VMO_STREAM_BACKPRESSURE);
}

static void latest(void **state)
{
    (void)state;
    run(VMO_STREAM_LATEST);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_WORLD(backpressure), IN_WORLD(latest)};

    return cmocka_run_group_tests_name("unit/stream_threads", tests, NULL, NULL);
}
