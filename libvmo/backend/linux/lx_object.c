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

vmo_status be_create(uint64_t size_bytes, const struct vmo_create_options *options, struct be_object *out)
{
    const char *name = options != NULL && options->name != NULL ? options->name : "vmo";
    int memory = BE_NONE;

    if (size_bytes > LX_OBJECT_BYTES_MAX || !lx_within_file_limit(size_bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    vmo_status status = lx_memfd(name, lx_features() & LX_NOEXEC_SEAL ? MFD_NOEXEC_SEAL : 0, &memory);
    if (status != VMO_OK) {
        return status;
    }
    if (resize(memory, size_bytes) != 0 || fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
        status = lx_status(errno);
        lx_close_quiet(memory);
        return status;
    }
    *out = (struct be_object){.owner = memory, .alias = BE_NONE, .own = {.size_bytes = size_bytes}};
    return VMO_OK;
}

vmo_status be_close(struct be_object *object)
{
    const vmo_status kept = lx_drop_kept(object);
    if (kept != VMO_OK) {
        return kept;
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
    const int mode = fcntl(descriptor, F_GETFL);
    const int seals = fcntl(descriptor, F_GET_SEALS);
    struct be_object object = BE_NO_OBJECT;

    object.own.closed = mode < 0 || (seals < 0 && errno == EBADF && !(mode & O_PATH));
    object.own.seals = (uint8_t)(seals >= 0 ? seals & LX_SEALS : 0);
    object.own.readable = can_read(mode);
    if (object.own.readable && (mode & O_ACCMODE) == O_RDWR && seals >= 0 &&
        !(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))) {
        object.owner = descriptor;
    } else {
        object.alias = descriptor;
    }
    return object;
}

static int kind_of(int file, struct statfs *kind)
{
    int failed = 0;

    do {
        failed = fstatfs(file, kind);
    } while (failed != 0 && errno == EINTR);
    return failed;
}

/* OK for a regular tmpfs file of at least size_bytes that cannot shrink: an access to a mapping of it raises
 * no SIGBUS. One that can be written must not grow either: then a write that the sender diverts to the end,
 * by O_APPEND, is refused. */
static vmo_status check_memory(const struct be_object *object, uint64_t size_bytes)
{
    const int needed = object->owner != BE_NONE ? F_SEAL_SHRINK | F_SEAL_GROW : F_SEAL_SHRINK;
    const int32_t file = lx_reader(object);
    struct statfs kind;
    struct stat seen;

    if (object->own.closed) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!object->own.readable || (object->own.seals & needed) != needed) {
        return VMO_ERR_PROTOCOL;
    }
    if (kind_of(file, &kind) != 0 || fstat(file, &seen) != 0) {
        return lx_status(errno);
    }
    return kind.f_type == TMPFS_MAGIC && S_ISREG(seen.st_mode) && (uint64_t)seen.st_size >= size_bytes
               ? VMO_OK
               : VMO_ERR_PROTOCOL;
}

/* The file seals that prove a claim; one of them is enough. */
static int proof_of(vmo_seal_strength claimed)
{
    return claimed == VMO_SEAL_FOREVER ? F_SEAL_WRITE : F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
}

vmo_status be_verify(const struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                     struct be_verified *out, struct vmo_counters *counters)
{
    const vmo_status status = check_memory(object, size_bytes);

    (void)counters;
    if (status != VMO_OK) {
        return status;
    }
    if (claimed == VMO_SEAL_NONE) {
        *out = (struct be_verified){VMO_BY_NOBODY, NULL};
    } else if (object->own.seals & proof_of(claimed)) {
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
