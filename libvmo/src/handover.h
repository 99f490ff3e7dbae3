/* SPDX-License-Identifier: Apache-2.0 */
/* What both ways to hand a VMO to a peer share: in a message, and by transfer (R6, R13). */
#ifndef VMO_HANDOVER_H
#define VMO_HANDOVER_H

#include "registry.h"

/* Checks whether the peer may get the object with these rights, and makes the capability for it. Without
 * WRITE the peer gets a read-only capability if the kernel supports one. */
VMO_CHECK vmo_status handover_prepare(const struct peer *peer, const struct vmo_ref *ref, uint32_t rights);
/* Notes that the peer got it. */
void handover_note(struct vmo_registry *registry, struct object *object, uint32_t rights);

/* A sender's claim about an object, from a message or a ticket. */
struct claim {
    uint64_t len_bytes;
    uint16_t rights;
    uint16_t seal;
};

/* Checks a claim with the kernel and enters the object, or makes one more handle on an object that is held
 * and then closes the capability, unless that object needs it to write. *be names what became the object's.
 * After a refusal the caller still owns the capability. */
VMO_CHECK vmo_status handover_import(struct vmo_registry *registry, const struct peer *from,
                                     const struct claim *claim, struct be_object *be, struct vmo_ref *out);
/* Undoes handover_import; the caller owns what *be names. Undo the last of several first. */
VMO_CHECK vmo_status handover_undo(struct vmo_registry *registry, const struct vmo_ref *ref,
                                   const struct be_object *be);

#endif
