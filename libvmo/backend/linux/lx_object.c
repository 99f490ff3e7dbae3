/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs as memfds: their life, a receiver's checks, and wrapped files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"
#include "sizes.h"

#define PREFAULT_BYTES UINT64_C(262144)

/* ---- Life --------------------------------------------------------------------------------------- */

static int resize(int file, uint64_t size_bytes)
{
    int failed = 0;

    do {
        failed = ftruncate(file, (off_t)size_bytes);
    } while (failed != 0 && errno == EINTR);
    return failed;
}

/* Allocates all pages. A signal undoes a call on older kernels: pieces make progress between signals. */
static int prefault(int file, uint64_t size_bytes)
{
    for (uint64_t done = 0; done < size_bytes;) {
        const uint64_t left = size_bytes - done;
        const uint64_t some = left < PREFAULT_BYTES ? left : PREFAULT_BYTES;
        if (fallocate(file, 0, (off_t)done, (off_t)some) == 0) {
            done += some;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

/* An empty memfd of huge pages needs none. */
vmo_status be_huge_pages(uint8_t *shift)
{
    struct stat seen;
    int memory = BE_NONE;

    vmo_status status = lx_memfd("vmo-probe", MFD_HUGETLB, &memory);
    if (status != VMO_OK) {
        return status == VMO_ERR_NO_SLOTS || status == VMO_ERR_NO_MEMORY ? status : VMO_ERR_UNSUPPORTED;
    }
    if (fstat(memory, &seen) != 0) {
        status = lx_status(errno);
    } else {
        *shift = (uint8_t)__builtin_ctzll((unsigned long long)seen.st_blksize);
    }
    lx_close_quiet(memory);
    return status;
}

vmo_status be_create(uint64_t size_bytes, const struct vmo_create_options *options, struct be_object *out)
{
    const char *name = options != NULL && options->name != NULL ? options->name : "vmo";
    int memory = BE_NONE;

    if (size_bytes > LX_OBJECT_BYTES_MAX || !lx_within_file_limit(size_bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    const uint32_t flags = options != NULL ? options->flags : 0;
    const bool huge = flags & VMO_CREATE_HUGE;
    vmo_status status = lx_memfd(
        name, (lx_features() & LX_NOEXEC_SEAL ? MFD_NOEXEC_SEAL : 0) | (huge ? MFD_HUGETLB : 0), &memory);
    if (status != VMO_OK) {
        return status;
    }
    const bool now = huge || (flags & VMO_CREATE_PREFAULT); /* an access without a page raises SIGBUS */
    if (resize(memory, size_bytes) != 0 || (now && prefault(memory, size_bytes) != 0) ||
        fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
        status = lx_status(errno);
        lx_close_quiet(memory);
        return status;
    }
    *out = (struct be_object){.owner = memory, .alias = BE_NONE, .own = {.size_bytes = size_bytes}};
    return VMO_OK;
}

vmo_status be_close(struct be_object *object)
{
    if (object->own.kept != NULL) {
        const vmo_status kept = lx_drop_kept(object);
        if (kept != VMO_OK) {
            return kept;
        }
    }
    const vmo_status owner = lx_close(&object->owner);
    const vmo_status alias = lx_close(&object->alias);
    return owner != VMO_OK ? owner : alias;
}

/* Never refuses: the kernel keeps the memory for its other holders, queued messages included. */
vmo_status be_check_destroy(const struct be_object *object)
{
    (void)object;
    return VMO_OK;
}

vmo_status be_destroy(struct be_object *object)
{
    return be_close(object);
}

/* ---- Received descriptors ----------------------------------------------------------------------- */

int32_t lx_reader(const struct be_object *object)
{
    return object->alias != BE_NONE ? object->alias : object->owner;
}

/* True unless a descriptor with these flags was opened with O_WRONLY or O_PATH. */
static bool can_read(int mode)
{
    return mode >= 0 && !(mode & O_PATH) && (mode & O_ACCMODE) != O_WRONLY;
}

struct be_object lx_received(int descriptor)
{
    return (struct be_object){.owner = BE_NONE, .alias = descriptor};
}

/* A regular file on the file system of memfds is one. Only a memfd takes seals. */
vmo_status be_identify(struct be_object *object)
{
    struct stat seen;

    if (fstat(object->alias, &seen) != 0) {
        return lx_status(errno);
    }
    object->own.inode = S_ISREG(seen.st_mode) && seen.st_dev == lx_memfd_device() ? seen.st_ino : 0;
    object->own.size_bytes = (uint64_t)seen.st_size;
    return VMO_OK;
}

uint64_t be_identity(const struct be_object *object)
{
    return object->own.inode;
}

/* A descriptor that was opened with O_PATH shows no seals. */
static vmo_status look_at_seals(struct be_object *object)
{
    const int seals = fcntl(object->alias, F_GET_SEALS);

    if (seals < 0 && errno == EBADF) {
        const int mode = fcntl(object->alias, F_GETFL);
        if (mode < 0 || !(mode & O_PATH)) {
            return lx_status(EBADF);
        }
    }
    object->own.seals = (uint8_t)(seals >= 0 ? seals & LX_SEALS : 0);
    return VMO_OK;
}

/* Finds out whether a received descriptor can write: then it is the owner. */
static vmo_status look_at_mode(struct be_object *object)
{
    const int mode = fcntl(object->alias, F_GETFL);

    if (mode < 0) {
        return lx_status(errno);
    }
    object->own.readable = can_read(mode);
    if (object->own.readable && (mode & O_ACCMODE) == O_RDWR &&
        !(object->own.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))) {
        object->owner = object->alias;
        object->alias = BE_NONE;
    }
    return VMO_OK;
}

/* True for a memfd of at least size_bytes that cannot shrink: an access to a mapping of it raises no SIGBUS.
 * One that can be written must not grow either: then a write that the sender diverts to the end, by O_APPEND,
 * is refused. */
static bool is_steady_memory(const struct be_object *object, uint64_t size_bytes)
{
    const int needed = object->owner != BE_NONE ? F_SEAL_SHRINK | F_SEAL_GROW : F_SEAL_SHRINK;

    return object->own.inode != 0 && (object->own.seals & needed) == needed &&
           object->own.size_bytes >= size_bytes;
}

/* The file seals that prove a claim; one of them is enough. */
static int proof_of(vmo_seal_strength claimed)
{
    return claimed == VMO_SEAL_FOREVER ? F_SEAL_WRITE : F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
}

/* Who enforces a claimed seal. NOBODY for a claim that does not hold. */
static vmo_enforcer enforcer_of(const struct be_object *object, vmo_seal_strength claimed)
{
    if (object->own.seals & proof_of(claimed)) {
        return VMO_BY_KERNEL;
    }
    /* The sender has the same kernel. */
    return claimed == VMO_SEAL_PEERS && !(lx_features() & LX_PEERS_SEAL) ? VMO_BY_LIBRARY : VMO_BY_NOBODY;
}

static vmo_status check_claim(const struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                              struct be_verified *out)
{
    const vmo_enforcer by = claimed == VMO_SEAL_NONE ? VMO_BY_NOBODY : enforcer_of(object, claimed);

    if (!is_steady_memory(object, size_bytes) || (claimed != VMO_SEAL_NONE && by == VMO_BY_NOBODY)) {
        return VMO_ERR_PROTOCOL;
    }
    *out = (struct be_verified){by, NULL};
    return VMO_OK;
}

vmo_status be_verify(struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                     struct be_verified *out, struct vmo_counters *counters)
{
    vmo_status status = look_at_seals(object);

    (void)counters;
    if (status == VMO_OK) {
        status = look_at_mode(object);
    }
    if (status != VMO_OK) {
        return status;
    }
    return object->own.readable ? check_claim(object, size_bytes, claimed, out) : VMO_ERR_PROTOCOL;
}

vmo_status be_verify_again(struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                           struct be_verified *out)
{
    const vmo_status status = look_at_seals(object);

    return status == VMO_OK ? check_claim(object, size_bytes, claimed, out) : status;
}

/* ---- Files -------------------------------------------------------------------------------------- */

int lx_file_system(int file, struct statfs *out)
{
    int failed = 0;

    do {
        failed = fstatfs(file, out);
    } while (failed != 0 && errno == EINTR);
    return failed;
}

/* Maps a byte of the file for a moment: a file system may have regular files that cannot be mapped. Of a huge
 * page the kernel unmaps no part: such a mapping would stay for good. */
static vmo_status check_mappable(const struct be_object *object, uint64_t off_bytes)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct vmo_counters counters = {0};
    struct statfs kind;
    void *at = NULL;

    if (lx_file_system(object->alias, &kind) != 0) {
        return lx_status(errno);
    }
    if ((unsigned)kind.f_type == HUGETLBFS_MAGIC) {
        return VMO_ERR_UNSUPPORTED;
    }
    const vmo_status status =
        be_map(object, (struct vmo_range){off_bytes & ~(page - 1), page}, false, &at, &counters);
    if (status == VMO_OK) {
        lx_unmap_quiet(at, page);
    }
    return status;
}

vmo_status be_wrap_file(int file, struct vmo_range range, struct be_object *out)
{
    struct stat seen;

    if (!can_read(fcntl(file, F_GETFL))) {
        return VMO_ERR_INVALID;
    }
    if (fstat(file, &seen) != 0) {
        return lx_status(errno);
    }
    if (!S_ISREG(seen.st_mode)) {
        return VMO_ERR_INVALID;
    }
    if (!range_within(range, (uint64_t)seen.st_size)) {
        return VMO_ERR_BOUNDS;
    }
    struct be_object object = {.owner = BE_NONE, .alias = lx_duplicate(file)};
    if (object.alias < 0) {
        return lx_status(errno);
    }
    const vmo_status status = check_mappable(&object, range.off_bytes);
    if (status != VMO_OK) {
        lx_close_quiet(object.alias);
        return status;
    }
    *out = object;
    return VMO_OK;
}
