/* SPDX-License-Identifier: Apache-2.0 */
/* Peers of a stream that lie, and honest ones beside them: for streams between tasks and between
 * processes. The includer defines LIAR_RUNS_ON(), between two words that a liar writes. */
#ifndef TESTS_STREAM_LIAR_H
#define TESTS_STREAM_LIAR_H

#include "protocol.h"
#include "stream_frames.h"

/* ---- Lies --------------------------------------------------------------------------------------- */

static inline uint64_t random_word(void)
{
    static uint64_t seed = 88172645463325252;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> (seed % 61);
}

/* Overwrites a consumer's page, all of it. */
static inline void overwrite_page(_Atomic uint64_t *words)
{
    for (uint32_t i = 0; i < PAGE / sizeof(*words); i++) {
        atomic_store_explicit(&words[i], random_word(), memory_order_relaxed);
        LIAR_RUNS_ON();
    }
}

#define LINE_WORDS (STREAM_LINE_BYTES / sizeof(uint64_t))
#define RING_WORD (sizeof(struct stream_control) / sizeof(uint64_t))

/* What a lying producer writes into word i of its control block: often what an honest one could. */
static inline uint64_t control_lie(uint64_t i, uint32_t buffers)
{
    const uint64_t random = random_word();

    if (random_word() % 64 == 0) {
        return random;
    }
    if (i >= RING_WORD && i % LINE_WORDS == 0) {
        return (i - RING_WORD) / LINE_WORDS + buffers * (random % (random_word() % 2 ? 4 : 256));
    }
    if (i >= RING_WORD && i % LINE_WORDS == 1) {
        return stream_where((uint32_t)(random % (buffers + 1)), random % (PAGE + 2));
    }
    return i == 0 ? random % 2048 : 0;
}

/* Overwrites the control block, all of it. The number of buffers is a power of two. */
static inline void overwrite_control(_Atomic uint64_t *words, uint32_t buffers)
{
    for (uint32_t i = 0; i < stream_control_bytes(buffers) / sizeof(*words); i++) {
        atomic_store_explicit(&words[i], control_lie(i, buffers), memory_order_relaxed);
        LIAR_RUNS_ON();
    }
}

/* ---- An honest producer beside a liar ----------------------------------------------------------- */

struct beside {
    struct vmo_registry *registry;
    struct vmo_producer *producer;
    vmo_consumer_t honest;
    vmo_consumer_t liar;
    vmo_peer_t liars_peer;
    uint32_t tag;         /* of its offers */
    uint32_t offers;      /* that it still gets after it was expelled */
    uint64_t patience_ns; /* of a loan */
    /* What came of it. */
    uint64_t late_ns;
    uint32_t slow;      /* loans that waited in vain for the honest consumer */
    uint32_t timed_out; /* and for the liar, which was expelled then */
    uint32_t false_words;
    uint32_t gone;
    uint32_t left;     /* as it said itself */
    const char *wrong; /* what must not happen, or NULL */
};

static inline void offer_again(struct beside *beside)
{
    if (beside->offers == 0) {
        return;
    }
    beside->offers--;
    if (vmo_stream_offer(beside->producer, beside->liars_peer, beside->tag, UINT64_MAX, &beside->liar) !=
        VMO_OK) {
        beside->wrong = "the liar could not join again";
    }
}

/* Deals with a loan that was refused. */
static inline void deal_with(struct beside *beside, vmo_status status, vmo_consumer_t about)
{
    if (about.id == beside->honest.id && status == VMO_ERR_TIMED_OUT) {
        beside->slow++; /* slow is no lie */
        return;
    }
    if (about.id != beside->liar.id) {
        beside->wrong = "a loan was refused, but not about the liar";
        return;
    }
    beside->timed_out += status == VMO_ERR_TIMED_OUT;
    beside->false_words += status == VMO_ERR_PROTOCOL;
    beside->gone += status == VMO_ERR_PEER_GONE;
    if (status == VMO_ERR_TIMED_OUT && vmo_stream_expel(beside->producer, about) != VMO_OK) {
        beside->wrong = "the liar could not be expelled";
    } else if (status != VMO_ERR_TIMED_OUT && status != VMO_ERR_PROTOCOL && status != VMO_ERR_PEER_GONE) {
        beside->wrong = vmo_status_name(status);
    } else {
        offer_again(beside);
    }
}

