/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a stream and of its consumers, at the producer: create, offer, expel, close. */
#include <string.h>

#include "stream_producer.h"

#define PRODUCER_MAGIC UINT64_C(0x52454355444F5250)
#define SEAT_BITS 8

bool stream_is_live(const struct vmo_producer *producer)
{
    return producer->magic == PRODUCER_MAGIC && atomic_load_explicit(producer->token, memory_order_relaxed);
}

vmo_consumer_t stream_consumer(const struct vmo_producer *producer, uint32_t seat)
{
    return (vmo_consumer_t){(uint64_t)producer->seats[seat].generation << SEAT_BITS | seat};
}

/* ---- Creating ----------------------------------------------------------------------------------- */

static bool options_hold(const struct vmo_stream_options *options)
{
    return (options->policy == VMO_STREAM_BACKPRESSURE || options->policy == VMO_STREAM_LATEST) &&
           options->buffers >= 1 && options->buffers <= VMO_STREAM_BUFFERS_MAX && options->consumers >= 1 &&
           options->consumers <= VMO_STREAM_CONSUMERS_MAX && options->hold >= 1 &&
           options->hold <= options->buffers && options->zero == 0 && options->capacity_bytes >= 1 &&
           options->capacity_bytes < UINT64_C(1) << (STREAM_LENGTH_BITS - 8) &&
           (options->policy == VMO_STREAM_BACKPRESSURE ||
            options->buffers >= options->consumers * options->hold + 2);
}

size_t vmo_stream_producer_bytes(const struct vmo_stream_options *options)
{
    if (options == NULL || !options_hold(options)) {
        return 0;
    }
    return sizeof(struct vmo_producer) + options->buffers * sizeof(struct stream_buffer) +
           options->consumers * (sizeof(struct stream_seat) + options->buffers * sizeof(uint64_t));
}

#define BOUND_HOLDS(buffers, consumers)                                                                      \
    _Static_assert(VMO_STREAM_PRODUCER_BYTES(buffers, consumers) >=                                          \
                       sizeof(struct vmo_producer) + (buffers) * sizeof(struct stream_buffer) +              \
                           (consumers) * (sizeof(struct stream_seat) + (buffers) * sizeof(uint64_t)),        \
                   "the bound that the header promises")
BOUND_HOLDS(1, 1);
BOUND_HOLDS(VMO_STREAM_BUFFERS_MAX, 1);
BOUND_HOLDS(VMO_STREAM_BUFFERS_MAX, VMO_STREAM_CONSUMERS_MAX);

/* Makes, maps and seals the pool. After a refusal nothing is left. */
static vmo_status make_pool(struct vmo_registry *registry, const struct vmo_stream_options *options,
                            struct vmo_producer *made)
{
    const uint64_t len_bytes =
        options->buffers * options->capacity_bytes + stream_control_bytes(options->buffers);
    vmo_status status = vmo_create(registry, len_bytes, &made->vmo);

    if (status != VMO_OK) {
        return status;
    }
    status = vmo_map_rw(registry, made->vmo, (struct vmo_range){0, len_bytes}, &made->view);
    if (status == VMO_OK) {
        status = vmo_seal(registry, made->vmo, VMO_SEAL_PEERS);
        if (status != VMO_OK) {
            const vmo_status unmapped = vmo_unmap(registry, made->view);
            status = unmapped == VMO_OK ? status : unmapped;
        }
    }
    if (status != VMO_OK) {
        const vmo_status closed = vmo_destroy(registry, made->vmo);
        return closed == VMO_OK || closed == VMO_ERR_UNSUPPORTED ? status : closed;
    }
    made->pool = vmo_view_data_rw(registry, made->view);
    made->control = (void *)(made->pool + options->buffers * options->capacity_bytes);
    return VMO_OK;
}

/* Lays the tables out behind the struct, and frees every buffer. */
static void lay_out(struct vmo_producer *producer)
{
    const uint32_t buffers = producer->options.buffers;
    uint64_t *words = NULL;

    producer->buffers = (void *)(producer + 1);
    producer->seats = (void *)(producer->buffers + buffers);
    words = (void *)(producer->seats + producer->options.consumers);
    memset(producer->buffers, 0, buffers * sizeof(*producer->buffers));
    memset(producer->seats, 0, producer->options.consumers * sizeof(*producer->seats));
    for (uint32_t i = 0; i < producer->options.consumers; i++) {
        producer->seats[i].seen = words + (size_t)i * buffers;
    }
    for (uint32_t b = 0; b < buffers; b++) {
        producer->free[b] = (uint8_t)(buffers - 1 - b);
    }
    producer->free_count = (uint8_t)buffers;
    producer->oldest = STREAM_NO_BUFFER;
    producer->newest = STREAM_NO_BUFFER;
}

