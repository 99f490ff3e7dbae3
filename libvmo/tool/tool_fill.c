/* SPDX-License-Identifier: Apache-2.0 */
/* Copies a file into a new VMO. A regular file has a length, so the library makes the VMO. Other input has
 * none: it is read into a memory file that grows, which the library then imports. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vmo/descriptor.h>

#include "tool_file.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

struct source {
    const struct tool_work *work;
    const char *name; /* for messages */
    int file;
    struct stat seen;
    uint64_t start;     /* the position of standard input */
    uint64_t max_bytes; /* of memory */
    vmo_seal_strength seal;
    char label[VMO_NAME_MAX_BYTES + 1]; /* the VMO's name: the last part of the file's */
    struct tool_progress progress;
};

static uint8_t chunk[TOOL_CHUNK_BYTES];

static uint64_t page_bytes(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A VMO's name has no byte that is not printable ASCII. */
static void make_label(const char *name, char label[VMO_NAME_MAX_BYTES + 1])
{
    const char *const slash = strrchr(name, '/');
    const char *from = slash != NULL ? slash + 1 : name;
    size_t at = 0;

    for (; *from != '\0' && at < VMO_NAME_MAX_BYTES; from++) {
        label[at++] = *from >= ' ' && *from <= '~' ? *from : '?';
    }
    label[at] = '\0';
}

static bool fail(const struct source *source, vmo_status status)
{
    (void)tool_say_status(source->name, status);
    return false;
}

static bool fail_errno(const struct source *source)
{
    (void)tool_say_errno(source->name);
    return false;
}

/* Endless input must not take all memory. */
static bool is_too_long(const struct source *source, uint64_t bytes)
{
    if (bytes > source->max_bytes) {
        tool_say(source->name, "needs more than %llu bytes of memory; --max raises this limit",
                 (unsigned long long)source->max_bytes);
        return true;
    }
    return false;
}

static ssize_t read_chunk(int file, uint64_t at, size_t len, bool has_position)
{
    ssize_t got = 0;

    do {
        got = has_position ? pread(file, chunk, len, (off_t)at) : read(file, chunk, len);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* ---- A regular file ------------------------------------------------------------------------------- */

/* Copies the bytes from `at` to `end`, both offsets in the file. */
static bool copy_data(struct source *source, vmo_t vmo, uint64_t at, uint64_t end)
{
    while (at < end) {
        const uint64_t left = end - at;
        const ssize_t got =
            read_chunk(source->file, at, (size_t)(left < sizeof(chunk) ? left : sizeof(chunk)), true);
        if (got < 0) {
            return fail_errno(source);
        }
        if (got == 0) {
            tool_say(source->name, "became shorter while it was read");
            return false;
        }
        const struct vmo_range range = {at - source->start, (uint64_t)got};
        const vmo_status status = vmo_write(source->work->registry, vmo, range, chunk);
        if (status != VMO_OK) {
            return fail(source, status);
        }
        at += (uint64_t)got;
        tool_progress_add(&source->progress, (uint64_t)got);
    }
    return true;
}

/* Skips holes: a new VMO is zeroed. */
static bool copy_regular(struct source *source, vmo_t vmo, uint64_t end, bool *sparse)
{
    uint64_t filled = 0;

    for (uint64_t at = source->start; at < end;) {
        const off_t data = lseek(source->file, (off_t)at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) { /* only a hole is left */
            tool_progress_add(&source->progress, end - at);
            break;
        }
        const uint64_t from = data < 0 ? at : (uint64_t)data;
        const off_t hole = data < 0 ? -1 : lseek(source->file, data, SEEK_HOLE);
        const uint64_t until = hole > data && (uint64_t)hole < end ? (uint64_t)hole : end;
        if (from >= end) {
            break;
        }
        filled += until - from;
        tool_progress_add(&source->progress, from - at);
        if (is_too_long(source, filled) || !copy_data(source, vmo, from, until)) {
            return false;
        }
        at = until;
    }
    *sparse = filled + page_bytes() <= end - source->start;
    return true;
}

static bool fill_regular(struct source *source, struct tool_file *out)
{
    struct vmo_registry *const registry = source->work->registry;
    const struct vmo_create_options options = {.name = source->label[0] != '\0' ? source->label : NULL};
    const uint64_t end = (uint64_t)source->seen.st_size;
    struct tool_file made = {.vmo = VMO_NONE, .len_bytes = end > source->start ? end - source->start : 0};

    if (made.len_bytes == 0) {
        *out = made;
        return true;
    }
    const uint64_t taken = (uint64_t)source->seen.st_blocks * 512;
    if (is_too_long(source, taken < made.len_bytes ? taken : made.len_bytes)) {
        return false;
    }
    vmo_status status = vmo_create_with(registry, made.len_bytes, &options, &made.vmo);
    if (status != VMO_OK) {
        return fail(source, status);
    }
    tool_progress_begin(&source->progress, "reading", made.len_bytes);
    bool good = copy_regular(source, made.vmo, end, &made.sparse);
    tool_progress_clear();
    if (good) {
        status = vmo_seal(registry, made.vmo, source->seal);
        good = status == VMO_OK ? true : fail(source, status);
    }
    if (good) { /* otherwise the program ends, and the VMO with it */
        *out = made;
    }
    return good;
}

/* ---- Other input ---------------------------------------------------------------------------------- */

static bool write_chunk(const struct source *source, int memory, size_t len)
{
    for (size_t done = 0; done < len;) {
        const ssize_t n = write(memory, chunk + done, len - done);
        if (n <= 0 && errno != EINTR) {
            return fail_errno(source);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Reads to the end of the input. */
static bool read_all(struct source *source, int memory, uint64_t *len_bytes)
{
    tool_progress_begin(&source->progress, "reading", 0);
    for (*len_bytes = 0;;) {
        const ssize_t got = read_chunk(source->file, 0, sizeof(chunk), false);
        if (got < 0) {
            return fail_errno(source);
        }
        if (got == 0) {
            return true;
        }
        *len_bytes += (uint64_t)got;
        if (is_too_long(source, *len_bytes) || !write_chunk(source, memory, (size_t)got)) {
            return false;
        }
        tool_progress_add(&source->progress, (uint64_t)got);
    }
}

/* Seals the memory file as the library would, and imports it. Whole pages can be handed over. */
static bool import_memory(const struct source *source, int memory, struct tool_file *made)
{
    const int writes = source->seal == VMO_SEAL_FOREVER ? F_SEAL_WRITE | F_SEAL_SEAL : F_SEAL_FUTURE_WRITE;
    const struct vmo_import_options options = {.seal = source->seal};
    const uint64_t size = (made->len_bytes + page_bytes() - 1) / page_bytes() * page_bytes();

    if (ftruncate(memory, (off_t)size) != 0 ||
        fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | writes) != 0) {
        return fail_errno(source);
    }
    const vmo_status status = vmo_import_fd(source->work->registry, memory, &options, &made->vmo);
    return status == VMO_OK ? true : fail(source, status);
}

static bool fill_stream(struct source *source, struct tool_file *out)
{
    struct tool_file made = {.vmo = VMO_NONE};
    const int memory = memfd_create(source->label, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (memory < 0) {
        return fail_errno(source);
    }
    bool good = read_all(source, memory, &made.len_bytes);
    tool_progress_clear();
    good = good && (made.len_bytes == 0 || import_memory(source, memory, &made));
    (void)close(memory);
    if (good) {
        *out = made;
    }
    return good;
}

/* ---- Either ---------------------------------------------------------------------------------------- */

/* A file of /sys says that it has a page of data, but takes no block of a disk: the end of the data is its
 * only length. */
static bool is_generated(const struct source *source, off_t start)
{
    return source->seen.st_blocks == 0 && lseek(source->file, start, SEEK_DATA) == start;
}

static bool fill_open_file(struct source *source, struct tool_file *out)
{
    if (fstat(source->file, &source->seen) != 0) {
        return fail_errno(source);
    }
    if (S_ISDIR(source->seen.st_mode)) {
        errno = EISDIR;
        return fail_errno(source);
    }
    /* A file of /proc says that its length is 0. */
    if (!S_ISREG(source->seen.st_mode) || source->seen.st_size == 0) {
        return fill_stream(source, out);
    }
    const off_t start = lseek(source->file, 0, SEEK_CUR);
    if (start < 0) {
        return fail_errno(source);
    }
    if (is_generated(source, start)) {
        return fill_stream(source, out);
    }
    source->start = (uint64_t)start;
    return fill_regular(source, out);
}

bool tool_fill(const struct tool_work *work, const char *name, vmo_seal_strength seal, struct tool_file *out)
{
    const bool input = strcmp(name, "-") == 0;
    struct source source = {.work = work, .name = tool_file_name(name), .seal = seal};

    source.file = input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (source.file < 0) {
        return fail_errno(&source);
    }
    source.max_bytes = work->max_bytes;
    if (source.max_bytes == 0) {
        source.max_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) / 2 * page_bytes();
    }
    make_label(input ? "stdin" : name, source.label);
    const bool good = fill_open_file(&source, out);
    if (!input) {
        (void)close(source.file); /* it was only read */
    }
    return good;
}
