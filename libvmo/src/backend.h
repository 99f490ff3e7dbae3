/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port: what a backend supplies to the portable core. One backend is linked into a program.
 *
 * Before it calls, the core has checked handles, rights, seals, ranges (in bytes, against the length), the
 * caller's memory (be_is_user) and the registry's limits. A backend checks the rest and names each refusal by
 * a vmo_status. After any status but VMO_OK the backend's state is unchanged.
 */
#ifndef VMO_BACKEND_H
#define VMO_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "be_types.h" /* the linked backend's struct be_object_own and struct be_peer, and its limits */
#include "vmo/channel.h"
#include "vmo/descriptor.h"
#include "vmo/vmo.h"

#define BE_NONE (-1)

/* A VMO's capabilities as the backend names them: slots on NEURON, descriptors on Linux. */
struct be_object {
    int32_t owner; /* can write and destroy, or BE_NONE */
    int32_t alias; /* can only read, or BE_NONE */
    struct be_object_own own;
};
#define BE_NO_OBJECT ((struct be_object){.owner = BE_NONE, .alias = BE_NONE})

/* The capability to use or to hand over: the owner for writing, else the alias if there is one. */
static inline int32_t be_granted(const struct be_object *object, bool writable)
{
    return writable || object->alias == BE_NONE ? object->owner : object->alias;
}

struct be_info {
    const char *platform;
    uint64_t page_bytes;
    uint64_t object_bytes_max;
    uint32_t mappings_max; /* in one address space */
    bool can_unmap;        /* false: mapped addresses stay in use (a1, K-22) */
};

/* Probes the kernel. Idempotent. */
VMO_CHECK vmo_status be_init(struct be_info *info);

/* False if the memory certainly lies outside user memory. The core asks before it reads or writes memory of
 * the caller. */
bool be_is_user(const void *memory, uint64_t bytes);

/* Where BE_HUGE_PAGES: a huge page has 2^*shift bytes. UNSUPPORTED if this kernel has none. */
VMO_CHECK vmo_status be_huge_pages(uint8_t *shift);
/* size_bytes is a multiple of the page, or of the huge page for VMO_CREATE_HUGE. The core has checked the
 * options; NULL: the defaults. */
VMO_CHECK vmo_status be_create(uint64_t size_bytes, const struct vmo_create_options *options,
                               struct be_object *out);
/* Copies the object's name as the kernel has it: the creator's bytes, which may break the rules of a name. ""
 * if the kernel keeps no names or cannot show this one, or if it is longer than VMO_NAME_MAX_BYTES. */
void be_name(const struct be_object *object, char name[VMO_NAME_MAX_BYTES + 1]);
VMO_CHECK vmo_status be_write(const struct be_object *object, struct vmo_range range, const void *from);
/* Copies between two places of this task's memory. INVALID if one cannot be accessed, where the backend can
 * find that out. */
VMO_CHECK vmo_status be_copy(void *to, const void *from, uint64_t len_bytes);
/* Copies a range of `from` to the start of `to`, which be_create made and nothing was written to. UNSUPPORTED
 * where the kernel cannot, with any part copied: the core then reads into a mapping. */
VMO_CHECK vmo_status be_copy_object(const struct be_object *to, const struct be_object *from,
                                    struct vmo_range range);
/* UNSUPPORTED where the kernel has no such call: the core then reads through a mapping. */
VMO_CHECK vmo_status be_read(const struct be_object *object, struct vmo_range range, void *to);

/* Makes the read-only capability, object->alias, if it is missing. UNSUPPORTED if the kernel has none: the
 * library, not the kernel, then enforces the seal. */
VMO_CHECK vmo_status be_make_alias(struct be_object *object);
/* How the creator goes on writing after PEERS. */
struct be_writer {
    bool none; /* it does not: the core has unmapped the object as before FOREVER */
    void *at;  /* a writable mapping of the whole object, or NULL */
};

/* Seals; *by says who enforces the seal. If the kernel does, FOREVER closes the capability that can write
 * and sets object->owner to BE_NONE. Before FOREVER the core has unmapped the object, unless info.can_unmap
 * is false. PEERS may take over the writer's mapping, as be_kept_at then shows. */
