/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer of a stream: take, release. It trusts no word of the producer. Each frame runs through here. */
#include "stream_take.h"

static bool is_expelled(const struct vmo_consumer *consumer)
{
    return atomic_load_explicit(consumer->expelled, memory_order_acquire) >= consumer->terms.generation;
}

void stream_release_buffer(struct vmo_consumer *consumer, uint32_t buffer, uint64_t sequence)
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

/* The answer of a look that found neither a frame nor a reason to end the wait. */
#define NOTHING VMO_ERR_TIMED_OUT

/* Takes frame s from its entry, which had this sequence a moment ago; NOTHING if it was overwritten since. */
static vmo_status take_entry(struct vmo_consumer *consumer, const struct stream_entry *entry, uint64_t s,
                             struct vmo_frame *out)
{
    /* Copied before the second look, so that they belong to s if s is still there. */
    const uint64_t where = atomic_load_explicit(&entry->where, memory_order_acquire);
    const uint64_t tag = atomic_load_explicit(&entry->tag, memory_order_acquire);
    const uint64_t len_bytes = stream_length_of(where);
    const uint32_t buffer = stream_buffer_of(where);

    if (buffer >= consumer->terms.buffers || len_bytes > consumer->terms.capacity_bytes ||
        consumer->held[buffer]) {
        /* An honest producer overwrites what this consumer holds only after it has expelled it. */
        return is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_ERR_PROTOCOL;
    }
    if (consumer->terms.policy == VMO_STREAM_LATEST) {
        atomic_store_explicit(&consumer->page->word[buffer], 2 * s, memory_order_seq_cst); /* claim */
        if (atomic_load_explicit(&entry->sequence, memory_order_seq_cst) != s) {           /* claim */
            stream_release_buffer(consumer, buffer, s);
            return NOTHING;
        }
    }
    if (is_expelled(consumer)) {
        return VMO_ERR_EXPELLED;
    }
    consumer->held[buffer] = s;
    consumer->holds++;
    out->data = consumer->pool + buffer * consumer->terms.capacity_bytes;
    out->len_bytes = len_bytes;
    out->tag = tag;
    out->sequence = s;
    out->lost = s - consumer->cursor;
    out->buffer = buffer;
    consumer->cursor = s + 1;
    return VMO_OK;
}

/* Looks for frame s. */
static vmo_status try_frame(struct vmo_consumer *consumer, uint64_t s, struct vmo_frame *out)
{
    const struct stream_entry *entry = &consumer->control->ring[s & consumer->mask];

    return atomic_load_explicit(&entry->sequence, memory_order_acquire) == s
               ? take_entry(consumer, entry, s, out)
               : NOTHING;
}

/* LATEST: looks for each frame from the cursor on. */
static vmo_status look_further(struct vmo_consumer *consumer, struct vmo_frame *out)
{
    const uint64_t last = atomic_load_explicit(&consumer->control->published, memory_order_acquire);
    uint64_t s = consumer->cursor;
    vmo_status status = NOTHING;

    if (last > VMO_STREAM_FRAMES_MAX) {
        return VMO_ERR_PROTOCOL;
    }
    if (last > consumer->mask && s < last - consumer->mask) {
        s = last - consumer->mask; /* older frames have no entry any more */
    }
    for (; s <= last && status == NOTHING; s++) {
        status = try_frame(consumer, s, out);
    }
    return status;
}

/* Looks once for a frame: it, a status that ends the wait, or NOTHING. */
static vmo_status look(struct vmo_consumer *consumer, struct vmo_frame *out)
{
    const vmo_status status = try_frame(consumer, consumer->cursor, out);

    return status == NOTHING && consumer->terms.policy == VMO_STREAM_LATEST ? look_further(consumer, out)
                                                                            : status;
}

/* The status if no frame will come; else NOTHING. */
static vmo_status look_at_end(struct vmo_consumer *consumer, struct vmo_frame *out)
{
    vmo_status status = NOTHING;

    if (is_expelled(consumer)) {
        return VMO_ERR_EXPELLED;
    }
    if (atomic_load_explicit(&consumer->control->closed, memory_order_acquire)) {
        status = look(consumer, out); /* once more: the last frame came before the end */
        status = status == NOTHING ? VMO_ERR_PEER_GONE : status;
    }
    return status;
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
    /* Not from `seen`: what was cleared may be the signal for seen + 1, which comes only once. */
    const uint64_t last = atomic_load_explicit(&consumer->control->published, memory_order_acquire);
    atomic_store_explicit(&consumer->page->awaits, STREAM_POLLS | (last + 1),
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
    for (uint32_t looks = 0; deadline_ns && looks < consumer->terms.looks; looks++) {
        const bool yielded = be_stream_relax(looks);
        const vmo_status status = look(consumer, out);
        if (status != NOTHING) {
            return status;
        }
        if (yielded && be_now_ns() >= deadline_ns) {
            break;
        }
    }
    for (uint32_t sleeps = 0;;) {
        const uint64_t seen = atomic_load_explicit(&consumer->control->published, memory_order_acquire);
        vmo_status status = look(consumer, out);
        if (status == NOTHING) {
            status = look_at_end(consumer, out);
        }
        if (status != NOTHING) {
            return status;
        }
        if (sleeps % STREAM_SLEEPS_PER_CHECK == 0) {
            const bool late = be_now_ns() >= deadline_ns;
            if ((late || sleeps) && producer_ended(consumer)) {
                /* A producer that expels or closes says so before it hangs up. */
                status = BE_STREAM_NOTIFIES ? look_at_end(consumer, out) : NOTHING;
                status = status == NOTHING ? look(consumer, out) : status;
                return status == NOTHING ? VMO_ERR_PEER_GONE : status;
            }
            if (BE_STREAM_NOTIFIES && late && consumer->notifier != BE_NONE && !arm(consumer, seen)) {
                status = look(consumer, out);
            }
            if (late) {
                return status; /* NOTHING is TIMED_OUT */
            }
        }
        sleeps = stream_sleeps_after(sleeps, await(consumer, seen, deadline_ns));
    }
}

vmo_status vmo_stream_take(struct vmo_consumer *consumer, uint64_t deadline_ns, struct vmo_frame *out)
{
    vmo_status status = out == NULL ? VMO_ERR_INVALID : stream_check_consumer(consumer);

    if (status != VMO_OK) {
        return status;
    }
    if (consumer->holds == consumer->terms.hold) {
        return is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_ERR_BUSY;
    }
    status = look(consumer, out);
    return status == NOTHING ? take(consumer, deadline_ns, out) : status;
}

vmo_status vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame)
{
    const vmo_status status = frame == NULL ? VMO_ERR_INVALID : stream_check_consumer(consumer);

    if (status != VMO_OK) {
        return status;
    }
    if (frame->sequence == 0 || frame->buffer >= consumer->terms.buffers ||
        consumer->held[frame->buffer] != frame->sequence) {
        return VMO_ERR_BAD_HANDLE;
    }
    consumer->held[frame->buffer] = 0;
    consumer->holds--;
    stream_release_buffer(consumer, frame->buffer, frame->sequence);
    return is_expelled(consumer) ? VMO_ERR_EXPELLED : VMO_OK;
}
