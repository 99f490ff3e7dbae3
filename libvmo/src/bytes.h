/* SPDX-License-Identifier: Apache-2.0 */
/* What the copies into and out of a VMO share (R2, R9). */
#ifndef VMO_BYTES_H
#define VMO_BYTES_H

#include "registry.h"

/* Checks a range and the caller's memory. OK for an empty range, which needs no copy. */
VMO_CHECK vmo_status bytes_check(const struct object *object, struct vmo_range range, const void *memory);
/* Copies a checked range out of an object. */
VMO_CHECK vmo_status bytes_read(struct vmo_registry *registry, struct object *object, struct vmo_range range,
                                void *to);

#endif
