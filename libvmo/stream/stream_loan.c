/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer of a stream: loan, publish, drop. It trusts no word of a consumer, and never reads back what
 * it wrote into the shared memory itself. Each frame runs through here: what is rare is in stream_room.c.
 */
#include "stream_seats.h"

vmo_status vmo_stream_loan(struct vmo_producer *producer, uint64_t deadline_ns, struct vmo_loan *out,
                           vmo_consumer_t *about)
{
    vmo_status status = out == NULL ? VMO_ERR_INVALID : stream_check(producer);

    if (status != VMO_OK) {
        return status;
    }
    if (producer->next > VMO_STREAM_FRAMES_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    producer->yielded = false;
    const struct stream_found found = stream_find(producer);
    uint32_t b = found.b;
    if (found.verdict != STREAM_FREE) {
        struct stream_found later = found;
        status = stream_obtain(producer, &later, deadline_ns, about);
        if (status != VMO_OK) {
            return status;
        }
        b = later.b;
    }
    const uint64_t capacity_bytes = producer->options.capacity_bytes;
    const uint64_t id = ++producer->loans << STREAM_BUFFER_BITS | b;
    producer->buffers[b].loan = id;
    *out = (struct vmo_loan){producer->pool + b * capacity_bytes, capacity_bytes, id};
    return VMO_OK;
}

vmo_status stream_find_loan(const struct vmo_producer *producer, const struct vmo_loan *loan, uint8_t *b)
{
    const vmo_status status = loan == NULL ? VMO_ERR_INVALID : stream_check(producer);

    if (status != VMO_OK) {
        return status;
    }
    *b = loan->id & ((1u << STREAM_BUFFER_BITS) - 1);
    return loan->id > STREAM_DEAD && *b < producer->options.buffers && producer->buffers[*b].loan == loan->id
               ? VMO_OK
               : VMO_ERR_BAD_HANDLE;
}

/* Makes room for frame s in the ring: the frame that had the slot before may still be in a buffer. */
static void clear_slot(struct vmo_producer *producer, uint64_t s)
{
    for (uint8_t b = producer->newer[STREAM_LIST]; b != STREAM_LIST; b = producer->newer[b]) {
        if (producer->buffers[b].sequence + producer->mask + 1 > s) {
            return; /* this frame and all newer ones have other slots */
        }
        stream_kill_entry(producer, b);
    }
}

/* True if a consumer that polls for frame s or an earlier one wants to be notified. */
static bool polls_for(const struct stream_seat *seat, uint64_t awaits, uint64_t s)
{
    const uint64_t polled = awaits & ~STREAM_POLLS;

    return awaits & STREAM_POLLS && polled && polled <= s && awaits != seat->rung &&
           seat->notifier != BE_NONE;
}

/* Wakes the consumers that sleep for frame s or an earlier one, each once. */
static void ring_bells(struct vmo_producer *producer, uint64_t s)
{
    bool wake = false;

    for (struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        if (!stream_is_live(seat)) {
            continue;
        }
        const uint64_t awaits = atomic_load_explicit(&seat->page->awaits, memory_order_seq_cst); /* wait */
        if (awaits && awaits <= s && awaits != seat->rung) {
            seat->rung = awaits;
            wake = true;
        } else if (BE_STREAM_NOTIFIES && polls_for(seat, awaits, s)) {
            seat->rung = awaits;
            producer->counters.wakes++;
            be_stream_notify(seat->notifier);
        }
    }
    if (wake) {
        producer->counters.wakes++;
        be_stream_wake(stream_published_low(producer->control));
    }
}

vmo_status vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan, uint64_t len_bytes,
                              uint64_t tag)
{
    uint8_t b = 0;
    const vmo_status status = stream_find_loan(producer, loan, &b);

    if (status != VMO_OK) {
        return status;
    }
    if (len_bytes > producer->options.capacity_bytes) {
        return VMO_ERR_BOUNDS;
    }
    if (producer->next > VMO_STREAM_FRAMES_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    const uint64_t s = producer->next++;
    struct stream_entry *entry = &producer->control->ring[s & producer->mask];
    if (producer->options.policy == VMO_STREAM_LATEST) {
        clear_slot(producer, s);
        /* If the slot's frame left its buffer, its entry has ended, or every consumer has had it. */
    }
    atomic_store_explicit(&entry->where, stream_where(b, len_bytes), memory_order_release);
    atomic_store_explicit(&entry->tag, tag, memory_order_release);
    atomic_store_explicit(&entry->sequence, s, memory_order_release);
    atomic_store_explicit(&producer->control->published, s, memory_order_seq_cst); /* wait */
    producer->buffers[b].loan = 0;
    producer->buffers[b].sequence = s;
    stream_insert(producer, b, STREAM_LIST);
    producer->counters.published++;
    ring_bells(producer, s);
    return VMO_OK;
}

vmo_status vmo_stream_drop(struct vmo_producer *producer, const struct vmo_loan *loan)
{
    uint8_t b = 0;
    const vmo_status status = stream_find_loan(producer, loan, &b);

    if (status == VMO_OK) {
        producer->buffers[b] = (struct stream_buffer){.loan = STREAM_DEAD};
        stream_insert(producer, b, producer->newer[STREAM_LIST]);
    }
    return status;
}
