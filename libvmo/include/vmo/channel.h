/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers and channels: who may get a VMO, and how it travels.
 *
 * A peer is another task and the channel to it: a child, the parent, or on Linux the other end of a socket.
 * vmo_send, vmo_recv, vmo_send_many, vmo_recv_many, vmo_poll and vmo_peer_wait wait until an absolute
 * deadline, in nanoseconds of vmo_now_ns; a deadline that has passed, 0 for instance, makes one try. No other
 * call of this header waits. The rules for errors and threads are those of vmo.h.
 */
#ifndef VMO_CHANNEL_H
#define VMO_CHANNEL_H

#include "vmo.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VMO_BODY_MAX_BYTES 448 /* with the library's header, this fits one message of every kernel */

/* Monotonic time of this machine in nanoseconds, for deadlines. */
uint64_t vmo_now_ns(const struct vmo_registry *registry);

/* A deadline that never passes. */
#define VMO_FOREVER_NS UINT64_MAX

/* ---- Peers -------------------------------------------------------------------------------------- */

/* A program to run as a peer. The bytes stay the caller's and are read during the call. */
struct vmo_program {
    const void *elf;
    size_t elf_bytes;
    uint32_t stack_pages; /* 1..1024, in addition to the kernel's own; ignored on Linux */
};

/* Starts a program and a channel to it. The peer is not allowed to get VMOs yet. The caller owns the peer:
 * vmo_peer_wait, then vmo_peer_close. After an error a child that was already made never runs, or on older
 * NEURON kernels runs without a channel. On Linux the child inherits no descriptor but the standard streams;
 * a standard stream that is closed here is /dev/null there.
 * Errors: INVALID      a pointer is NULL or outside user memory, stack_pages is out of range, or elf is no
 *                      program for this machine
 *         TABLE_FULL   no free peer
 *         NO_SLOTS     the kernel's table of capabilities, endpoints, descriptors or processes is full
 *         NO_MEMORY    the kernel has no memory for the task
 *         TOO_LARGE    Linux: the program exceeds RLIMIT_FSIZE, or the environment what exec takes
 *         UNSUPPORTED  NEURON: this task is not init, or the kernel cannot start a child that it suspended;
 *                      older NEURON kernels: no page tables are left, which about eight children of one
 *                      boot use up; Linux: the system forbids running a program from memory, or lacks both
 *                      close_range and /proc
 *         PEER_GONE    Linux: the child was killed before it ran the program
 *         BACKEND      also: NEURON's loader refused the program */
VMO_CHECK vmo_status vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                    vmo_peer_t *out);

/* Takes the channel to the task that spawned this one. The caller owns the peer: vmo_peer_close.
 * Errors: INVALID      a pointer is NULL
 *         TABLE_FULL   no free peer
 *         UNSUPPORTED  no parent left a channel, or on Linux it was taken already */
VMO_CHECK vmo_status vmo_peer_parent(struct vmo_registry *registry, vmo_peer_t *out);

/* Makes a peer of a connected descriptor, on Linux an AF_UNIX socket of type SOCK_SEQPACKET. After success
 * the library owns the descriptor: vmo_peer_close closes it, and a standard stream is moved away. After
 * failure the caller still owns it, unchanged.
 * Errors: INVALID      a pointer is NULL, or descriptor is no such socket
 *         TABLE_FULL   no free peer
 *         NO_SLOTS     Linux: no free descriptor to move a standard stream to
 *         UNSUPPORTED  NEURON has no descriptors */
VMO_CHECK vmo_status vmo_peer_open(struct vmo_registry *registry, int descriptor, vmo_peer_t *out);

/* Sets the weakest seal that VMOs from this peer must have. A VMO with a weaker seal is refused with
 * NOT_SEALED before it is mapped. The default, NONE, takes any VMO.
 * Errors: INVALID      strength is no seal strength */
VMO_CHECK vmo_status vmo_peer_require(struct vmo_registry *registry, vmo_peer_t peer,
                                      vmo_seal_strength strength);

/* Allows a peer to get VMOs. Until then a hand-over to it is refused before any system call. */
VMO_CHECK vmo_status vmo_peer_allow(struct vmo_registry *registry, vmo_peer_t peer);

/* Allows a peer to share the open file description of this task where Linux cannot open one for the peer:
 * without /proc, or for a VMO of another user. Without this call a hand-over of a VMO that is not
 * sealed FOREVER is then UNSUPPORTED. Such a peer can set the append flag that both share, and can map an
 * unsealed VMO writable even if it got READ alone; so a PEERS seal that follows is enforced by the library,
 * and FOREVER after that seal is BUSY. No effect on NEURON. */
VMO_CHECK vmo_status vmo_peer_allow_shared(struct vmo_registry *registry, vmo_peer_t peer);

