/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvmo: memory that a task holds by capability and hands to another without a copy.
 *
 * A VMO (virtual memory object) is a run of zeroed pages. Its length is in bytes, as the caller asked;
 * its size is that length rounded up to pages, as the kernel keeps it. A view is a window onto a mapping
 * of a VMO; several views may share one mapping. All state lives in a registry, in storage that the caller
 * supplies: the library allocates nothing, keeps no thread and never blocks outside the calls of channel.h.
 * A registry belongs to one thread.
 *
 * Handles (vmo_t, vmo_view_t, vmo_peer_t) are opaque: index, generation, registry. A closed, stale or
 * foreign handle gives VMO_ERR_BAD_HANDLE and touches nothing. After any status but VMO_OK everything is as
 * it was, and every out parameter is untouched, unless a call says otherwise. One thing may stay behind a
 * refused seal or hand-over: the object's read-only capability, which the next try finds and uses.
 *
 * Requirement ids (R1..R14) are those of docs/requirements.md, K-ids those of docs/abi.md.
 */
#ifndef VMO_VMO_H
#define VMO_VMO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMO_CHECK __attribute__((warn_unused_result))

/* What a call answers. Each line says what the caller can do about it. */
typedef enum vmo_status {
    VMO_OK = 0,
    VMO_ERR_INVALID = 1,         /* an argument is NULL or outside its type's meaning: fix the call */
    VMO_ERR_BAD_HANDLE = 2,      /* the handle is closed, stale or of another registry: fix the call */
    VMO_ERR_ZERO_LENGTH = 3,     /* a VMO or a mapping of no bytes was asked for: ask for some */
    VMO_ERR_TOO_LARGE = 4,       /* more than one operation may have: split it, or raise the limit */
    VMO_ERR_BOUNDS = 5,          /* the range reaches past the end: read vmo_len first */
    VMO_ERR_QUOTA = 6,           /* the registry's total of bytes is used up: close something */
    VMO_ERR_TABLE_FULL = 7,      /* the registry's table is full: close something, or size it larger */
    VMO_ERR_NO_MEMORY = 8,       /* the kernel has no memory for it: destroy something */
    VMO_ERR_NO_SLOTS = 9,        /* a table of the kernel (slots, regions, descriptors) is full */
    VMO_ERR_RIGHTS = 10,         /* the handle lacks the right: ask its sender for more */
    VMO_ERR_SEALED = 11,         /* the seal forbids it, for good */
    VMO_ERR_BUSY = 12,           /* a mapping or an earlier writable transfer forbids the seal: unmap first */
    VMO_ERR_STILL_MAPPED = 13,   /* a view or a mapping of it lives: unmap first */
    VMO_ERR_STILL_SHARED = 14,   /* another handle or task holds it, or a message may: close those first */
    VMO_ERR_NOT_AUTHORISED = 15, /* the peer is not on the registry's list: vmo_peer_allow */
    VMO_ERR_PEER_GONE = 16,      /* the peer has ended or closed its side: close the peer */
    VMO_ERR_QUEUE_FULL = 17,     /* the kernel holds too many bytes for this owner: let the peer receive */
    VMO_ERR_TIMED_OUT = 18,      /* the deadline passed: try again or give up */
    VMO_ERR_PROTOCOL = 19, /* the peer's message or claim does not hold: it was dropped; distrust the peer */
    VMO_ERR_FRAGMENTED = 20,  /* the kernel cannot place this mapping where it wants to (K-26): map less */
    VMO_ERR_UNSUPPORTED = 21, /* this backend or this kernel cannot do it: use the documented substitute */
    VMO_ERR_NOT_SEALED = 22,  /* the object is not sealed as this receiver requires: it was dropped */
    VMO_ERR_NOT_REAPED = 23,  /* a child that ended had it mapped: vmo_peer_wait first */
    VMO_ERR_BACKEND = 24      /* the kernel answered what its contract does not say: report it */
} vmo_status;

