/* SPDX-License-Identifier: Apache-2.0 */
/* Files of memory that others made, and descriptors for others. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"

#define FIXED (F_SEAL_SHRINK | F_SEAL_GROW)

/* What the kernel shows of a file. */
struct looked {
    int mode;  /* F_GETFL */
    int seals; /* 0 if it cannot be sealed */
    uint64_t len_bytes;
    uint64_t inode; /* of a memfd; else 0 */
    unsigned type;  /* of its file system */
    uint8_t page_shift;
};

/* ---- Looking ------------------------------------------------------------------------------------ */

/* The kind of file, and the size of its pages. UNSUPPORTED: it is no memory. */
static vmo_status look_at_kind(int file, struct looked *out)
{
    struct stat seen;
    struct statfs kind;

    if (fstat(file, &seen) != 0 || lx_file_system(file, &kind) != 0) {
        return lx_status(errno);
    }
    out->type = (unsigned)kind.f_type;
    out->len_bytes = (uint64_t)seen.st_size;
    if (out->type == DMA_BUF_MAGIC) { /* its length is fixed for life */
        out->seals = FIXED;
        return VMO_OK;
    }
    if (!S_ISREG(seen.st_mode) || (out->type != TMPFS_MAGIC && out->type != HUGETLBFS_MAGIC)) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (out->type == TMPFS_MAGIC && seen.st_dev == lx_memfd_device()) {
        out->inode = seen.st_ino;
    }
    if (out->type == HUGETLBFS_MAGIC) {
        out->page_shift = (uint8_t)__builtin_ctzll((unsigned long long)kind.f_bsize);
    }
    return VMO_OK;
}

static vmo_status look_at(int file, struct looked *out)
{
    *out = (struct looked){.mode = fcntl(file, F_GETFL)};
    const int access = out->mode & O_ACCMODE;
    if (out->mode < 0 || (out->mode & (O_PATH | O_APPEND)) || (access != O_RDONLY && access != O_RDWR)) {
        return VMO_ERR_INVALID;
    }
    const int seals = fcntl(file, F_GET_SEALS);
    if (seals < 0 && errno != EINVAL) { /* EINVAL: it cannot be sealed */
        return lx_status(errno);
    }
    out->seals = seals > 0 ? seals & LX_SEALS : 0;
    return look_at_kind(file, out);
}

/* ---- What is promised --------------------------------------------------------------------------- */

/* A file that can be cut off can lose bytes in spite of any seal. */
static vmo_seal_strength seal_of(const struct looked *file)
{
    if (!(file->seals & F_SEAL_SHRINK)) {
        return VMO_SEAL_NONE;
    }
    return file->seals & F_SEAL_WRITE          ? VMO_SEAL_FOREVER
           : file->seals & F_SEAL_FUTURE_WRITE ? VMO_SEAL_PEERS
                                               : VMO_SEAL_NONE;
}

/* Without F_SEAL_GROW a sharer of the description that sets its append flag diverts writes to the end. */
static bool has_fixed_length(const struct looked *file, bool writable)
{
    const int needed = writable ? FIXED : F_SEAL_SHRINK;

    return (file->seals & needed) == needed;
}

static vmo_status check_demands(const struct looked *file, const struct vmo_import_options *wanted)
{
    const bool writable = wanted->rights & VMO_RIGHT_WRITE;

    if (writable && (file->mode & O_ACCMODE) != O_RDWR) {
        return VMO_ERR_RIGHTS;
    }
    if (writable && (file->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))) {
        return VMO_ERR_SEALED;
    }
    if ((unsigned)seal_of(file) < wanted->seal) {
        return VMO_ERR_NOT_SEALED;
    }
    if (!(wanted->flags & VMO_IMPORT_RESIZABLE) && !has_fixed_length(file, writable)) {
        return VMO_ERR_NOT_SEALED;
    }
    return file->len_bytes ? VMO_OK : VMO_ERR_ZERO_LENGTH;
}

/* Only a receiver's checks decide what can be handed over: be_verify. */
static bool is_local(const struct looked *file, bool writable)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    return file->inode == 0 || !has_fixed_length(file, writable) || file->len_bytes % page != 0;
}

/* ---- Descriptors -------------------------------------------------------------------------------- */

/* A writer of a file that can grow gets a description whose append flag nobody else can set. */
static vmo_status own_descriptor(int fd, const struct looked *file, bool writable, int32_t *out)
{
    uint64_t inode = 0;

    if (writable && !has_fixed_length(file, true)) {
        return lx_reopen(fd, O_RDWR, out, &inode);
    }
    *out = lx_duplicate(fd);
    return *out >= 0 ? VMO_OK : lx_status(errno);
}

vmo_status be_import_fd(int fd, const struct vmo_import_options *wanted, struct be_imported *out)
{
    const bool writable = wanted->rights & VMO_RIGHT_WRITE;
    struct looked file;
    int32_t own = BE_NONE;

    vmo_status status = look_at(fd, &file);
    if (status == VMO_OK) {
        status = check_demands(&file, wanted);
    }
    if (status == VMO_OK) {
        status = own_descriptor(fd, &file, writable, &own);
    }
    if (status != VMO_OK) {
        return status;
    }
    *out = (struct be_imported){.object = BE_NO_OBJECT,
                                .len_bytes = file.len_bytes,
                                .seal = seal_of(&file),
                                .page_shift = file.page_shift,
                                .local = is_local(&file, writable)};
    out->object.own.size_bytes = file.len_bytes;
    out->object.own.inode = out->local ? 0 : file.inode;
    /* A reader of what is handed over gets a description of its own, unless no description can write. */
    const bool can_write = (file.mode & O_ACCMODE) == O_RDWR && out->seal == VMO_SEAL_NONE;
    if (can_write && (writable || !out->local)) {
        out->object.owner = own;
    } else {
        out->object.alias = own;
    }
    return VMO_OK;
}

vmo_status be_export_fd(struct be_object *object, bool writable, int *fd)
{
    struct lx_grant grant;

    const vmo_status status = lx_grant(object, writable, false, &grant);
    if (status != VMO_OK) {
        return status;
    }
    const int made = lx_duplicate(grant.descriptor);
    const int error = errno;
    lx_grant_end(object, &grant, made >= 0);
    if (made < 0) {
        return lx_status(error);
    }
    *fd = made;
    return VMO_OK;
}