#define VMO_LOOKS_MAX 65536u

/* Sets how often vmo_recv looks for a message of this peer before it sleeps: 1, the default, to
 * VMO_LOOKS_MAX. Each look is a system call, and only the first one comes after the deadline. More looks make
 * a quick answer cheaper, and cost processor time while none comes. No effect on NEURON.
 * Errors: INVALID      looks is 0 or more than VMO_LOOKS_MAX */
VMO_CHECK vmo_status vmo_peer_looks(struct vmo_registry *registry, vmo_peer_t peer, uint32_t looks);

/* Waits until a spawned peer has ended, and reaps it. *exit_status is the status that the kernel reports; on
 * Linux the negative number of the signal that killed it. Older NEURON kernels may report -22 instead of the
 * child's own status.
 * Errors: INVALID      exit_status is NULL
 *         TIMED_OUT    the deadline passed
 *         UNSUPPORTED  the peer is not a child, or was waited for already
 *         PEER_GONE    Linux: the child has ended, and its status is lost: this program ignores SIGCHLD, or
 *                      waited for the child itself */
VMO_CHECK vmo_status vmo_peer_wait(struct vmo_registry *registry, vmo_peer_t peer, uint64_t deadline_ns,
                                   int32_t *exit_status);

/* How the kernel shows who a peer is. */
typedef enum vmo_identity_source {
    VMO_IDENTITY_SPAWNED = 1, /* this task spawned it: pid is the child's */
    VMO_IDENTITY_SOCKET = 2   /* SO_PEERCRED: the process that connected, listened or made the pair */
} vmo_identity_source;

#define VMO_IDENTITY_UNKNOWN UINT32_MAX

struct vmo_identity {
    vmo_identity_source source;
    int32_t pid;
    uint32_t uid; /* effective, when the socket was made; UNKNOWN for a spawned peer, which may change it */
    uint32_t gid;
};

/* Tells who a peer is. A spawned peer keeps its pid until vmo_peer_wait. A process that a socket names may
 * have ended, with its pid used again, or may have handed the socket on.
 * Errors: INVALID      out is NULL
 *         PEER_GONE    Linux: after vmo_peer_hangup of a peer that was not spawned; or the child has ended,
 *                      and its pid may be used again, since this program ignores SIGCHLD or waited for the
 *                      child
 *         UNSUPPORTED  the kernel does not show it. NEURON: the peer is the parent; Linux: the process is in
 *                      another namespace, or this process made both ends of the socket; both: a spawned peer
 *                      was waited for */
VMO_CHECK vmo_status vmo_peer_identity(const struct vmo_registry *registry, vmo_peer_t peer,
                                       struct vmo_identity *out);

/* Ends a spawned peer at once, on Linux by SIGKILL; vmo_peer_wait then reaps it. Succeeds also if the peer
 * has ended and was not waited for.
 * Errors: UNSUPPORTED  the peer is not a child, or was waited for; no NEURON kernel can end another task;
 *                      Linux: the child has changed its user
 *         PEER_GONE    Linux: the child has ended, and its status is lost, as for vmo_peer_wait */
VMO_CHECK vmo_status vmo_peer_kill(struct vmo_registry *registry, vmo_peer_t peer);

/* Ends the channel as vmo_peer_close does, but keeps the peer for vmo_peer_kill and vmo_peer_wait, until
 * vmo_peer_close. From here on vmo_send, vmo_recv and vmo_transfer are PEER_GONE. On Linux so is vmo_accept;
 * on NEURON this task has what was transferred before, and may accept it. A second call succeeds.
 * Errors: NO_SLOTS     NEURON: this task's table of capabilities is full
 *         UNSUPPORTED  NEURON: the peer is the parent: close it */
VMO_CHECK vmo_status vmo_peer_hangup(struct vmo_registry *registry, vmo_peer_t peer);

/* Ends the channel.
 *   Linux            Queued messages stay queued and keep the VMOs in them alive.
 *   NEURON, child    Messages that the child has not received are lost, with the capabilities in them. VMOs
 *                    that were sent to the child can be destroyed from here on.
 *   NEURON, parent   Queued messages stay queued. VMOs sent to the parent can never be destroyed. */
VMO_CHECK vmo_status vmo_peer_close(struct vmo_registry *registry, vmo_peer_t peer);

/* ---- Messages ----------------------------------------------------------------------------------- */

struct vmo_message {
    uint32_t tag;        /* for the caller, to pair a reply with its request */
    vmo_t vmo;           /* VMO_NONE: the message carries no VMO */
    uint32_t rights;     /* of the receiver's handle: READ, or READ and WRITE; 0 without a VMO */
    const void *body;    /* may be NULL when body_bytes is 0 */
    uint16_t body_bytes; /* 0..VMO_BODY_MAX_BYTES */
};

