/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the Linux backend share.
 *
 * A VMO is a memfd whose size was fixed by F_SEAL_GROW and F_SEAL_SHRINK when it was made. `owner` is a
 * descriptor that can write, `alias` one that cannot, by the seals on the file and not by the descriptor's
 * mode, since whoever has a descriptor can open it anew. All descriptors are close-on-exec.
 */
#ifndef VMO_LX_H
#define VMO_LX_H

#include "backend.h"

/* Longest VMO. Pages come when they are touched, so this bounds addresses, not memory. */
#define LX_OBJECT_BYTES_MAX (UINT64_C(1) << 40)

/* ---- Features (R14): each probed once, by its own harmless call ------------------------------------- */

/* memfd_create takes MFD_NOEXEC_SEAL and MFD_EXEC (6.3). Else: without. */
#define LX_NOEXEC_SEAL 1u
/* F_SEAL_FUTURE_WRITE (5.1), and mremap doubles a mapping. Else: PEERS is the library's promise. */
#define LX_PEERS_SEAL 2u
/* A write-sealed memfd can be mapped shared (6.7). Else: private, counted. */
#define LX_SHARED_RO 4u
/* pidfd_open (5.3). Else: whoever waits for a child looks again every millisecond. */
#define LX_PIDFD 8u
/* close_range can mark as close-on-exec (5.11). Else: one descriptor after the other. */
#define LX_CLOSE_RANGE 16u
#define LX_ALL_FEATURES 31u

/* What this kernel has; nothing before be_init. */
uint32_t lx_features(void);
/* For tests: behave from now on like a kernel without these; 0: as it is. */
void lx_features_without(uint32_t features);

/* Makes a memfd without pages; flags beyond close-on-exec and sealing. */
VMO_CHECK vmo_status lx_memfd(const char *name, unsigned flags, int *out);

/* ---- Descriptors -------------------------------------------------------------------------------- */

/* What an errno means where nothing more special is known. */
vmo_status lx_status(int error);

/* Gives a descriptor up, if it is one, and forgets it. BACKEND: it was none of ours. */
VMO_CHECK vmo_status lx_close(int32_t *descriptor);
/* Closes a descriptor on an error path, where one more error cannot be reported. */
void lx_close_quiet(int descriptor);

/* Can this many bytes of a file exist for this process? Beyond RLIMIT_FSIZE the kernel would send a signal.
 */
bool lx_within_file_limit(uint64_t end);

/* A received descriptor as owner or alias. */
struct be_object lx_received(int descriptor);

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* be_peer.watch of a child without a pidfd. */
#define LX_WATCH_BY_PID (-2)

/* Has a spawned peer ended? False for any other peer. */
bool lx_peer_ended(const struct be_peer *peer);

/* Waits until the peer's socket may have changed (events of poll) or the peer has ended; OK means: look
 * again. TIMED_OUT when the deadline has passed already. */
VMO_CHECK vmo_status lx_wait(const struct be_peer *peer, short events, uint64_t deadline_ns);

#endif
