/* SPDX-License-Identifier: Apache-2.0 */
/* Frames by libvmo's streams. */
#define _GNU_SOURCE
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench_frames.h"
#include "bench/frames_here.h"
#include "vmo/stream.h"

#define OK(call) NEED((call) == VMO_OK)
#define TAG 5
#define CONSUMERS_MAX 2
#define NEVER UINT64_MAX

static struct vmo_stream_options options;
static struct vmo_registry *registry;
static vmo_peer_t peer;
static int ends[2];

static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(FRAMES_POOL, CONSUMERS_MAX)];
static alignas(16) uint8_t consumer_storage[CONSUMERS_MAX][VMO_STREAM_CONSUMER_BYTES];
static struct vmo_producer *producer;
static struct vmo_consumer *consumers[CONSUMERS_MAX];

static void prepare(vmo_stream_policy policy, uint32_t consumer_count, uint32_t looks)
{
    options = (struct vmo_stream_options){.policy = policy,
                                          .buffers = FRAMES_POOL,
                                          .consumers = consumer_count,
                                          .hold = 1,
                                          .looks = looks,
                                          .capacity_bytes = frame_run.bytes};
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
}

void stream_prepare(void)
{
    prepare(VMO_STREAM_BACKPRESSURE, 1, VMO_STREAM_LOOKS_MAX);
}

void stream_prepare_sleeping(void)
{
    prepare(VMO_STREAM_BACKPRESSURE, 1, 1);
}

void stream_prepare_latest(void)
{
    prepare(VMO_STREAM_LATEST, 1, VMO_STREAM_LOOKS_MAX);
}

void stream_prepare_latest_2(void)
{
    prepare(VMO_STREAM_LATEST, 2, VMO_STREAM_LOOKS_MAX);
}

/* ---- Beginning ---------------------------------------------------------------------------------- */

static void begin(int mine)
{
    static const struct vmo_limits limits = {.objects = 8, .mappings = 8, .views = 8, .peers = 1};

    NEED(close(ends[!mine]) == 0);
    OK(vmo_registry_new(&limits, &registry));
    OK(vmo_peer_open(registry, ends[mine], &peer));
    OK(vmo_peer_allow(registry, peer));
}

static void offer(void)
{
    vmo_consumer_t name;

    OK(vmo_stream_create(registry, &options, producer_storage, sizeof(producer_storage), &producer));
    for (uint32_t i = 0; i < options.consumers; i++) {
        OK(vmo_stream_offer(producer, peer, TAG, NEVER, &name));
    }
}

static void join(void)
{
    struct vmo_incoming first;

    for (uint32_t i = 0; i < options.consumers; i++) {
        OK(vmo_recv(registry, peer, &first, NEVER));
        OK(vmo_stream_join(registry, peer, &first, consumer_storage[i], sizeof(consumer_storage[i]), NEVER,
                           &consumers[i]));
    }
}

/* Frames wait for the consumer, so that the first ones are not of another state. */
static void tell(void)
{
    OK(vmo_send(registry, peer, &(struct vmo_message){.tag = TAG}, NEVER));
}

static void hear(void)
{
    struct vmo_incoming word;

    OK(vmo_recv(registry, peer, &word, NEVER));
}

/* ---- Frames ------------------------------------------------------------------------------------- */

/* With the hint, the bytes come from a page of the caller's, again and again. */
static void fill(const struct vmo_loan *loan, uint64_t number)
{
    static uint8_t page[4096];

    if (frame_run.fill != FILL_HINT) {
        frame_fill(loan->data, number);
        return;
    }
    frame_begin(number);
    memset(page, (int)(number & UINT8_MAX), sizeof(page));
    for (uint64_t off = 0; off < frame_run.bytes; off += sizeof(page)) {
        const uint64_t len = frame_run.bytes - off < sizeof(page) ? frame_run.bytes - off : sizeof(page);
        OK(vmo_stream_copy_in(producer, loan, (struct vmo_range){off, len}, page, VMO_READER_FAR));
    }
    frame_number(loan->data, number);
}

