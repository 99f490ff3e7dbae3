/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs as memfds: life, bytes, seals, and a receiver's checks. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"
#include "sizes.h"

/* ---- Life --------------------------------------------------------------------------------------- */

vmo_status be_create(uint64_t size_bytes, struct be_object *out)
{
    int memory = BE_NONE;

    if (size_bytes > LX_OBJECT_BYTES_MAX || !lx_within_file_limit(size_bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    vmo_status status = lx_memfd("vmo", lx_features() & LX_NOEXEC_SEAL ? MFD_NOEXEC_SEAL : 0, &memory);
    if (status != VMO_OK) {
        return status;
    }
    if (ftruncate(memory, (off_t)size_bytes) != 0 ||
        fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
        status = lx_status(errno);
        lx_close_quiet(memory);
        return status;
    }
    *out = (struct be_object){.owner = memory, .alias = BE_NONE};
    return VMO_OK;
}

static vmo_status size_of(int file, uint64_t *size_bytes)
{
    struct stat seen;

    if (fstat(file, &seen) != 0) {
        return lx_status(errno);
    }
    *size_bytes = (uint64_t)seen.st_size;
    return VMO_OK;
}

static vmo_status drop_kept(struct be_object *object)
{
    uint64_t size_bytes = 0;

    if (object->own.kept == NULL) {
        return VMO_OK;
    }
    const vmo_status status = size_of(object->owner, &size_bytes);
    if (status != VMO_OK) {
        return status;
    }
    if (munmap(object->own.kept, (size_t)size_bytes) != 0) {
        return VMO_ERR_BACKEND;
    }
    object->own.kept = NULL;
    return VMO_OK;
}

vmo_status be_close(struct be_object *object)
{
    const vmo_status kept = drop_kept(object);
    const vmo_status owner = lx_close(&object->owner);
    const vmo_status alias = lx_close(&object->alias);

    return kept != VMO_OK ? kept : owner != VMO_OK ? owner : alias;
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

/* ---- Bytes -------------------------------------------------------------------------------------- */

static int32_t reader(const struct be_object *object)
{
    return object->owner != BE_NONE ? object->owner : object->alias;
}

static vmo_status write_all(int file, struct vmo_range range, const uint8_t *from)
{
    for (uint64_t done = 0; done < range.len_bytes;) {
        const ssize_t n =
            pwrite(file, from + done, (size_t)(range.len_bytes - done), (off_t)(range.off_bytes + done));
        if (n > 0) {
            done += (uint64_t)n;
        } else if (n == 0) {
            return VMO_ERR_NO_MEMORY;
        } else if (errno != EINTR) {
            return errno == EPERM ? VMO_ERR_SEALED : lx_status(errno);
        }
    }
    return VMO_OK;
}

vmo_status be_write(const struct be_object *object, struct vmo_range range, const void *from)
{
    if (object->own.kept != NULL) {
        memcpy((uint8_t *)object->own.kept + range.off_bytes, from, (size_t)range.len_bytes);
        return VMO_OK;
    }
    if (!lx_within_file_limit(range.off_bytes + range.len_bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    return write_all(object->owner, range, from);
}

/* Checks the size first, so that a truncated file is refused with `to` untouched. A file that is truncated
 * during the call is refused, too. */
vmo_status be_read(const struct be_object *object, struct vmo_range range, void *to)
{
    const int32_t file = reader(object);
    uint64_t size_bytes = 0;

    const vmo_status status = size_of(file, &size_bytes);
    if (status != VMO_OK) {
        return status;
    }
    if (!range_within(range, size_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    for (uint64_t done = 0; done < range.len_bytes;) {
        const ssize_t n = pread(file, (uint8_t *)to + done, (size_t)(range.len_bytes - done),
                                (off_t)(range.off_bytes + done));
        if (n > 0) {
            done += (uint64_t)n;
        } else if (n == 0) {
            return VMO_ERR_BOUNDS;
        } else if (errno != EINTR) {
            return lx_status(errno);
        }
    }
    return VMO_OK;
}

/* ---- Seals -------------------------------------------------------------------------------------- */

vmo_status be_make_alias(struct be_object *object)
{
    (void)object;
    return VMO_ERR_UNSUPPORTED; /* the holder of a read-only descriptor can open the file again */
}

static vmo_status add_seals(int file, int seals)
{
    if (fcntl(file, F_ADD_SEALS, seals) == 0) {
        return VMO_OK;
    }
    return errno == EBUSY ? VMO_ERR_BUSY : errno == EPERM ? VMO_ERR_SEALED : lx_status(errno);
}

/* Makes the mapping through which the creator writes from here on. A fork must not inherit it: the copy
 * would prevent a FOREVER seal. */
static vmo_status make_kept(int file, uint64_t size_bytes, void **at)
{
    void *kept = mmap(NULL, (size_t)size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

    if (kept == MAP_FAILED) {
        return lx_status(errno);
    }
    if (madvise(kept, (size_t)size_bytes, MADV_DONTFORK) != 0) {
        const vmo_status status = lx_status(errno);
        (void)munmap(kept, (size_t)size_bytes);
        return status;
    }
    *at = kept;
    return VMO_OK;
}

static vmo_status seal_peers(struct be_object *object, vmo_enforcer *by)
{
    uint64_t size_bytes = 0;
    void *kept = NULL;

    if (!(lx_features() & LX_PEERS_SEAL)) {
        *by = VMO_BY_LIBRARY;
        return VMO_OK;
    }
    vmo_status status = size_of(object->owner, &size_bytes);
    if (status == VMO_OK) {
        status = make_kept(object->owner, size_bytes, &kept);
    }
    if (status != VMO_OK) {
        return status;
    }
    status = add_seals(object->owner, F_SEAL_FUTURE_WRITE);
    if (status != VMO_OK) {
        (void)munmap(kept, (size_t)size_bytes);
        return status;
    }
    object->own.kept = kept;
    *by = VMO_BY_KERNEL;
    return VMO_OK;
}

/* The kernel refuses while any process has a writable mapping. So the mapping kept since PEERS must go
 * first, and cannot be made again: if an unknown mapping then causes a refusal, nobody can write any more.
 */
static vmo_status seal_forever(struct be_object *object, vmo_enforcer *by)
{
    vmo_status status = drop_kept(object);

    if (status == VMO_OK) {
        status = add_seals(object->owner, F_SEAL_WRITE | F_SEAL_SEAL);
    }
    if (status != VMO_OK) {
        return status;
    }
    *object = (struct be_object){.owner = BE_NONE, .alias = object->owner};
    *by = VMO_BY_KERNEL;
    return VMO_OK;
}

vmo_status be_seal(struct be_object *object, vmo_seal_strength strength, vmo_enforcer *by)
{
    return strength == VMO_SEAL_FOREVER ? seal_forever(object, by) : seal_peers(object, by);
}

/* ---- Received descriptors and files ------------------------------------------------------------- */

struct be_object lx_received(int descriptor)
{
    const int mode = fcntl(descriptor, F_GETFL);
    const int seals = fcntl(descriptor, F_GET_SEALS);

    if (mode < 0 || (mode & (O_ACCMODE | O_PATH)) != O_RDWR || seals < 0 ||
        (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))) {
        return (struct be_object){.owner = BE_NONE, .alias = descriptor};
    }
    return (struct be_object){.owner = descriptor, .alias = BE_NONE};
}

/* True unless the descriptor was opened with O_WRONLY or O_PATH. */
static bool readable(int file)
{
    const int mode = fcntl(file, F_GETFL);

    return mode >= 0 && !(mode & O_PATH) && (mode & O_ACCMODE) != O_WRONLY;
}

/* True for a regular tmpfs file of at least size_bytes that cannot shrink: an access to a mapping of it
 * raises no SIGBUS. */
static bool is_steady_memory(int file, uint64_t size_bytes)
{
    struct statfs kind;
    struct stat seen;
    const int seals = fcntl(file, F_GET_SEALS);

    return seals >= 0 && (seals & F_SEAL_SHRINK) && readable(file) && fstatfs(file, &kind) == 0 &&
           kind.f_type == TMPFS_MAGIC && fstat(file, &seen) == 0 && S_ISREG(seen.st_mode) &&
           (uint64_t)seen.st_size >= size_bytes;
}

/* The file seals that prove a claim; one of them is enough. */
static int proof_of(vmo_seal_strength claimed)
{
    return claimed == VMO_SEAL_FOREVER ? F_SEAL_WRITE : F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
}

vmo_status be_verify(const struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                     struct be_verified *out, struct vmo_counters *counters)
{
    const int32_t file = reader(object);

    (void)counters;
    if (!is_steady_memory(file, size_bytes)) {
        return VMO_ERR_PROTOCOL;
    }
    if (claimed == VMO_SEAL_NONE) {
        *out = (struct be_verified){VMO_BY_NOBODY, NULL};
    } else if (fcntl(file, F_GET_SEALS) & proof_of(claimed)) {
        *out = (struct be_verified){VMO_BY_KERNEL, NULL};
    } else if (claimed == VMO_SEAL_PEERS && !(lx_features() & LX_PEERS_SEAL)) {
        /* the sender has the same kernel, which lacks the seal */
        *out = (struct be_verified){VMO_BY_LIBRARY, NULL};
    } else {
        return VMO_ERR_PROTOCOL;
    }
    return VMO_OK;
}

vmo_status be_wrap_file(int file, struct vmo_range range, struct be_object *out)
{
    struct stat seen;

    if (!readable(file) || fstat(file, &seen) != 0 || !S_ISREG(seen.st_mode)) {
        return VMO_ERR_INVALID;
    }
    if (!range_within(range, (uint64_t)seen.st_size)) {
        return VMO_ERR_BOUNDS;
    }
    const int own = lx_duplicate(file);
    if (own < 0) {
        return lx_status(errno);
    }
    *out = (struct be_object){.owner = BE_NONE, .alias = own};
    return VMO_OK;
}
