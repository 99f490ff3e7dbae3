/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: the peer is the consumer. */
#include "conformance/conf_groups.h"

#include "conformance/conf_stream_pair.h"

#define FRAMES 24

static const struct vmo_stream_options lossless = {
    .policy = VMO_STREAM_BACKPRESSURE, .buffers = 3, .consumers = 2, .hold = 2, .capacity_bytes = PAGE};
static const struct vmo_stream_options latest = {
    .policy = VMO_STREAM_LATEST, .buffers = 4, .consumers = 2, .hold = 1, .capacity_bytes = PAGE};

/* ---- Frames ------------------------------------------------------------------------------------- */

static void in_order(const struct vmo_stream_options *options)
{
    begin(options);
    (void)ASK(VMO_ERR_TIMED_OUT, .op = OP_TAKE_FRAME);
    (void)ASK(VMO_ERR_TIMED_OUT, .op = OP_TAKE_FRAME, .arg = 2);
    for (uint64_t s = 1; s <= FRAMES; s++) {
        publish(s);
        taken(0, s, 0);
        released(0);
    }
    end();
}

static void lossless_in_order(void)
{
    in_order(&lossless);
}

static void latest_in_order(void)
{
    in_order(&latest);
}

static void held_frames_stay(void)
{
    struct vmo_loan loan = {.id = UNTOUCHED};
    vmo_consumer_t about = {0};

    begin(&lossless);
    for (uint64_t s = 1; s <= 3; s++) {
        publish(s);
    }
    taken(0, 1, 0);
    taken(1, 2, 0);
    (void)ASK(VMO_ERR_BUSY, .op = OP_TAKE_FRAME, .held = 2);
    STATUS(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_TIMED_OUT);
    CHECK_EQ(about.id, name.id);
    CHECK_EQ(loan.id, UNTOUCHED);
    released(1);
    (void)ASK(VMO_ERR_BAD_HANDLE, .op = OP_RELEASE_FRAME, .held = 1);
    publish(4);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ_FRAME, .held = 0).value, hash_of(1, PAGE));
    taken(1, 3, 0);
    released(1);
    released(0);
    taken(0, 4, 0);
    end();
}

static void latest_counts_losses(void)
{
    begin(&latest);
    publish(1);
    taken(0, 1, 0);
    for (uint64_t s = 2; s <= 9; s++) {
        publish(s);
    }
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ_FRAME, .held = 0).value, hash_of(1, PAGE));
    released(0);
    taken(0, 7, 5);
    released(0);
    taken(0, 8, 0);
    end();
}

static void loans_that_are_refused(void)
{
    struct vmo_loan loans[4] = {{0}};

    begin(&lossless);
    for (uint32_t i = 0; i < 3; i++) {
        OK(vmo_stream_loan(producer, 0, &loans[i], NULL));
    }
    REFUSED(vmo_stream_loan(producer, conf_soon(), &loans[3], NULL), VMO_ERR_BUSY);
    REFUSED(vmo_stream_publish(producer, &loans[0], PAGE + 1, 0), VMO_ERR_BOUNDS);
    REFUSED(vmo_stream_publish(producer, NULL, PAGE, 0), VMO_ERR_INVALID);
    OK(vmo_stream_drop(producer, &loans[0]));
    REFUSED(vmo_stream_drop(producer, &loans[0]), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_stream_publish(producer, &loans[0], 1, 0), VMO_ERR_BAD_HANDLE);
    REFUSED(vmo_stream_expel(producer, (vmo_consumer_t){UNTOUCHED}), VMO_ERR_BAD_HANDLE);
    (void)ASK(VMO_ERR_TIMED_OUT, .op = OP_TAKE_FRAME);
    end();
}

static void sizes(void)
{
    static const struct vmo_stream_options many = {.policy = VMO_STREAM_LATEST,
                                                   .buffers = VMO_STREAM_BUFFERS_MAX,
                                                   .consumers = 1,
                                                   .hold = 4,
                                                   .capacity_bytes = 1};
    static const struct vmo_stream_options long_ones = {.policy = VMO_STREAM_BACKPRESSURE,
                                                        .buffers = 1,
                                                        .consumers = 1,
                                                        .hold = 1,
                                                        .capacity_bytes = 1 << 20};
    struct vmo_loan loan;

    begin(&many);
    for (uint64_t s = 1; s <= VMO_STREAM_BUFFERS_MAX + 6; s++) {
        publish(s);
    }
    for (uint64_t s = 7; s <= VMO_STREAM_BUFFERS_MAX + 6; s++) {
        taken(0, s, s == 7 ? 6 : 0);
        released(0);
    }
    (void)ASK(VMO_OK, .op = OP_LEAVE_STREAM);
    OK(vmo_stream_close(producer));
    begin(&long_ones);
    for (uint64_t s = 1; s <= 2; s++) {
        OK(vmo_stream_loan(producer, 0, &loan, NULL));
        CHECK_EQ(loan.capacity_bytes, 1 << 20);
        fill(loan.data, loan.capacity_bytes, s);
        const uint64_t hash = conf_hash(loan.data, loan.capacity_bytes);
        OK(vmo_stream_publish(producer, &loan, loan.capacity_bytes, s));
        const struct conf_answer answer = ASK(VMO_OK, .op = OP_TAKE_FRAME);
        CHECK_EQ(answer.len, 1 << 20);
        CHECK_EQ(answer.value, hash);
        released(0);
    }
    end();
}

