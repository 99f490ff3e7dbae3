/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers and channels: who may get a VMO, and how it travels (R6, R13).
 *
 * A peer is another task with a channel to it: on NEURON a child or the parent, with an endpoint each way
 * and, for a child, a death watch (K-62). Calls that wait take an absolute deadline in nanoseconds of
 * vmo_now_ns, poll and yield until then, and never block in the kernel (K-55, K-61).
 */
#ifndef VMO_CHANNEL_H
#define VMO_CHANNEL_H

#include "vmo.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VMO_BODY_MAX_BYTES 448 /* so that header and body fit the smaller age's message (K-50) */

/* Time of this machine, for deadlines. */
uint64_t vmo_now_ns(const struct vmo_registry *registry);

/* ---- Peers -------------------------------------------------------------------------------------- */

/* A program to run as a peer. The bytes stay the caller's and are read during the call. */
struct vmo_program {
    const void *elf;
    size_t elf_bytes;
    uint32_t stack_pages; /* 1..1024, beyond what the kernel adds (K-11) */
};

/* Starts a program and a channel to it. The peer is not yet allowed to get anything. The caller owns the
 * peer: vmo_peer_wait, then vmo_peer_close.
 * Errors: INVALID, TABLE_FULL, NO_SLOTS, NO_MEMORY, UNSUPPORTED (not init; a1: too many address spaces for
 * one boot, K-17), BACKEND (the program was refused). After an error the child, if the kernel made one,
 * never runs (a2) or finds no channel (a1). */
VMO_CHECK vmo_status vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                    vmo_peer_t *out);

/* The channel to the task that spawned this one. Errors: TABLE_FULL, UNSUPPORTED (there is none). */
VMO_CHECK vmo_status vmo_peer_parent(struct vmo_registry *registry, vmo_peer_t *out);

/* The channel behind a connected descriptor (a SOCK_SEQPACKET socket on Linux), which is the library's from
 * here on. Errors: TABLE_FULL, INVALID, UNSUPPORTED (NEURON). */
VMO_CHECK vmo_status vmo_peer_open(struct vmo_registry *registry, int descriptor, vmo_peer_t *out);

/* What this peer sends must be sealed at least so, or it is refused before it is mapped: NOT_SEALED. NONE,
 * the default, takes anything. Errors: BAD_HANDLE, INVALID. */
VMO_CHECK vmo_status vmo_peer_require(struct vmo_registry *registry, vmo_peer_t peer,
                                      vmo_seal_strength strength);

/* Puts a peer on the list of those that may get a VMO. Errors: BAD_HANDLE. */
VMO_CHECK vmo_status vmo_peer_allow(struct vmo_registry *registry, vmo_peer_t peer);

/* Waits until a spawned peer has ended and reaps it; *exit_status is what the kernel reports, which on a1
 * may be -22 in place of the child's own (K-63). Errors: TIMED_OUT, UNSUPPORTED (not a child), BACKEND. */
VMO_CHECK vmo_status vmo_peer_wait(struct vmo_registry *registry, vmo_peer_t peer, uint64_t deadline_ns,
                                   int32_t *exit_status);

/* Ends the channel. On NEURON, messages to a child that it has not received are lost, with the capabilities
 * in them, and a VMO that was sent to it can be destroyed from here on. Messages to the parent, whose channel
 * it is, stay queued, and a VMO that was sent to it can never be destroyed by this task (K-29). On Linux
 * messages stay queued and keep what they carry alive. Errors: BAD_HANDLE. */
VMO_CHECK vmo_status vmo_peer_close(struct vmo_registry *registry, vmo_peer_t peer);

/* ---- Messages ----------------------------------------------------------------------------------- */

struct vmo_message {
    uint32_t tag;        /* the caller's: pairs a reply with its request */
    vmo_t vmo;           /* VMO_NONE: no VMO goes along */
    uint32_t rights;     /* of the VMO at the receiver; 0 without one */
    const void *body;    /* may be NULL when body_bytes is 0 */
    uint16_t body_bytes; /* 0..VMO_BODY_MAX_BYTES */
};

/* Sends a message, and with it a VMO: the peer gets a capability of its own, the sender keeps its handle.
 * Without WRITE the peer gets the read-only alias where the kernel has one; WRITE of a sealed VMO is SEALED.
 * Waits while the queue is full. After an error nothing was sent. Errors: NOT_AUTHORISED (a VMO to a peer not
 * allowed; no system call is made), RIGHTS, SEALED, INVALID, TOO_LARGE (body), NO_SLOTS, QUEUE_FULL,
 * PEER_GONE, TIMED_OUT. */
VMO_CHECK vmo_status vmo_send(struct vmo_registry *registry, vmo_peer_t peer,
                              const struct vmo_message *message, uint64_t deadline_ns);

struct vmo_incoming {
    uint32_t tag;
    vmo_t vmo; /* the receiver's own handle, or VMO_NONE */
    uint16_t body_bytes;
    uint8_t body[VMO_BODY_MAX_BYTES];
};

/* Receives the next message. A VMO's length is the sender's claim and is checked with the kernel before the
 * handle is made; the caller owns the handle. A message that does not hold is dropped, with what it carried,
 * and *out is untouched. Errors: PROTOCOL, NOT_SEALED, PEER_GONE, TIMED_OUT, TABLE_FULL, QUOTA, TOO_LARGE,
 * NO_SLOTS. */
VMO_CHECK vmo_status vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                              uint64_t deadline_ns);

/* ---- Transfer without a message (R6) ------------------------------------------------------------ */

/* What the sender tells the receiver about a transferred VMO: a claim, sent as the body of a message or by
 * any other way. Same machine, same byte order. */
struct vmo_ticket {
    uint64_t len_bytes;
    uint32_t name; /* the receiver's name for it: its capability slot on NEURON, a count on Linux */
    uint16_t rights;
    uint16_t seal;
};

/* Puts a capability for the VMO into the peer. The sender keeps its handle. Rules and errors as vmo_send,
 * without waiting; UNSUPPORTED where the backend cannot. On Linux the peer has to receive the messages sent
 * before it first, and to accept it before eight more have arrived: each takes the place of the eighth before
 * it. */
VMO_CHECK vmo_status vmo_transfer(struct vmo_registry *registry, vmo_t vmo, vmo_peer_t peer, uint32_t rights,
                                  struct vmo_ticket *out);

/* Takes a VMO over that this peer transferred. Refused unless the named capability is a VMO that no handle of
 * this registry holds and the claimed length lies within it. Errors: PROTOCOL, NOT_SEALED, TABLE_FULL, QUOTA,
 * TOO_LARGE, NO_SLOTS. */
VMO_CHECK vmo_status vmo_accept(struct vmo_registry *registry, vmo_peer_t peer,
                                const struct vmo_ticket *ticket, vmo_t *out);

#ifdef __cplusplus
}
#endif

#endif
