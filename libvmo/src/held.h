/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same object again: finds the object of this registry that a received capability is for, so that it gets
 * one more handle and keeps its mappings. Only where the kernel tells objects apart (BE_KNOWS_OBJECTS), and
 * only among objects from the same peer and those made here.
 */
#ifndef VMO_HELD_H
#define VMO_HELD_H

#include "handover.h"

/* Lets an object be found again, if the backend knows its identity. */
void held_add(struct vmo_registry *registry, struct object *object);
/* Removes an object if it was added, before its entry is freed. */
void held_remove(struct vmo_registry *registry, struct object *object);

/* If the object of a received capability is held and the claim agrees with it: checks the claim with the
 * kernel, makes a handle, closes the capability, and sets *out. Otherwise *out is {NULL, NULL}. */
VMO_CHECK vmo_status held_import(struct vmo_registry *registry, const struct peer *from,
                                 const struct claim *claim, uint64_t size_bytes, struct be_object *be,
                                 struct vmo_ref *out);

#endif
