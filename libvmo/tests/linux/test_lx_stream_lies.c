/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between processes, of which one overwrites all that it can write, at full speed. */
#define _GNU_SOURCE
#include "linux/stream_children.h"

#include <linux/futex.h>
#include <sys/syscall.h>

static uint64_t random_word(void)
{
    static uint64_t seed = 88172645463325252;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> (seed % 61);
}

/* Overwrites each page that it is offered, all of it, and rings, until the producer goes. */
static void overwrite_pages(void)
{
    struct vmo_incoming message;
    _Atomic uint64_t *words = NULL;
    vmo_view_t view = NO_VIEW;
    vmo_t page = VMO_NONE;

    for (;;) {
        const vmo_status status = vmo_recv(registry, to_parent, &message, words ? 0 : after_ms(60000));
        if (status == VMO_ERR_PEER_GONE) {
            return;
        }
        if (status == VMO_OK && !vmo_stream_is_offer(&message)) {
            if (words != NULL) {
                DEMAND(vmo_unmap(registry, view) == VMO_OK && vmo_close(registry, page) == VMO_OK);
            }
            page = message.vmo;
            DEMAND(vmo_map_rw(registry, page, RANGE(0, PAGE), &view) == VMO_OK);
            words = (void *)vmo_view_data_rw(registry, view);
        } else if (status == VMO_OK) {
            DEMAND(vmo_close(registry, message.vmo) == VMO_OK);
        }
        for (uint32_t i = 0; words != NULL && i < PAGE / sizeof(*words); i++) {
            atomic_store_explicit(&words[i], random_word(), memory_order_relaxed);
        }
        if (words != NULL) {
            (void)syscall(SYS_futex, &words[offsetof(struct stream_page, bell) / sizeof(*words)], FUTEX_WAKE,
                          1);
        }
    }
}

static void beside_a_liar(vmo_stream_policy policy)
{
    const uint64_t all = frames;
    uint32_t caught = 0;
    vmo_consumer_t names[2];
    vmo_consumer_t about;
    struct vmo_loan loan;

    frames = 20000;
    start(read_all, overwrite_pages);
    struct vmo_producer *producer = create(policy, names, 2);
    for (uint64_t s = 1; s <= frames;) {
        const vmo_status status = vmo_stream_loan(producer, after_ms(200), &loan, &about);
        if (status == VMO_OK) {
            fill_and_publish(producer, &loan, s++);
            continue;
        }
        if (about.id == names[0].id) { /* slow is no lie */
            assert_status(status, VMO_ERR_TIMED_OUT);
            continue;
        }
        assert_int_equal(about.id, names[1].id);
        if (status == VMO_ERR_TIMED_OUT) {
            assert_ok(vmo_stream_expel(producer, about));
        } else {
            assert_status(status, VMO_ERR_PROTOCOL);
        }
        if (++caught < 50) {
            assert_ok(vmo_stream_offer(producer, children[1].peer, TAG, after_ms(60000), &names[1]));
        }
    }
    assert_true(caught > 0);
    assert_ok(vmo_stream_close(producer));
    assert_int_equal(reap(0), 0);
    finish(2);
    assert_int_equal(reap(1), 0);
    frames = all;
}

static void a_liar_of_two(void **state)
{
    (void)state;
    beside_a_liar(VMO_STREAM_BACKPRESSURE);
    beside_a_liar(VMO_STREAM_LATEST);
}

#define LINE_WORDS (STREAM_LINE_BYTES / sizeof(uint64_t))
#define RING_WORD (sizeof(struct stream_control) / sizeof(uint64_t))

/* What a lying producer writes into word i of its control block: often what an honest one could. */
static uint64_t control_lie(uint64_t i)
{
    const uint64_t random = random_word();

    if (random_word() % 64 == 0) {
        return random;
    }
    if (i >= RING_WORD && i % LINE_WORDS == 0) {
        return (i - RING_WORD) / LINE_WORDS + 8 * (random % 256);
    }
    if (i >= RING_WORD && i % LINE_WORDS == 1) {
        return stream_where((uint32_t)(random % 9), random % (PAGE + 2));
    }
    return i == 0 ? random % 2048 : 0;
}

/* Overwrites its control block, all of it, until the consumer goes. */
static void overwrite_control(void)
{
    vmo_consumer_t name;
    struct vmo_incoming message;

    children[0].peer = to_parent;
    const struct vmo_producer *producer = create(VMO_STREAM_LATEST, &name, 1);
    _Atomic uint64_t *words = (void *)producer->control;
    while (vmo_recv(registry, to_parent, &message, 0) == VMO_ERR_TIMED_OUT) {
        for (uint32_t i = 0; i < stream_control_bytes(8) / sizeof(*words); i++) {
            atomic_store_explicit(&words[i], control_lie(i), memory_order_relaxed);
        }
    }
}

/* The pool is the view that cannot be written. */
static void find_pool(void *context, const struct vmo_live *live)
{
    if (live->kind == VMO_LIVE_VIEW && live->rights == VMO_RIGHT_READ) {
        *(const uint8_t **)context = vmo_view_data(registry, live->view);
    }
}

static void a_lying_producer(void **state)
{
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    struct vmo_frame frame;
    uint32_t count = 0;

    (void)state;
    start(overwrite_control, NULL);
    assert_ok(vmo_recv(registry, children[0].peer, &offer, after_ms(60000)));
    assert_ok(vmo_stream_join(registry, children[0].peer, &offer, consumer_storage, sizeof(consumer_storage),
                              after_ms(60000), &consumer));
    const uint8_t *pool = NULL;
    assert_ok(vmo_registry_each(registry, find_pool, &pool));
    /* On a busy machine the first lie that can be believed comes late. */
    for (uint32_t i = 0; i < 20000 || (count == 0 && i < 5000000); i++) {
        const vmo_status status = vmo_stream_take(consumer, i % 16 ? 0 : after_ms(1), &frame);
        if (status != VMO_OK) {
            assert_true(status == VMO_ERR_TIMED_OUT || status == VMO_ERR_PROTOCOL ||
                        status == VMO_ERR_EXPELLED || status == VMO_ERR_PEER_GONE);
            continue;
        }
        count++;
        assert_true(frame.data >= pool && (uint64_t)(frame.data - pool) < 8 * PAGE &&
                    frame.len_bytes <= PAGE);
        const vmo_status released = vmo_stream_release(consumer, &frame);
        assert_true(released == VMO_OK || released == VMO_ERR_EXPELLED);
    }
    assert_true(count > 0);
    assert_ok(vmo_stream_leave(consumer));
    finish(1);
    assert_int_equal(reap(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_liar_of_two),
        cmocka_unit_test(a_lying_producer),
    };

    return cmocka_run_group_tests_name("linux/stream_lies", tests, NULL, NULL);
}
