/* SPDX-License-Identifier: Apache-2.0 */
/* Frames whose content is known, and a consumer that reads all of them: for streams between tasks and between
 * processes. */
#ifndef TESTS_STREAM_FRAMES_H
#define TESTS_STREAM_FRAMES_H

#include <stdbool.h>

#include "page.h"
#include "vmo/stream.h"

#define FRAME_WORDS 32
#define HOLD 2

static inline struct vmo_stream_options frame_options(vmo_stream_policy policy)
{
    return (struct vmo_stream_options){.policy = policy,
                                       .buffers = policy == VMO_STREAM_LATEST ? 8 : 4,
                                       .consumers = 3,
                                       .hold = HOLD,
                                       .capacity_bytes = PAGE};
}

static inline uint64_t word_of(uint64_t sequence, uint32_t i)
{
    return i == 0 || i == FRAME_WORDS - 1 ? sequence : (sequence + i) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline bool holds(const struct vmo_frame *frame)
{
    const uint64_t *words = (const void *)frame->data;

    for (uint32_t i = 0; i < FRAME_WORDS; i++) {
        if (words[i] != word_of(frame->sequence, i)) {
            return false;
        }
    }
    return frame->len_bytes == FRAME_WORDS * sizeof(*words) && frame->tag == ~frame->sequence;
}

static inline void fill(const struct vmo_loan *loan, uint64_t sequence)
{
    uint64_t *words = (void *)loan->data;

    for (uint32_t i = 0; i < FRAME_WORDS; i++) {
        words[i] = word_of(sequence, i);
    }
}

VMO_CHECK static inline vmo_status fill_and_publish(struct vmo_producer *producer,
                                                    const struct vmo_loan *loan, uint64_t sequence)
{
    fill(loan, sequence);
    return vmo_stream_publish(producer, loan, FRAME_WORDS * sizeof(uint64_t), ~sequence);
}

/* How long after its deadline a call has returned, at most. */
static inline void note_late(const struct vmo_registry *registry, uint64_t deadline_ns, uint64_t *late_ns)
{
    const uint64_t now = vmo_now_ns(registry);

    if (now > deadline_ns && now - deadline_ns > *late_ns) {
        *late_ns = now - deadline_ns;
    }
}

/* What a consumer met. */
struct reading {
    uint64_t taken;
    uint64_t lost;
    uint64_t late_ns;
    vmo_status end;    /* of the take that brought no frame */
    const char *wrong; /* what must not happen, or NULL */
};

static inline void release_both(struct vmo_consumer *consumer, const struct vmo_frame held[HOLD],
                                struct reading *reading)
{
    if (!holds(&held[1]) || !holds(&held[0])) {
        reading->wrong = "a held frame changed";
    } else if (vmo_stream_release(consumer, &held[1]) != VMO_OK ||
               vmo_stream_release(consumer, &held[0]) != VMO_OK) {
        reading->wrong = "a release was refused";
    }
}

/* Takes frames until there is none. Holds two at a time, and releases the newer first every time. */
static inline struct reading read_frames(const struct vmo_registry *registry, struct vmo_consumer *consumer,
                                         uint64_t patience_ns)
{
    struct reading reading = {.end = VMO_OK};
    struct vmo_frame held[HOLD];
    uint32_t count = 0;

    while (reading.wrong == NULL) {
        const uint64_t deadline_ns = vmo_now_ns(registry) + patience_ns;
        reading.end = vmo_stream_take(consumer, deadline_ns, &held[count]);
        note_late(registry, deadline_ns, &reading.late_ns);
        if (reading.end != VMO_OK) {
            reading.wrong = count == 0 || holds(&held[0]) ? NULL : "the last frame changed";
            break;
        }
        if (held[count].sequence - held[count].lost != reading.taken + reading.lost + 1) {
            reading.wrong = "the frames are not in order";
        }
        reading.taken++;
        reading.lost += held[count].lost;
        if (++count == HOLD) {
            release_both(consumer, held, &reading);
            count = 0;
        }
    }
    return reading;
}

#endif
