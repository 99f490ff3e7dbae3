/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvmo: memory that a task holds by capability and hands to another without a copy.
 *
 * A VMO (virtual memory object) is a run of zeroed pages. Its length is in bytes, as the creator asked; its
 * size is the length rounded up to pages. A view is a window onto a mapping of a VMO; several views may
 * share one mapping. All state lives in a registry, in storage that the caller supplies. The library
 * allocates nothing but in vmo_registry_new, and starts no thread. The calls that wait have a deadline: see
 * channel.h and stream.h. vmo_seal on Linux may pause for up to 0.2 s.
 *
 * Threads: one thread at a time uses a registry, and any thread may be the next; threads that use different
 * registries need no lock.
 *
 * Handles (vmo_t, vmo_view_t, vmo_peer_t) are opaque. A handle that was closed, and a handle of another or an
 * earlier registry, is refused for ever.
 *
 * Forks on Linux: a forked child does not inherit the mapping behind a view of a VMO that this program could
 * write. It must not use the registry or its views; exec, or close the descriptors.
 *
 * Errors. After any status but VMO_OK the state is unchanged and every out parameter is untouched, unless a
 * call says otherwise. A refused seal or hand-over may leave a read-only capability of the object behind; the
 * next try uses it. Each function lists its errors with the condition. These are not repeated:
 *   BAD_HANDLE  any function that takes a handle: the handle is closed, stale or from another registry; or on
 *               Linux the program closed a descriptor of the library
 *   BACKEND     any function that calls the kernel: the kernel returned an undocumented error
 *   NO_MEMORY   any function that calls the kernel on Linux: the kernel has no memory for the call
 *   UNSUPPORTED likewise: the kernel, a filter of system calls or a security module refuses the call
 *   IO          likewise: a device failed
 * On Linux only vmo_read and vmo_write refuse a pointer outside user memory; other calls fault on it.
 *
 * A newer library may return a status that this header does not name: treat it as a failure.
 */
#ifndef VMO_VMO_H
#define VMO_VMO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMO_CHECK __attribute__((warn_unused_result))

/* Version of this header. vmo_version returns VMO_VERSION of the library that the program runs with. */
#define VMO_VERSION_MAJOR 0
#define VMO_VERSION_MINOR 4
#define VMO_VERSION_PATCH 0
#define VMO_VERSION (VMO_VERSION_MAJOR * 10000 + VMO_VERSION_MINOR * 100 + VMO_VERSION_PATCH)
uint32_t vmo_version(void);

