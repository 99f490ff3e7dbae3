/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: many consumers, few and many buffers, short and long ones; what only some platforms have. */
#include "conformance/conf_stream_pair.h"

#define FRAMES 24
#define CONSUMERS_A1 4 /* what the slots and the memory of a kernel that frees none allow */

static const struct vmo_stream_options lossless = {
    .policy = VMO_STREAM_BACKPRESSURE, .buffers = 3, .consumers = 1, .hold = 2, .capacity_bytes = PAGE};

static uint32_t consumers_max(void)
{
    return conf_port()->spawns ? CONSUMERS_A1 : PEER_CONSUMERS;
}

static void copied_in(void)
{
    static uint8_t bytes[PAGE];
    struct vmo_loan loan;

    begin(&lossless);
    for (uint32_t i = 0; i < 2; i++) {
        const vmo_reader reader = i ? VMO_READER_FAR : VMO_READER_NEAR;
        fill(bytes, PAGE, i);
        OK(vmo_stream_loan(producer, 0, &loan, NULL));
        OK(vmo_stream_copy_in(producer, &loan, (struct vmo_range){1000, PAGE - 1000}, bytes + 1000, reader));
        OK(vmo_stream_copy_in(producer, &loan, (struct vmo_range){0, 1000}, bytes, reader));
        OK(vmo_stream_copy_in(producer, &loan, (struct vmo_range){PAGE, 0}, NULL, reader));
        REFUSED(vmo_stream_copy_in(producer, &loan, (struct vmo_range){1, PAGE}, bytes, reader),
                VMO_ERR_BOUNDS);
        REFUSED(vmo_stream_copy_in(producer, &loan, (struct vmo_range){0, 1}, NULL, reader), VMO_ERR_INVALID);
        REFUSED(vmo_stream_copy_in(producer, &loan, (struct vmo_range){0, 1}, bytes, (vmo_reader)7),
                VMO_ERR_INVALID);
        OK(vmo_stream_publish(producer, &loan, PAGE, i));
        REFUSED(vmo_stream_copy_in(producer, &loan, (struct vmo_range){0, 1}, bytes, reader),
                VMO_ERR_BAD_HANDLE);
        CHECK_EQ(ASK(VMO_OK, .op = OP_TAKE_FRAME).value, conf_hash(bytes, PAGE));
        released(0);
    }
    end();
}

static void pollable_or_unsupported(void)
{
    struct vmo_stream_options options = lossless;
    int fd = -77;

    options.pollable = 1;
    if (!can(HAS_DESCRIPTORS)) {
        REFUSED(vmo_stream_create(world.a, &options, storage, sizeof(storage), &producer),
                VMO_ERR_UNSUPPORTED);
        begin(&lossless);
        REFUSED(vmo_stream_producer_fd(producer, &fd), VMO_ERR_UNSUPPORTED);
        CHECK_EQ(fd, -77);
        end();
        return;
    }
    begin(&options);
    OK(vmo_stream_producer_fd(producer, &fd));
    CHECK(fd >= 3);
    for (uint64_t s = 1; s <= FRAMES; s++) {
        (void)ASK(VMO_ERR_TIMED_OUT, .op = OP_TAKE_FRAME); /* polls from here on */
        publish(s);
        taken(0, s, 0);
        released(0);
    }
    end();
}

static void leave(uint32_t consumer)
{
    (void)ASK(VMO_OK, .op = OP_LEAVE_STREAM, .consumer = consumer);
}

static void all_take(uint32_t count, uint64_t sequence)
{
    for (uint32_t c = 0; c < count; c++) {
        taken_by(c, 0, sequence, 0);
    }
}

static void all_release(uint32_t count)
{
    for (uint32_t c = count; c > 0; c--) {
        (void)ASK(VMO_OK, .op = OP_RELEASE_FRAME, .consumer = c - 1);
    }
}

