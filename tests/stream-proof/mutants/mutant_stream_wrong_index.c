/* SPDX-License-Identifier: Apache-2.0 */
/* Releases the next buffer instead of the frame's own. */
#include "wrap_stream.h"

static stream_word *words;

/* libvmo writes the right words into a page of our own. */
uint8_t *__wrap_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view)
{
    static uint8_t page[4096] __attribute__((aligned(4096)));
    words = (void *)__real_vmo_view_data_rw(registry, view);
    return words == NULL ? NULL : page;
}

vmo_status __wrap_vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame)
{
    atomic_store(&words[(frame->buffer + 1) % FRAMES_BUFFERS], 2 * frame->sequence + 1);
    return __real_vmo_stream_release(consumer, frame);
}