/* Status of a call, with what the caller can do about it. */
typedef enum vmo_status {
    VMO_OK = 0,
    VMO_ERR_INVALID = 1,         /* an argument is NULL or out of its range: fix the call */
    VMO_ERR_BAD_HANDLE = 2,      /* the handle is closed, stale or from another registry: fix the call */
    VMO_ERR_ZERO_LENGTH = 3,     /* the length is 0: ask for at least one byte */
    VMO_ERR_TOO_LARGE = 4,       /* more than one operation may have: split it, or raise the limit */
    VMO_ERR_BOUNDS = 5,          /* the range ends past the end: check vmo_len or vmo_view_len first */
    VMO_ERR_QUOTA = 6,           /* the registry's total_bytes_max would be exceeded: close something */
    VMO_ERR_TABLE_FULL = 7,      /* a table of the registry is full: close something, or size it larger */
    VMO_ERR_NO_MEMORY = 8,       /* the kernel is out of memory: destroy something */
    VMO_ERR_NO_SLOTS = 9,        /* a kernel table (slots, regions, descriptors) is full: close something */
    VMO_ERR_RIGHTS = 10,         /* the handle lacks the right: ask its sender for more */
    VMO_ERR_SEALED = 11,         /* the seal forbids it, for good */
    VMO_ERR_BUSY = 12,           /* something in use forbids it, see the call: end that use first */
    VMO_ERR_STILL_MAPPED = 13,   /* the memory is still mapped: unmap it first */
    VMO_ERR_STILL_SHARED = 14,   /* another handle, task or message holds it: close those first */
    VMO_ERR_NOT_AUTHORISED = 15, /* the peer is not allowed to get VMOs: call vmo_peer_allow */
    VMO_ERR_PEER_GONE = 16,      /* the peer has ended or closed its side: close the peer */
    VMO_ERR_QUEUE_FULL = 17,     /* the kernel queues too much for this sender: let the peer receive */
    VMO_ERR_TIMED_OUT = 18,      /* the deadline passed: try again or give up */
    VMO_ERR_PROTOCOL = 19,       /* the peer sent a malformed message or a false claim: distrust the peer */
    VMO_ERR_FRAGMENTED = 20,     /* the kernel cannot place a mapping of this size: map less */
    VMO_ERR_UNSUPPORTED = 21,    /* this backend or kernel cannot do it: use the documented substitute */
    VMO_ERR_NOT_SEALED = 22,     /* the VMO is sealed less than vmo_peer_require demands: ask its sender */
    VMO_ERR_NOT_REAPED = 23,     /* a child that has ended still has it mapped: call vmo_peer_wait first */
    VMO_ERR_BACKEND = 24,        /* the kernel returned an undocumented error: report it */
    VMO_ERR_STORAGE = 25,        /* the storage is smaller than vmo_registry_bytes(limits): supply more */
    VMO_ERR_IO = 26,             /* the device behind a wrapped file failed: check the device */
    VMO_ERR_EXPELLED = 27        /* the producer expelled this consumer: leave the stream */
} vmo_status;

#define VMO_STATUS_COUNT 28

/* The name of a status, "VMO_ERR_BOUNDS", and its one-line meaning. Never NULL. */
const char *vmo_status_name(vmo_status status);
const char *vmo_status_str(vmo_status status);

/* Handles. The registry's number is unique in the process and never used again. */
typedef struct {
    uint64_t id; /* 0 names nothing */
    uint64_t registry;
} vmo_t;
typedef struct {
    uint64_t id;
    uint64_t registry;
} vmo_view_t;
typedef struct {
    uint64_t id;
    uint64_t registry;
} vmo_peer_t;

/* A handle that names nothing: for messages without a VMO. */
#ifdef __cplusplus
#define VMO_NONE (vmo_t{0, 0})
#else
#define VMO_NONE ((vmo_t){0, 0})
#endif

/* A byte range. Offset and length travel together, so that a caller cannot swap them. */
struct vmo_range {
    uint64_t off_bytes;
    uint64_t len_bytes;
};

/* Rights of a handle. READ: vmo_read and vmo_map_ro. WRITE: vmo_write and vmo_map_rw. The creator holds
 * both. Every handle has READ: WRITE alone is INVALID in vmo_dup and in a hand-over, since memory that can be
 * mapped writable can be read. */
#define VMO_RIGHT_READ 1u
#define VMO_RIGHT_WRITE 2u
#define VMO_RIGHTS_ALL 3u

/* Strengths of a seal, in order. */
typedef enum vmo_seal_strength {
    VMO_SEAL_NONE = 0,
    VMO_SEAL_PEERS = 1,  /* no peer can write; the creator still may */
    VMO_SEAL_FOREVER = 2 /* nobody can write again */
} vmo_seal_strength;

/* Who enforces a seal. */
typedef enum vmo_enforcer {
    VMO_BY_NOBODY = 0,  /* not sealed */
    VMO_BY_LIBRARY = 1, /* libvmo on both sides; a peer that makes its own system calls is not stopped */
    VMO_BY_KERNEL = 2
} vmo_enforcer;

/* ---- Registry ----------------------------------------------------------------------------------- */

struct vmo_registry;