/* Each consumer gets each frame; the last one holds the others up, or loses. */
static void many(vmo_stream_policy policy)
{
    const uint32_t count = consumers_max();
    const bool is_latest = policy == VMO_STREAM_LATEST;
    const struct vmo_stream_options options = {.policy = policy,
                                               .buffers = is_latest ? count + 2 : 2,
                                               .consumers = count,
                                               .hold = 1,
                                               .capacity_bytes = PAGE};
    struct vmo_stream_counters counters;
    struct vmo_loan loan;
    vmo_consumer_t about = {0};

    begin(&options);
    for (uint32_t c = 1; c < count; c++) {
        offer();
    }
    REFUSED(vmo_stream_offer(producer, world.to_peer, OFFER_TAG, conf_soon(), &about), VMO_ERR_TABLE_FULL);
    for (uint64_t s = 1; s <= 3; s++) {
        publish(s);
        all_take(count, s);
        all_release(count);
    }
    const uint64_t last = 3 + options.buffers + (is_latest ? 2 : 0);
    for (uint64_t s = 4; s <= last; s++) {
        publish(s);
        for (uint32_t c = 0; c < count - 1; c++) {
            taken_by(c, 0, s, 0);
        }
        all_release(count - 1);
    }
    if (is_latest) {
        taken_by(count - 1, 0, 6, 2);
    } else {
        STATUS(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_TIMED_OUT);
        CHECK_EQ(about.id, name.id); /* the last that was offered */
        leave(count - 1);
        OK(vmo_stream_loan(producer, 0, &loan, NULL));
    }
    OK(vmo_stream_counters_read(producer, &counters));
    CHECK_EQ(counters.consumers, is_latest ? count : count - 1);
    for (uint32_t c = 1; c < count - !is_latest; c++) {
        leave(c);
    }
    end();
}

static void many_lossless(void)
{
    many(VMO_STREAM_BACKPRESSURE);
}

static void many_latest(void)
{
    many(VMO_STREAM_LATEST);
}

static void numbers_of_buffers(void)
{
    static const uint32_t numbers[] = {1, 2, 7, 33, VMO_STREAM_BUFFERS_MAX};
    struct vmo_stream_options options = lossless;
    struct vmo_loan loan;

    for (uint32_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        options.buffers = numbers[i];
        options.hold = 1;
        begin(&options);
        for (uint32_t round = 0; round < 2; round++) {
            for (uint64_t s = 1; s <= options.buffers; s++) {
                publish(round * options.buffers + s);
            }
            STATUS(vmo_stream_loan(producer, 0, &loan, NULL), VMO_ERR_TIMED_OUT);
            for (uint64_t s = 1; s <= options.buffers; s++) {
                taken(0, round * options.buffers + s, 0);
                released(0);
            }
        }
        leave(0);
        OK(vmo_stream_close(producer));
    }
}

/* Two frames through one buffer, which both fill. */
static void one_buffer_of(uint64_t bytes)
{
    const struct vmo_stream_options options = {
        .policy = VMO_STREAM_BACKPRESSURE, .buffers = 1, .consumers = 1, .hold = 1, .capacity_bytes = bytes};
    struct vmo_loan loan;

    begin(&options);
    for (uint64_t s = 1; s <= 2; s++) {
        OK(vmo_stream_loan(producer, 0, &loan, NULL));
        CHECK_EQ(loan.capacity_bytes, bytes);
        memset(loan.data, (int)s, bytes);
        loan.data[bytes - 1] = (uint8_t)(s + 100);
        const uint64_t hash = conf_hash(loan.data, bytes);
        OK(vmo_stream_publish(producer, &loan, bytes, s));
        const struct conf_answer answer = ASK(VMO_OK, .op = OP_TAKE_FRAME);
        CHECK_EQ(answer.len, bytes);
        CHECK_EQ(answer.value, hash);
        released(0);
    }
    leave(0);
    OK(vmo_stream_close(producer));
}

static void long_buffers(void)
{
    one_buffer_of(64 << 10);
    one_buffer_of(16 << 20);
}

static const struct conf_case cases[] = {
    {"bytes copied into a loan", copied_in, HAS_PEER | HAS_MAP},
    {"pollable, or unsupported", pollable_or_unsupported, HAS_PEER | HAS_MAP},
    {"BACKPRESSURE: many consumers", many_lossless, HAS_PEER | HAS_MAP},
    {"LATEST: many consumers", many_latest, HAS_PEER | HAS_MAP},
    {"1 to 64 buffers", numbers_of_buffers, HAS_PEER | HAS_MAP | HAS_UNMAP | HAS_DESTROY},
    {"a buffer of 64 KiB, and one of 16 MiB", long_buffers, HAS_PEER | HAS_MAP | HAS_UNMAP | HAS_DESTROY},
};
const struct conf_group conf_stream_sizes = {"stream-sizes", cases, CONF_CASE_COUNT(cases)};
