/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer of a stream: loan, publish, drop. It trusts no word of a consumer, and never reads back what
 * it wrote into the shared memory itself.
 */
#include "stream_seats.h"

/* ---- Published buffers, oldest first ------------------------------------------------------------ */

static void append(struct vmo_producer *producer, uint8_t b)
{
    producer->buffers[b].older = producer->newest;
    producer->buffers[b].newer = STREAM_NO_BUFFER;
    if (producer->newest != STREAM_NO_BUFFER) {
        producer->buffers[producer->newest].newer = b;
    } else {
        producer->oldest = b;
    }
    producer->newest = b;
}

static void unlink_buffer(struct vmo_producer *producer, uint8_t b)
{
    const struct stream_buffer *buffer = &producer->buffers[b];

    if (buffer->older != STREAM_NO_BUFFER) {
        producer->buffers[buffer->older].newer = buffer->newer;
    } else {
        producer->oldest = buffer->newer;
    }
    if (buffer->newer != STREAM_NO_BUFFER) {
        producer->buffers[buffer->newer].older = buffer->older;
    } else {
        producer->newest = buffer->older;
    }
}

/* ---- What consumers say ------------------------------------------------------------------------- */

/* Reads once what a consumer says of a buffer. False if that is impossible: the word shrank, or speaks of a
 * frame that was never in the buffer while this consumer was there. */
static bool read_word(const struct vmo_producer *producer, struct stream_seat *seat, uint8_t b,
                      memory_order order, uint64_t *word)
{
    *word = atomic_load_explicit(&seat->page->word[b], order);
    if (*word == seat->seen[b]) {
        return true;
    }
    if (*word < seat->seen[b] || *word < 2 * seat->start || *word > 2 * producer->buffers[b].sequence + 1) {
        return false;
    }
    seat->seen[b] = *word;
    return true;
}

enum verdict {
    FREE,    /* no live consumer needs the buffer */
    BLOCKED, /* producer->about needs it */
    FALSE    /* producer->about lies */
};

/* Asks every live consumer about a published buffer. */
static enum verdict ask(struct vmo_producer *producer, uint8_t b, memory_order order)
{
    const uint64_t s = producer->buffers[b].sequence;

    for (struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        uint64_t word = 0;
        if (!seat->live || seat->start > s) {
            continue;
        }
        const bool possible = read_word(producer, seat, b, order, &word);
        const bool needs = producer->options.policy == VMO_STREAM_LATEST ? word == 2 * s : word != 2 * s + 1;
        if (!possible || needs) {
            producer->about = seat;
            return possible ? BLOCKED : FALSE;
        }
    }
    return FREE;
}

/* True if a live consumer has not taken the buffer's frame. */
static bool is_untaken(const struct vmo_producer *producer, uint8_t b)
{
    const uint64_t s = producer->buffers[b].sequence;

    for (const struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        if (seat->live && seat->start <= s && seat->seen[b] < 2 * s) {
            return true;
        }
    }
    return false;
}

/* ---- Finding a buffer --------------------------------------------------------------------------- */

static void kill_entry(struct vmo_producer *producer, uint8_t b)
{
    struct stream_buffer *buffer = &producer->buffers[b];

    if (!buffer->dead) {
        atomic_store_explicit(&producer->control->ring[buffer->sequence & producer->mask].sequence, 0,
                              memory_order_seq_cst); /* claim */
        buffer->dead = true;
    }
}

/* LATEST: takes a published frame away from the consumers. */
static enum verdict recycle(struct vmo_producer *producer, uint8_t b, memory_order order)
{
    enum verdict verdict = ask(producer, b, order);

    if (verdict != FREE) {
        return verdict;
    }
    const bool untaken = !producer->buffers[b].dead && is_untaken(producer, b);
    if (untaken && !producer->yielded) {
        /* On a cooperative kernel no consumer has run since the frame was published. */
        producer->yielded = true;
        be_stream_relax(0);
        verdict = ask(producer, b, order);
        if (verdict != FREE) {
            return verdict;
        }
    }
    kill_entry(producer, b);
    verdict = ask(producer, b, memory_order_seq_cst); /* claim */
    producer->counters.recycled += verdict == FREE && is_untaken(producer, b);
    return verdict;
}

/* Finds a buffer for a loan, of the published ones. */
static enum verdict find_published(struct vmo_producer *producer, memory_order order, uint8_t *found)
{
    const bool latest = producer->options.policy == VMO_STREAM_LATEST;

    for (uint8_t b = producer->oldest; b != STREAM_NO_BUFFER; b = producer->buffers[b].newer) {
        if (latest && b == producer->newest) {
            break; /* never the newest */
        }
        const enum verdict verdict = latest ? recycle(producer, b, order) : ask(producer, b, order);
        if (verdict != BLOCKED) {
            *found = b;
            return verdict;
        }
    }
    return BLOCKED;
}