/* On NEURON at most 4096 objects, mappings and views, and 32 peers. */
struct vmo_limits {
    uint32_t objects;          /* live VMOs, 1..1,048,576; twice as many handles */
    uint32_t mappings;         /* mappings, used and kept, 1..1,048,576; a kernel may have room for fewer */
    uint32_t views;            /* live views, 1..1,048,576 */
    uint32_t peers;            /* live peers, 0..65,536 */
    uint64_t object_bytes_max; /* longest VMO; 0: the backend's limit */
    uint64_t total_bytes_max;  /* sum of all sizes; 0: unlimited */
};

/* Bytes of storage that a registry with these limits needs, or 0 if a limit is out of bounds. */
size_t vmo_registry_bytes(const struct vmo_limits *limits);

/* An upper bound of vmo_registry_bytes as a constant expression, for static storage. It is at least a
 * quarter more than this version needs, since the size of the library's structs is not part of the
 * interface. */
#define VMO_REGISTRY_BYTES(objects, mappings, views, peers)                                                  \
    (800 + (size_t)(objects)*256 + (size_t)(mappings)*192 + (size_t)(views)*48 + (size_t)(peers)*160)

/* Prepares a registry in storage (aligned to 16 bytes) and probes the kernel. The registry owns the storage
 * until vmo_registry_fini succeeds.
 * Errors: INVALID      a pointer is NULL, the storage is misaligned, or a limit is out of bounds
 *         STORAGE      storage_bytes is less than vmo_registry_bytes(limits)
 *         NO_SLOTS, NO_MEMORY
 *                      Linux: the probe found no descriptor or no memory free: free some and try again
 *         UNSUPPORTED  Linux: the system forbids memory files */
VMO_CHECK vmo_status vmo_registry_init(void *storage, size_t storage_bytes, const struct vmo_limits *limits,
                                       struct vmo_registry **out);

/* Ends the registry and gives the storage back to the caller.
 * Errors: INVALID      registry is NULL or not initialised
 *         BUSY         a VMO, a view or a peer is live: vmo_registry_each lists them */
VMO_CHECK vmo_status vmo_registry_fini(struct vmo_registry *registry);

/* vmo_registry_new prepares a registry in storage that the library allocates; a large table costs only the
 * memory of the entries that were used. vmo_registry_free ends and frees it. Not in the NEURON library.
 * Errors: those of vmo_registry_init and vmo_registry_fini, and
 *         NO_MEMORY    vmo_registry_new: the storage cannot be allocated */
VMO_CHECK vmo_status vmo_registry_new(const struct vmo_limits *limits, struct vmo_registry **out);
VMO_CHECK vmo_status vmo_registry_free(struct vmo_registry *registry);

/* What keeps a registry BUSY. */
typedef enum vmo_live_kind {
    VMO_LIVE_VMO = 0,  /* a handle: vmo_close or vmo_destroy */
    VMO_LIVE_VIEW = 1, /* vmo_unmap */
    VMO_LIVE_PEER = 2  /* vmo_peer_close */
} vmo_live_kind;

/* One live handle. Of vmo, view and peer only the one that kind names is set. */
struct vmo_live {
    vmo_live_kind kind;
    uint32_t rights; /* of the handle, or of the view's memory; 0 for a peer */
    vmo_t vmo;
    vmo_view_t view;
    vmo_peer_t peer;
    uint64_t len_bytes;    /* of the VMO or the view; 0 for a peer */
    uint64_t size_bytes;   /* of the VMO, as vmo_size; of the view's mapping */
    uint32_t handles;      /* in this registry on the same memory; 0 for a view whose VMO has ended */
    uint32_t views;        /* in this registry on the same memory, or of such a view on its mapping */
    uint8_t received;      /* of a VMO: 1 if it was received */
    uint8_t sent_writable; /* of a VMO: 1 if it was handed over writable */
    const char *name;      /* of the VMO or of the view's VMO: see vmo_create_with; never NULL */
};
typedef void (*vmo_each_callback)(void *context, const struct vmo_live *live);

