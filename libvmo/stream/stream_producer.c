/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer of a stream: loan, publish, drop. It trusts no word of a consumer, and never reads back what
 * it wrote into the shared memory itself.
 */
#include "stream_producer.h"

#define SLEEPS_PER_CHECK 16 /* a peer that wakes us in vain cannot keep us from the clock for longer */

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

    for (uint32_t i = 0; i < producer->seats_used; i++) {
        struct stream_seat *seat = &producer->seats[i];
        uint64_t word = 0;
        if (!seat->live || seat->start > s) {
            continue;
        }
        const bool possible = read_word(producer, seat, b, order, &word);
        const bool needs = producer->options.policy == VMO_STREAM_LATEST ? word == 2 * s : word != 2 * s + 1;
        if (!possible || needs) {
            producer->about = i;
            return possible ? BLOCKED : FALSE;
        }
    }
    return FREE;
}

/* True if a live consumer has not taken the buffer's frame. */
static bool is_untaken(const struct vmo_producer *producer, uint8_t b)
{
    const uint64_t s = producer->buffers[b].sequence;

    for (uint32_t i = 0; i < producer->seats_used; i++) {
        if (producer->seats[i].live && producer->seats[i].start <= s && producer->seats[i].seen[b] < 2 * s) {
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
    enum verdict blocked = BLOCKED;

    for (uint8_t b = producer->oldest; b != STREAM_NO_BUFFER; b = producer->buffers[b].newer) {
        if (latest && b == producer->newest) {
            break; /* never the newest */
        }
        const enum verdict verdict = latest ? recycle(producer, b, order) : ask(producer, b, order);
        if (verdict != BLOCKED) {
            *found = b;
            blocked = verdict;
            break;
        }
    }
    if (blocked == FREE) {
        unlink_buffer(producer, *found);
    }
    return blocked;
}

/* Finds a buffer for a loan. The one that came free last is the first choice, since its bytes are most likely
 * still in a cache. */
static enum verdict find(struct vmo_producer *producer, memory_order order, uint8_t *found)
{
    if (producer->options.policy == VMO_STREAM_BACKPRESSURE && producer->newest != STREAM_NO_BUFFER) {
        *found = producer->newest;
        const enum verdict verdict = ask(producer, *found, order);
        if (verdict == FREE) {
            unlink_buffer(producer, *found);
        }
        if (verdict != BLOCKED) {
            return verdict;
        }
    }
    if (producer->free_count) {
        *found = producer->free[--producer->free_count];
        return FREE;
    }
    return find_published(producer, order, found);
}

/* LATEST: names a consumer that claims more frames than it may hold; with honest ones find cannot fail. */
static bool find_hoarder(struct vmo_producer *producer)
{
    for (uint32_t i = 0; i < producer->seats_used; i++) {
        uint32_t holds = 0;
        for (uint8_t b = producer->oldest; b != STREAM_NO_BUFFER; b = producer->buffers[b].newer) {
            holds +=
                producer->seats[i].live && producer->seats[i].seen[b] == 2 * producer->buffers[b].sequence;
        }
        if (holds > producer->options.hold) {
            producer->about = i;
            return true;
        }
    }
    return false;
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* Frees the seats of consumers that have left. */
static vmo_status unseat_left(struct vmo_producer *producer)
{
    vmo_status status = VMO_OK;

    for (uint32_t i = 0; i < producer->seats_used && status == VMO_OK; i++) {
        if (stream_has_left(&producer->seats[i])) {
            status = stream_unseat(producer, i);
        }
    }
    return status;
}

/* Names a live consumer whose task has ended. */
static bool find_ended(struct vmo_producer *producer)
{
    for (uint32_t i = 0; i < producer->seats_used; i++) {
        if (!producer->seats[i].live) {
            continue;
        }
        const struct peer *peer = registry_peer(producer->registry, producer->seats[i].peer);
        if (peer == NULL || be_peer_ended(&peer->be)) {
            producer->about = i;
            return true;
        }
    }
    return false;
}

/* Sleeps until a consumer signals, unless a look after the announcement finds a buffer: *verdict. */
static bool await(struct vmo_producer *producer, uint64_t deadline_ns, enum verdict *verdict, uint8_t *found)
{
    struct be_stream_word words[BE_STREAM_WORDS_MAX];
    uint32_t count = 0;
    bool check = false;

    for (uint32_t i = 0; i < producer->seats_used; i++) {
        if (producer->seats[i].live) {
            const _Atomic uint32_t *bell = &producer->seats[i].page->bell;
            words[count++] = (struct be_stream_word){bell, atomic_load_explicit(bell, memory_order_acquire)};
        }
    }
    atomic_store_explicit(&producer->control->sleeping, 1, memory_order_seq_cst); /* room */
    *verdict = find(producer, memory_order_seq_cst, found);                       /* room */
    if (*verdict == BLOCKED) {
        producer->counters.sleeps++;
        check = be_stream_sleep(words, count, deadline_ns);
    }
    atomic_store_explicit(&producer->control->sleeping, 0, memory_order_release);
    return check;
}

/* Turns a verdict into a status; a consumer that lies or has ended is expelled. */
static vmo_status settle(struct vmo_producer *producer, vmo_status status, vmo_consumer_t *about)
{
    if (about != NULL) {
        *about = stream_consumer(producer, producer->about);
    }
    if (status == VMO_ERR_PROTOCOL || status == VMO_ERR_PEER_GONE) {
        const vmo_status expelled = stream_expel_seat(producer, producer->about);
        return expelled == VMO_OK ? status : expelled;
    }
    return status;
}

static vmo_status finish(struct vmo_producer *producer, enum verdict verdict, vmo_consumer_t *about)
{
    return verdict == FREE ? VMO_OK : settle(producer, VMO_ERR_PROTOCOL, about);
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

    for (uint32_t looks = 0; verdict == BLOCKED && deadline_ns && looks < producer->options.looks; looks++) {
        if (!can_wait(producer)) {
            return VMO_ERR_BUSY;
        }
        be_stream_relax(looks);
        verdict = find(producer, memory_order_acquire, found);
    }
    for (uint32_t sleeps = 0; verdict == BLOCKED; sleeps++) {
        if (!can_wait(producer)) {
            return VMO_ERR_BUSY;
        }
        if (find_hoarder(producer)) {
            return settle(producer, VMO_ERR_PROTOCOL, about);
        }
        const vmo_status left = unseat_left(producer);
        if (left != VMO_OK) {
            return left;
        }
        if (sleeps % SLEEPS_PER_CHECK == 0 && be_now_ns() >= deadline_ns) {
            verdict = find(producer, memory_order_acquire, found); /* somebody may just have left */
            return verdict == BLOCKED ? settle(producer, VMO_ERR_TIMED_OUT, about)
                                      : finish(producer, verdict, about);
        }
        if (await(producer, deadline_ns, &verdict, found) && verdict == BLOCKED) {
            if (find_ended(producer)) {
                return settle(producer, VMO_ERR_PEER_GONE, about);
            }
            sleeps = UINT32_MAX; /* the clock is next */
        }
    }
    return finish(producer, verdict, about);
}

/* ---- Loans -------------------------------------------------------------------------------------- */

vmo_status vmo_stream_loan(struct vmo_producer *producer, uint64_t deadline_ns, struct vmo_loan *out,
                           vmo_consumer_t *about)
{
    uint8_t b = 0;

    if (producer == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!stream_is_live(producer)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (producer->next > VMO_STREAM_FRAMES_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    producer->yielded = false;
    const vmo_status status = obtain(producer, deadline_ns, &b, about);
    if (status != VMO_OK) {
        return status;
    }
    producer->buffers[b].loan = ++producer->loans << STREAM_BUFFER_BITS | b;
    *out = (struct vmo_loan){.data = producer->pool + b * producer->options.capacity_bytes,
                             .capacity_bytes = producer->options.capacity_bytes,
                             .id = producer->buffers[b].loan};
    return VMO_OK;
}

/* Finds the buffer of a loan that is still on loan. */
static vmo_status find_loan(const struct vmo_producer *producer, const struct vmo_loan *loan, uint8_t *b)
{
    if (producer == NULL || loan == NULL) {
        return VMO_ERR_INVALID;
    }
    *b = loan->id & ((1u << STREAM_BUFFER_BITS) - 1);
    return stream_is_live(producer) && loan->id && *b < producer->options.buffers &&
                   producer->buffers[*b].loan == loan->id
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

/* Wakes the consumers that sleep for frame s or an earlier one, each once. */
static void ring_bells(struct vmo_producer *producer, uint64_t s)
{
    bool wake = false;

    for (uint32_t i = 0; i < producer->seats_used; i++) {
        struct stream_seat *seat = &producer->seats[i];
        if (!seat->live) {
            continue;
        }
        const uint64_t awaits = atomic_load_explicit(&seat->page->awaits, memory_order_seq_cst); /* wait */
        if (awaits && awaits <= s && awaits != seat->rung) {
            seat->rung = awaits;
            wake = true;
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
    const vmo_status status = find_loan(producer, loan, &b);

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
    const vmo_status status = find_loan(producer, loan, &b);

    if (status == VMO_OK) {
        producer->buffers[b].loan = 0;
        producer->free[producer->free_count++] = b;
    }
    return status;
}