vmo_status vmo_stream_create(struct vmo_registry *registry, const struct vmo_stream_options *options,
                             void *storage, size_t storage_bytes, struct vmo_producer **out)
{
    struct vmo_producer made = {.magic = PRODUCER_MAGIC, .registry = registry, .next = 1};

    if (!registry_is_live(registry) || options == NULL || storage == NULL || (uintptr_t)storage % 16 ||
        out == NULL || !options_hold(options)) {
        return VMO_ERR_INVALID;
    }
    if (storage_bytes < vmo_stream_producer_bytes(options)) {
        return VMO_ERR_STORAGE;
    }
    made.token = be_stream_token();
    if (made.token == NULL) {
        return VMO_ERR_UNSUPPORTED;
    }
    const uint64_t page_bytes = registry->info.page_bytes;
    made.options = *options;
    made.options.capacity_bytes = (options->capacity_bytes + page_bytes - 1) / page_bytes * page_bytes;
    made.options.looks = options->looks ? options->looks : BE_STREAM_LOOKS;
    made.mask = stream_ring_entries(options->buffers) - 1;
    const vmo_status status = make_pool(registry, &made.options, &made);
    if (status != VMO_OK) {
        return status;
    }
    *out = storage;
    **out = made;
    lay_out(*out);
    return VMO_OK;
}

/* ---- Seats -------------------------------------------------------------------------------------- */

/* Gives a VMO back to the kernel if the kernel takes it, else closes it. */
static vmo_status give_back(struct vmo_registry *registry, vmo_t vmo)
{
    return vmo_destroy(registry, vmo) == VMO_OK ? VMO_OK : vmo_close(registry, vmo);
}

vmo_status stream_unseat(struct vmo_producer *producer, uint32_t number)
{
    struct stream_seat *seat = &producer->seats[number];

    seat->live = false;
    seat->page = NULL;
    producer->counters.consumers--;
    const vmo_status unmapped = vmo_unmap(producer->registry, seat->view);
    const vmo_status closed = give_back(producer->registry, seat->vmo);
    return unmapped == VMO_OK ? closed : unmapped;
}

vmo_status stream_expel_seat(struct vmo_producer *producer, uint32_t number)
{
    atomic_store_explicit(&producer->control->expelled[number], producer->seats[number].generation,
                          memory_order_release);
    /* The one fence of the protocol: what the producer writes into the buffers from here on must not be seen
     * by a consumer that does not see yet that it was expelled. */
    atomic_thread_fence(memory_order_seq_cst);
    producer->counters.expelled++;
    be_stream_wake(stream_published_low(producer->control));
    return stream_unseat(producer, number);
}

static bool find_seat(struct vmo_producer *producer, uint32_t *number)
{
    for (uint32_t i = 0; i < producer->options.consumers; i++) {
        struct stream_seat *seat = &producer->seats[i];
        if (stream_has_left(seat) && stream_unseat(producer, i) != VMO_OK) {
            continue;
        }
        if (!seat->live && seat->generation != UINT32_MAX) {
            *number = i;
            return true;
        }
    }
    return false;
}

/* Makes and maps the page of a consumer. After a refusal nothing is left. */
static vmo_status make_page(struct vmo_producer *producer, struct stream_seat *seat)
{
    struct vmo_registry *registry = producer->registry;
    vmo_status status = vmo_create(registry, registry->info.page_bytes, &seat->vmo);

    if (status != VMO_OK) {
        return status;
    }
    status = vmo_map_ro(registry, seat->vmo, (struct vmo_range){0, registry->info.page_bytes}, &seat->view);
    if (status != VMO_OK) {
        const vmo_status closed = give_back(registry, seat->vmo);
        return closed == VMO_OK ? status : closed;
    }
    seat->page = (const void *)vmo_view_data(registry, seat->view);
    return VMO_OK;
}