/* Calls back for each live VMO handle, then for each view, then for each peer. The callback must not change
 * the registry; it may read it. *live and its name end with the callback. The time grows with the most
 * handles that were live at once.
 * Errors: INVALID      registry is NULL or not initialised, or callback is NULL */
VMO_CHECK vmo_status vmo_registry_each(const struct vmo_registry *registry, vmo_each_callback callback,
                                       void *context);

/* ---- Life --------------------------------------------------------------------------------------- */

/* Makes a zeroed VMO of len_bytes with all rights and no seal. The caller owns the handle: vmo_close or
 * vmo_destroy.
 * Errors: INVALID      a pointer is NULL
 *         ZERO_LENGTH  len_bytes is 0
 *         TOO_LARGE    len_bytes exceeds object_bytes_max, the backend's limit, or RLIMIT_FSIZE on Linux
 *         QUOTA        the sizes would exceed total_bytes_max
 *         TABLE_FULL   no free object or handle
 *         NO_MEMORY    the kernel is out of memory
 *         NO_SLOTS     the kernel's table of capabilities or descriptors is full
 *         UNSUPPORTED  older NEURON kernels: this task is not init, which alone may use the only arena;
 *                      Linux: the system forbids memory files */
VMO_CHECK vmo_status vmo_create(struct vmo_registry *registry, uint64_t len_bytes, vmo_t *out);

/* Longest name of a VMO, without the NUL. */
#define VMO_NAME_MAX_BYTES 63

/* Flags of a new VMO. The kernel takes all its memory now: NO_MEMORY at the creation, not at a later access.
 * NEURON always does. */
#define VMO_CREATE_PREFAULT 1u

/* Linux: the memory is of huge pages of the system's default size, taken from the pool (vm.nr_hugepages) now.
 * vmo_size is in whole huge pages. Bytes are written through a view; vmo_write is UNSUPPORTED. After a PEERS
 * seal vmo_write works, and a writable view is UNSUPPORTED unless the whole was mapped writable before. The
 * VMO cannot be handed over to a peer; vmo_export_fd makes a descriptor. */
#define VMO_CREATE_HUGE 2u

/* Options of a new VMO. 0 and NULL are the defaults: initialise the members that differ, {.name = "frames"}.
 * A later version may define flags and reserved words; this one refuses any but 0. */
struct vmo_create_options {
    const char *name;     /* 1 to VMO_NAME_MAX_BYTES printable ASCII characters, which are copied; or NULL */
    uint32_t flags;       /* VMO_CREATE_... or 0 */
    uint32_t reserved[5]; /* 0 */
};

/* As vmo_create, with options; NULL: the defaults.
 *
 * The name is for debugging. It need not be unique, and no call looks it up. On Linux the kernel keeps it
 * ("vmo" for NULL), and /proc/PID/maps of each process that maps the VMO shows "/memfd:NAME (deleted)".
 * vmo_registry_each reads it back. It reports "" without /proc, for wrapped memory, for a view whose VMO has
 * ended, and for a peer. NEURON keeps no names: the library checks and drops the name, and reports "".
 * The name of a received VMO is its creator's: trust it no more than the peer. If it breaks the rules of
 * struct vmo_create_options, "" is reported.
 * Errors: those of vmo_create, and
 *         INVALID      the name is empty, too long or not printable ASCII; a flag is unknown; or a reserved
 *                      word is not 0
 *         NO_MEMORY    VMO_CREATE_HUGE: the pool has fewer free huge pages, or none
 *         UNSUPPORTED  VMO_CREATE_PREFAULT on Linux: the system refuses fallocate; VMO_CREATE_HUGE: NEURON,
 *                      or this Linux has no huge pages */
VMO_CHECK vmo_status vmo_create_with(struct vmo_registry *registry, uint64_t len_bytes,
                                     const struct vmo_create_options *options, vmo_t *out);

