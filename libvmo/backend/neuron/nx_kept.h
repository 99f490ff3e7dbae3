/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message that the registry has no room for. This kernel has no way to look at a message without taking it:
 * the message is kept here until the next receive. There is one place in a task: while it is taken, such a
 * message of another channel is lost.
 */
#ifndef NX_KEPT_H
#define NX_KEPT_H

#include <stdbool.h>

#include "backend.h"

/* Copies the message that is kept for this channel and names its object. False: none is, or it is longer than
 * max. */
bool nx_kept_show(uint32_t channel, void *bytes, size_t max, size_t *len, struct be_object *object);

/* Keeps a message, which may be kept already. False: there is no room. */
bool nx_kept_put(uint32_t channel, const void *bytes, size_t len, const struct be_object *object);

/* Frees the place if it holds a message of this channel. Returns its object, now the caller's, or
 * BE_NO_OBJECT. */
struct be_object nx_kept_take(uint32_t channel);

#endif
