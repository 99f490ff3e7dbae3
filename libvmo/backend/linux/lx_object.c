/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs as memfds: their life, a receiver's checks, and wrapped files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"
#include "sizes.h"

/* ---- Life --------------------------------------------------------------------------------------- */

static int resize(int file, uint64_t size_bytes)
{
    int failed = 0;

    do {
        failed = ftruncate(file, (off_t)size_bytes);
    } while (failed != 0 && errno == EINTR);
    return failed;
}

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
    if (resize(memory, size_bytes) != 0 || fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
        status = lx_status(errno);
        lx_close_quiet(memory);
        return status;
    }
    *out = (struct be_object){.owner = memory, .alias = BE_NONE};
    return VMO_OK;
}

vmo_status be_close(struct be_object *object)
{
    const vmo_status kept = lx_drop_kept(object);
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

/* ---- Received descriptors ----------------------------------------------------------------------- */

int32_t lx_reader(const struct be_object *object)
{
    return object->alias != BE_NONE ? object->alias : object->owner;
}

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

/* True for a regular tmpfs file of at least size_bytes with these seals, and F_SEAL_SHRINK: an access to a
 * mapping of it raises no SIGBUS. */
static bool is_steady_memory(int file, uint64_t size_bytes, int seals)
{
    struct statfs kind;
    struct stat seen;
    const int found = fcntl(file, F_GET_SEALS);

    seals |= F_SEAL_SHRINK;
    return found >= 0 && (found & seals) == seals && readable(file) && fstatfs(file, &kind) == 0 &&
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
    const int32_t file = lx_reader(object);
    /* Then a write that the sender diverts to the end by O_APPEND is refused. */
    const int writable = object->owner != BE_NONE ? F_SEAL_GROW : 0;

    (void)counters;
    if (!is_steady_memory(file, size_bytes, writable)) {
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

/* ---- Files -------------------------------------------------------------------------------------- */

/* Maps a byte of the file for a moment: a file system may have regular files that cannot be mapped. */
static vmo_status check_mappable(const struct be_object *object, uint64_t off_bytes)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct vmo_counters counters = {0};
    void *at = NULL;

    const vmo_status status =
        be_map(object, (struct vmo_range){off_bytes & ~(page - 1), page}, false, &at, &counters);
    if (status == VMO_OK) {
        return be_unmap(at, page);
    }
    return status == VMO_ERR_RIGHTS || status == VMO_ERR_SEALED ? VMO_ERR_UNSUPPORTED : status;
}

vmo_status be_wrap_file(int file, struct vmo_range range, struct be_object *out)
{
    struct stat seen;

    if (!readable(file)) {
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