/* Wraps memory of the caller: read-only, local, without a copy and without pages. The caller keeps the
 * memory until the last view is unmapped and the handle closed. A wrapped VMO cannot be sealed, handed over
 * or destroyed; vmo_copy makes one that can.
 * Errors: INVALID      a pointer is NULL, or the bytes lie outside user memory
 *         ZERO_LENGTH  len_bytes is 0
 *         BOUNDS       the range wraps around the address space
 *         TABLE_FULL   no free object or handle */
VMO_CHECK vmo_status vmo_wrap_bytes(struct vmo_registry *registry, const void *bytes, uint64_t len_bytes,
                                    vmo_t *out);

/* Wraps a range of an open regular file, which is mapped, not copied; otherwise as vmo_wrap_bytes. The
 * library duplicates the descriptor; the caller keeps its own, after success and after failure. If the file
 * is truncated later, vmo_read returns BOUNDS, and an access to a view past the new end raises SIGBUS.
 * Errors: INVALID      a pointer is NULL, or file is no regular file open for reading
 *         ZERO_LENGTH  the range is empty
 *         BOUNDS       the range ends past the end of the file
 *         TABLE_FULL   no free object or handle
 *         NO_SLOTS     no free descriptor or mapping
 *         NO_MEMORY    the kernel has no memory or addresses for a mapping, which the call tries
 *         IO           the file's device failed
 *         UNSUPPORTED  NEURON has no files; Linux: the file cannot be mapped, or has huge pages:
 *                      vmo_import_fd takes it */
VMO_CHECK vmo_status vmo_wrap_file(struct vmo_registry *registry, int file, struct vmo_range range,
                                   vmo_t *out);

/* Makes a new VMO with the same bytes, all rights and no seal. Counted in copies. On Linux the kernel copies,
 * without a mapping. The caller owns the new handle, and keeps the old one.
 * Errors: those of vmo_create, vmo_write, vmo_map_rw and vmo_read */
VMO_CHECK vmo_status vmo_copy(struct vmo_registry *registry, vmo_t vmo, vmo_t *out);

/* Makes one more handle on the same memory, with the same or fewer rights, without a system call. Seal and
 * length belong to the memory and are the same through every handle. The caller owns both handles.
 * Errors: INVALID      out is NULL, or rights lack READ or have unknown bits
 *         RIGHTS       rights exceed those that vmo_rights returns for this handle
 *         TABLE_FULL   no free handle */
VMO_CHECK vmo_status vmo_dup(struct vmo_registry *registry, vmo_t vmo, uint32_t rights, vmo_t *out);

/* Length in bytes, as created or received; the same rounded up to pages (0 for wrapped memory); the handle's
 * rights as they are now: without WRITE once the memory is sealed FOREVER or VMO_SEAL_NO_WRITER.
 * Errors: INVALID      the out pointer is NULL */
VMO_CHECK vmo_status vmo_len(const struct vmo_registry *registry, vmo_t vmo, uint64_t *len_bytes);
VMO_CHECK vmo_status vmo_size(const struct vmo_registry *registry, vmo_t vmo, uint64_t *size_bytes);
VMO_CHECK vmo_status vmo_rights(const struct vmo_registry *registry, vmo_t vmo, uint32_t *rights);

/* Ends a handle. Views stay valid until they are unmapped; other handles and holders keep theirs. On NEURON
 * only vmo_destroy gives the memory back to the kernel; on Linux the memory goes with its last holder. */
VMO_CHECK vmo_status vmo_close(struct vmo_registry *registry, vmo_t vmo);

