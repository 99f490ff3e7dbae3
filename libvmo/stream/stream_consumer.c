/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer of a stream: join, take, release, leave. It trusts no word of the producer. */
#include <string.h>

#include "backend_stream.h"
#include "protocol.h"
#include "registry.h"

#define CONSUMER_MAGIC UINT64_C(0x52454D55534E4F43)
#define SLEEPS_PER_CHECK 16 /* a peer that wakes us in vain cannot keep us from the clock for longer */

struct vmo_consumer {
    uint64_t magic;
    const _Atomic uint64_t *token;
    struct vmo_registry *registry;
    vmo_peer_t peer;
    const uint8_t *pool;
    const struct stream_control *control;
    struct stream_page *page;
    struct stream_offer terms;
    uint64_t mask;   /* of the ring */
    uint64_t cursor; /* sequence of the next frame */
    uint32_t holds;
    uint64_t held[VMO_STREAM_BUFFERS_MAX]; /* by buffer: the frame that this consumer holds, or 0 */
    vmo_t vmos[2];                         /* pool, page */
    vmo_view_t views[2];
};

_Static_assert(sizeof(struct vmo_consumer) <= VMO_STREAM_CONSUMER_BYTES,
               "the storage that the header promises");

static bool is_live(const struct vmo_consumer *consumer)
{
    return consumer->magic == CONSUMER_MAGIC && atomic_load_explicit(consumer->token, memory_order_relaxed);
}

static bool is_expelled(const struct vmo_consumer *consumer)
{
    return atomic_load_explicit(&consumer->control->expelled[consumer->terms.seat], memory_order_acquire) >=
           consumer->terms.generation;
}

/* ---- Joining ------------------------------------------------------------------------------------ */

int vmo_stream_is_offer(const struct vmo_incoming *message)
{
    struct stream_offer offer;

    if (message == NULL || message->body_bytes != sizeof(offer) || message->vmo.id == 0) {
        return 0;
    }
    memcpy(&offer, message->body, sizeof(offer));
    return offer.magic == STREAM_MAGIC && offer.part == STREAM_OFFER_POOL;
}

/* Checks the terms against each other. */
static bool terms_hold(const struct stream_offer *offer)
{
    return offer->policy <= VMO_STREAM_LATEST && offer->buffers >= 1 &&
           offer->buffers <= VMO_STREAM_BUFFERS_MAX && offer->hold >= 1 && offer->hold <= offer->buffers &&
           offer->seat < VMO_STREAM_CONSUMERS_MAX && offer->generation >= 1 && offer->start >= 1 &&
           offer->start <= VMO_STREAM_FRAMES_MAX && offer->capacity_bytes >= 1 &&
           offer->capacity_bytes < UINT64_C(1) << STREAM_LENGTH_BITS;
}

/* Checks the pool against the terms. */
static vmo_status check_pool(const struct vmo_registry *registry, vmo_t vmo, const struct stream_offer *offer)
{
    const uint64_t behind = stream_control_bytes(offer->buffers);
    uint64_t len_bytes = 0;
    vmo_seal_strength strength = VMO_SEAL_NONE;
    vmo_status status = vmo_len(registry, vmo, &len_bytes);

    if (status == VMO_OK) {
        status = vmo_seal_of(registry, vmo, &strength);
    }
    if (status != VMO_OK) {
        return status;
    }
    if (strength == VMO_SEAL_NONE) {
        return VMO_ERR_NOT_SEALED;
    }
    /* The quotient cannot overflow, as a product of two numbers from the producer could. */
    if (len_bytes < behind || (len_bytes - behind) % offer->capacity_bytes ||
        (len_bytes - behind) / offer->capacity_bytes != offer->buffers ||
        offer->capacity_bytes % registry->info.page_bytes) {
        return VMO_ERR_PROTOCOL;
    }
    return VMO_OK;
}