VMO_CHECK vmo_status be_seal(struct be_object *object, vmo_seal_strength strength,
                             const struct be_writer *writer, vmo_enforcer *by);

/* Where BE_KEEPS_MAPPINGS: the mapping of the whole object that the backend keeps, or NULL: after PEERS on
 * Linux, for the creator's writes. be_set_kept gives the backend such a mapping, or makes it the core's. */
void *be_kept_at(const struct be_object *object);
void be_set_kept(struct be_object *object, void *at);

/* Closes all capabilities of the object. Mappings stay. */
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

/* Result of be_verify. */
struct be_verified {
    vmo_enforcer by; /* who enforces the claimed seal; NOBODY for NONE */
    void *at;        /* the read-only mapping of the whole object that the check made, or NULL */
};

/* Checks, as far as the kernel shows it, that a received capability is a VMO of at least size_bytes (whole
 * pages) and sealed as claimed. PROTOCOL if not. The caller owns the mapping in *out. A refusal leaves no
 * mapping, and leaves the capability open. */
VMO_CHECK vmo_status be_verify(struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                               struct be_verified *out, struct vmo_counters *counters);

/* Where BE_KNOWS_OBJECTS, the kernel tells objects apart. be_identify finds out which one a received
 * capability is for, before be_verify. be_identity is its number, or that of an object that was handed over;
 * 0: unknown, and be_verify refuses a received one. be_verify_again checks a capability that is used only to
 * show that an object that is held still has this size and seal. */
VMO_CHECK vmo_status be_identify(struct be_object *object);
uint64_t be_identity(const struct be_object *object);
VMO_CHECK vmo_status be_verify_again(struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                                     struct be_verified *out);

/* Makes a read-only object of a file's range, in bytes of the file. be_map and be_read then take file
 * offsets. UNSUPPORTED without files. */
VMO_CHECK vmo_status be_wrap_file(int file, struct vmo_range range, struct be_object *out);

/* Result of be_import_fd. */
struct be_imported {
    struct be_object object;
    uint64_t len_bytes;
    vmo_seal_strength seal; /* that the kernel enforces */
    uint8_t page_shift;     /* as of struct object */
    bool local;             /* cannot be handed over */
};

/* Makes an object of a descriptor of memory, which the caller keeps; the core has checked the options. Makes
 * a close-on-exec descriptor for an object, which the caller owns. UNSUPPORTED without descriptors. */
VMO_CHECK vmo_status be_import_fd(int fd, const struct vmo_import_options *wanted, struct be_imported *out);
VMO_CHECK vmo_status be_export_fd(struct be_object *object, bool writable, int *fd);

VMO_CHECK vmo_status be_spawn(const struct vmo_program *program, struct be_peer *out);
VMO_CHECK vmo_status be_parent(struct be_peer *out);
/* Makes a peer of a connected descriptor, which the backend owns after success only. UNSUPPORTED without
 * descriptors. */
VMO_CHECK vmo_status be_peer_open(int descriptor, struct be_peer *out);
/* The caller allows the peer to get the owner's capability where no other can be made for it. */
void be_peer_allow_shared(struct be_peer *peer);
/* be_recv looks so often before it sleeps. */
void be_peer_looks(struct be_peer *peer, uint32_t looks);
/* True for a spawned peer that has ended and was not waited for. */
bool be_peer_unreaped(const struct be_peer *peer);
/* PEER_GONE: the child has ended, and the program took its exit status elsewhere. */
VMO_CHECK vmo_status be_peer_wait(struct be_peer *peer, uint64_t deadline_ns, int32_t *exit_status);
/* UNSUPPORTED: the kernel does not show it. PEER_GONE: what it showed may stand for another task by now. */
VMO_CHECK vmo_status be_peer_identity(const struct be_peer *peer, struct vmo_identity *out);
/* Ends a spawned peer at once. OK also if it has ended and was not waited for. PEER_GONE: the program reaped
 * it elsewhere. UNSUPPORTED: it is no child or was waited for, or the kernel cannot. */
VMO_CHECK vmo_status be_peer_kill(const struct be_peer *peer);
/* Closes the channel and keeps a child for be_peer_kill and be_peer_wait. From then on be_send, be_recv and
 * be_transfer are PEER_GONE; so is be_transfer_peek where capabilities come through the channel. A second
 * call does nothing. UNSUPPORTED: only the peer can end this channel. NO_SLOTS: nothing was closed. */