/* Gives the memory back to the kernel. The handle ends with success and stays valid after failure. Kept
 * mappings without a view are dropped first. On Linux other tasks and queued messages keep the memory alive
 * and are no reason to refuse.
 * Errors, in this order:
 *         UNSUPPORTED  the VMO wraps memory of the caller or a file: close it
 *         RIGHTS       the VMO was received
 *         SEALED       the kernel enforces a FOREVER seal, so nobody can: close it
 *         RIGHTS       the handle was made without WRITE; one that lost it by a seal will do
 *         STILL_MAPPED a view of it is live
 *         STILL_SHARED another handle of this registry is live; NEURON: or it was sent to a peer that is not
 *                      closed yet, or ever to the parent
 *         UNSUPPORTED  older NEURON kernels never take memory back: close it
 *         STILL_SHARED NEURON: another task holds a capability
 *         STILL_MAPPED NEURON: another task has it mapped
 *         NOT_REAPED   NEURON: a child that has ended had it mapped and was not waited for */
VMO_CHECK vmo_status vmo_destroy(struct vmo_registry *registry, vmo_t vmo);

/* ---- Bytes -------------------------------------------------------------------------------------- */

/* Copy between the caller's memory and the VMO. To fill a fresh VMO, vmo_write is faster than a view on
 * Linux, which costs a fault for each page. A range of length 0 is valid anywhere up to the end. The caller
 * keeps its memory. Each call is counted in copies. If the two places overlap, as with a view of the same
 * VMO, the bytes that are copied into the overlap are unspecified. On Linux vmo_write may have written a part
 * before it returns INVALID or NO_MEMORY, and vmo_read may have read one before it returns INVALID or IO.
 * Errors: SEALED       vmo_write: the VMO is sealed FOREVER or NO_WRITER; Linux: or another process sealed it
 *         RIGHTS       vmo_write: the handle lacks WRITE
 *         BOUNDS       the range ends past vmo_len; vmo_read: past the end of a file that was truncated
 *         TOO_LARGE    more than 2 GiB; vmo_write on Linux: past RLIMIT_FSIZE
 *         INVALID      the pointer is NULL or outside user memory
 *         NO_MEMORY    vmo_write on Linux: no memory for the pages
 *         NO_SLOTS     Linux without process_vm_readv: no free descriptors for a pipe
 *         PROTOCOL     vmo_write on Linux: a peer that shares the open file description keeps setting its
 *                      append flag
 *         IO           vmo_read on Linux: the device of a wrapped file failed
 *         UNSUPPORTED  vmo_write on Linux: huge pages or a dma-buf, see vmo_import_fd; vmo_read: a wrapped
 *                      file was opened with O_DIRECT, and the range is not aligned for it
 *         TABLE_FULL, NO_MEMORY, NO_SLOTS, FRAGMENTED
 *                      vmo_read on NEURON, where it has to map first: as vmo_map_ro */
VMO_CHECK vmo_status vmo_write(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                               const void *from);
VMO_CHECK vmo_status vmo_read(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, void *to);

/* ---- Views -------------------------------------------------------------------------------------- */

/* Make a view of a range, read-only or writable, without a copy. The range may begin and end at any byte;
 * whole pages are mapped. A mapping is kept after its last view and used again by the next view that fits;
 * when a table is full, the mapping that is unused longest is dropped. The caller owns the view: vmo_unmap.
 * Errors: INVALID      out is NULL
 *         SEALED       vmo_map_rw: the VMO is sealed FOREVER or NO_WRITER; Linux: or another process sealed
 *                      it
 *         RIGHTS       the handle lacks the right
 *         BOUNDS       the range ends past vmo_len
 *         ZERO_LENGTH  the range is empty
 *         TABLE_FULL   no free view, or a view uses every mapping
 *         NO_MEMORY    the kernel has no memory or addresses for the mapping
 *         NO_SLOTS     the kernel's table of regions is full and a view uses every mapping
 *         FRAGMENTED   NEURON: the kernel cannot place a mapping of this size; a smaller one may fit
 *         UNSUPPORTED  vmo_map_rw: huge pages after a PEERS seal, see VMO_CREATE_HUGE */