/* Checks the second message against the first. */
static vmo_status check_page(const struct vmo_registry *registry, const struct vmo_incoming *second,
                             const struct stream_offer *offer)
{
    struct stream_offer expected = *offer;
    uint64_t len_bytes = 0;
    uint32_t rights = 0;

    expected.part = STREAM_OFFER_PAGE;
    if (second->body_bytes != sizeof(expected) || memcmp(second->body, &expected, sizeof(expected)) != 0 ||
        vmo_len(registry, second->vmo, &len_bytes) != VMO_OK ||
        vmo_rights(registry, second->vmo, &rights) != VMO_OK) {
        return VMO_ERR_PROTOCOL;
    }
    return len_bytes == registry->info.page_bytes && rights == VMO_RIGHTS_ALL ? VMO_OK : VMO_ERR_PROTOCOL;
}

/* Maps the pool and the page. After a refusal neither is mapped. */
static vmo_status map_both(struct vmo_registry *registry, struct vmo_consumer *consumer)
{
    uint64_t len_bytes = 0;
    vmo_status status = vmo_len(registry, consumer->vmos[0], &len_bytes);

    if (status == VMO_OK) {
        status =
            vmo_map_ro(registry, consumer->vmos[0], (struct vmo_range){0, len_bytes}, &consumer->views[0]);
    }
    if (status != VMO_OK) {
        return status;
    }
    status = vmo_map_rw(registry, consumer->vmos[1], (struct vmo_range){0, registry->info.page_bytes},
                        &consumer->views[1]);
    if (status != VMO_OK) {
        const vmo_status undone = vmo_unmap(registry, consumer->views[0]);
        return undone == VMO_OK ? status : undone;
    }
    return VMO_OK;
}

vmo_status vmo_stream_join(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_incoming *offer,
                           void *storage, size_t storage_bytes, uint64_t deadline_ns,
                           struct vmo_consumer **out)
{
    struct vmo_consumer made = {.magic = CONSUMER_MAGIC, .registry = registry, .peer = peer};
    struct vmo_incoming second;