/* A page can also say that its consumer has left: then the producer frees the seat without a word. */
static inline void look_who_left(struct beside *beside, struct vmo_stream_counters *before)
{
    struct vmo_stream_counters now = {0};

    if (vmo_stream_counters_read(beside->producer, &now) != VMO_OK) {
        beside->wrong = "the counters could not be read";
    } else if (now.consumers < before->consumers && now.expelled == before->expelled) {
        beside->left++;
        offer_again(beside);
    }
    *before = now;
}

/* Publishes frames 1 to `last`. */
static inline void publish_beside(struct beside *beside, uint64_t last)
{
    struct vmo_stream_counters counters = {0};
    vmo_consumer_t about = {0};
    struct vmo_loan loan;

    for (uint64_t s = 1; s <= last && beside->wrong == NULL;) {
        const uint64_t deadline_ns = vmo_now_ns(beside->registry) + beside->patience_ns;
        const vmo_status status = vmo_stream_loan(beside->producer, deadline_ns, &loan, &about);
        note_late(beside->registry, deadline_ns, &beside->late_ns);
        if (status != VMO_OK) {
            deal_with(beside, status, about);
        } else if (fill_and_publish(beside->producer, &loan, s++) != VMO_OK) {
            beside->wrong = "a publish was refused";
        }
        look_who_left(beside, &counters);
    }
}

/* ---- An honest consumer of a liar --------------------------------------------------------------- */

struct doubting {
    uint64_t late_ns;
    uint32_t frames; /* that were believed */
    uint32_t timed_out;
    uint32_t false_entries;
    uint32_t expelled;
    uint32_t gone;
    const char *wrong; /* what must not happen, or NULL */
};

struct found_view {
    vmo_view_t view;
    uint32_t rights;
};

static inline void find_view(void *context, const struct vmo_live *live)
{
    struct found_view *found = context;

    if (live->kind == VMO_LIVE_VIEW && live->rights == found->rights) {
        found->view = live->view;
    }
}

/* Of a registry that has joined one stream: with READ the pool, with all rights the consumer's page. */
static inline vmo_view_t view_with(struct vmo_registry *mine, uint32_t rights)
{
    struct found_view found = {.rights = rights};

    return vmo_registry_each(mine, find_view, &found) == VMO_OK ? found.view : (vmo_view_t){0};
}

/* Takes once and releases; a frame lies in the pool, whatever the producer wrote. */
static inline void take_with_doubt(struct vmo_registry *mine, struct vmo_consumer *consumer, uint64_t wait_ns,
                                   uint32_t buffers, struct doubting *doubting)
{
    const uint8_t *pool = vmo_view_data(mine, view_with(mine, VMO_RIGHT_READ));
    const uint64_t deadline_ns = wait_ns ? vmo_now_ns(mine) + wait_ns : 0;
    struct vmo_frame frame;
    const vmo_status status = vmo_stream_take(consumer, deadline_ns, &frame);

    if (wait_ns) {
        note_late(mine, deadline_ns, &doubting->late_ns);
    }
    doubting->frames += status == VMO_OK;
    doubting->timed_out += status == VMO_ERR_TIMED_OUT;
    doubting->false_entries += status == VMO_ERR_PROTOCOL;
    doubting->expelled += status == VMO_ERR_EXPELLED;
    doubting->gone += status == VMO_ERR_PEER_GONE;
    if (status != VMO_OK) {
        if (status != VMO_ERR_TIMED_OUT && status != VMO_ERR_PROTOCOL && status != VMO_ERR_EXPELLED &&
            status != VMO_ERR_PEER_GONE) {
            doubting->wrong = vmo_status_name(status);
        }
        return;
    }
    if (frame.data < pool || (uint64_t)(frame.data - pool) % PAGE ||
        (uint64_t)(frame.data - pool) >= buffers * PAGE || frame.len_bytes > PAGE) {
        doubting->wrong = "a frame lies outside the pool";
        return;
    }
    const vmo_status released = vmo_stream_release(consumer, &frame);
    if (released != VMO_OK && released != VMO_ERR_EXPELLED) {
        doubting->wrong = vmo_status_name(released);
    }
}

#endif