#define VMO_STATUS_COUNT 25

/* The name of a status, "VMO_ERR_BOUNDS", and its one-line meaning. Never NULL. */
const char *vmo_status_name(vmo_status status);
const char *vmo_status_str(vmo_status status);

typedef struct {
    uint64_t id;
} vmo_t;
typedef struct {
    uint64_t id;
} vmo_view_t;
typedef struct {
    uint64_t id;
} vmo_peer_t;

/* A handle that names nothing: for messages without a VMO. */
#ifdef __cplusplus
#define VMO_NONE (vmo_t{0})
#else
#define VMO_NONE ((vmo_t){0})
#endif

/* A byte range. Offsets and lengths never stand side by side as arguments. */
struct vmo_range {
    uint64_t off_bytes;
    uint64_t len_bytes;
};

/* Rights of a handle. READ: read and map_ro. WRITE: write and map_rw. Both for what one creates. */
#define VMO_RIGHT_READ 1u
#define VMO_RIGHT_WRITE 2u
#define VMO_RIGHTS_ALL 3u

/* Strengths of a seal (R7), in order. */
typedef enum vmo_seal_strength {
    VMO_SEAL_NONE = 0,
    VMO_SEAL_PEERS = 1,  /* no peer can write; the owner still may */
    VMO_SEAL_FOREVER = 2 /* nobody can write again */
} vmo_seal_strength;

/* Who keeps the promise of a seal. */
typedef enum vmo_enforcer {
    VMO_BY_NOBODY = 0,  /* not sealed */
    VMO_BY_LIBRARY = 1, /* libvmo on both sides; a peer with its own system calls is not stopped */
    VMO_BY_KERNEL = 2
} vmo_enforcer;

/* ---- Registry (R8) ------------------------------------------------------------------------------ */

struct vmo_registry;

struct vmo_limits {
    uint32_t objects;          /* live VMOs, 1..4096; twice as many handles */
    uint32_t mappings;         /* kept mappings, 1..4096; on NEURON at most 64 can exist (K-24) */
    uint32_t views;            /* live views, 1..4096 */
    uint32_t peers;            /* live peers, 0..32 */
    uint64_t object_bytes_max; /* longest VMO; 0: what the backend can */
    uint64_t total_bytes_max;  /* sum of all sizes; 0: no bound of the registry's own */
};

/* Bytes of storage for these limits, or 0 when a limit is out of bounds. */
size_t vmo_registry_bytes(const struct vmo_limits *limits);

/* The same as a constant expression, never less than vmo_registry_bytes; for static storage. */
#define VMO_REGISTRY_BYTES(objects, mappings, views, peers)                                                  \
    (256 + (size_t)(objects)*128 + (size_t)(mappings)*64 + (size_t)(views)*48 + (size_t)(peers)*112)

/* Prepares a registry in storage (aligned to 16) and probes the kernel once. The registry owns the
 * storage until vmo_registry_fini. Errors: INVALID, TOO_LARGE (storage too small), BACKEND. */
VMO_CHECK vmo_status vmo_registry_init(void *storage, size_t storage_bytes, const struct vmo_limits *limits,
                                       struct vmo_registry **out);

/* Gives the storage back. BUSY while a VMO, a view or a peer lives; kept mappings are dropped. */
VMO_CHECK vmo_status vmo_registry_fini(struct vmo_registry *registry);

/* ---- Life --------------------------------------------------------------------------------------- */

/* Makes a zeroed VMO of len_bytes (R1). The caller owns the handle: vmo_close or vmo_destroy.
 * Errors: ZERO_LENGTH, TOO_LARGE, QUOTA, TABLE_FULL, NO_MEMORY, NO_SLOTS, UNSUPPORTED (a1: in a task
 * that is not init, since the arena is one and a task that overruns it takes the kernel down, K-20). */
VMO_CHECK vmo_status vmo_create(struct vmo_registry *registry, uint64_t len_bytes, vmo_t *out);

