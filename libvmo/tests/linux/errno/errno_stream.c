/* SPDX-License-Identifier: Apache-2.0 */
/* Stories about streams. */
#include "linux/errno/errno_stories.h"

#include "vmo/stream.h"

#define BRIEF_NS UINT64_C(2000000)

static const struct vmo_stream_options plain = {.policy = VMO_STREAM_BACKPRESSURE,
                                                .buffers = 1,
                                                .consumers = 2,
                                                .hold = 1,
                                                .looks = 1,
                                                .capacity_bytes = PAGE};
static const struct vmo_stream_options pollable = {.policy = VMO_STREAM_BACKPRESSURE,
                                                   .buffers = 1,
                                                   .consumers = 2,
                                                   .hold = 1,
                                                   .looks = 1,
                                                   .pollable = 1,
                                                   .capacity_bytes = PAGE};
static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(1, 2)];
static alignas(16) uint8_t consumer_storage[2][VMO_STREAM_CONSUMER_BYTES];

static struct vmo_producer *producer;
static struct vmo_consumer *consumers[2];
static vmo_consumer_t names[2];
static struct vmo_incoming first; /* of an offer */

static uint64_t brief(void)
{
    return vmo_now_ns(world.a) + BRIEF_NS;
}

/* ---- Joining ------------------------------------------------------------------------------------------- */

/* An offer that was refused halfway has sent a message that nobody can use. */
static void drop_messages(void)
{
    struct vmo_incoming message;

    while (vmo_recv(world.b, world.to_a, &message, 0) == VMO_OK) {
        DEMAND(message.vmo.id == 0 || vmo_close(world.b, message.vmo) == VMO_OK);
    }
}

/* A join that was refused may have lost the second message: its caller asks for another offer. */
static void offer_again(void)
{
    drop_messages();
    SURE(vmo_close(world.b, first.vmo));
    SURE(vmo_stream_expel(producer, names[0]));
    SURE(vmo_stream_offer(producer, world.to_b, 5, step_soon(), &names[0]));
    SURE(vmo_recv(world.b, world.to_a, &first, step_soon()));
}

static void create_and_join(const struct vmo_stream_options *options)
{
    STEP(vmo_stream_create, world.a, options, producer_storage, sizeof(producer_storage), &producer);
    world.unchanged = drop_messages;
    STEP(vmo_stream_offer, producer, world.to_b, 5, step_soon(), &names[0]);
    world.unchanged = NULL;
    SURE(vmo_recv(world.b, world.to_a, &first, step_soon()));
    DEMAND(vmo_stream_is_offer(&first));
    world.unchanged = offer_again;
    STEP(vmo_stream_join, world.b, world.to_a, &first, consumer_storage[0], sizeof(consumer_storage[0]),
         step_soon(), &consumers[0]);
    world.unchanged = NULL;
}

static void second_joins(void)
{
    SURE(vmo_stream_offer(producer, world.to_b, 5, step_soon(), &names[1]));
    SURE(vmo_recv(world.b, world.to_a, &first, step_soon()));
    SURE(vmo_stream_join(world.b, world.to_a, &first, consumer_storage[1], sizeof(consumer_storage[1]),
                         step_soon(), &consumers[1]));
}

/* ---- Frames -------------------------------------------------------------------------------------------- */

static void publish(void)
{
    struct vmo_loan loan;

    STEP(vmo_stream_loan, producer, 0, &loan, NULL);
    STEP(vmo_stream_copy_in, producer, &loan, (struct vmo_range){0, PAGE}, pattern(), VMO_READER_FAR);
    STEP(vmo_stream_publish, producer, &loan, PAGE, 7);
}

static void take_and_release(uint32_t which)
{
    struct vmo_frame frame;

    STEP(vmo_stream_take, consumers[which], brief(), &frame);
    DEMAND(frame.tag == 7 && frame.len_bytes == PAGE && memcmp(frame.data, pattern(), PAGE) == 0);
    STEP(vmo_stream_release, consumers[which], &frame);
}

static void close_stream(void)
{
    STEP(vmo_stream_leave, consumers[0]);
    STEP(vmo_stream_close, producer);
}

static void frames(void)
{
    struct vmo_loan loan;

    create_and_join(&plain);
    publish();
    take_and_release(0);
    STEP(vmo_stream_loan, producer, 0, &loan, NULL);
    STEP(vmo_stream_drop, producer, &loan);
    publish();
    take_and_release(0);
    close_stream();
}

/* One waits for a frame, two for a buffer. */
static void waits(void)
{
    struct vmo_stream_counters counters;
    struct vmo_frame frame;
    struct vmo_loan loan;

    create_and_join(&plain);
    second_joins();
    STEP_ANSWERS(VMO_ERR_TIMED_OUT, vmo_stream_take, consumers[0], brief(), &frame);
    publish();
    STEP_ANSWERS(VMO_ERR_TIMED_OUT, vmo_stream_loan, producer, brief(), &loan, NULL);
    STEP(vmo_stream_expel, producer, names[1]);
    STEP_ANSWERS(VMO_ERR_EXPELLED, vmo_stream_take, consumers[1], brief(), &frame);
    STEP(vmo_stream_leave, consumers[1]);
    STEP_ANSWERS(VMO_ERR_TIMED_OUT, vmo_stream_loan, producer, brief(), &loan, NULL);
    take_and_release(0);
    STEP(vmo_stream_counters_read, producer, &counters);
    DEMAND(counters.published == 1 && counters.consumers == 1 && counters.expelled >= 1);
    close_stream();
}

/* Both sides poll, one after the other. A signal that could not be sent is not missed here. */
static void polls(void)
{
    struct vmo_frame frame;
    struct vmo_loan loan;
    int fd = -1;

    create_and_join(&pollable);
    STEP(vmo_stream_fd, consumers[0], &fd);
    STEP(vmo_stream_producer_fd, producer, &fd);
    STEP_ANSWERS(VMO_ERR_TIMED_OUT, vmo_stream_take, consumers[0], 0, &frame);
    publish();
    STEP_ANSWERS(VMO_ERR_TIMED_OUT, vmo_stream_loan, producer, 0, &loan, NULL);
    take_and_release(0);
    close_stream();
}

static const struct story stories[] = {
    {"frames of a stream", frames, false, 0},
    {"waits of a stream", waits, false, 0},
    {"polls of a stream", polls, false, 0},
};
const struct story_group stream_stories = STORY_GROUP(stories);
