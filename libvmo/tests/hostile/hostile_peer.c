/* SPDX-License-Identifier: Apache-2.0 */
/* A child: the tag of each offer says what it is to be. */
#include "hostile/hostile.h"

#include <stdalign.h>

#define OBJECTS 8

static alignas(16) uint8_t registry_storage[VMO_REGISTRY_BYTES(OBJECTS, OBJECTS, OBJECTS, 1)];
static alignas(16) uint8_t consumer_storage[2][VMO_STREAM_CONSUMER_BYTES];
static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(8, 3)];
static struct vmo_registry *registry;
static vmo_peer_t parent;

static void tell(uint32_t tag, uint32_t value)
{
    const struct vmo_message message = {.tag = tag, .body = &value, .body_bytes = sizeof(value)};

    MUST_OK(vmo_send(registry, parent, &message, UINT64_MAX));
}

static vmo_status join(const struct vmo_incoming *offer, uint32_t which, struct vmo_consumer **out)
{
    return vmo_stream_join(registry, parent, offer, consumer_storage[which], VMO_STREAM_CONSUMER_BYTES,
                           later(registry, patience_ns()), out);
}

static struct vmo_consumer *joined(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = NULL;

    MUST_OK(join(offer, 0, &consumer));
    return consumer;
}

/* True once the order to stop has come. */
static bool is_over(void)
{
    struct vmo_incoming order;
    const vmo_status status = vmo_recv(registry, parent, &order, 0);

    MUST(status == VMO_OK ? order.tag == TAG_STOP : status == VMO_ERR_TIMED_OUT);
    return status == VMO_OK;
}

static void wait_until_over(void)
{
    while (!is_over()) {
        let_others_run();
    }
}

static struct stream_page *page_of_mine(void)
{
    return (void *)vmo_view_data_rw(registry, view_with(registry, VMO_RIGHTS_ALL));
}

static const struct stream_control *control_of(const struct vmo_incoming *offer)
{
    struct stream_offer terms;
    const uint8_t *pool = vmo_view_data(registry, view_with(registry, VMO_RIGHT_READ));

    memcpy(&terms, offer->body, sizeof(terms));
    return (const void *)(pool + terms.buffers * terms.capacity_bytes);
}

/* ---- Honest ones -------------------------------------------------------------------------------- */

static void read_all(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = joined(offer);
    const struct reading reading = read_frames(registry, consumer, 4 * patience_ns());

    print_reading("reader", &reading);
    MUST_OK(vmo_stream_leave(consumer));
}

/* Takes from a producer that overwrites its control block. */
static void doubt(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = joined(offer);
    struct doubting doubting = {0};
    struct stream_offer terms;

    memcpy(&terms, offer->body, sizeof(terms));
    for (uint32_t i = 0; i < DOUBTS && doubting.wrong == NULL; i++) {
        take_with_doubt(registry, consumer, i % DOUBT_WAITS ? 0 : patience_ns() / 100, terms.buffers,
                        &doubting);
        let_others_run();
    }
    printf("hostile: doubter frames=%u timed_out=%u false=%u expelled=%u gone=%u late_us=%llu wrong=%s\n",
           (unsigned)doubting.frames, (unsigned)doubting.timed_out, (unsigned)doubting.false_entries,
           (unsigned)doubting.expelled, (unsigned)doubting.gone, us(doubting.late_ns),
           doubting.wrong == NULL ? "nothing" : doubting.wrong);
    MUST_OK(vmo_stream_leave(consumer));
}

/* ---- Liars -------------------------------------------------------------------------------------- */

/* Overwrites each page that it is offered, all of it. */
static void overwrite_pages(const struct vmo_incoming *first)
{
    const struct vmo_range all = {0, PAGE};
    struct vmo_incoming message = *first;
    vmo_view_t view = {0};
    vmo_t page = VMO_NONE;

    for (vmo_status status = VMO_OK;; status = vmo_recv(registry, parent, &message, 0)) {
        if (status == VMO_OK && message.tag == TAG_STOP) {
            break;
        }
        if (status == VMO_OK && vmo_stream_is_offer(&message)) {
            MUST_OK(vmo_close(registry, message.vmo));
        } else if (status == VMO_OK) {
            if (view.id) {
                MUST_OK(vmo_unmap(registry, view));
                MUST_OK(vmo_close(registry, page));
            }
            page = message.vmo;
            MUST_OK(vmo_map_rw(registry, page, all, &view));
        }
        if (view.id) {
            overwrite_page((void *)vmo_view_data_rw(registry, view));
        }
    }
    MUST_OK(vmo_unmap(registry, view));
    MUST_OK(vmo_close(registry, page));
}

/* Reads as an honest one, but rings all the time, says that it sleeps, and sends as fast as it can. */
static void flood(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = joined(offer);
    struct stream_page *page = page_of_mine();
    struct vmo_frame frame;
    vmo_status status = VMO_ERR_TIMED_OUT;
    uint32_t words = 0;

    while (status == VMO_OK || status == VMO_ERR_TIMED_OUT) {
        const struct vmo_message word = {.tag = TAG_WORD, .body = &words, .body_bytes = sizeof(words)};
        for (uint32_t i = 0; i < 64; i++) {
            atomic_fetch_add(&page->bell, 1);
            atomic_store(&page->awaits, random_word());
            LIAR_RUNS_ON();
        }
        words += vmo_send(registry, parent, &word, 0) == VMO_OK;
        status = vmo_stream_take(consumer, 0, &frame);
        if (status == VMO_OK) {
            status = vmo_stream_release(consumer, &frame);
        } else {
            let_others_run();
        }
    }
    MUST(status == VMO_ERR_PEER_GONE);
    MUST_OK(vmo_stream_leave(consumer));
    wait_until_over();
    tell(TAG_DONE, words);
}

