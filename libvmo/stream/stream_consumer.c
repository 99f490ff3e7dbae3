/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer of a stream: join, take, release, leave. It trusts no word of the producer. */
#include <string.h>

#include "backend_stream.h"
#include "protocol.h"
#include "registry.h"
#include "stream_part.h"

#define CONSUMER_MAGIC UINT32_C(0x534E4F43)
#define LEAVING_MAGIC UINT32_C(0x534E4F44) /* vmo_stream_leave was refused halfway */

struct vmo_consumer {
    uint32_t magic;
    uint32_t holds;
    stream_token token;
    struct vmo_registry *registry;
    vmo_peer_t peer;
    const uint8_t *pool;
    const struct stream_control *control;
    struct stream_page *page;
    struct stream_offer terms;
    uint64_t mask;                         /* of the ring */
    uint64_t cursor;                       /* sequence of the next frame */
    uint64_t held[VMO_STREAM_BUFFERS_MAX]; /* by buffer: the frame that this consumer holds, or 0 */
    struct stream_part parts[2];           /* pool, page */
    int32_t notifier;                      /* of a pollable stream; else BE_NONE */
    uint32_t rung;                         /* the last number in `sleeping` that was answered by a signal */
};

_Static_assert(sizeof(struct vmo_consumer) <= VMO_STREAM_CONSUMER_BYTES,
               "the storage that the header promises");

static bool is_ours(const struct vmo_consumer *consumer, uint32_t magic)
{
    return consumer->magic == magic && stream_token_holds(consumer->token);
}

static vmo_status check(const struct vmo_consumer *consumer)
{
    return consumer == NULL                    ? VMO_ERR_INVALID
           : is_ours(consumer, CONSUMER_MAGIC) ? VMO_OK
                                               : VMO_ERR_BAD_HANDLE;
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
    return offer->policy <= VMO_STREAM_LATEST && offer->looks <= VMO_STREAM_LOOKS_MAX &&
           offer->buffers >= 1 && offer->buffers <= VMO_STREAM_BUFFERS_MAX && offer->hold >= 1 &&
           offer->hold <= offer->buffers && offer->seat < VMO_STREAM_CONSUMERS_MAX && offer->start >= 1 &&
           offer->start <= VMO_STREAM_FRAMES_MAX && offer->capacity_bytes >= 1 &&
           offer->capacity_bytes < UINT64_C(1) << STREAM_LENGTH_BITS;
}

/* Checks the pool against the terms. */
static vmo_status check_pool(const struct object *pool, const struct stream_offer *offer, uint64_t entries,
                             uint64_t page_bytes)
{
    const uint64_t behind = stream_control_bytes(entries);

    if (pool->seal == VMO_SEAL_NONE) {
        return VMO_ERR_NOT_SEALED;
    }
    /* The quotient cannot overflow, as a product of two numbers from the producer could. */
    return pool->len_bytes > behind && (pool->len_bytes - behind) % offer->capacity_bytes == 0 &&
                   (pool->len_bytes - behind) / offer->capacity_bytes == offer->buffers &&
                   offer->capacity_bytes % page_bytes == 0
               ? VMO_OK
               : VMO_ERR_PROTOCOL;
}

/* Checks the second message against the first. */
static vmo_status check_page(const struct vmo_registry *registry, const struct vmo_incoming *second,
                             struct stream_offer expected)
{
    struct vmo_ref page;

    expected.part = STREAM_OFFER_PAGE;
    return second->body_bytes == sizeof(expected) && memcmp(second->body, &expected, sizeof(expected)) == 0 &&
                   registry_lookup(registry, second->vmo, &page) &&
                   page.object->len_bytes == registry->info.page_bytes &&
                   registry_rights(&page) == VMO_RIGHTS_ALL
               ? VMO_OK
               : VMO_ERR_PROTOCOL;
}

/* Maps the pool and the page. After a refusal neither is mapped. */
static vmo_status map_both(struct vmo_registry *registry, struct vmo_consumer *consumer, struct object *pool)
{
    const struct vmo_range page = {0, registry->info.page_bytes};
    vmo_status status = vmo_map_ro(registry, consumer->parts[0].vmo, (struct vmo_range){0, pool->len_bytes},
                                   &consumer->parts[0].view);

    if (status != VMO_OK) {
        return status;
    }
    status = vmo_map_rw(registry, consumer->parts[1].vmo, page, &consumer->parts[1].view);
    if (status != VMO_OK) {
        vmo_status undone = vmo_unmap(registry, consumer->parts[0].view);
        undone = undone == VMO_OK ? mapping_drop_unused(registry, pool) : undone;
        return undone == VMO_OK ? status : undone;
    }
    return VMO_OK;
}

