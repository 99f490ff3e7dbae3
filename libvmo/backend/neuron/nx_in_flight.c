/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that a message may still carry. NEURON does not count a capability inside an undelivered message:
 * it would destroy the memory and reuse the pages under the receiver (K-29). So each object records the
 * channels that it was sent into, and is in flight until all of them are closed. An acknowledgement by the
 * peer is no proof.
 *
 * Channel numbers are never reused, so closing a channel need not visit the objects.
 */
#include "nx_in_flight.h"

#include "nx_call.h"

/* A child takes three endpoints, and endpoint ids are never reused (K-56). */
_Static_assert(NX_CHANNELS > NX_EP_IDS_A2 / 3, "a channel number for every child of one boot");

static struct nx_channels closed;

void nx_note_sent(struct be_object *object, uint32_t channel)
{
    object->own.sent_to.bits[channel / 64] |= UINT64_C(1) << channel % 64;
}

void nx_note_closed(uint32_t channel)
{
    closed.bits[channel / 64] |= UINT64_C(1) << channel % 64;
}

bool nx_is_closed(uint32_t channel)
{
    return closed.bits[channel / 64] >> channel % 64 & 1;
}

bool nx_in_flight(const struct be_object *object)
{
    uint64_t open = 0;

    for (unsigned i = 0; i < NX_CHANNEL_WORDS; i++) {
        open |= object->own.sent_to.bits[i] & ~closed.bits[i];
    }
    return open != 0;
}