/* Wraps memory that the caller keeps alive until the last view is unmapped and the handle closed (R5):
 * read-only, local, no copy, no pages. It cannot be sealed, handed over or destroyed: vmo_copy makes what
 * can. Errors: INVALID, ZERO_LENGTH, BOUNDS (wraps around), QUOTA, TABLE_FULL. */
VMO_CHECK vmo_status vmo_wrap_bytes(struct vmo_registry *registry, const void *bytes, uint64_t len_bytes,
                                    vmo_t *out);

/* Wraps a range of an open file (a descriptor), which is mapped, not copied; as vmo_wrap_bytes otherwise. The
 * descriptor stays the caller's. If somebody truncates the file later, vmo_read answers BOUNDS; touching a
 * view beyond the new end is a SIGBUS. Errors: BOUNDS (beyond the file's end), INVALID (no regular file, not
 * readable), UNSUPPORTED (NEURON), NO_SLOTS and those of vmo_wrap_bytes. */
VMO_CHECK vmo_status vmo_wrap_file(struct vmo_registry *registry, int file, struct vmo_range range,
                                   vmo_t *out);

/* A new VMO with the same bytes, with all rights and no seal: the one counted way to hand wrapped bytes over.
 * Errors: those of vmo_create and vmo_map_rw, and of vmo_read for the source. */
VMO_CHECK vmo_status vmo_copy(struct vmo_registry *registry, vmo_t vmo, vmo_t *out);

/* One more handle on the same memory, with the same or fewer rights; no system call. Seals and lengths are
 * the memory's: they are seen through every handle. Errors: RIGHTS (more than this handle has), INVALID,
 * TABLE_FULL. */
VMO_CHECK vmo_status vmo_dup(struct vmo_registry *registry, vmo_t vmo, uint32_t rights, vmo_t *out);

/* Bytes as created or received; and the same rounded up to pages. */
VMO_CHECK vmo_status vmo_len(const struct vmo_registry *registry, vmo_t vmo, uint64_t *len_bytes);
VMO_CHECK vmo_status vmo_size(const struct vmo_registry *registry, vmo_t vmo, uint64_t *size_bytes);
VMO_CHECK vmo_status vmo_rights(const struct vmo_registry *registry, vmo_t vmo, uint32_t *rights);

/* Gives the handle up. Views stay valid until they are unmapped; other handles and holders keep theirs. The
 * memory goes back to the kernel only by vmo_destroy (and on a1 never). Errors: BAD_HANDLE. */
VMO_CHECK vmo_status vmo_close(struct vmo_registry *registry, vmo_t vmo);

/* Gives the memory back to the kernel; the handle is gone after success and as it was after failure.
 * Kept mappings that nobody uses are dropped first. Errors: STILL_MAPPED (a view lives here, or a
 * mapping in another task), STILL_SHARED (another handle or capability, or on NEURON sent to a peer that is
 * not closed yet, K-29), SEALED (sealed FOREVER by the kernel: nobody can), RIGHTS (received, or a handle
 * without WRITE), NOT_REAPED (a child that ended still has it mapped), UNSUPPORTED (a1; wrapped). Where the
 * kernel keeps memory for as long as anybody holds it (Linux), what other tasks hold is no reason to refuse,
 * nor is a message: they keep the memory. */
VMO_CHECK vmo_status vmo_destroy(struct vmo_registry *registry, vmo_t vmo);

/* ---- Bytes (R2) --------------------------------------------------------------------------------- */

/* Copies between the caller's memory and the VMO; range is in bytes of the VMO, its end within vmo_len.
 * A length of 0 is fine anywhere up to the end. Each counts as a copy (vmo_counters.copy_fallbacks).
 * Errors: BOUNDS, TOO_LARGE (over 2 GiB), RIGHTS, SEALED (write), INVALID (a pointer outside user memory),
 * and those of vmo_map_ro where the kernel has no read call (a1). */