VMO_CHECK vmo_status vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                                vmo_view_t *out);
VMO_CHECK vmo_status vmo_map_rw(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                                vmo_view_t *out);

/* Makes a view of part of a view, without a copy or a system call. The caller owns it: vmo_unmap, in any
 * order.
 * Errors: INVALID      out is NULL
 *         BOUNDS       the range ends past vmo_view_len
 *         ZERO_LENGTH  the range is empty
 *         TABLE_FULL   no free view */
VMO_CHECK vmo_status vmo_slice(struct vmo_registry *registry, vmo_view_t view, struct vmo_range range,
                               vmo_view_t *out);

/* Ends a view. Its pointers are invalid from here on.
 * Errors: NO_SLOTS     Linux: the kernel's table of mappings is full, and it would have to split one */
VMO_CHECK vmo_status vmo_unmap(struct vmo_registry *registry, vmo_view_t view);

/* Limits what stays mapped without a view: the number of mappings, and their bytes. A view that ends may
 * exceed neither; the mappings that are unused longest are dropped. The default, UINT32_MAX and UINT64_MAX,
 * is no limit. With 0 and 0 vmo_unmap unmaps at once, and an access to the view's memory faults.
 * Errors: INVALID      registry is NULL or not initialised
 *         UNSUPPORTED  older NEURON kernels cannot unmap
 *         NO_SLOTS     as vmo_unmap; some mappings may have been dropped, and the limits are as before */
VMO_CHECK vmo_status vmo_keep_limits(struct vmo_registry *registry, uint32_t entries, uint64_t bytes);

/* Unmaps now all that no view uses. Errors: as vmo_keep_limits. */
VMO_CHECK vmo_status vmo_trim(struct vmo_registry *registry);

/* The first byte of a view, and its length in bytes. NULL and 0 for a bad handle; data_rw is also NULL for a
 * read-only view. Valid until vmo_unmap. */
const uint8_t *vmo_view_data(const struct vmo_registry *registry, vmo_view_t view);
uint8_t *vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view);
uint64_t vmo_view_len(const struct vmo_registry *registry, vmo_view_t view);

/* Who reads what is copied. */
typedef enum vmo_reader {
    VMO_READER_NEAR = 0, /* a processor that shares a cache with this one */
    VMO_READER_FAR = 1   /* one that does not */
} vmo_reader;

/* Copies into a writable view; the range counts from the view's start and may be empty. FAR stores past this
 * processor's caches: much faster if a far processor has read the place last, slower if the reader is near.
 * Measure both. NEURON, and processors other than x86-64, have one way for both. The two places must not
 * overlap. `from` is read as by memcpy: a bad pointer faults. The caller keeps it. Counted in copies.
 * Errors: BAD_HANDLE   view is closed, stale or from another registry
 *         RIGHTS       the view is read-only
 *         BOUNDS       the range ends past vmo_view_len
 *         INVALID      from is NULL or outside user memory, or reader has another value */
VMO_CHECK vmo_status vmo_copy_in(struct vmo_registry *registry, vmo_view_t view, struct vmo_range range,
                                 const void *from, vmo_reader reader);

/* ---- Seals -------------------------------------------------------------------------------------- */

