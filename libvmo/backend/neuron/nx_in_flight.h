/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that a message may still carry (K-29). */
#ifndef NX_IN_FLIGHT_H
#define NX_IN_FLIGHT_H

#include <stdbool.h>

#include "backend.h"

/* The number of the channel to the parent; be_spawn numbers a child's from 1. */
#define NX_TO_PARENT 0
#define NX_CHANNELS (64 * NX_CHANNEL_WORDS)

/* A message with this object was sent into this channel. */
void nx_note_sent(struct be_object *object, uint32_t channel);

/* Records that this task closed a channel whose endpoints it owns, which dropped the channel's messages. */
void nx_note_closed(uint32_t channel);
bool nx_is_closed(uint32_t channel);

/* May a message of this task's still carry this object? */
bool nx_in_flight(const struct be_object *object);

#endif
