/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port: what a backend supplies to the portable core. One backend is linked into a program.
 *
 * The core has checked handles, rights, seals, ranges (in bytes, against the length) and the registry's
 * limits before it calls; a backend checks what only it can know and names its refusals by vmo_status. After
 * any status but VMO_OK the backend is as it was.
 */
#ifndef VMO_BACKEND_H
#define VMO_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "be_types.h" /* of the one backend that this is compiled for: struct be_object_own, struct be_peer */
#include "vmo/channel.h"
#include "vmo/vmo.h"

#define BE_NONE (-1)
#define BE_ENTRIES_MAX 4096 /* of each table of a registry: mappings_max of a kernel with room for more */

/* A VMO's capabilities as the backend names them: slots on NEURON, descriptors on Linux. */
struct be_object {
    int32_t owner; /* can write and destroy, or BE_NONE */
    int32_t alias; /* can only read, or BE_NONE */
    struct be_object_own own;
};
#define BE_NO_OBJECT ((struct be_object){.owner = BE_NONE, .alias = BE_NONE})

/* The capability to use or to hand over: the owner's for writing, else the alias if there is one. */
static inline int32_t be_granted(const struct be_object *object, bool writable)
{
    return writable || object->alias == BE_NONE ? object->owner : object->alias;
}

struct be_info {
    const char *platform;
    uint64_t page_bytes;
    uint64_t object_bytes_max;
    uint32_t mappings_max; /* more cannot exist in one address space */
    bool can_unmap;        /* an address can be given back (not on a1, K-22) */
};

/* Probes the kernel. Idempotent. */
VMO_CHECK vmo_status be_init(struct be_info *info);

/* size_bytes is a multiple of the page. */
VMO_CHECK vmo_status be_create(uint64_t size_bytes, struct be_object *out);
VMO_CHECK vmo_status be_write(const struct be_object *object, struct vmo_range range, const void *from);
/* UNSUPPORTED where the kernel has no such call: the core then reads through a mapping. */
VMO_CHECK vmo_status be_read(const struct be_object *object, struct vmo_range range, void *to);

/* Makes the read-only capability, object->alias, unless it is there. UNSUPPORTED if the kernel has none: the
 * library, not the kernel, then enforces the seal. */
VMO_CHECK vmo_status be_make_alias(struct be_object *object);
/* Seals as strongly as the kernel can; *by says who enforces the seal. Where the kernel does, FOREVER gives
 * up the capability that writes: object->owner is then BE_NONE. The core has unmapped the object before it
 * asks for FOREVER, unless info.can_unmap is false. */
VMO_CHECK vmo_status be_seal(struct be_object *object, vmo_seal_strength strength, vmo_enforcer *by);

/* Gives up all capabilities of the object. Mappings stay. */
VMO_CHECK vmo_status be_close(struct be_object *object);
/* Checks without a system call whether be_destroy would be refused. UNSUPPORTED if the kernel never gives
 * memory back; STILL_SHARED if it would destroy memory that a message from this task may still carry. */
VMO_CHECK vmo_status be_check_destroy(const struct be_object *object);
/* Gives the memory back. The core has called be_check_destroy and has unmapped the object. On success the
 * object is empty. */
VMO_CHECK vmo_status be_destroy(struct be_object *object);

/* range is in whole pages; counts placement_retries and private_maps. */
VMO_CHECK vmo_status be_map(const struct be_object *object, struct vmo_range range, bool writable, void **at,
                            struct vmo_counters *counters);
/* Called only where info.can_unmap. */
VMO_CHECK vmo_status be_unmap(void *at, uint64_t bytes);

/* What be_verify found out about a received capability. */
struct be_verified {
    vmo_enforcer by; /* who enforces the claimed seal; NOBODY for NONE */
    void *at; /* a read-only mapping of size_bytes from the start, if the check needed one; else NULL */
};

/* Checks that a received capability is a VMO of at least size_bytes (whole pages) and sealed as claimed, as
 * far as the kernel tells; PROTOCOL if not. The caller owns the mapping in *out. After a refusal there is
 * none, and the capability is still open. */
VMO_CHECK vmo_status be_verify(const struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                               struct be_verified *out, struct vmo_counters *counters);

/* A file's range as an object that can be read and mapped read-only; range in bytes of the file. be_map and
 * be_read then take offsets of the file. UNSUPPORTED where there are no files. */
VMO_CHECK vmo_status be_wrap_file(int file, struct vmo_range range, struct be_object *out);

VMO_CHECK vmo_status be_spawn(const struct vmo_program *program, struct be_peer *out);
VMO_CHECK vmo_status be_parent(struct be_peer *out);
/* A peer behind a connected descriptor, which the backend owns after success. UNSUPPORTED where there are
 * none.
 */
VMO_CHECK vmo_status be_peer_open(int descriptor, struct be_peer *out);
/* Has a spawned peer ended without having been waited for? */
bool be_peer_unreaped(const struct be_peer *peer);
VMO_CHECK vmo_status be_peer_wait(struct be_peer *peer, uint64_t deadline_ns, int32_t *exit_status);
VMO_CHECK vmo_status be_peer_close(struct be_peer *peer);

/* Sends bytes and, unless object is NULL, the capability that be_granted names. Waits until the deadline
 * while the queue is full. The backend may record in the object where it went. */
VMO_CHECK vmo_status be_send(const struct be_peer *peer, struct be_object *object, bool writable,
                             const void *bytes, size_t len, uint64_t deadline_ns);
/* Receives one message of at most max bytes. *object is the capability that came with it, as owner or alias
 * by what the kernel shows, or BE_NO_OBJECT. A longer message is dropped: PROTOCOL. */
VMO_CHECK vmo_status be_recv(struct be_peer *peer, void *bytes, size_t max, size_t *len,
                             struct be_object *object, uint64_t deadline_ns);

/* Copies a capability into the peer; *name is the peer's name for it. */
VMO_CHECK vmo_status be_transfer(const struct be_object *object, bool writable, struct be_peer *peer,
                                 uint32_t *name);
/* Finds the object that a ticket of this peer's names; PROTOCOL for a name that cannot be one. The backend
 * owns the object until be_transfer_consume. */
VMO_CHECK vmo_status be_transfer_peek(struct be_peer *peer, uint32_t name, struct be_object *out);
/* The core has taken the object over; its name is void. */
void be_transfer_consume(struct be_peer *peer, uint32_t name);

uint64_t be_now_ns(void);

#endif
