/* SPDX-License-Identifier: Apache-2.0 */
/* The port of streams on NEURON: poll and yield, since a task must not wait inside the kernel (K-55, K-61).
 */
#include "backend_stream.h"
#include "nx_call.h"
#include "nx_peer.h"

bool be_stream_sleep(const struct be_stream_word *words, uint32_t count, uint64_t deadline_ns)
{
    (void)words, (void)count, (void)deadline_ns; /* the core looks at the clock */
    (void)nx_call0(NX_SYS_YIELD);                /* cannot fail; the answer differs with the ABI revision */
    return true;
}

void be_stream_wake(const void *word)
{
    (void)word; /* nobody sleeps */
}

bool be_stream_relax(uint32_t looks)
{
    (void)nx_call0(NX_SYS_YIELD);
    return looks > 0; /* one yield most often suffices, without a call for the time */
}

bool be_peer_ended(const struct be_peer *peer)
{
    return nx_peer_ended(peer);
}