/* Takes this side's notifier, if the stream is pollable. */
static vmo_status take_notifier(const struct vmo_registry *registry, struct vmo_consumer *consumer)
{
    struct peer *from = registry_peer(registry, consumer->peer);

    if (consumer->terms.notifier == 0) {
        return VMO_OK;
    }
    return from == NULL ? VMO_ERR_BAD_HANDLE
                        : be_stream_notifier_take(&from->be, consumer->terms.notifier, &consumer->notifier);
}

/* Checks what was offered, receives the second message, and maps both. After a refusal only the offer's VMO
 * is left. */
static vmo_status attach(struct vmo_registry *registry, struct vmo_consumer *consumer, uint64_t deadline_ns)
{
    struct vmo_incoming second;
    struct vmo_ref pool;
    vmo_status status = VMO_ERR_PROTOCOL;

    if (!registry_lookup(registry, consumer->parts[0].vmo, &pool)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (terms_hold(&consumer->terms)) {
        consumer->mask = stream_ring_entries(consumer->terms.buffers) - 1;
        status = check_pool(pool.object, &consumer->terms, consumer->mask + 1, registry->info.page_bytes);
    }
    if (status == VMO_OK) {
        status = vmo_recv(registry, consumer->peer, &second, deadline_ns);
    }
    if (status != VMO_OK) {
        return status;
    }
    consumer->parts[1].vmo = second.vmo;
    status = check_page(registry, &second, consumer->terms);
    if (BE_STREAM_NOTIFIES && status == VMO_OK) {
        status = take_notifier(registry, consumer);
    }
    if (status == VMO_OK) {
        status = map_both(registry, consumer, pool.object);
    }
    if (status != VMO_OK && second.vmo.id) {
        const vmo_status closed = vmo_close(registry, second.vmo);
        return closed == VMO_OK ? status : closed;
    }
    return status;
}

vmo_status vmo_stream_join(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_incoming *offer,
                           void *storage, size_t storage_bytes, uint64_t deadline_ns,
                           struct vmo_consumer **out)
{
    struct vmo_consumer *made = storage;

    if (!registry_is_live(registry) || !vmo_stream_is_offer(offer) || storage == NULL ||
        (uintptr_t)storage % 16 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (storage_bytes < VMO_STREAM_CONSUMER_BYTES) {
        return VMO_ERR_STORAGE;
    }
    memset(made, 0, sizeof(*made));
    made->registry = registry;
    made->peer = peer;
    memcpy(&made->terms, offer->body, sizeof(made->terms));
    made->parts[0].vmo = offer->vmo;
    vmo_status status = stream_token_make(&made->token);
    if (status != VMO_OK) {
        return status;
    }
    if (BE_STREAM_NOTIFIES) {
        made->notifier = BE_NONE;
    }
    status = attach(registry, made, deadline_ns);
    if (status != VMO_OK) {
        if (BE_STREAM_NOTIFIES) {
            be_stream_notifier_close(BE_NONE, &made->notifier);
        }
        stream_token_drop(made->token);
        return status;
    }
    made->pool = vmo_view_data(registry, made->parts[0].view);
    made->control = (const void *)(made->pool + made->terms.buffers * made->terms.capacity_bytes);
    made->page = (void *)vmo_view_data_rw(registry, made->parts[1].view);
    made->cursor = made->terms.start;
    made->magic = CONSUMER_MAGIC;
    *out = made;
    return VMO_OK;
}

/* ---- Taking ------------------------------------------------------------------------------------- */

/* Writes what this consumer says of a buffer, and signals a producer that sleeps for it. */
static void release_buffer(struct vmo_consumer *consumer, uint32_t buffer, uint64_t sequence)
{
    atomic_store_explicit(&consumer->page->word[buffer], 2 * sequence + 1, memory_order_seq_cst); /* room */
    const uint32_t sleeping =
        atomic_load_explicit(&consumer->control->sleeping, memory_order_seq_cst); /* room */
    if (BE_STREAM_NOTIFIES && sleeping % 2 == 0) {
        if (sleeping != consumer->rung && consumer->notifier != BE_NONE) {
            consumer->rung = sleeping;
            be_stream_notify(consumer->notifier);
        }
    } else if (sleeping) {
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
    return stream_peer_ended(consumer->registry, consumer->peer) ||
           (BE_STREAM_NOTIFIES && consumer->notifier != BE_NONE &&
            be_stream_notifier_hung_up(consumer->notifier));
}

/* Announces that the caller will poll. False if frames were published after the last fruitless look: `seen`
 * was published before it. */
static bool arm(const struct vmo_consumer *consumer, uint64_t seen)
{
    be_stream_notifier_clear(consumer->notifier);
    atomic_store_explicit(&consumer->page->awaits, STREAM_POLLS | (seen + 1),
                          memory_order_seq_cst);                                              /* wait */
    return atomic_load_explicit(&consumer->control->published, memory_order_seq_cst) == seen; /* wait */
}

/* Sleeps until a frame may be there. `seen` was published before the last fruitless look. */
static bool await(const struct vmo_consumer *consumer, uint64_t seen, uint64_t deadline_ns)
{
    const struct be_stream_word word = {stream_published_low(consumer->control), (uint32_t)seen};
    bool slept = false;

    atomic_store_explicit(&consumer->page->awaits, seen + 1, memory_order_seq_cst);          /* wait */
    if (atomic_load_explicit(&consumer->control->published, memory_order_seq_cst) == seen) { /* wait */
        slept = be_stream_sleep(&word, 1, deadline_ns);
    }
    atomic_store_explicit(&consumer->page->awaits, 0, memory_order_release);
    return slept;
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
    for (uint32_t sleeps = 0;;) {
        const uint64_t seen = atomic_load_explicit(&consumer->control->published, memory_order_acquire);
        if (look(consumer, out, &status) || at_end(consumer, out, &status)) {
            return status;
        }
        if (sleeps % STREAM_SLEEPS_PER_CHECK == 0) {
            const bool late = be_now_ns() >= deadline_ns;
            if ((late || sleeps) && producer_ended(consumer)) {
                /* A producer that expels or closes says so before it hangs up. */
                const bool told = BE_STREAM_NOTIFIES && at_end(consumer, out, &status);
                return told || look(consumer, out, &status) ? status : VMO_ERR_PEER_GONE;
            }
            if (BE_STREAM_NOTIFIES && late && consumer->notifier != BE_NONE && !arm(consumer, seen) &&
                look(consumer, out, &status)) {
                return status;
            }
            if (late) {
                return VMO_ERR_TIMED_OUT;
            }
        }
        sleeps = stream_sleeps_after(sleeps, await(consumer, seen, deadline_ns));
    }
}

vmo_status vmo_stream_take(struct vmo_consumer *consumer, uint64_t deadline_ns, struct vmo_frame *out)
{
    vmo_status status = out == NULL ? VMO_ERR_INVALID : check(consumer);
    if (status != VMO_OK) {
        return status;
    }
    if (consumer->holds == consumer->terms.hold) {
        return is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_ERR_BUSY;
    }
    return look(consumer, out, &status) ? status : take(consumer, deadline_ns, out);
}

vmo_status vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame)
{
    const vmo_status status = frame == NULL ? VMO_ERR_INVALID : check(consumer);

    if (status != VMO_OK) {
        return status;
    }
    if (frame->sequence == 0 || frame->buffer >= consumer->terms.buffers ||
        consumer->held[frame->buffer] != frame->sequence) {
        return VMO_ERR_BAD_HANDLE;
    }
    consumer->held[frame->buffer] = 0;
    consumer->holds--;
    release_buffer(consumer, frame->buffer, frame->sequence);
    return is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_OK;
}

/* The last words that the page of this consumer gets. */
static void tell_end(struct vmo_consumer *consumer)
{
    for (uint32_t b = 0; b < consumer->terms.buffers; b++) {
        if (consumer->held[b]) {
            release_buffer(consumer, b, consumer->held[b]);
        }
    }
    atomic_store_explicit(&consumer->page->left, 1, memory_order_release);
    atomic_fetch_add_explicit(&consumer->page->bell, 1, memory_order_release);
    be_stream_wake(&consumer->page->bell);
}

vmo_status vmo_stream_fd(const struct vmo_consumer *consumer, int *fd)
{
    if (!BE_STREAM_NOTIFIES) {
        return VMO_ERR_UNSUPPORTED;
    }
    const vmo_status status = fd == NULL ? VMO_ERR_INVALID : check(consumer);
    if (status != VMO_OK) {
        return status;
    }
    if (consumer->notifier == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    *fd = consumer->notifier;
    return VMO_OK;
}

vmo_status vmo_stream_leave(struct vmo_consumer *consumer)
{
    if (consumer == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!is_ours(consumer, CONSUMER_MAGIC) && !is_ours(consumer, LEAVING_MAGIC)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (consumer->magic == CONSUMER_MAGIC) {
        tell_end(consumer);
        consumer->magic = LEAVING_MAGIC;
        if (BE_STREAM_NOTIFIES) {
            be_stream_notifier_close(BE_NONE, &consumer->notifier);
        }
    }
    vmo_status status = stream_part_end(consumer->registry, &consumer->parts[0], false);
    if (status == VMO_OK) {
        status = stream_part_end(consumer->registry, &consumer->parts[1], false);
    }
    if (status == VMO_OK) {
        consumer->magic = 0;
        stream_token_drop(consumer->token);
    }
    return status;
}