    if (!vmo_stream_is_offer(offer) || storage == NULL || (uintptr_t)storage % 16 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (storage_bytes < VMO_STREAM_CONSUMER_BYTES) {
        return VMO_ERR_STORAGE;
    }
    memcpy(&made.terms, offer->body, sizeof(made.terms));
    made.token = be_stream_token();
    if (made.token == NULL) {
        return VMO_ERR_UNSUPPORTED;
    }
    vmo_status status =
        terms_hold(&made.terms) ? check_pool(registry, offer->vmo, &made.terms) : VMO_ERR_PROTOCOL;
    if (status == VMO_OK) {
        status = vmo_recv(registry, peer, &second, deadline_ns);
    }
    if (status != VMO_OK) {
        return status;
    }
    status = check_page(registry, &second, &made.terms);
    made.vmos[0] = offer->vmo;
    made.vmos[1] = second.vmo;
    if (status == VMO_OK) {
        status = map_both(registry, &made);
    }
    if (status != VMO_OK) {
        const vmo_status closed = second.vmo.id ? vmo_close(registry, second.vmo) : VMO_OK;
        return closed == VMO_OK ? status : closed;
    }
    made.pool = vmo_view_data(registry, made.views[0]);
    made.control = (const void *)(made.pool + made.terms.buffers * made.terms.capacity_bytes);
    made.page = (void *)vmo_view_data_rw(registry, made.views[1]);
    made.mask = stream_ring_entries(made.terms.buffers) - 1;
    made.cursor = made.terms.start;
    *out = storage;
    **out = made;
    return VMO_OK;
}

/* ---- Taking ------------------------------------------------------------------------------------- */

/* Writes what this consumer says of a buffer, and signals a producer that sleeps for it. */
static void release_buffer(const struct vmo_consumer *consumer, uint32_t buffer, uint64_t sequence)
{
    atomic_store_explicit(&consumer->page->word[buffer], 2 * sequence + 1, memory_order_seq_cst); /* room */
    if (atomic_load_explicit(&consumer->control->sleeping, memory_order_seq_cst)) {               /* room */
        atomic_fetch_add_explicit(&consumer->page->bell, 1, memory_order_release);
        be_stream_wake(&consumer->page->bell);
    }
}

/* Takes frame s from its entry, which had this sequence a moment ago. False if it was overwritten since. */
static bool take_entry(struct vmo_consumer *consumer, uint64_t s, struct vmo_frame *out, vmo_status *status)
{
    const struct stream_entry *entry = &consumer->control->ring[s & consumer->mask];
    /* Copied before the second look, so that they belong to s if s is still there. */
    const uint64_t where = atomic_load_explicit(&entry->where, memory_order_acquire);
    const uint64_t tag = atomic_load_explicit(&entry->tag, memory_order_acquire);
    const uint32_t buffer = stream_buffer_of(where);

    if (buffer >= consumer->terms.buffers || stream_length_of(where) > consumer->terms.capacity_bytes ||
        consumer->held[buffer]) {
        /* An honest producer overwrites what this consumer holds only after it has expelled it. */
        *status = is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_ERR_PROTOCOL;
        return true;
    }
    if (consumer->terms.policy == VMO_STREAM_LATEST) {
        atomic_store_explicit(&consumer->page->word[buffer], 2 * s, memory_order_seq_cst); /* claim */
        if (atomic_load_explicit(&entry->sequence, memory_order_seq_cst) != s) {           /* claim */
            release_buffer(consumer, buffer, s);
            return false;
        }
    }
    if (is_expelled(consumer)) {
        *status = VMO_ERR_EXPELLED;
        return true;
    }
    consumer->held[buffer] = s;
    consumer->holds++;
    *out = (struct vmo_frame){.data = consumer->pool + buffer * consumer->terms.capacity_bytes,
                              .len_bytes = stream_length_of(where),
                              .tag = tag,
                              .sequence = s,
                              .lost = s - consumer->cursor,
                              .buffer = buffer};
    consumer->cursor = s + 1;
    *status = VMO_OK;
    return true;
}

/* True if the entry of frame s is there and was taken, or gives a status that ends the wait. */
static bool try_frame(struct vmo_consumer *consumer, uint64_t s, struct vmo_frame *out, vmo_status *status)
{
    const struct stream_entry *entry = &consumer->control->ring[s & consumer->mask];

    return atomic_load_explicit(&entry->sequence, memory_order_acquire) == s &&
           take_entry(consumer, s, out, status);
}

/* Looks once for a frame; true if there is one, or a status that ends the wait. */
static bool look(struct vmo_consumer *consumer, struct vmo_frame *out, vmo_status *status)
{
    uint64_t s = consumer->cursor;

    if (try_frame(consumer, s, out, status)) {
        return true;
    }
    if (consumer->terms.policy == VMO_STREAM_BACKPRESSURE) {
        return false;
    }
    const uint64_t last = atomic_load_explicit(&consumer->control->published, memory_order_acquire);
    if (last > VMO_STREAM_FRAMES_MAX) {
        *status = VMO_ERR_PROTOCOL;
        return true;
    }
    if (last > consumer->mask && s < last - consumer->mask) {
        s = last - consumer->mask; /* older frames have no entry any more */
    }
    for (; s <= last; s++) {
        if (try_frame(consumer, s, out, status)) {
            return true;
        }
    }
    return false;
}

/* True if no frame will come: *status says why. */
static bool at_end(struct vmo_consumer *consumer, struct vmo_frame *out, vmo_status *status)
{
    if (is_expelled(consumer)) {
        *status = VMO_ERR_EXPELLED;
        return true;
    }
    if (!atomic_load_explicit(&consumer->control->closed, memory_order_acquire)) {
        return false;
    }
    if (!look(consumer, out, status)) { /* once more: the last frame came before the end */
        *status = VMO_ERR_PEER_GONE;
    }
    return true;
}

static bool producer_ended(const struct vmo_consumer *consumer)
{
    const struct peer *peer = registry_peer(consumer->registry, consumer->peer);

    return peer == NULL || be_peer_ended(&peer->be);
}

/* Sleeps until a frame may be there. `seen` was published before the last fruitless look. */
static bool await(const struct vmo_consumer *consumer, uint64_t seen, uint64_t deadline_ns)
{
    const struct be_stream_word word = {stream_published_low(consumer->control), (uint32_t)seen};
    bool check = false;

    atomic_store_explicit(&consumer->page->awaits, seen + 1, memory_order_seq_cst);          /* wait */
    if (atomic_load_explicit(&consumer->control->published, memory_order_seq_cst) == seen) { /* wait */
        check = be_stream_sleep(&word, 1, deadline_ns);
    }
    atomic_store_explicit(&consumer->page->awaits, 0, memory_order_release);
    return check;
}

static vmo_status take(struct vmo_consumer *consumer, uint64_t deadline_ns, struct vmo_frame *out)
{
    vmo_status status = VMO_OK;

    for (uint32_t looks = 0; deadline_ns && looks < consumer->terms.looks; looks++) {
        if (look(consumer, out, &status)) {
            return status;
        }
        be_stream_relax(looks);
    }
    for (uint32_t sleeps = 0;; sleeps++) {
        const uint64_t seen = atomic_load_explicit(&consumer->control->published, memory_order_acquire);
        if (look(consumer, out, &status) || at_end(consumer, out, &status)) {
            return status;
        }
        if (sleeps % SLEEPS_PER_CHECK == 0 && be_now_ns() >= deadline_ns) {
            return VMO_ERR_TIMED_OUT;
        }
        if (!await(consumer, seen, deadline_ns)) {
            continue;
        }
        if (producer_ended(consumer)) {
            return look(consumer, out, &status) ? status : VMO_ERR_PEER_GONE;
        }
        sleeps = UINT32_MAX; /* the clock is next */
    }
}

vmo_status vmo_stream_take(struct vmo_consumer *consumer, uint64_t deadline_ns, struct vmo_frame *out)
{
    struct vmo_frame frame;
    vmo_status status;

    if (consumer == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!is_live(consumer)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (consumer->holds == consumer->terms.hold) {
        return is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_ERR_BUSY;
    }
    if (!look(consumer, &frame, &status)) {
        status = take(consumer, deadline_ns, &frame);
    }
    if (status == VMO_OK) {
        *out = frame;
    }
    return status;
}

vmo_status vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame)
{
    if (consumer == NULL || frame == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!is_live(consumer) || frame->sequence == 0 || frame->buffer >= consumer->terms.buffers ||
        consumer->held[frame->buffer] != frame->sequence) {
        return VMO_ERR_BAD_HANDLE;
    }
    consumer->held[frame->buffer] = 0;
    consumer->holds--;
    release_buffer(consumer, frame->buffer, frame->sequence);
    return is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_OK;
}

vmo_status vmo_stream_leave(struct vmo_consumer *consumer)
{
    vmo_status first = VMO_OK;

    if (consumer == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!is_live(consumer)) {
        return VMO_ERR_BAD_HANDLE;
    }
    for (uint32_t b = 0; b < consumer->terms.buffers; b++) {
        if (consumer->held[b]) {
            release_buffer(consumer, b, consumer->held[b]);
        }
    }
    atomic_store_explicit(&consumer->page->left, 1, memory_order_release);
    atomic_fetch_add_explicit(&consumer->page->bell, 1, memory_order_release);
    be_stream_wake(&consumer->page->bell);
    consumer->magic = 0;
    for (uint32_t i = 0; i < 2; i++) {
        const vmo_status unmapped = vmo_unmap(consumer->registry, consumer->views[i]);
        const vmo_status closed = vmo_close(consumer->registry, consumer->vmos[i]);
        first = first != VMO_OK ? first : unmapped != VMO_OK ? unmapped : closed;
    }
    return first;
}
