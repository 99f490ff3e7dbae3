/* SPDX-License-Identifier: Apache-2.0 */
/* What producer and consumer share: a VMO of a stream and its view, and whose a stream is. */
#ifndef VMO_STREAM_PART_H
#define VMO_STREAM_PART_H

#include <stdbool.h>

#include "backend_stream.h"
#include "registry.h"

/* The pool, or the page of a consumer. */
struct stream_part {
    vmo_t vmo; /* VMO_NONE: there is none */
    vmo_view_t view;
};

/* Unmaps the VMO and closes it; `created`: gives it back to the kernel unless others hold or map it. A second
 * call goes on where the first was refused. */
VMO_CHECK vmo_status stream_part_end(struct vmo_registry *registry, struct stream_part *part, bool created);

/* True if the other side's task has ended, or the caller has closed the peer. */
bool stream_peer_ended(const struct vmo_registry *registry, vmo_peer_t peer);

/* Tells this process from a child that it forked. */
typedef const _Atomic uint64_t *stream_token;

static inline vmo_status stream_token_make(stream_token *out)
{
    return BE_FORKS ? be_stream_token_make(out) : VMO_OK;
}

static inline bool stream_token_holds(stream_token token)
{
    return !BE_FORKS || atomic_load_explicit(token, memory_order_relaxed);
}

static inline void stream_token_drop(stream_token token)
{
    if (BE_FORKS) {
        be_stream_token_drop(token);
    }
}

#endif
