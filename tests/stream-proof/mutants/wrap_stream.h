/* SPDX-License-Identifier: Apache-2.0 */
/* What the mutants of the stream's programs wrap. */
#ifndef WRAP_STREAM_H
#define WRAP_STREAM_H

#include <stdatomic.h>
#include <string.h>

#include "stream/frames_proof.h"

#define WRAPPED(type, name, ...)                                                                             \
    type __real_##name(__VA_ARGS__);                                                                         \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(vmo_status, vmo_stream_take, struct vmo_consumer *consumer, uint64_t deadline_ns,
        struct vmo_frame *out);
WRAPPED(vmo_status, vmo_stream_release, struct vmo_consumer *consumer, const struct vmo_frame *frame);
WRAPPED(vmo_status, vmo_stream_publish, struct vmo_producer *producer, const struct vmo_loan *loan,
        uint64_t len_bytes, uint64_t tag);
WRAPPED(void, vmo_sha256_update, struct vmo_sha256 *hash, const void *bytes, size_t len);
WRAPPED(vmo_status, vmo_seal, struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);
WRAPPED(vmo_status, vmo_recv, struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
        uint64_t deadline_ns);
WRAPPED(vmo_status, vmo_map_ro, struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
        vmo_view_t *out);
WRAPPED(const uint8_t *, vmo_view_data, const struct vmo_registry *registry, vmo_view_t view);
WRAPPED(uint8_t *, vmo_view_data_rw, struct vmo_registry *registry, vmo_view_t view);

/* The words of a return page, by buffer. */
typedef _Atomic uint64_t stream_word;

#ifdef __linux__
#include <sched.h>
static inline void let_others_run(void)
{
    (void)sched_yield();
}
#else
#include "nexus_abi.h"

struct nx_result {
    int64_t a0, a1;
};
struct nx_result nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                         uint64_t number);
static inline void let_others_run(void)
{
    (void)nx_call(0, 0, 0, 0, 0, 0, NX_SYS_YIELD);
}
#endif

#endif
