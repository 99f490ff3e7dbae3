/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a VMO: hashed and written in steps, so that progress shows. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tool_file.h"

static uint8_t chunk[TOOL_CHUNK_BYTES];

/* Ends with the program. */
static struct vmo_registry *opened;

bool tool_work_begin(struct tool_work *work, uint32_t files)
{
    const struct vmo_limits limits = {
        .objects = files + 2, .mappings = files + 2, .views = files + 2, .peers = 1};
    const vmo_status status = vmo_registry_new(&limits, &opened);

    if (status != VMO_OK) {
        (void)tool_say_status("library", status);
    }
    work->registry = opened;
    return status == VMO_OK;
}

/* Walks over the bytes of a file. A view is faster; but it would fill each hole with memory, so the steps of
 * a sparse file are copied out. */
struct walk {
    const struct tool_work *work;
    const struct tool_file *file;
    vmo_view_t view;
    uint64_t at;
    const uint8_t *bytes; /* of this step */
    size_t len;
    struct tool_progress progress;
};

static vmo_status walk_begin(struct walk *walk, const char *what)
{
    tool_progress_begin(&walk->progress, what, walk->file->len_bytes);
    if (walk->file->sparse || walk->file->len_bytes == 0) {
        return VMO_OK;
    }
    return vmo_map_ro(walk->work->registry, walk->file->vmo, (struct vmo_range){0, walk->file->len_bytes},
                      &walk->view);
}

/* Sets the next step; its len is 0 at the end. */
static vmo_status walk_next(struct walk *walk)
{
    const uint64_t left = walk->file->len_bytes - walk->at;
    const struct vmo_range range = {walk->at, left < TOOL_CHUNK_BYTES ? left : TOOL_CHUNK_BYTES};

    tool_progress_add(&walk->progress, walk->len);
    walk->len = (size_t)range.len_bytes;
    walk->at += range.len_bytes;
    if (walk->view.id != 0) {
        walk->bytes = vmo_view_data(walk->work->registry, walk->view) + range.off_bytes;
        return VMO_OK;
    }
    walk->bytes = chunk;
    return walk->len != 0 ? vmo_read(walk->work->registry, walk->file->vmo, range, chunk) : VMO_OK;
}

/* Returns `good`, or false after a message. */
static bool walk_end(struct walk *walk, vmo_status status, bool good)
{
    if (walk->view.id != 0) {
        const vmo_status unmapped = vmo_unmap(walk->work->registry, walk->view);
        status = status == VMO_OK ? unmapped : status;
    }
    tool_progress_clear();
    if (status != VMO_OK) {
        (void)tool_say_status(walk->progress.what, status);
    }
    return status == VMO_OK && good;
}

bool tool_hash(const struct tool_work *work, const struct tool_file *file, uint8_t digest[VMO_SHA256_BYTES])
{
    struct walk walk = {.work = work, .file = file};
    struct vmo_sha256 hash;
    vmo_status status = walk_begin(&walk, "hashing");

    vmo_sha256_init(&hash);
    for (status = status == VMO_OK ? walk_next(&walk) : status; status == VMO_OK && walk.len != 0;
         status = walk_next(&walk)) {
        vmo_sha256_update(&hash, walk.bytes, walk.len);
    }
    vmo_sha256_final(&hash, digest);
    return walk_end(&walk, status, true);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

static bool write_step(int to, const uint8_t *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        const ssize_t n = write(to, bytes + done, len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool tool_write_out(const struct tool_work *work, const struct tool_file *file, int to, const char *name,
                    bool may_seek)
{
    struct walk walk = {.work = work, .file = file};
    const bool holes = may_seek && file->sparse;
    vmo_status status = walk_begin(&walk, "writing");
    bool good = true;

    for (status = status == VMO_OK ? walk_next(&walk) : status; status == VMO_OK && good && walk.len != 0;
         status = walk_next(&walk)) {
        good = holes && is_zero(walk.bytes, walk.len) ? lseek(to, (off_t)walk.len, SEEK_CUR) >= 0
                                                      : write_step(to, walk.bytes, walk.len);
        if (!good) {
            (void)tool_say_errno(name);
            return walk_end(&walk, VMO_OK, false);
        }
    }
    if (status == VMO_OK && holes && ftruncate(to, (off_t)file->len_bytes) != 0) {
        (void)tool_say_errno(name);
        good = false;
    }
    return walk_end(&walk, status, good);
}