VMO_CHECK vmo_status be_peer_hangup(struct be_peer *peer);
/* Closes the channel, and forgets a child. */
VMO_CHECK vmo_status be_peer_close(struct be_peer *peer);

/* Sends bytes and, unless object is NULL, the capability that be_granted chooses. Waits until the deadline
 * while the kernel queues too much: TIMED_OUT for the peer, QUEUE_FULL for the sender. The backend may record
 * in the object where it was sent. */
VMO_CHECK vmo_status be_send(struct be_peer *peer, struct be_object *object, bool writable, const void *bytes,
                             size_t len, uint64_t deadline_ns);
/* Looks at the next message of at most max bytes. *object is a capability for its VMO, as owner or alias
 * until be_verify says which, or BE_NO_OBJECT. A longer message is dropped: PROTOCOL. After any other refusal
 * it stays queued. After OK the core calls one of the next two, before any other call about this peer. */
VMO_CHECK vmo_status be_recv(struct be_peer *peer, void *bytes, size_t max, size_t *len,
                             struct be_object *object, uint64_t deadline_ns);
/* Takes the message off the queue: the core now owns the object. After a refusal the core owns it, too. */
VMO_CHECK vmo_status be_recv_take(const struct be_peer *peer);
/* Leaves the message for the next be_recv and takes the object back. */
VMO_CHECK vmo_status be_recv_keep(const struct be_peer *peer, const void *bytes, size_t len,
                                  struct be_object *object);

/* Where BE_MANY, a message can carry 2 to VMO_MANY_MAX capabilities, all or none. be_send_many is as be_send.
 * be_recv shows such a message without an object; be_recv_several then tells how many it carries, and 0 for
 * any other message. be_recv_many is as be_recv, for up to VMO_MANY_MAX: the core calls be_recv_keep for
 * each. */
struct be_carried {
    struct be_object *object;
    bool writable;
};
VMO_CHECK vmo_status be_send_many(struct be_peer *peer, const struct be_carried *carried, uint32_t count,
                                  const void *bytes, size_t len, uint64_t deadline_ns);
uint32_t be_recv_several(const struct be_peer *peer);
VMO_CHECK vmo_status be_recv_many(struct be_peer *peer, void *bytes, size_t max, size_t *len,
                                  struct be_object objects[VMO_MANY_MAX], uint32_t *count,
                                  uint64_t deadline_ns);

/* One peer of be_poll, with the bits of VMO_POLL_. */
struct be_polled {
    const struct be_peer *peer;
    uint32_t wanted;
    uint32_t found;
};

/* Sets `found` of each, and waits until one is not 0. The core has checked count, at most VMO_POLL_MAX.
 * UNSUPPORTED if the kernel cannot look at a message without taking it. */
VMO_CHECK vmo_status be_poll(struct be_polled *peers, uint32_t count, uint64_t deadline_ns);
/* The channel's descriptor, which stays the backend's. UNSUPPORTED without descriptors. */
VMO_CHECK vmo_status be_peer_fd(const struct be_peer *peer, int *fd);

/* Copies a capability to the peer; *name is its name there. */
VMO_CHECK vmo_status be_transfer(struct be_object *object, bool writable, struct be_peer *peer,
                                 uint32_t *name);
/* Finds the object that a ticket from this peer names; PROTOCOL for an invalid name, or for a capability that
 * the core owns already. The backend owns the object until be_transfer_consume. */
VMO_CHECK vmo_status be_transfer_peek(struct be_peer *peer, uint32_t name, struct be_object *out);
/* The core now owns the object; the name is no longer valid. */
void be_transfer_consume(struct be_peer *peer, uint32_t name);

/* Copies memory that a far processor will read. The caller may then send a message about it. The places do
 * not overlap. A copy as any other where the machine has no other way. */
void be_copy_far(uint8_t *to, const uint8_t *from, size_t len);

/* Hashes whole blocks into the state of a SHA-256, with what this machine has for it. At any address. */
void be_sha256(uint32_t state[8], const uint8_t *blocks, size_t count);

uint64_t be_now_ns(void);

#endif