/* Seals a VMO that this registry created. A stronger seal may follow a weaker one; the same seal again
 * succeeds.
 *   PEERS    From here on peers get the VMO read-only. The creator may still write.
 *   FOREVER  Also every handle loses WRITE. If NEURON enforces it, the memory can never be destroyed.
 *
 * On Linux the creator of a PEERS-sealed VMO writes through a mapping of the whole VMO, which stays until the
 * VMO is closed or sealed FOREVER. The seal makes one, unless a writable mapping of the whole VMO exists and
 * vmo_keep_limits sets no limits: then it takes that one over.
 *
 * While the creator of a PEERS-sealed VMO goes on writing, a message is the barrier: what was written before
 * vmo_send is seen after the vmo_recv of that message. Later writes may be seen in any order and half done,
 * by a view or by vmo_read. Use atomics, or vmo_copy before sending.
 *
 * On Linux FOREVER may wait up to 0.2 s for a child that was forked meanwhile, or for pages in use.
 *
 * Errors: INVALID      strength is neither PEERS nor FOREVER
 *         UNSUPPORTED  the VMO wraps memory of the caller or a file
 *         RIGHTS       the VMO was received, or the handle lacks WRITE
 *         SEALED       the VMO has a stronger seal; Linux: or another process sealed it
 *         BUSY         the VMO was handed over writable; FOREVER: a view of it is live;
 *                      Linux: another process has opened or mapped it for writing; FOREVER on Linux: pages
 *                      of it are in use by a device or pipe, or see vmo_peer_allow_shared
 *         NO_SLOTS     the kernel's table of capabilities or mappings is full
 *         NO_MEMORY    PEERS on Linux: no memory for the mapping through which the creator goes on writing
 *         UNSUPPORTED  Linux: the system forbids the call
 * On Linux FOREVER after PEERS succeeds although pages are in use; the library then enforces it, and a
 * hand-over is BUSY until the pages are free. */
VMO_CHECK vmo_status vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);

/* An option of vmo_seal_with: with PEERS the creator gives up writing, too. Every handle loses WRITE as by
 * FOREVER, and nothing stays mapped for the creator's writes; but NEURON can still destroy the memory. */
#define VMO_SEAL_NO_WRITER 1u

/* vmo_seal with options, 0 or VMO_SEAL_NO_WRITER. A VMO that is sealed PEERS already may be sealed so again.
 * With FOREVER the option changes nothing.
 * Errors: INVALID      the options have unknown bits, or as vmo_seal
 *         BUSY         a view of the VMO is live, or as vmo_seal
 *         RIGHTS, SEALED, NO_SLOTS, NO_MEMORY, UNSUPPORTED
 *                      as vmo_seal */
VMO_CHECK vmo_status vmo_seal_with(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength,
                                   uint32_t options);

/* The seal, for a received VMO as its sender claims; and who enforces it, as far as this side's kernel
 * shows.
 * Errors: INVALID      the out pointer is NULL */
VMO_CHECK vmo_status vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *strength);
VMO_CHECK vmo_status vmo_seal_enforced_by(const struct vmo_registry *registry, vmo_t vmo, vmo_enforcer *by);

/* ---- Report ------------------------------------------------------------------------------------- */

/* Counts since vmo_registry_init; kept_seal_bytes is the present sum. */
struct vmo_counters {
    uint64_t copies;            /* calls that copied bytes into or out of a VMO */
    uint64_t control_bytes;     /* bytes of messages sent and received, headers of channel.h included */
    uint64_t bulk_bytes;        /* page-rounded bytes of VMOs handed over or received, not copied */
    uint64_t map_hits;          /* views that found their mapping */
    uint64_t map_misses;        /* views that made one */
    uint64_t map_evictions;     /* unused mappings dropped for a full table, vmo_keep_limits or vmo_trim */
    uint64_t placement_retries; /* tries repeated after the kernel could not place a mapping */
    uint64_t abandoned_bytes;   /* addresses that this kernel cannot give back */
    uint64_t private_maps;      /* mappings of a sealed VMO made private, not shared (Linux before 6.7) */
    uint64_t kept_seal_bytes;   /* now mapped so that creators can write after PEERS (Linux) */
};

/* Copies the counters; *out is untouched without a registry. */
void vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out);

/* A short name of the kernel that was found, "linux" for instance, or "" without a registry. For reports
 * only: to find out what a kernel can do, call and look at the status. */
const char *vmo_platform(const struct vmo_registry *registry);

#ifdef __cplusplus
}
#endif

#endif
