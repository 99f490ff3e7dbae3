/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps one received message that the registry had no room for, until the next receive: this kernel cannot
 * show a message without removing it from the queue. A task keeps one message; while it does, such a message
 * from another channel is lost.
 */
#ifndef NX_KEPT_H
#define NX_KEPT_H

#include <stdbool.h>

#include "backend.h"

/* Copies the message that is kept for this channel; *object is its object. False: no message is kept for it,
 * or the message is longer than max. */
bool nx_kept_show(uint32_t channel, void *bytes, size_t max, size_t *len, struct be_object *object);

/* Keeps a message. True if it is kept already. False: another message is kept, or this one is too long. */
bool nx_kept_put(uint32_t channel, const void *bytes, size_t len, const struct be_object *object);

/* Forgets the message that is kept for this channel. Returns its object, which the caller now owns, or
 * BE_NO_OBJECT. */
struct be_object nx_kept_take(uint32_t channel);

#endif