static vmo_status send_part(const struct vmo_producer *producer, struct stream_offer *offer, uint16_t part,
                            vmo_peer_t peer, uint32_t tag, uint64_t deadline_ns)
{
    const struct stream_seat *seat = &producer->seats[offer->seat];
    const bool pool = part == STREAM_OFFER_POOL;
    const struct vmo_message message = {.tag = tag,
                                        .vmo = pool ? producer->vmo : seat->vmo,
                                        .rights = pool ? VMO_RIGHT_READ : VMO_RIGHTS_ALL,
                                        .body = offer,
                                        .body_bytes = sizeof(*offer)};

    offer->part = part;
    return vmo_send(producer->registry, peer, &message, deadline_ns);
}

vmo_status vmo_stream_offer(struct vmo_producer *producer, vmo_peer_t peer, uint32_t tag,
                            uint64_t deadline_ns, vmo_consumer_t *out)
{
    uint32_t number = 0;

    if (producer == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!stream_is_live(producer)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!find_seat(producer, &number)) {
        return VMO_ERR_TABLE_FULL;
    }
    struct stream_seat *seat = &producer->seats[number];
    vmo_status status = make_page(producer, seat);
    if (status != VMO_OK) {
        return status;
    }
    struct stream_offer offer = {.magic = STREAM_MAGIC,
                                 .policy = (uint8_t)producer->options.policy,
                                 .seat = (uint8_t)number,
                                 .generation = seat->generation + 1,
                                 .buffers = producer->options.buffers,
                                 .hold = producer->options.hold,
                                 .looks = producer->options.looks,
                                 .capacity_bytes = producer->options.capacity_bytes,
                                 .start = producer->next};
    status = send_part(producer, &offer, STREAM_OFFER_POOL, peer, tag, deadline_ns);
    if (status == VMO_OK) {
        status = send_part(producer, &offer, STREAM_OFFER_PAGE, peer, tag, deadline_ns);
    }
    seat->generation++; /* a refused offer's pool may be there: nobody else gets its name */
    seat->live = true;
    producer->counters.consumers++;
    producer->seats_used = number < producer->seats_used ? producer->seats_used : number + 1;
    if (status != VMO_OK) {
        const vmo_status undone = stream_unseat(producer, number);
        return undone == VMO_OK ? status : undone;
    }
    seat->peer = peer;
    seat->start = offer.start;
    seat->rung = 0;
    memset(seat->seen, 0, producer->options.buffers * sizeof(*seat->seen));
    *out = stream_consumer(producer, number);
    return VMO_OK;
}

vmo_status vmo_stream_expel(struct vmo_producer *producer, vmo_consumer_t consumer)
{
    if (producer == NULL) {
        return VMO_ERR_INVALID;
    }
    const uint32_t number = consumer.id & ((1u << SEAT_BITS) - 1);
    if (!stream_is_live(producer) || number >= producer->options.consumers || !producer->seats[number].live ||
        stream_consumer(producer, number).id != consumer.id) {
        return VMO_ERR_BAD_HANDLE;
    }
    return stream_expel_seat(producer, number);
}

/* ---- Report and end ----------------------------------------------------------------------------- */

vmo_status vmo_stream_counters_read(const struct vmo_producer *producer, struct vmo_stream_counters *out)
{
    if (producer == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!stream_is_live(producer)) {
        return VMO_ERR_BAD_HANDLE;
    }
    *out = producer->counters;
    return VMO_OK;
}

vmo_status vmo_stream_close(struct vmo_producer *producer)
{
    vmo_status first = VMO_OK;

    if (producer == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!stream_is_live(producer)) {
        return VMO_ERR_BAD_HANDLE;
    }
    atomic_store_explicit(&producer->control->closed, 1, memory_order_seq_cst);
    be_stream_wake(stream_published_low(producer->control));
    for (uint32_t i = 0; i < producer->seats_used; i++) {
        const vmo_status ended = producer->seats[i].live ? stream_unseat(producer, i) : VMO_OK;
        first = first == VMO_OK ? ended : first;
    }
    producer->magic = 0;
    const vmo_status unmapped = vmo_unmap(producer->registry, producer->view);
    const vmo_status closed = give_back(producer->registry, producer->vmo);
    return first != VMO_OK ? first : unmapped != VMO_OK ? unmapped : closed;
}
