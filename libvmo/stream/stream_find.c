/* SPDX-License-Identifier: Apache-2.0 */
/* The producer of a stream looks for a buffer that nobody needs. */
#include "stream_seats.h"

/* Reads once what each live consumer says of a buffer in the list, and checks it. A word is impossible if it
 * shrank, or speaks of a frame that was never in the buffer while this consumer was there. */
static enum stream_verdict ask(struct vmo_producer *producer, uint32_t b)
{
    const uint64_t held = 2 * producer->buffers[b].sequence;
    enum stream_verdict verdict = STREAM_FREE;

    for (struct stream_seat *seat = producer->seats; seat < producer->seats_end; seat++) {
        if (seat->first > held) {
            continue;
        }
        const uint64_t word =
            atomic_load_explicit(&seat->page->word[b], memory_order_seq_cst); /* claim, room */
        const uint64_t seen = seat->seen[b];
        if (word != held + 1) {
            const bool possible = word == seen || (word > seen && word >= seat->first && word <= held);
            if (!possible || word == held || producer->options.policy == VMO_STREAM_BACKPRESSURE) {
                producer->about = seat;
                seat->seen[b] = possible ? word : seen;
                return possible ? STREAM_BLOCKED : STREAM_FALSE;
            }
            verdict = STREAM_UNTAKEN;
        }
        seat->seen[b] = word;
    }
    return verdict;
}

struct stream_found stream_find(struct vmo_producer *producer)
{
    const uint8_t newest = producer->older[STREAM_LIST];
    struct stream_found found = {STREAM_BLOCKED, newest};

    if (newest == STREAM_LIST) {
        return found;
    }
    if (producer->options.policy == VMO_STREAM_LATEST && producer->buffers[newest].sequence) {
        found.b = producer->newer[STREAM_LIST];
        if (found.b == newest) {
            return found;
        }
    }
    do {
        found.verdict = ask(producer, found.b);
        if (found.verdict == STREAM_UNTAKEN && producer->buffers[found.b].loan == STREAM_DEAD) {
            producer->counters.recycled++;
            found.verdict = STREAM_FREE;
        }
        if (found.verdict == STREAM_FREE) {
            const uint8_t older = producer->older[found.b], newer = producer->newer[found.b];
            producer->newer[older] = newer;
            producer->older[newer] = older;
        }
        if (found.verdict != STREAM_BLOCKED) {
            return found;
        }
        found.b = producer->newer[found.b];
        if (found.b == STREAM_LIST) {
            found.b = producer->newer[STREAM_LIST];
        }
    } while (found.b != newest);
    return found;
}

void stream_kill_entry(struct vmo_producer *producer, uint32_t b)
{
    struct stream_buffer *buffer = &producer->buffers[b];

    if (buffer->loan != STREAM_DEAD) {
        atomic_store_explicit(&producer->control->ring[buffer->sequence & producer->mask].sequence, 0,
                              memory_order_seq_cst); /* claim */
        buffer->loan = STREAM_DEAD;
    }
}
