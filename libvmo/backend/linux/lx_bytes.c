/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into and out of VMOs. A bad pointer is an error, never a signal. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lx.h"
#include "sizes.h"

#define PIPE_BYTES UINT64_C(65536)

/* ---- Within the process ------------------------------------------------------------------------- */

/* Copies through a pipe: the kernel reads the source and writes the target. */
static vmo_status copy_by_pipe(const int32_t ends[2], uint8_t *to, const uint8_t *from, uint64_t len_bytes)
{
    for (uint64_t done = 0; done < len_bytes;) {
        const uint64_t left = len_bytes - done;
        const ssize_t in = write(ends[1], from + done, (size_t)(left < PIPE_BYTES ? left : PIPE_BYTES));
        if (in < 0 && errno == EINTR) {
            continue;
        }
        if (in <= 0) {
            return in < 0 ? lx_status(errno) : VMO_ERR_NO_MEMORY;
        }
        ssize_t out = 0;
        do {
            out = read(ends[0], to + done, (size_t)in);
        } while (out < 0 && errno == EINTR);
        if (out != in) {
            return out < 0 ? lx_status(errno) : VMO_ERR_INVALID;
        }
        done += (uint64_t)in;
    }
    return VMO_OK;
}

static vmo_status open_pipe_and_copy(uint8_t *to, const uint8_t *from, uint64_t len_bytes)
{
    int made[2] = {BE_NONE, BE_NONE};

    if (pipe2(made, O_CLOEXEC | O_NONBLOCK) != 0) {
        return lx_status(errno);
    }
    int32_t ends[2] = {lx_above_stdio(made[0]), lx_above_stdio(made[1])};
    vmo_status status = VMO_ERR_NO_SLOTS;
    if (ends[0] >= 0 && ends[1] >= 0) {
        status = copy_by_pipe(ends, to, from, len_bytes);
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) {
            lx_close_quiet(ends[i]);
        }
    }
    return status;
}

/* process_vm_readv reports a bad pointer where memcpy would raise SIGSEGV, and copies once. A small copy
 * costs about 1 us more than pwrite, one from 64 KiB on costs the same. Where a kernel or a filter of system
 * calls lacks the call, a pipe does the same in two copies. */
vmo_status be_copy(void *to, const void *from, uint64_t len_bytes)
{
    uint8_t *const target = to;
    const uint8_t *const source = from;

    if (!(lx_features() & LX_VM_READ)) {
        return open_pipe_and_copy(target, source, len_bytes);
    }
    for (uint64_t done = 0; done < len_bytes;) {
        const struct iovec here = {target + done, (size_t)(len_bytes - done)};
        const struct iovec there = {(void *)(uintptr_t)(source + done), (size_t)(len_bytes - done)};
        const ssize_t n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
        if (n > 0) {
            done += (uint64_t)n;
        } else if (n < 0 && lx_status(errno) == VMO_ERR_UNSUPPORTED) {
            return open_pipe_and_copy(target + done, source + done, len_bytes - done);
        } else {
            return n < 0 ? lx_status(errno) : VMO_ERR_INVALID;
        }
    }
    return VMO_OK;
}

/* ---- Into a VMO --------------------------------------------------------------------------------- */

/* A peer that shares the open file description may have set O_APPEND, and a write would not land where it
 * says: F_SEAL_GROW makes the kernel refuse it. Clears the flag. False if it was clear. */
static bool append_was_set(int file)
{
    const int mode = fcntl(file, F_GETFL);

    return mode >= 0 && (mode & O_APPEND) && fcntl(file, F_SETFL, mode & ~O_APPEND) == 0;
}

static vmo_status write_all(int file, struct vmo_range range, const uint8_t *from)
{
    bool cleared = false;

    for (uint64_t done = 0; done < range.len_bytes;) {
        const ssize_t n =
            pwrite(file, from + done, (size_t)(range.len_bytes - done), (off_t)(range.off_bytes + done));
        if (n > 0) {
            done += (uint64_t)n;
        } else if (n == 0) {
            return VMO_ERR_NO_MEMORY;
        } else if (errno == EPERM) {
            if (cleared || !append_was_set(file)) {
                return cleared ? VMO_ERR_PROTOCOL : VMO_ERR_SEALED;
            }
            cleared = true;
        } else if (errno != EINTR) {
            return lx_status(errno);
        }
    }
    return VMO_OK;
}

