/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a stream and of its consumers, at the producer: create, offer, expel, close. */
#include <string.h>

#include "stream_seats.h"

#define CLOSING_MAGIC UINT32_C(0x444F5251) /* vmo_stream_close was refused halfway */
#define SEAT_BITS 8

static bool is_ours(const struct vmo_producer *producer, uint32_t magic)
{
    return producer->magic == magic && stream_token_holds(producer->token);
}

vmo_consumer_t stream_name(const struct stream_seat *seat)
{
    return (vmo_consumer_t){(uint64_t)seat->generation << SEAT_BITS | seat->number};
}

/* ---- Creating ----------------------------------------------------------------------------------- */

static bool options_hold(const struct vmo_stream_options *options)
{
    return (options->policy == VMO_STREAM_BACKPRESSURE || options->policy == VMO_STREAM_LATEST) &&
           options->buffers >= 1 && options->buffers <= VMO_STREAM_BUFFERS_MAX && options->consumers >= 1 &&
           options->consumers <= VMO_STREAM_CONSUMERS_MAX && options->hold >= 1 &&
           options->hold <= options->buffers && options->pollable <= 1 &&
           options->looks <= VMO_STREAM_LOOKS_MAX && options->capacity_bytes >= 1 &&
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
static vmo_status make_pool(struct vmo_registry *registry, struct vmo_producer *made)
{
    const uint64_t buffers_bytes = made->options.buffers * made->options.capacity_bytes;
    const uint64_t len_bytes = buffers_bytes + stream_control_bytes(made->mask + 1);
    vmo_status status = vmo_create(registry, len_bytes, &made->part.vmo);

    if (status != VMO_OK) {
        return status;
    }
    status = vmo_map_rw(registry, made->part.vmo, (struct vmo_range){0, len_bytes}, &made->part.view);
    if (status == VMO_OK) {
        status = vmo_seal(registry, made->part.vmo, VMO_SEAL_PEERS);
    }
    if (status != VMO_OK) {
        const vmo_status undone = stream_part_end(registry, &made->part, true);
        return undone == VMO_OK ? status : undone;
    }
    made->pool = vmo_view_data_rw(registry, made->part.view);
    made->control = (void *)(made->pool + buffers_bytes);
    return VMO_OK;
}

/* Lays the tables out behind the struct, and frees every buffer. */
static void lay_out(struct vmo_producer *producer)
{
    const uint32_t buffers = producer->options.buffers;
    uint64_t *words = NULL;

    producer->buffers = (void *)(producer + 1);
    producer->seats = (void *)(producer->buffers + buffers);
    producer->seats_end = producer->seats;
    words = (void *)(producer->seats + producer->options.consumers);
    for (uint32_t i = 0; i < producer->options.consumers; i++) {
        producer->seats[i].number = i;
        producer->seats[i].first = STREAM_NEVER;
        producer->seats[i].seen = words + (size_t)i * buffers;
        if (BE_STREAM_NOTIFIES) {
            producer->seats[i].notifier = BE_NONE;
        }
    }
    producer->older[STREAM_LIST] = STREAM_LIST;
    producer->newer[STREAM_LIST] = STREAM_LIST;
    for (uint32_t b = 1; b <= buffers; b++) { /* the newest is the first one that is lent: 0 */
        producer->buffers[b % buffers].loan = STREAM_DEAD;
        stream_insert(producer, (uint8_t)(b % buffers), STREAM_LIST);
    }
}

/* Makes the group of a pollable stream. After a refusal the pool is gone, too. */
static vmo_status make_group(struct vmo_producer *made)
{
    made->group = BE_NONE;
    const vmo_status status = made->options.pollable ? be_stream_group_make(&made->group) : VMO_OK;
    if (status != VMO_OK) {
        const vmo_status undone = stream_part_end(made->registry, &made->part, true);
        return undone == VMO_OK ? status : undone;
    }
    return VMO_OK;
}

vmo_status vmo_stream_create(struct vmo_registry *registry, const struct vmo_stream_options *options,
                             void *storage, size_t storage_bytes, struct vmo_producer **out)
{
    struct vmo_producer *made = storage;
    const size_t bytes = vmo_stream_producer_bytes(options);

    if (!registry_is_live(registry) || bytes == 0 || storage == NULL || (uintptr_t)storage % 16 ||
        out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (storage_bytes < bytes) {
        return VMO_ERR_STORAGE;
    }
    if (!BE_STREAM_NOTIFIES && options->pollable) {
        return VMO_ERR_UNSUPPORTED;
    }
    const uint64_t page_bytes = registry->info.page_bytes;
    memset(storage, 0, bytes);
    made->registry = registry;
    made->next = 1;
    made->options = *options;
    made->options.capacity_bytes = (options->capacity_bytes + page_bytes - 1) / page_bytes * page_bytes;
    made->options.looks = options->looks ? options->looks : BE_STREAM_LOOKS;
    made->mask = stream_ring_entries(options->buffers) - 1;
    lay_out(made);
    vmo_status status = stream_token_make(&made->token);
    if (status != VMO_OK) {
        return status;
    }
    status = make_pool(registry, made);
    if (BE_STREAM_NOTIFIES && status == VMO_OK) {
        status = make_group(made);
    }
    if (status != VMO_OK) {
        stream_token_drop(made->token);
        return status;
    }
    made->magic = STREAM_PRODUCER_MAGIC;
    *out = made;
    return VMO_OK;
}

/* ---- Seats -------------------------------------------------------------------------------------- */

vmo_status stream_unseat(struct vmo_producer *producer, struct stream_seat *seat)
{
    producer->counters.consumers -= stream_is_live(seat);
    seat->first = STREAM_NEVER;
    if (BE_STREAM_NOTIFIES) {
        be_stream_notifier_close(producer->group, &seat->notifier);
    }
    return stream_part_end(producer->registry, &seat->part, true);
}

vmo_status stream_expel_seat(struct vmo_producer *producer, struct stream_seat *seat)
{
    atomic_store_explicit(&producer->control->expelled[seat->number], seat->generation, memory_order_release);
    /* The one fence of the protocol: what the producer writes into the buffers from here on must not be seen
     * by a consumer that does not see yet that it was expelled. */
    atomic_thread_fence(memory_order_seq_cst);
    producer->counters.expelled++;
    be_stream_wake(stream_published_low(producer->control));
    return stream_unseat(producer, seat);
}

/* Finds a free seat, or frees one whose consumer has left or ended. NULL: there is none. */
static struct stream_seat *find_seat(struct vmo_producer *producer)
{
    for (uint32_t i = 0; i < producer->options.consumers; i++) {
        struct stream_seat *seat = &producer->seats[i];
        vmo_status status = VMO_OK;
        if (stream_is_live(seat) && stream_peer_ended(producer->registry, seat->peer)) {
            status = stream_expel_seat(producer, seat);
        } else if (stream_has_left(seat) || !stream_is_live(seat)) {
            status = stream_unseat(producer, seat);
        }
        if (status == VMO_OK && !seat->part.vmo.id && seat->generation != UINT32_MAX) {
            producer->seats_end = seat < producer->seats_end ? producer->seats_end : seat + 1;
            return seat;
        }
    }
    return NULL;
}

/* Makes and maps the page of a consumer. After a refusal nothing is left. */
static vmo_status make_page(struct vmo_producer *producer, struct stream_seat *seat)
{
    struct vmo_registry *registry = producer->registry;
    vmo_status status = vmo_create(registry, registry->info.page_bytes, &seat->part.vmo);

    if (status != VMO_OK) {
        return status;
    }
    status = vmo_map_ro(registry, seat->part.vmo, (struct vmo_range){0, registry->info.page_bytes},
                        &seat->part.view);
    if (status != VMO_OK) {
        const vmo_status closed = stream_part_end(registry, &seat->part, true);
        return closed == VMO_OK ? status : closed;
    }
    seat->page = (const void *)vmo_view_data(registry, seat->part.view);
    return VMO_OK;
}

static vmo_status send_part(const struct vmo_producer *producer, const struct stream_offer *offer,
                            vmo_peer_t peer, uint32_t tag, uint64_t deadline_ns)
{
    const bool pool = offer->part == STREAM_OFFER_POOL;
    const struct vmo_message message = {
        .tag = tag,
        .vmo = (pool ? &producer->part : &producer->seats[offer->seat].part)->vmo,
        .rights = pool ? VMO_RIGHT_READ : VMO_RIGHTS_ALL,
        .body = offer,
        .body_bytes = sizeof(*offer)};

    return vmo_send(producer->registry, peer, &message, deadline_ns);
}

/* Hands the peer its end of a notifier. */
static vmo_status offer_notifier(const struct vmo_producer *producer, struct stream_seat *seat, vmo_peer_t to,
                                 uint64_t deadline_ns, uint32_t *name)
{
    struct peer *peer = registry_peer(producer->registry, to);

    if (peer == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!peer->allowed) {
        return VMO_ERR_NOT_AUTHORISED;
    }
    const vmo_status status = be_stream_notifier_make(&peer->be, deadline_ns, name, &seat->notifier);
    return status == VMO_OK ? be_stream_group_add(producer->group, seat->notifier) : status;
}

vmo_status vmo_stream_offer(struct vmo_producer *producer, vmo_peer_t peer, uint32_t tag,
                            uint64_t deadline_ns, vmo_consumer_t *out)
{
    vmo_status status = out == NULL ? VMO_ERR_INVALID : stream_check(producer);

    if (status != VMO_OK) {
        return status;
    }
    if (producer->next > VMO_STREAM_FRAMES_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    struct stream_seat *seat = find_seat(producer);
    if (seat == NULL) {
        return VMO_ERR_TABLE_FULL;
    }
    status = make_page(producer, seat);
    if (status != VMO_OK) {
        return status;
    }
    seat->generation++; /* whatever comes: a peer that got the pool alone has a name that nobody else gets */
    struct stream_offer offer = {.magic = STREAM_MAGIC,
                                 .policy = (uint8_t)producer->options.policy,
                                 .seat = (uint8_t)seat->number,
                                 .generation = seat->generation,
                                 .buffers = producer->options.buffers,
                                 .hold = producer->options.hold,
                                 .looks = producer->options.looks,
                                 .capacity_bytes = producer->options.capacity_bytes,
                                 .start = producer->next};
    if (BE_STREAM_NOTIFIES && producer->options.pollable) {
        status = offer_notifier(producer, seat, peer, deadline_ns, &offer.notifier);
    }
    for (offer.part = STREAM_OFFER_POOL; offer.part <= STREAM_OFFER_PAGE && status == VMO_OK; offer.part++) {
        status = send_part(producer, &offer, peer, tag, deadline_ns);
    }
    if (status != VMO_OK) {
        const vmo_status undone = stream_unseat(producer, seat);
        return undone == VMO_OK ? status : undone;
    }
    producer->counters.consumers++;
    seat->peer = peer;
    seat->first = 2 * offer.start;
    seat->rung = 0;
    memset(seat->seen, 0, producer->options.buffers * sizeof(*seat->seen));
    *out = stream_name(seat);
    return VMO_OK;
}

vmo_status vmo_stream_expel(struct vmo_producer *producer, vmo_consumer_t consumer)
{
    const vmo_status status = stream_check(producer);

    if (status != VMO_OK) {
        return status;
    }
    struct stream_seat *seat = &producer->seats[consumer.id & ((1u << SEAT_BITS) - 1)];
    if (seat >= producer->seats_end || !seat->part.vmo.id || stream_name(seat).id != consumer.id) {
        return VMO_ERR_BAD_HANDLE;
    }
    return stream_is_live(seat) ? stream_expel_seat(producer, seat) : stream_unseat(producer, seat);
}

/* ---- Report and end ----------------------------------------------------------------------------- */

vmo_status vmo_stream_counters_read(const struct vmo_producer *producer, struct vmo_stream_counters *out)
{
    const vmo_status status = out == NULL ? VMO_ERR_INVALID : stream_check(producer);

    if (status == VMO_OK) {
        *out = producer->counters;
    }
    return status;
}

vmo_status vmo_stream_producer_fd(const struct vmo_producer *producer, int *fd)
{
    if (!BE_STREAM_NOTIFIES) {
        return VMO_ERR_UNSUPPORTED;
    }
    const vmo_status status = fd == NULL ? VMO_ERR_INVALID : stream_check(producer);
    if (status != VMO_OK) {
        return status;
    }
    if (producer->group == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    *fd = producer->group;
    return VMO_OK;
}

vmo_status vmo_stream_close(struct vmo_producer *producer)
{
    if (producer == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!is_ours(producer, STREAM_PRODUCER_MAGIC) && !is_ours(producer, CLOSING_MAGIC)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (producer->magic == STREAM_PRODUCER_MAGIC) {
        atomic_store_explicit(&producer->control->closed, 1, memory_order_seq_cst);
        be_stream_wake(stream_published_low(producer->control));
        producer->magic = CLOSING_MAGIC;
    }
    for (struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        const vmo_status ended = stream_unseat(producer, seat);
        if (ended != VMO_OK) {
            return ended;
        }
    }
    if (BE_STREAM_NOTIFIES) {
        be_stream_notifier_close(BE_NONE, &producer->group);
    }
    const vmo_status status = stream_part_end(producer->registry, &producer->part, true);
    if (status == VMO_OK) {
        producer->magic = 0;
        stream_token_drop(producer->token);
    }
    return status;
}