/* Sends a message, and with it a VMO if the message has one. The peer gets a capability of its own; the
 * sender keeps its handle. Without WRITE the peer gets a read-only capability if the kernel supports one.
 * Waits while the kernel queues too much. After an error nothing was sent.
 * Errors: INVALID        a pointer is NULL or outside user memory; rights lack READ, have unknown bits, or
 *                        come without a VMO
 *         TOO_LARGE      body_bytes exceeds VMO_BODY_MAX_BYTES; Linux: or the message the socket's buffer
 *         NOT_AUTHORISED a VMO for a peer that is not allowed to get one; no system call was made
 *         UNSUPPORTED    the VMO wraps memory of the caller or a file, or has huge pages: send a
 *                        vmo_copy; Linux: no description can be opened for the peer:
 *                        vmo_peer_allow_shared
 *         SEALED         rights have WRITE and the VMO is sealed
 *         RIGHTS         rights exceed those of the handle
 *         NO_SLOTS       NEURON: this task's table of capabilities is full; Linux: no free descriptor
 *         BUSY           Linux: another process holds a lease on the VMO, or still uses pages of a VMO that
 *                        was sealed FOREVER after PEERS
 *         PEER_GONE      the peer has ended or closed its side
 *         TIMED_OUT      this peer's queue was full until the deadline
 *         QUEUE_FULL     a limit of the kernel was reached until the deadline. NEURON: bytes queued in all
 *                        channels of one parent. Linux: as many descriptors as RLIMIT_NOFILE are in flight
 *                        for the user
 *         NO_MEMORY      Linux: the kernel has no memory; for the message itself: until the deadline */
VMO_CHECK vmo_status vmo_send(struct vmo_registry *registry, vmo_peer_t peer,
                              const struct vmo_message *message, uint64_t deadline_ns);

struct vmo_incoming {
    uint32_t tag;
    vmo_t vmo; /* a handle of the receiver's registry, or VMO_NONE */
    uint16_t body_bytes;
    uint8_t body[VMO_BODY_MAX_BYTES];
};

/* Receives the next message. The length of a VMO is its sender's claim, which the library checks with the
 * kernel before it makes the handle. The caller owns the handle. After an error *out is untouched.
 * On Linux a VMO that this registry holds already, received from the same peer or handed over by itself, gets
 * one more handle, with the rights of the new message, and keeps its mappings: keep a handle to make that
 * cheap.
 * Errors: INVALID      out is NULL
 *         TIMED_OUT    no message came until the deadline
 *         PEER_GONE    the peer has ended or closed its side, and no message is left
 *   After the following errors the message stays queued: free a slot and receive again.
 *         NO_SLOTS     the kernel's table of capabilities, regions or descriptors is full
 *         TABLE_FULL   no free object or handle
 *         QUOTA        the sizes would exceed total_bytes_max
 *         NO_MEMORY    the kernel has no memory for the message, or on NEURON for the mapping that checks
 *                      the length
 *         UNSUPPORTED  the message carries several VMOs: only vmo_recv_many takes it
 *   NEURON keeps one such message for a task, until it is received or its peer is closed; meanwhile it drops
 *   such a message of another peer, unless the table of capabilities is full.
 *   After the following errors the message was dropped, and the capability in it closed.
 *         PROTOCOL     the message is malformed, or its VMO is not what the message claims
 *         NOT_SEALED   the VMO is sealed less than vmo_peer_require demands
 *         TOO_LARGE    the VMO is longer than object_bytes_max, total_bytes_max or the backend's limit
 *         FRAGMENTED   NEURON: the kernel cannot place the mapping that checks the length */
VMO_CHECK vmo_status vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                              uint64_t deadline_ns);

/* ---- Several VMOs in one message --------------------------------------------------------------------- */

#define VMO_MANY_MAX 8 /* VMOs of one message */

/* A VMO of a message, and the rights of the receiver's handle: READ, or READ and WRITE. */
struct vmo_item {
    vmo_t vmo;
    uint32_t rights;
};

/* Sends a message with `count` VMOs, all or none: 0 to VMO_MANY_MAX of any seals and rights; the same one may
 * come twice. message->vmo is VMO_NONE. Otherwise as vmo_send, which this call equals for one VMO and for
 * none. The caller keeps its handles.
 * Errors: INVALID      a pointer is NULL or outside user memory, message->vmo is a VMO, or as vmo_send
 *         TOO_LARGE    count exceeds VMO_MANY_MAX, or as vmo_send
 *         UNSUPPORTED  NEURON: more than one VMO: send one a message; or as vmo_send
 *         NOT_AUTHORISED, SEALED, RIGHTS, NO_SLOTS, BUSY, PEER_GONE, TIMED_OUT, QUEUE_FULL, NO_MEMORY
 *                      as vmo_send, for any of the VMOs */