/* Writes through the mapping that PEERS keeps. A copy also fails if there is no memory for a page of the VMO:
 * the kernel says which when it is asked to allocate the page. */
static vmo_status write_kept(const struct be_object *object, struct vmo_range range, const void *from)
{
    const vmo_status status = be_copy((uint8_t *)object->own.kept + range.off_bytes, from, range.len_bytes);

    if (status == VMO_ERR_INVALID &&
        fallocate(object->owner, 0, (off_t)range.off_bytes, (off_t)range.len_bytes) != 0 &&
        lx_status(errno) == VMO_ERR_NO_MEMORY) {
        return VMO_ERR_NO_MEMORY;
    }
    return status;
}

vmo_status be_write(const struct be_object *object, struct vmo_range range, const void *from)
{
    if (object->own.kept != NULL) {
        return write_kept(object, range, from);
    }
    if (!lx_within_file_limit(range.off_bytes + range.len_bytes)) {
        return VMO_ERR_TOO_LARGE;
    }
    if (!lx_within_file_limit(UINT64_MAX)) { /* at the end the kernel would send SIGXFSZ before it refuses */
        (void)append_was_set(object->owner);
    }
    return write_all(object->owner, range, from);
}

/* ---- Out of a VMO or a file --------------------------------------------------------------------- */

/* BOUNDS if the file is shorter: it was truncated. */
static vmo_status check_length(int file, struct vmo_range range)
{
    struct stat seen;

    if (fstat(file, &seen) != 0) {
        return lx_status(errno);
    }
    return range_within(range, (uint64_t)seen.st_size) ? VMO_OK : VMO_ERR_BOUNDS;
}

static vmo_status read_all(int file, struct vmo_range range, uint8_t *to)
{
    for (uint64_t done = 0; done < range.len_bytes;) {
        const ssize_t n =
            pread(file, to + done, (size_t)(range.len_bytes - done), (off_t)(range.off_bytes + done));
        if (n > 0) {
            done += (uint64_t)n;
        } else if (n == 0) {
            return VMO_ERR_BOUNDS;
        } else if (errno == EINVAL) { /* O_DIRECT, and the range is not aligned for it */
            return VMO_ERR_UNSUPPORTED;
        } else if (errno != EINTR) {
            return lx_status(errno);
        }
    }
    return VMO_OK;
}

/* Checks the size first, so that a truncated file is refused with `to` untouched. A file that is truncated
 * during the call is refused, too. */
vmo_status be_read(const struct be_object *object, struct vmo_range range, void *to)
{
    const int32_t file = lx_reader(object);
    const vmo_status status = check_length(file, range);

    return status == VMO_OK ? read_all(file, range, to) : status;
}

/* ---- From one to another ------------------------------------------------------------------------ */

/* For a filter of system calls that refuses sendfile, and for files that cannot be spliced. */
static vmo_status copy_by_buffer(int to, uint64_t to_off, int file, struct vmo_range range)
{
    uint8_t buffer[16384];
    vmo_status status = VMO_OK;

    for (uint64_t done = 0; status == VMO_OK && done < range.len_bytes;) {
        const uint64_t left = range.len_bytes - done;
        const uint64_t some = left < sizeof(buffer) ? left : sizeof(buffer);
        status = read_all(file, (struct vmo_range){range.off_bytes + done, some}, buffer);
        if (status == VMO_OK) {
            status = write_all(to, (struct vmo_range){to_off + done, some}, buffer);
        }
        done += some;
    }
    return status;
}

/* sendfile writes at the position of the target's description, which is new and at 0. copy_file_range is no
 * faster, and refuses a file of another file system. */
vmo_status be_copy_object(const struct be_object *to, const struct be_object *from, struct vmo_range range)
{
    const int32_t file = lx_reader(from);
    off_t at = (off_t)range.off_bytes;
    vmo_status status = check_length(file, range);

    for (uint64_t done = 0; status == VMO_OK && done < range.len_bytes;) {
        const uint64_t left = range.len_bytes - done;
        const ssize_t n = sendfile(to->owner, file, &at, (size_t)left);
        if (n > 0) {
            done += (uint64_t)n;
        } else if (n == 0) {
            status = VMO_ERR_BOUNDS;
        } else if (errno != EINTR) {
            status = lx_status(errno);
        }
        if (status == VMO_ERR_UNSUPPORTED) {
            return copy_by_buffer(to->owner, done, file, (struct vmo_range){range.off_bytes + done, left});
        }
    }
    return status;
}