/* ---- Ends --------------------------------------------------------------------------------------- */

static void expelled(void)
{
    vmo_consumer_t about = {0};
    struct vmo_loan loan;

    begin(&lossless);
    for (uint64_t s = 1; s <= 3; s++) {
        publish(s);
    }
    taken(0, 1, 0);
    STATUS(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_TIMED_OUT);
    CHECK_EQ(about.id, name.id);
    OK(vmo_stream_expel(producer, about));
    REFUSED(vmo_stream_expel(producer, about), VMO_ERR_BAD_HANDLE);
    publish(4);
    (void)ASK(VMO_ERR_EXPELLED, .op = OP_TAKE_FRAME, .held = 1, .arg = 100);
    (void)ASK(VMO_ERR_EXPELLED, .op = OP_RELEASE_FRAME);
    (void)ASK(VMO_ERR_BAD_HANDLE, .op = OP_RELEASE_FRAME);
    (void)ASK(VMO_OK, .op = OP_LEAVE_STREAM);
    offer(); /* joins anew, and is not expelled */
    publish(5);
    taken(0, 5, 0);
    end();
}

static void the_stream_is_closed(void)
{
    struct vmo_loan loan;

    begin(&lossless);
    publish(1);
    publish(2);
    OK(vmo_stream_loan(producer, 0, &loan, NULL));
    OK(vmo_stream_close(producer));
    STATUS(vmo_stream_publish(producer, &loan, 1, 0), VMO_ERR_BAD_HANDLE);
    taken(0, 1, 0);
    taken(1, 2, 0);
    released(0);
    (void)ASK(VMO_ERR_PEER_GONE, .op = OP_TAKE_FRAME, .arg = 100);
    CHECK_EQ(ASK(VMO_OK, .op = OP_READ_FRAME, .held = 1).value, hash_of(2, PAGE));
    (void)ASK(VMO_OK, .op = OP_LEAVE_STREAM);
    (void)ASK(VMO_ERR_BAD_HANDLE, .op = OP_TAKE_FRAME);
}

static void the_consumer_ends(void)
{
    const struct conf_order order = {.op = OP_END};
    vmo_consumer_t about = {0};
    struct vmo_loan loan;

    begin(&lossless);
    for (uint64_t s = 1; s <= 3; s++) {
        publish(s);
    }
    taken(0, 1, 0);
    conf_send_order(&order, VMO_NONE, 0);
    STATUS(vmo_stream_loan(producer, conf_soon(), &loan, &about), VMO_ERR_PEER_GONE);
    CHECK_EQ(about.id, name.id);
    OK(vmo_stream_loan(producer, 0, &loan, NULL));
    if (can(HAS_REAP)) {
        OK(vmo_peer_wait(world.a, world.to_peer, conf_soon(), &(int32_t){0}));
    }
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    OK(vmo_stream_close(producer));
}

static void options_out_of_bounds(void)
{
    struct vmo_stream_options wrong[8];

    for (uint32_t i = 0; i < 8; i++) {
        wrong[i] = latest;
    }
    wrong[0].buffers = 0;
    wrong[1].buffers = VMO_STREAM_BUFFERS_MAX + 1;
    wrong[2].buffers = 3; /* LATEST needs two more than all may hold */
    wrong[3].consumers = 0;
    wrong[4].hold = 0;
    wrong[5].capacity_bytes = 0;
    wrong[6].looks = VMO_STREAM_LOOKS_MAX + 1;
    wrong[7].pollable = 2;
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_EQ(vmo_stream_producer_bytes(&wrong[i]), 0);
        REFUSED(vmo_stream_create(world.a, &wrong[i], storage, sizeof(storage), &producer), VMO_ERR_INVALID);
    }
    REFUSED(vmo_stream_create(world.a, &latest, storage, 64, &producer), VMO_ERR_STORAGE);
    REFUSED(vmo_stream_create(world.a, &latest, storage + 8, sizeof(storage) - 8, &producer),
            VMO_ERR_INVALID);
}

static const struct conf_case cases[] = {
    {"BACKPRESSURE: in order", lossless_in_order, HAS_PEER | HAS_MAP},
    {"LATEST: in order", latest_in_order, HAS_PEER | HAS_MAP},
    {"held frames stay as they are", held_frames_stay, HAS_PEER | HAS_MAP},
    {"LATEST: losses are counted", latest_counts_losses, HAS_PEER | HAS_MAP},
    {"loans that are refused", loans_that_are_refused, HAS_PEER | HAS_MAP},
    {"64 buffers, and one of 1 MiB", sizes, HAS_PEER | HAS_MAP},
    {"an expelled consumer is told, and may join anew", expelled, HAS_PEER | HAS_MAP},
    {"what was published outlives the stream", the_stream_is_closed, HAS_PEER | HAS_MAP},
    {"a consumer that ends", the_consumer_ends, HAS_PEER | HAS_MAP},
    {"options out of bounds", options_out_of_bounds, 0},
};
const struct conf_group conf_stream = {"stream", cases, CONF_CASE_COUNT(cases)};