static void never_read(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = joined(offer);

    wait_until_over();
    MUST_OK(vmo_stream_leave(consumer));
}

static void take_all(struct vmo_consumer *consumer, struct vmo_frame held[HOLD])
{
    for (uint32_t i = 0; i < HOLD; i++) {
        MUST_OK(vmo_stream_take(consumer, later(registry, 4 * patience_ns()), &held[i]));
    }
}

/* A frame that is held stays as it is until its holder is expelled. */
static void hold_all(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = joined(offer);
    struct vmo_frame held[HOLD];
    struct vmo_frame more;

    take_all(consumer, held);
    wait_until_over();
    const vmo_status status = vmo_stream_take(consumer, 0, &more);
    const bool same = holds(&held[0]) && holds(&held[1]);
    const vmo_status released = vmo_stream_release(consumer, &held[0]);
    printf("hostile: holder more=%s same=%d released=%s\n", vmo_status_name(status), same,
           vmo_status_name(released));
    MUST_OK(vmo_stream_leave(consumer));
}

/* Claims whatever lies in the ring. */
static void claim_all(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = joined(offer);
    const struct stream_control *control = control_of(offer);
    struct stream_page *page = page_of_mine();
    struct stream_offer terms;

    memcpy(&terms, offer->body, sizeof(terms));
    while (!is_over()) {
        for (uint32_t i = 0; i < terms.buffers; i++) {
            const uint64_t s = atomic_load(&control->ring[i].sequence);
            if (s) {
                atomic_store(&page->word[stream_buffer_of(atomic_load(&control->ring[i].where))], 2 * s);
            }
        }
        let_others_run();
    }
    MUST_OK(vmo_stream_leave(consumer));
}

static void die_holding_all(const struct vmo_incoming *offer)
{
    struct vmo_frame held[HOLD];

    take_all(joined(offer), held);
    if (offer->tag == TAG_FAULT) {
        *(volatile uint8_t *)(uintptr_t)held[0].data = 0;
    }
    task_finish(EXIT_STATUS);
}

/* An offer is good for one join; the second one fails, before and after another offer. */
static void join_twice(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = joined(offer);
    struct vmo_consumer *second = NULL;
    struct vmo_incoming rest;
    const vmo_status again = join(offer, 1, &second);

    tell(TAG_READY, 0);
    const vmo_status false_one = join(offer, 1, &second); /* takes the next offer's pool for its own page */
    MUST_OK(vmo_recv(registry, parent, &rest, later(registry, patience_ns())));
    MUST_OK(vmo_close(registry, rest.vmo));
    tell(TAG_READY, 0);
    const struct reading reading = read_frames(registry, consumer, 4 * patience_ns());
    printf("hostile: twin again=%s false=%s\n", vmo_status_name(again), vmo_status_name(false_one));
    print_reading("twin", &reading);
    MUST_OK(vmo_stream_leave(consumer));
}

/* A producer whose last publish ends after so many stores. */
static _Noreturn void die_publishing(const struct vmo_incoming *order)
{
    const vmo_stream_policy policy = order->body[1] ? VMO_STREAM_LATEST : VMO_STREAM_BACKPRESSURE;
    const struct vmo_stream_options options = frame_options(policy);
    struct vmo_producer *producer = NULL;
    vmo_consumer_t name;

    MUST_OK(vmo_stream_create(registry, &options, producer_storage, sizeof(producer_storage), &producer));
    MUST_OK(vmo_stream_offer(producer, parent, TAG_OFFER, UINT64_MAX, &name));
    publish_until(registry, producer, policy, order->body[0]);
    task_finish(EXIT_STATUS);
}

/* ---- Orders ------------------------------------------------------------------------------------- */

static void obey(const struct vmo_incoming *message)
{
    static void (*const roles[])(const struct vmo_incoming *offer) = {
        [TAG_READ] = read_all,        [TAG_OVERWRITE] = overwrite_pages,
        [TAG_FLOOD] = flood,          [TAG_NEVER] = never_read,
        [TAG_HOLD] = hold_all,        [TAG_CLAIM] = claim_all,
        [TAG_EXIT] = die_holding_all, [TAG_FAULT] = die_holding_all,
        [TAG_TWICE] = join_twice,     [TAG_CONTROL] = doubt,
        [TAG_STALL] = read_all};

    MUST(message->tag < sizeof(roles) / sizeof(roles[0]) && roles[message->tag] != NULL);
    roles[message->tag](message);
    if (message->tag != TAG_FLOOD) {
        tell(TAG_DONE, 0);
    }
}

int main(void)
{
    static const struct vmo_limits limits = {
        .objects = OBJECTS, .mappings = OBJECTS, .views = OBJECTS, .peers = 1};
    struct vmo_incoming message;

    MUST_OK(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry));
    MUST_OK(vmo_peer_parent(registry, &parent));
    MUST_OK(vmo_peer_allow(registry, parent));
    for (;;) {
        MUST_OK(vmo_recv(registry, parent, &message, UINT64_MAX));
        if (message.tag == TAG_END) {
            return 0;
        }
        if (message.tag == TAG_DIE) {
            die_publishing(&message);
        }
        obey(&message);
    }
}
