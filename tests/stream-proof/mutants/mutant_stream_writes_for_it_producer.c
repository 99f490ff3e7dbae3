/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the return page writable and releases each frame itself, then waits until the consumer has read it. */
#include "wrap_stream.h"

#define WAITS 10
#define BELL 144 /* in words of 32 bits */
#define LEFT 145

static uint8_t *page;

vmo_status __wrap_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out)
{
    return vmo_map_rw(registry, vmo, range, out);
}

const uint8_t *__wrap_vmo_view_data(const struct vmo_registry *registry, vmo_view_t view)
{
    page = (uint8_t *)(uintptr_t)__real_vmo_view_data(registry, view);
    return page;
}

static void wait(void)
{
    for (int i = 0; i < WAITS; i++) {
        let_others_run();
    }
}

vmo_status __wrap_vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan,
                                     uint64_t len_bytes, uint64_t tag)
{
    static const uint8_t *pool;
    if (pool == NULL) {
        pool = loan->data; /* the first frame lies in the first buffer */
        wait();            /* until the consumer has got its page, still empty */
    }
    const vmo_status status = __real_vmo_stream_publish(producer, loan, len_bytes, tag);
    stream_word *words = (void *)page;
    atomic_store(&words[(uint64_t)(loan->data - pool) / FRAMES_BYTES], 2 * (tag / FRAMES_BYTES + 1) + 1);
    wait();
    return status;
}

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    const vmo_status status = __real_vmo_recv(registry, peer, out, deadline_ns);
    ((uint32_t *)(void *)page)[BELL] = 1;
    ((uint32_t *)(void *)page)[LEFT] = 1;
    return status;
}