VMO_CHECK vmo_status vmo_send_many(struct vmo_registry *registry, vmo_peer_t peer,
                                   const struct vmo_message *message, const struct vmo_item *items,
                                   uint32_t count, uint64_t deadline_ns);

/* Receives the next message, with all of its VMOs or none, in the sender's order: as vmo_recv, and also what
 * vmo_send_many sends. Sets *count and that many of vmos, which the caller owns; out->vmo is vmos[0], or
 * VMO_NONE. After an error nothing is set.
 * Errors: those of vmo_recv, for any of the VMOs, but that several are never UNSUPPORTED; and
 *         INVALID      a pointer is NULL */
VMO_CHECK vmo_status vmo_recv_many(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                                   vmo_t vmos[VMO_MANY_MAX], uint32_t *count, uint64_t deadline_ns);

/* ---- Many peers --------------------------------------------------------------------------------- */

#define VMO_POLL_MAX 64 /* peers of one vmo_poll; for more on Linux: vmo_peer_fd and epoll */

#define VMO_POLL_MESSAGE 1u /* vmo_recv finds a message, or only a transfer or a notice: then TIMED_OUT */
#define VMO_POLL_ROOM 2u    /* the queue to the peer is not full */
#define VMO_POLL_ENDED 4u   /* the peer has ended or closed its side; messages may be left. Always wanted */

struct vmo_polled {
    vmo_peer_t peer;
    uint32_t wanted; /* MESSAGE, ROOM or both; 0: only the end */
    uint32_t found;  /* of these and ENDED; set by vmo_poll */
};

/* Waits until at least one of the peers has what is wanted of it, and sets `found` of each. Takes nothing:
 * what was found is found again until vmo_recv takes the message or the peer is closed.
 * Errors: INVALID      a pointer is NULL, peers lies outside user memory, count is 0, or wanted has unknown
 *                      bits
 *         TOO_LARGE    count exceeds VMO_POLL_MAX
 *         TIMED_OUT    nothing was found until the deadline
 *         NO_SLOTS     RLIMIT_NOFILE is less than twice the count
 *         UNSUPPORTED  NEURON cannot look without taking: vmo_recv of each peer with deadline 0 */
VMO_CHECK vmo_status vmo_poll(struct vmo_registry *registry, struct vmo_polled *peers, uint32_t count,
                              uint64_t deadline_ns);

/* ---- Transfer without a message ----------------------------------------------------------------- */

/* What the sender claims about a transferred VMO. It travels as the body of a message or by any other way,
 * on one machine, in that machine's byte order. */
struct vmo_ticket {
    uint64_t len_bytes;
    uint32_t name; /* names the capability at the receiver */
    uint16_t rights;
    uint16_t seal;
};

/* Gives the peer a capability for the VMO and fills a ticket. The sender keeps its handle. Never waits. On
 * Linux the peer must first receive the messages sent before, and must accept before eight newer transfers
 * arrive: each newer transfer evicts the eighth before it.
 * Errors: INVALID        out is NULL, or rights lack READ or have unknown bits
 *         NOT_AUTHORISED, SEALED, RIGHTS, PEER_GONE, QUEUE_FULL, NO_MEMORY, BUSY, TOO_LARGE
 *                        as vmo_send, without waiting; QUEUE_FULL also if the queue is full now
 *         UNSUPPORTED    as vmo_send; NEURON: or the peer is the parent
 *         NO_SLOTS       NEURON: a table of capabilities is full, this task's or the peer's; Linux: no free
 *                        descriptor */
VMO_CHECK vmo_status vmo_transfer(struct vmo_registry *registry, vmo_t vmo, vmo_peer_t peer, uint32_t rights,
                                  struct vmo_ticket *out);

/* Accepts a VMO that this peer transferred. The caller owns the handle. A refused ticket leaves the
 * capability where it is.
 * Errors: INVALID      a pointer is NULL
 *         PROTOCOL     the ticket names no transferred capability or one that was accepted already, or
 *                      claims a length, rights or seal that the capability does not have
 *         NOT_SEALED, TOO_LARGE, QUOTA, TABLE_FULL, NO_MEMORY, FRAGMENTED, PEER_GONE
 *                      as vmo_recv
 *         NO_SLOTS     the kernel's table of regions or descriptors is full */
VMO_CHECK vmo_status vmo_accept(struct vmo_registry *registry, vmo_peer_t peer,
                                const struct vmo_ticket *ticket, vmo_t *out);

#ifdef __cplusplus
}
#endif

#endif