static void send_frame(uint64_t number)
{
    struct vmo_loan loan;

    OK(vmo_stream_loan(producer, NEVER, &loan, NULL));
    fill(&loan, number);
    OK(vmo_stream_publish(producer, &loan, frame_run.bytes, number));
}

static void take_frame(uint64_t number)
{
    struct vmo_frame frame;

    OK(vmo_stream_take(consumers[0], NEVER, &frame));
    frame_read(frame.data, number);
    OK(vmo_stream_release(consumers[0], &frame));
}

void stream_produce(void)
{
    begin(1);
    offer();
    hear();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        send_frame(i);
    }
    OK(vmo_stream_close(producer));
}

void stream_consume(void)
{
    begin(0);
    join();
    tell();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        take_frame(i);
    }
    OK(vmo_stream_leave(consumers[0]));
}

/* The producer never waits: the figure is its own time. */
void stream_produce_latest(void)
{
    begin(1);
    offer();
    hear();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        send_frame(i);
    }
    frame_stop();
    OK(vmo_stream_close(producer));
    tell();
}

static void leave_all(void)
{
    for (uint32_t i = 0; i < options.consumers; i++) {
        OK(vmo_stream_leave(consumers[i]));
    }
}

/* Has joined, and does nothing. */
void stream_idle(void)
{
    begin(0);
    join();
    tell();
    hear();
    leave_all();
}

void stream_consume_latest(void)
{
    struct vmo_frame frame;
    vmo_status status = VMO_OK;

    begin(0);
    join();
    tell();
    while (status != VMO_ERR_PEER_GONE) {
        for (uint32_t i = 0; i < options.consumers; i++) {
            status = vmo_stream_take(consumers[i], 0, &frame);
            NEED(status == VMO_OK || status == VMO_ERR_TIMED_OUT || status == VMO_ERR_PEER_GONE);
            if (status == VMO_OK) {
                OK(vmo_stream_release(consumers[i], &frame));
            }
        }
    }
    hear();
    leave_all();
}

/* ---- Round trips -------------------------------------------------------------------------------- */

void stream_ask(void)
{
    struct vmo_frame frame;

    begin(1);
    offer();
    join();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        send_frame(i);
        OK(vmo_stream_take(consumers[0], NEVER, &frame));
        OK(vmo_stream_release(consumers[0], &frame));
    }
    OK(vmo_stream_leave(consumers[0]));
    OK(vmo_stream_close(producer));
}

void stream_answer(void)
{
    struct vmo_loan loan;

    begin(0);
    join();
    offer();
    for (uint64_t i = 0; i < frame_run.count; i++) {
        take_frame(i);
        OK(vmo_stream_loan(producer, NEVER, &loan, NULL));
        OK(vmo_stream_publish(producer, &loan, 8, i));
    }
    OK(vmo_stream_leave(consumers[0]));
    OK(vmo_stream_close(producer));
}

/* ---- A fresh VMO for each frame ----------------------------------------------------------------- */

void one_shot_prepare(void)
{
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
}

void one_shot_produce(void)
{
    const struct vmo_range all = {0, frame_run.bytes};

    begin(1);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        struct vmo_message message = {.tag = TAG, .rights = VMO_RIGHT_READ};
        vmo_view_t view;
        OK(vmo_create(registry, all.len_bytes, &message.vmo));
        OK(vmo_map_rw(registry, message.vmo, all, &view));
        frame_fill(vmo_view_data_rw(registry, view), i);
        OK(vmo_unmap(registry, view));
        OK(vmo_seal(registry, message.vmo, VMO_SEAL_FOREVER));
        OK(vmo_send(registry, peer, &message, NEVER));
        OK(vmo_close(registry, message.vmo));
    }
}

void one_shot_consume(void)
{
    const struct vmo_range all = {0, frame_run.bytes};

    begin(0);
    for (uint64_t i = 0; i < frame_run.count; i++) {
        struct vmo_incoming message;
        vmo_view_t view;
        OK(vmo_recv(registry, peer, &message, NEVER));
        OK(vmo_map_ro(registry, message.vmo, all, &view));
        frame_read(vmo_view_data(registry, view), i);
        OK(vmo_unmap(registry, view));
        OK(vmo_close(registry, message.vmo));
    }
}