/* Finds a buffer for a loan. The one that came free last is the first choice, since its bytes are most likely
 * still in a cache. */
static enum verdict find(struct vmo_producer *producer, memory_order order, uint8_t *found)
{
    enum verdict verdict = BLOCKED;

    if (producer->options.policy == VMO_STREAM_BACKPRESSURE && producer->newest != STREAM_NO_BUFFER) {
        *found = producer->newest;
        verdict = ask(producer, *found, order);
    }
    if (verdict == BLOCKED && producer->free_count) {
        *found = producer->free[--producer->free_count];
        return FREE;
    }
    if (verdict == BLOCKED) {
        verdict = find_published(producer, order, found);
    }
    if (verdict == FREE) {
        unlink_buffer(producer, *found);
    }
    return verdict;
}

/* True if a consumer claims more frames than it may hold. `seen` alone does not tell: it may be of a frame
 * that was released and of the next one, which was claimed since. A word that still says what was seen has
 * said so in between, so what is counted here was held at one time. */
static bool hoards(const struct vmo_producer *producer, const struct stream_seat *seat)
{
    uint32_t holds = 0;

    for (uint8_t b = producer->oldest; b != STREAM_NO_BUFFER; b = producer->buffers[b].newer) {
        const uint64_t claim = 2 * producer->buffers[b].sequence;
        holds += seat->seen[b] == claim &&
                 atomic_load_explicit(&seat->page->word[b], memory_order_acquire) == claim;
    }
    return holds > producer->options.hold;
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* True if the consumer closed its notifier: it has left, has ended or lies. */
static bool has_hung_up(const struct stream_seat *seat)
{
    return seat->notifier != BE_NONE && be_stream_notifier_hung_up(seat->notifier);
}

/* Looks for what a wait does not see in the words: frees the seats of those who left, and finds a consumer
 * that hoards (with honest ones LATEST has a buffer) or, if `ended`, one whose task has ended. */
static vmo_status check_seats(struct vmo_producer *producer, bool ended)
{
    vmo_status status = VMO_OK;

    for (struct stream_seat *seat = producer->seats; seat < producer->seats_end && status == VMO_OK; seat++) {
        if (!seat->live) {
            continue;
        }
        const bool hung_up =
            BE_STREAM_NOTIFIES && ended && has_hung_up(seat); /* before it is asked if it left */
        if (stream_has_left(seat)) {
            status = stream_unseat(producer, seat);
            continue;
        }
        if (hoards(producer, seat)) {
            status = VMO_ERR_PROTOCOL;
        } else if (ended && (hung_up || stream_peer_ended(producer->registry, seat->peer))) {
            status = VMO_ERR_PEER_GONE;
        }
        if (status != VMO_OK) {
            producer->about = seat;
        }
    }
    return status;
}

/* Sleeps until a consumer signals, unless a look after the announcement finds a buffer: *verdict. */
static bool await(struct vmo_producer *producer, uint64_t deadline_ns, enum verdict *verdict, uint8_t *found)
{
    struct be_stream_word words[BE_STREAM_WORDS_MAX];
    uint32_t count = 0;
    bool slept = false;

    for (const struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        if (seat->live) {
            const _Atomic uint32_t *bell = &seat->page->bell;
            words[count++] = (struct be_stream_word){bell, atomic_load_explicit(bell, memory_order_acquire)};
        }
    }
    atomic_store_explicit(&producer->control->sleeping, 1, memory_order_seq_cst); /* room */
    *verdict = find(producer, memory_order_seq_cst, found);                       /* room */
    if (*verdict == BLOCKED) {
        producer->counters.sleeps++;
        slept = be_stream_sleep(words, count, deadline_ns);
    }
    atomic_store_explicit(&producer->control->sleeping, 0, memory_order_release);
    return slept;
}

/* Announces that the caller will poll, unless a look after that finds a buffer. */
static enum verdict arm(struct vmo_producer *producer, uint8_t *found)
{
    for (const struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        if (seat->live && seat->notifier != BE_NONE) {
            be_stream_notifier_clear(seat->notifier);
        }
    }
    producer->polls = producer->polls + 2 ? producer->polls + 2 : 2;
    atomic_store_explicit(&producer->control->sleeping, producer->polls, memory_order_seq_cst); /* room */
    return find(producer, memory_order_seq_cst, found);                                         /* room */
}

/* Turns a verdict into a status; a consumer that lies or has ended is expelled. */
static vmo_status settle(struct vmo_producer *producer, vmo_status status, vmo_consumer_t *about)
{
    if (about != NULL) {
        *about = stream_name(producer->about);
    }
    if (status == VMO_ERR_PROTOCOL || status == VMO_ERR_PEER_GONE) {
        const vmo_status expelled = stream_expel_seat(producer, producer->about);
        return expelled == VMO_OK ? status : expelled;
    }
    return status;
}

/* True if some published buffer may yet come free without a call by the producer. */
static bool can_wait(const struct vmo_producer *producer)
{
    return producer->oldest != STREAM_NO_BUFFER &&
           (producer->options.policy == VMO_STREAM_BACKPRESSURE || producer->oldest != producer->newest);
}

static vmo_status obtain(struct vmo_producer *producer, uint64_t deadline_ns, uint8_t *found,
                         vmo_consumer_t *about)
{
    enum verdict verdict = find(producer, memory_order_acquire, found);

    if (verdict == BLOCKED && !can_wait(producer)) {
        return VMO_ERR_BUSY;
    }
    for (uint32_t looks = 0; verdict == BLOCKED && deadline_ns && looks < producer->options.looks; looks++) {
        be_stream_relax(looks);
        verdict = find(producer, memory_order_acquire, found);
    }
    for (uint32_t sleeps = 0; verdict == BLOCKED;) {
        if (sleeps % STREAM_SLEEPS_PER_CHECK == 0) {
            const bool late = be_now_ns() >= deadline_ns;
            const vmo_status status = check_seats(producer, late || sleeps);
            if (status != VMO_OK) {
                return settle(producer, status, about);
            }
            verdict = find(producer, memory_order_acquire, found); /* somebody may just have left */
            if (BE_STREAM_NOTIFIES && late && verdict == BLOCKED && producer->group != BE_NONE) {
                verdict = arm(producer, found);
            }
            if (late && verdict == BLOCKED) {
                return settle(producer, VMO_ERR_TIMED_OUT, about);
            }
        }
        if (verdict == BLOCKED) {
            const bool slept = await(producer, deadline_ns, &verdict, found);
            sleeps = stream_sleeps_after(sleeps, slept);
        }
    }
    return verdict == FREE ? VMO_OK : settle(producer, VMO_ERR_PROTOCOL, about);
}

/* ---- Loans -------------------------------------------------------------------------------------- */

vmo_status vmo_stream_loan(struct vmo_producer *producer, uint64_t deadline_ns, struct vmo_loan *out,
                           vmo_consumer_t *about)
{
    uint8_t b = 0;

    vmo_status status = out == NULL ? VMO_ERR_INVALID : stream_check(producer);

    if (status != VMO_OK) {
        return status;
    }
    if (producer->next > VMO_STREAM_FRAMES_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    producer->yielded = false;
    status = obtain(producer, deadline_ns, &b, about);
    if (status != VMO_OK) {
        return status;
    }
    producer->buffers[b].loan = ++producer->loans << STREAM_BUFFER_BITS | b;
    *out = (struct vmo_loan){.data = producer->pool + b * producer->options.capacity_bytes,
                             .capacity_bytes = producer->options.capacity_bytes,
                             .id = producer->buffers[b].loan};
    return VMO_OK;
}

vmo_status stream_find_loan(const struct vmo_producer *producer, const struct vmo_loan *loan, uint8_t *b)
{
    const vmo_status status = loan == NULL ? VMO_ERR_INVALID : stream_check(producer);

    if (status != VMO_OK) {
        return status;
    }
    *b = loan->id & ((1u << STREAM_BUFFER_BITS) - 1);
    return loan->id && *b < producer->options.buffers && producer->buffers[*b].loan == loan->id
               ? VMO_OK
               : VMO_ERR_BAD_HANDLE;
}

/* Makes room for frame s in the ring: its slot's frame before may still lie in a buffer. */
static void clear_slot(struct vmo_producer *producer, uint64_t s)
{
    for (uint8_t b = producer->oldest; b != STREAM_NO_BUFFER; b = producer->buffers[b].newer) {
        if (producer->buffers[b].sequence + producer->mask + 1 > s) {
            return; /* this frame and all newer ones have other slots */
        }
        kill_entry(producer, b);
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
        if (!seat->live) {
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
        /* A slot whose frame was recycled holds 0 already. */
    }
    atomic_store_explicit(&entry->where, stream_where(b, len_bytes), memory_order_release);
    atomic_store_explicit(&entry->tag, tag, memory_order_release);
    atomic_store_explicit(&entry->sequence, s, memory_order_release);
    atomic_store_explicit(&producer->control->published, s, memory_order_seq_cst); /* wait */
    producer->buffers[b].loan = 0;
    producer->buffers[b].sequence = s;
    producer->buffers[b].dead = false;
    append(producer, b);
    producer->counters.published++;
    ring_bells(producer, s);
    return VMO_OK;
}

vmo_status vmo_stream_drop(struct vmo_producer *producer, const struct vmo_loan *loan)
{
    uint8_t b = 0;
    const vmo_status status = stream_find_loan(producer, loan, &b);

    if (status == VMO_OK) {
        producer->buffers[b].loan = 0;
        producer->free[producer->free_count++] = b;
    }
    return status;
}