VMO_CHECK vmo_status vmo_write(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                               const void *from);
VMO_CHECK vmo_status vmo_read(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, void *to);

/* ---- Views (R3, R4) ----------------------------------------------------------------------------- */

/* A view of a range, read-only or writable, without a copy. The range may begin and end at any byte; whole
 * pages are mapped. A mapping is kept after its last view is unmapped and used again by the next (R9);
 * the oldest unused one goes when the table is full. The caller owns the view: vmo_unmap.
 * Errors: ZERO_LENGTH, BOUNDS, RIGHTS, SEALED (map_rw after FOREVER), TABLE_FULL, NO_MEMORY, NO_SLOTS,
 * FRAGMENTED. */
VMO_CHECK vmo_status vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                                vmo_view_t *out);
VMO_CHECK vmo_status vmo_map_rw(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                                vmo_view_t *out);

/* A view of part of a view: no copy, no system call. It is unmapped on its own. Errors: BOUNDS,
 * ZERO_LENGTH, TABLE_FULL. */
VMO_CHECK vmo_status vmo_slice(struct vmo_registry *registry, vmo_view_t view, struct vmo_range range,
                               vmo_view_t *out);

/* Ends a view; its pointers are dead from here on. Errors: BAD_HANDLE. */
VMO_CHECK vmo_status vmo_unmap(struct vmo_registry *registry, vmo_view_t view);

/* Where the view's bytes are, and how many. NULL and 0 for a bad handle; data_rw is NULL for a read-only
 * view. Valid until vmo_unmap. */
const uint8_t *vmo_view_data(const struct vmo_registry *registry, vmo_view_t view);
uint8_t *vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view);
uint64_t vmo_view_len(const struct vmo_registry *registry, vmo_view_t view);

/* ---- Seals (R7) --------------------------------------------------------------------------------- */

/* Seals a VMO that this registry created. A stronger seal may follow a weaker one; the same again is
 * fine; a weaker one is SEALED. PEERS: from here on peers get it read-only. FOREVER: moreover this
 * handle loses WRITE, and the memory can never be destroyed where the kernel enforces it (K-29). On Linux,
 * where the kernel finds a mapping that this library did not make, FOREVER after PEERS is refused with BUSY
 * like any other, but the owner can map and write no more: the way it kept had to go first.
 * Errors: BUSY (an earlier writable hand-over lives; for FOREVER also any view), RIGHTS (received),
 * INVALID (strength), SEALED, NO_SLOTS. */
VMO_CHECK vmo_status vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);

/* The seal as this side knows it (for a received VMO: as the sender claims), and who enforces it. */
VMO_CHECK vmo_status vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *strength);
VMO_CHECK vmo_status vmo_seal_enforced_by(const struct vmo_registry *registry, vmo_t vmo, vmo_enforcer *by);

/* ---- Report (R9) -------------------------------------------------------------------------------- */

/* Counted at the place where the thing happens, since vmo_registry_init. */
struct vmo_counters {
    uint64_t copy_fallbacks;    /* calls that copied bytes into or out of a VMO */
    uint64_t control_bytes;     /* bytes of messages sent and received, headers of channel.h included */
    uint64_t bulk_bytes;        /* page-rounded bytes of VMOs handed over or received, not copied */
    uint64_t map_hits;          /* views that found their mapping */
    uint64_t map_misses;        /* views that made one */
    uint64_t map_evictions;     /* unused mappings dropped for want of room */
    uint64_t placement_retries; /* second tries after K-26 */
    uint64_t abandoned_bytes;   /* addresses that this kernel cannot give back (a1) */
    uint64_t private_maps;      /* mappings of a sealed VMO made private, not shared (Linux before 6.7) */
};
void vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out);

/* Which kernel the backend found by probing: "a1", "a2", "linux", "fake". For reports alone: what a kernel
 * can do is asked for by calling (R14). */
const char *vmo_platform(const struct vmo_registry *registry);

#ifdef __cplusplus
}
#endif

#endif
