/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations shared by the files of the Linux backend.
 *
 * A VMO is a memfd whose size is fixed at creation by F_SEAL_GROW and F_SEAL_SHRINK. `owner` is a descriptor
 * that can write. `alias` is one that cannot: it was opened read-only, or the file is sealed. Only a seal
 * binds a process of the same user, which can open the file anew. All descriptors are close-on-exec.
 */
#ifndef VMO_LX_H
#define VMO_LX_H

#include "backend.h"

/* Longest VMO. Pages come when they are touched, so this bounds addresses, not memory. */
#define LX_OBJECT_BYTES_MAX (UINT64_C(1) << 40)

/* ---- Features (R14): each probed once, by its own harmless call ------------------------------------- */

/* memfd_create takes MFD_NOEXEC_SEAL and MFD_EXEC (6.3). Otherwise: not used. */
#define LX_NOEXEC_SEAL 1u
/* F_SEAL_FUTURE_WRITE (5.1), and mremap duplicates a mapping. Otherwise: the library enforces PEERS. */
#define LX_PEERS_SEAL 2u
/* A write-sealed memfd can be mapped shared (6.7). Otherwise: mapped private, counted. */
#define LX_SHARED_RO 4u
/* waitid takes a pidfd (5.4). Otherwise: a wait polls the child every millisecond. */
#define LX_PIDFD 8u
/* close_range with CLOSE_RANGE_CLOEXEC (5.11). Otherwise: one fcntl for each entry of /proc/self/fd. */
#define LX_CLOSE_RANGE 16u
/* A read lease on a memfd is refused while a description opened through /proc can write, or a mapping made
 * through one. Otherwise: PEERS does not show whether a peer that got the VMO before can write. */
#define LX_LEASES 32u
/* process_vm_readv within the process. Otherwise: a copy goes through a pipe. */
#define LX_VM_READ 64u
#define LX_ALL_FEATURES 127u

/* The features of this kernel; 0 before be_init. */
uint32_t lx_features(void);
/* For tests: hides these features; 0 hides none. */
void lx_features_without(uint32_t features);

/* The device number that all memfds have, and only they and other memory of the kernel. */
uint64_t lx_memfd_device(void);

/* Makes an empty memfd; flags are added to close-on-exec and sealing. */
VMO_CHECK vmo_status lx_memfd(const char *name, unsigned flags, int *out);

/* ---- Descriptors -------------------------------------------------------------------------------- */

/* The status for an errno that the caller does not treat specially. */
vmo_status lx_status(int error);

/* Every descriptor of the library is >= 3: a program may close a standard stream, and a VMO in its place
 * would get the program's output. lx_duplicate: a close-on-exec duplicate >= 3, or -1 with errno set; EMFILE
 * if no descriptor is free. lx_above_stdio: takes the result of a system call that made a close-on-exec
 * descriptor. Returns it, or moves it and returns its duplicate >= 3. -1 with errno set if the system call
 * failed, or if the descriptor could not be moved; it is then closed. */
VMO_CHECK int lx_duplicate(int descriptor);
VMO_CHECK int lx_above_stdio(int made);

/* Close a descriptor. lx_close sets it to BE_NONE, and does nothing if it is that already. BAD_HANDLE: it was
 * not open. */
VMO_CHECK vmo_status lx_close_open(int descriptor);
VMO_CHECK static inline vmo_status lx_close(int32_t *descriptor)
{
    const int32_t closing = *descriptor;

    if (closing == BE_NONE) {
        return VMO_OK;
    }
    *descriptor = BE_NONE;
    return lx_close_open(closing);
}
/* Closes a descriptor on an error path, which cannot report another error. */
void lx_close_quiet(int descriptor);

/* The status for an errno of mmap, mremap, munmap or madvise. */
vmo_status lx_map_status(int error);
/* Unmaps what must not stay, on a path that cannot report an error: tries more than once. */
void lx_unmap_quiet(void *at, uint64_t bytes);
/* Maps a file shared; a fork does not inherit the mapping. */
VMO_CHECK vmo_status lx_map_unshared(int file, struct vmo_range range, int protection, void **at);

/* True if a file may reach this size. Past RLIMIT_FSIZE the kernel would send SIGXFSZ. */
bool lx_within_file_limit(uint64_t end);

/* fstatfs, repeated while signals interrupt it. */
struct statfs;
int lx_file_system(int file, struct statfs *out);

/* The descriptor to read through. */
int32_t lx_reader(const struct be_object *object);

/* The file seals that the library knows. */
#define LX_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

/* A received descriptor that was not looked at. */
struct be_object lx_received(int descriptor);

/* Reopens a memfd through /proc, as `how` says, and learns its inode. O_NONBLOCK is added: otherwise a lease
 * of a peer would make open wait. BUSY: there is such a lease. UNSUPPORTED: no /proc, or another user's file.
 */
VMO_CHECK vmo_status lx_reopen(int file, int how, int32_t *out, uint64_t *inode);

/* ---- Sharing ------------------------------------------------------------------------------------ */

/* A descriptor to hand over, and what lx_grant_end does about it. */
struct lx_grant {
    int32_t descriptor;
    bool for_once;  /* a writer's: is closed */
    bool new_alias; /* the readers': is closed if nothing was sent */
    bool exposes;   /* the peer may map the VMO writable, unseen: is noted if it was sent */
};

/* Chooses the descriptor that a peer gets. Unless the VMO is sealed FOREVER, a peer never shares an open file
 * description with the creator: it could set the description's append flag, map through it or add a seal.
 * Readers get one that was opened read-only once and is kept as the alias, a writer gets one for itself.
 * Without /proc, or for a file of another user: the creator's own if may_share_owner, else
 * UNSUPPORTED. */
VMO_CHECK vmo_status lx_grant(struct be_object *object, bool writable, bool may_share_owner,
                              struct lx_grant *out);
/* Ends a hand-over. */
void lx_grant_end(struct be_object *object, const struct lx_grant *grant, bool sent);

/* Sends a descriptor under a new name, by which the peer takes it (lx_packet.h). */
VMO_CHECK vmo_status lx_send_descriptor(struct be_peer *peer, int descriptor, uint64_t deadline_ns,
                                        uint32_t *name);

/* ---- Seals -------------------------------------------------------------------------------------- */

/* Adds file seals. BUSY: a process has the file mapped writable, or its pages are in use. SEALED: another
 * process forbade further seals. */
VMO_CHECK vmo_status lx_add_seals(int file, int seals);
/* For an object whose FOREVER seal the kernel refused after PEERS: tries again. BUSY: still refused. */
VMO_CHECK vmo_status lx_finish_seal(struct be_object *object);
/* Unmaps the mapping that PEERS keeps. */
VMO_CHECK vmo_status lx_drop_kept(struct be_object *object);

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* be_peer.watch of a child without a pidfd. */
#define LX_WATCH_BY_PID (-2)

/* True if a child that has a watch has ended. */
bool lx_ended(const struct be_peer *peer);

/* For a wait whose end no descriptor shows: look again after a millisecond. */
#define LX_LOOK_AGAIN_NS UINT64_C(1000000)

/* Waits until poll reports one of the events for the channel, or at most at_most_ns. OK: try again.
 * PEER_GONE: the child has ended and no event came. TIMED_OUT: the deadline has passed. */
VMO_CHECK vmo_status lx_wait(const struct be_peer *peer, short events, uint64_t at_most_ns,
                             uint64_t deadline_ns);

/* Most tries of a system call that does not wait, when a signal or a pending error interrupts it. */
#define LX_TRIES 16

#endif
