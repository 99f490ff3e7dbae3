/* SPDX-License-Identifier: Apache-2.0 */
/* The producer of a stream makes room: it takes a frame away, or waits until a buffer comes free. */
#include "stream_seats.h"

/* LATEST: takes the frame that was found away from the consumers that have not taken it, and looks again:
 * one may have claimed it, or released another. */
static void take_away(struct vmo_producer *producer, struct stream_found *found)
{
    while (found->verdict == STREAM_UNTAKEN) {
        if (BE_COOPERATIVE && !producer->yielded) {
            /* No consumer may have run since the frame was published. */
            producer->yielded = true;
            (void)be_stream_relax(0);
        } else {
            stream_kill_entry(producer, found->b);
        }
        *found = stream_find(producer); /* claim */
    }
}

static void look(struct vmo_producer *producer, struct stream_found *found)
{
    *found = stream_find(producer);
    take_away(producer, found);
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* True if a consumer claims more frames than it may hold. `seen` alone does not tell: it may be of a frame
 * that was released and of the next one, which was claimed since. A word that still says what was seen has
 * said so in between, so what is counted here was held at one time. Each buffer in the list has a frame here:
 * another would have ended the wait. */
static bool hoards(const struct vmo_producer *producer, const struct stream_seat *seat)
{
    uint32_t holds = 0;

    for (uint8_t b = producer->newer[STREAM_LIST]; b != STREAM_LIST; b = producer->newer[b]) {
        const uint64_t claim = 2 * producer->buffers[b].sequence;
        holds += seat->seen[b] == claim &&
                 atomic_load_explicit(&seat->page->word[b], memory_order_acquire) == claim;
    }
    return holds > producer->options.hold;
}

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
        if (!stream_is_live(seat)) {
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

/* Sleeps until a consumer signals, unless a look after the announcement finds a buffer. */
static bool await(struct vmo_producer *producer, uint64_t deadline_ns, struct stream_found *found)
{
    struct be_stream_word words[BE_STREAM_WORDS_MAX];
    uint32_t count = 0;
    bool slept = false;

    for (const struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        if (stream_is_live(seat)) {
            const _Atomic uint32_t *bell = &seat->page->bell;
            words[count++] = (struct be_stream_word){bell, atomic_load_explicit(bell, memory_order_acquire)};
        }
    }
    atomic_store_explicit(&producer->control->sleeping, 1, memory_order_seq_cst); /* room */
    look(producer, found);                                                        /* room */
    if (found->verdict == STREAM_BLOCKED) {
        producer->counters.sleeps++;
        slept = be_stream_sleep(words, count, deadline_ns);
    }
    atomic_store_explicit(&producer->control->sleeping, 0, memory_order_release);
    return slept;
}

/* Announces that the caller will poll, unless a look after that finds a buffer. */
static void arm(struct vmo_producer *producer, struct stream_found *found)
{
    for (const struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        if (stream_is_live(seat) && seat->notifier != BE_NONE) {
            be_stream_notifier_clear(seat->notifier);
        }
    }
    producer->polls = producer->polls + 2 ? producer->polls + 2 : 2;
    atomic_store_explicit(&producer->control->sleeping, producer->polls, memory_order_seq_cst); /* room */
    look(producer, found);                                                                      /* room */
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
    const uint8_t newest = producer->older[STREAM_LIST];

    return newest != STREAM_LIST &&
           (producer->options.policy == VMO_STREAM_BACKPRESSURE || newest != producer->newer[STREAM_LIST]);
}

vmo_status stream_obtain(struct vmo_producer *producer, struct stream_found *found, uint64_t deadline_ns,
                         vmo_consumer_t *about)
{
    if (found->verdict == STREAM_UNTAKEN) {
        take_away(producer, found);
    }
    if (found->verdict == STREAM_BLOCKED && !can_wait(producer)) {
        return VMO_ERR_BUSY;
    }
    for (uint32_t looks = 0;
         found->verdict == STREAM_BLOCKED && deadline_ns && looks < producer->options.looks; looks++) {
        const bool yielded = be_stream_relax(looks);
        look(producer, found);
        if (yielded && be_now_ns() >= deadline_ns) {
            break;
        }
    }
    for (uint32_t sleeps = 0; found->verdict == STREAM_BLOCKED;) {
        if (sleeps % STREAM_SLEEPS_PER_CHECK == 0) {
            const bool late = be_now_ns() >= deadline_ns;
            const vmo_status status = check_seats(producer, late || sleeps);
            if (status != VMO_OK) {
                return settle(producer, status, about);
            }
            look(producer, found); /* somebody may just have left */
            if (BE_STREAM_NOTIFIES && late && found->verdict == STREAM_BLOCKED &&
                producer->group != BE_NONE) {
                arm(producer, found);
            }
            if (late && found->verdict == STREAM_BLOCKED) {
                return settle(producer, VMO_ERR_TIMED_OUT, about);
            }
        }
        if (found->verdict == STREAM_BLOCKED) {
            sleeps = stream_sleeps_after(sleeps, await(producer, deadline_ns, found));
        }
    }
    return found->verdict == STREAM_FREE ? VMO_OK : settle(producer, VMO_ERR_PROTOCOL, about);
}
