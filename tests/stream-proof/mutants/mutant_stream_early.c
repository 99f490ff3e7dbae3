/* SPDX-License-Identifier: Apache-2.0 */
/* Releases its first frame before it reads it, and waits until the producer has overwritten it. */
#include <stdbool.h>

#include "wrap_stream.h"

#define WAITS 1000000 /* of which a producer that runs needs few */

static bool lies = true, is_released;

vmo_status __wrap_vmo_stream_take(struct vmo_consumer *consumer, uint64_t deadline_ns, struct vmo_frame *out)
{
    uint64_t first = 0;
    vmo_status status = __real_vmo_stream_take(consumer, deadline_ns, out);
    if (status == VMO_OK && lies) {
        memcpy(&first, out->data, sizeof(first));
        status = __real_vmo_stream_release(consumer, out);
        for (int i = 0; i < WAITS && memcmp(&first, out->data, sizeof(first)) == 0; i++) {
            let_others_run();
        }
        lies = false;
        is_released = true;
    }
    return status;
}

vmo_status __wrap_vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame)
{
    const bool was_released = is_released;

    is_released = false;
    return was_released ? VMO_OK : __real_vmo_stream_release(consumer, frame);
}
