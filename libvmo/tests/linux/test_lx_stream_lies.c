/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between processes, of which one overwrites all that it can write, at full speed. */
#define _GNU_SOURCE
#include "linux/stream_children.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define LIAR_RUNS_ON() ((void)0)
#include "stream_liar.h"

/* Overwrites each page that it is offered, all of it, and rings, until the producer goes. Tells when it has
 * begun. */
static void overwrite_pages(void)
{
    struct vmo_incoming message;
    _Atomic uint64_t *words = NULL;
    vmo_view_t view = NO_VIEW;
    vmo_t page = VMO_NONE;
    bool told = false;

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
        if (words != NULL) {
            overwrite_page(words);
            if (!told) {
                told = true;
                DEMAND(vmo_send(registry, to_parent, &(struct vmo_message){.tag = TAG}, after_ms(60000)) ==
                       VMO_OK);
            }
            (void)syscall(SYS_futex, &words[offsetof(struct stream_page, bell) / sizeof(*words)], FUTEX_WAKE,
                          1);
        }
    }
}

static void beside_a_liar(vmo_stream_policy policy)
{
    const uint64_t all = frames;
    struct vmo_incoming begun;
    vmo_consumer_t names[2];

    frames = 20000;
    start(read_all, overwrite_pages);
    struct vmo_producer *producer = create(policy, names, 2);
    struct beside beside = {.registry = registry,
                            .producer = producer,
                            .honest = names[0],
                            .liar = names[1],
                            .liars_peer = children[1].peer,
                            .tag = TAG,
                            .offers = 49,
                            .patience_ns = 200 * MS_NS};
    assert_ok(vmo_recv(registry, children[1].peer, &begun, after_ms(60000)));
    publish_beside(&beside, frames);
    assert_null(beside.wrong);
    assert_true(beside.timed_out + beside.false_words > 0);
    assert_int_equal(beside.gone, 0);
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

/* Overwrites its control block, all of it, until the consumer goes. */
static void lie_to_the_consumer(void)
{
    vmo_consumer_t name;
    struct vmo_incoming message;

    children[0].peer = to_parent;
    const struct vmo_producer *producer = create(VMO_STREAM_LATEST, &name, 1);
    _Atomic uint64_t *words = (void *)producer->control;
    while (vmo_recv(registry, to_parent, &message, 0) == VMO_ERR_TIMED_OUT) {
        overwrite_control(words, frame_options(VMO_STREAM_LATEST).buffers);
    }
}

static void a_lying_producer(void **state)
{
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    struct doubting doubting = {0};

    (void)state;
    start(lie_to_the_consumer, NULL);
    assert_ok(vmo_recv(registry, children[0].peer, &offer, after_ms(60000)));
    assert_ok(vmo_stream_join(registry, children[0].peer, &offer, consumer_storage, sizeof(consumer_storage),
                              after_ms(60000), &consumer));
    /* On a busy machine the first lie that can be believed comes late. */
    for (uint32_t i = 0; i < 20000 || (doubting.frames == 0 && i < 5000000); i++) {
        take_with_doubt(registry, consumer, i % 16 ? 0 : MS_NS, frame_options(VMO_STREAM_LATEST).buffers,
                        &doubting);
        assert_null(doubting.wrong);
    }
    assert_true(doubting.frames > 0);
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
