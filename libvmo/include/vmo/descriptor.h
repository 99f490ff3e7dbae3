/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors of Linux: a file of memory becomes a VMO, and a VMO a descriptor; a peer's channel can be
 * polled. NEURON has none: there every call is UNSUPPORTED. The rules for errors and threads are those of
 * vmo.h.
 *
 * A VMO gets into a second registry of the same process by vmo_export_fd and vmo_import_fd: both registries
 * then hold the same memory.
 */
#ifndef VMO_DESCRIPTOR_H
#define VMO_DESCRIPTOR_H

#include "channel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Import also a file whose length its other holders can change. If they cut it off, vmo_read returns BOUNDS,
 * an access to a view past the new end raises SIGBUS, and vmo_write makes the file longer again. */
#define VMO_IMPORT_RESIZABLE 1u

/* What an import demands. 0 is the default of each member. A later version may define flags and reserved
 * words; this one refuses any but 0. */
struct vmo_import_options {
    uint32_t rights;      /* of the handle: READ, or READ and WRITE; 0: READ */
    uint32_t seal;        /* the weakest enum vmo_seal_strength that is accepted */
    uint32_t flags;       /* VMO_IMPORT_RESIZABLE */
    uint32_t reserved[5]; /* 0 */
};

/* Makes a VMO of a file of memory: a memfd, a file of tmpfs, a memfd of huge pages, or a dma-buf. Nothing is
 * copied; vmo_len is the file's length. NULL options: the defaults. The library duplicates the descriptor;
 * the caller keeps its own, after success and after failure. The caller owns the handle: vmo_close.
 *
 * The file must promise its length: by F_SEAL_SHRINK, for WRITE also F_SEAL_GROW, or by being a dma-buf.
 * vmo_seal_of tells what its seals promise, and the kernel enforces that: FOREVER with F_SEAL_WRITE, PEERS
 * with F_SEAL_FUTURE_WRITE, NONE without F_SEAL_SHRINK.
 *
 * The VMO counts as received: nobody here can seal or destroy it. A memfd of whole pages that promises its
 * length can be handed over. Any other import is local, like wrapped memory: its vmo_size is 0, and vmo_copy
 * makes a VMO that can be handed over. Huge pages and a dma-buf are written through a view alone; vmo_write
 * is UNSUPPORTED. A view of a dma-buf needs the caller's DMA_BUF_IOCTL_SYNC.
 * Errors: INVALID      a pointer is NULL; an option is unknown; or fd is not open for reading, or has the
 *                      append flag
 *         UNSUPPORTED  the file is none of these: vmo_wrap_file takes any regular file; RESIZABLE with WRITE:
 *                      there is no /proc to open the file for this VMO alone, or it is another user's
 *         RIGHTS       WRITE, but fd is not open for writing
 *         SEALED       WRITE, but the file is sealed against it
 *         NOT_SEALED   the file does not promise its length, or is sealed less than demanded
 *         ZERO_LENGTH  the file is empty
 *         BUSY         RESIZABLE with WRITE: another process holds a lease on the file
 *         TOO_LARGE    the length exceeds object_bytes_max or the backend's limit
 *         QUOTA        the sizes would exceed total_bytes_max
 *         TABLE_FULL   no free object or handle
 *         NO_SLOTS     no free descriptor */
VMO_CHECK vmo_status vmo_import_fd(struct vmo_registry *registry, int fd,
                                   const struct vmo_import_options *options, vmo_t *out);

/* Makes a descriptor of a VMO, close-on-exec and not below 3, that allows what the rights say: READ gives an
 * open file description that cannot write, as a peer gets. The caller owns the descriptor: close. It keeps
 * the memory, not the handle, alive. Exporting WRITE counts as a writable hand-over: the VMO cannot be sealed
 * afterwards.
 * Errors: INVALID      a pointer is NULL, or rights lack READ or have unknown bits
 *         UNSUPPORTED  the VMO is local: it wraps memory of the caller or a file; or there is no /proc to
 *                      open the file anew, or it is another user's
 *         SEALED       rights have WRITE and the VMO is sealed
 *         RIGHTS       rights exceed those of the handle
 *         BUSY         another process holds a lease on the VMO, or still uses pages of a VMO that was sealed
 *                      FOREVER after PEERS
 *         NO_SLOTS     no free descriptor */
VMO_CHECK vmo_status vmo_export_fd(struct vmo_registry *registry, vmo_t vmo, uint32_t rights, int *fd);

/* The descriptor of a peer's channel, for poll and epoll: POLLIN when vmo_recv with deadline 0 has something
 * to do, POLLOUT when the queue is not full, POLLHUP when the peer has closed. It stays the library's until
 * vmo_peer_hangup or vmo_peer_close: do not read, write or close it. The end of a child whose own children
 * hold the channel does not show: vmo_poll sees it.
 * Errors: INVALID      fd is NULL
 *         PEER_GONE    after vmo_peer_hangup
 *         UNSUPPORTED  NEURON has no descriptors */
VMO_CHECK vmo_status vmo_peer_fd(const struct vmo_registry *registry, vmo_peer_t peer, int *fd);

#ifdef __cplusplus
}
#endif

#endif
