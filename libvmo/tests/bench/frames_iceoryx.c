/* SPDX-License-Identifier: Apache-2.0 */
/* Frames by iceoryx, whose daemon iox-roudi must run: the reader polls. */
#define _GNU_SOURCE
#include "bench/bench_frames.h"

#include <stdio.h>
#include <unistd.h>

#include <iceoryx_binding_c/publisher.h>
#include <iceoryx_binding_c/runtime.h>
#include <iceoryx_binding_c/subscriber.h>

#define NAME_BYTES 32
#define SETTLE_US 20000
#define CHUNK_ALIGN 64

static iox_pub_storage_t publisher_storage;
static iox_sub_storage_t subscriber_storage;
static iox_pub_t publisher;
static iox_sub_t subscriber;

static void open_publisher(const char *event)
{
    iox_pub_options_t options;

    iox_pub_options_init(&options);
    options.subscriberTooSlowPolicy = ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
    publisher = iox_pub_init(&publisher_storage, "vmo", "bench", event, &options);
}

static void open_subscriber(const char *event)
{
    iox_sub_options_t options;

    iox_sub_options_init(&options);
    options.queueCapacity = FRAMES_POOL;
    options.queueFullPolicy = QueueFullPolicy_BLOCK_PRODUCER;
    subscriber = iox_sub_init(&subscriber_storage, "vmo", "bench", event, &options);
}

/* Connects this process. Each run has names of its own. */
static void begin(const char *role)
{
    char name[NAME_BYTES];

    (void)snprintf(name, sizeof(name), "%s%d", role, (int)frame_run.producer);
    iox_runtime_init(name);
}

static void event_name(char *out, const char *direction)
{
    (void)snprintf(out, NAME_BYTES, "%s%d", direction, (int)frame_run.producer);
}

static void wait_for_reader(void)
{
    while (!iox_pub_has_subscribers(publisher)) {
        (void)usleep(1000);
    }
    (void)usleep(SETTLE_US);
}

static void wait_for_writer(void)
{
    while (iox_sub_get_subscription_state(subscriber) != SubscribeState_SUBSCRIBED) {
        (void)usleep(1000);
    }
}

static void put(uint64_t number)
{
    void *chunk = NULL;

    NEED(iox_pub_loan_aligned_chunk(publisher, &chunk, (uint32_t)frame_run.bytes, CHUNK_ALIGN) ==
         AllocationResult_SUCCESS);
    frame_fill(chunk, number);
    iox_pub_publish_chunk(publisher, chunk);
}

static const void *get(void)
{
    const void *chunk = NULL;

    while (iox_sub_take_chunk(subscriber, &chunk) != ChunkReceiveResult_SUCCESS) {
        frame_pause();
    }
    return chunk;
}

static void produce(void)
{
    char event[NAME_BYTES];

    begin("p");
    event_name(event, "a");
    open_publisher(event);
    wait_for_reader();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        put(i);
    }
}

static void consume(void)
{
    char event[NAME_BYTES];

    begin("c");
    event_name(event, "a");
    open_subscriber(event);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        const void *chunk = get();
        frame_read(chunk, i);
        iox_sub_release_chunk(subscriber, chunk);
    }
}

static void ask(void)
{
    char event[NAME_BYTES];

    begin("p");
    event_name(event, "a");
    open_publisher(event);
    event_name(event, "b");
    open_subscriber(event);
    wait_for_reader();
    wait_for_writer();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        put(i);
        iox_sub_release_chunk(subscriber, get());
    }
}

static void answer(void)
{
    char event[NAME_BYTES];

    begin("c");
    event_name(event, "b");
    open_publisher(event);
    event_name(event, "a");
    open_subscriber(event);
    wait_for_reader();
    wait_for_writer();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        void *chunk = NULL;
        const void *got = get();
        frame_read(got, i);
        iox_sub_release_chunk(subscriber, got);
        NEED(iox_pub_loan_aligned_chunk(publisher, &chunk, (uint32_t)frame_run.bytes, CHUNK_ALIGN) ==
             AllocationResult_SUCCESS);
        iox_pub_publish_chunk(publisher, chunk);
    }
}

const struct frame_way frame_ways[] = {
    {"iceoryx", NULL, produce, consume},
    {"iceoryx-trip", NULL, ask, answer},
    {NULL, NULL, NULL, NULL},
};
