/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "ref_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ref_say.h"

static const char *kind_refusal(mode_t mode)
{
    if (S_ISREG(mode))
        return NULL;
    if (S_ISDIR(mode))
        return "is a directory, not a regular file";
    if (S_ISFIFO(mode))
        return "is a FIFO, not a regular file";
    return "is not a regular file";
}

/* Looks before it opens; O_NONBLOCK is for the case that the file was exchanged in between. */
static int regular_open(const char *path, struct stat *info)
{
    const char *refusal;
    int fd;

    if (stat(path, info) != 0) {
        ref_say_errno(path);
        return -1;
    }
    refusal = kind_refusal(info->st_mode);
    if (refusal != NULL) {
        ref_say(path, refusal);
        return -1;
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        ref_say_errno(path);
        return -1;
    }
    refusal = fstat(fd, info) == 0 ? kind_refusal(info->st_mode) : "its size cannot be read";
    if (refusal != NULL) {
        ref_say(path, refusal);
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool ref_source_open_file(struct ref_source *source, const char *path)
{
    struct stat info;
    int fd = regular_open(path, &info);

    if (fd < 0)
        return false;
    *source = (struct ref_source){.name = path, .fd = fd, .len_bytes = (uint64_t)info.st_size};
    return true;
}

static const char *file_len_refusal(uint64_t len_bytes)
{
    if (len_bytes == 0)
        return "the payload is empty";
    return len_bytes > REF_FILE_BYTES_MAX ? "the payload is over the limit of 1048576 bytes" : NULL;
}

bool ref_source_open_payload(struct ref_source *source, struct ref_spec *spec, const char *text)
{
    enum ref_spec_status status = ref_spec_parse(spec, text);
    const char *refusal;

    if (status != REF_SPEC_OK) {
        ref_say(text, ref_spec_reason(status));
        return false;
    }
    if (spec->generated) {
        *source = (struct ref_source){.name = text, .fd = -1, .len_bytes = spec->len_bytes};
        ref_gen_begin(&source->gen, spec->seed);
        return true;
    }
    if (!ref_source_open_file(source, text))
        return false;
    refusal = file_len_refusal(source->len_bytes);
    if (refusal == NULL)
        return true;
    ref_say(text, refusal);
    ref_source_close(source);
    return false;
}

static bool file_read(struct ref_source *source, unsigned char *to, size_t cap, size_t *got)
{
    ssize_t count;

    do
        count = read(source->fd, to, cap);
    while (count < 0 && errno == EINTR);
    if (count < 0) {
        ref_say_errno(source->name);
        return false;
    }
    source->done_bytes += (uint64_t)count;
    if (source->done_bytes > source->len_bytes || (count == 0 && source->done_bytes < source->len_bytes)) {
        ref_say(source->name, "changed its size while it was read");
        return false;
    }
    *got = (size_t)count;
    return true;
}

bool ref_source_read(struct ref_source *source, unsigned char *to, size_t cap, size_t *got)
{
    uint64_t left = source->len_bytes - source->done_bytes;

    if (source->fd >= 0)
        return file_read(source, to, cap, got);
    *got = left < cap ? (size_t)left : cap;
    ref_gen_take(&source->gen, to, *got);
    source->done_bytes += *got;
    return true;
}

bool ref_source_digest(struct ref_source *source, unsigned char digest[REF_SHA_BYTES])
{
    static unsigned char chunk[REF_CHUNK_BYTES];
    struct ref_sha sha;
    size_t got = 0;
    bool all_read;

    ref_sha_begin(&sha);
    while ((all_read = ref_source_read(source, chunk, sizeof chunk, &got)) && got > 0)
        ref_sha_add(&sha, chunk, got);
    return ref_sha_end(&sha, digest) && all_read;
}

void ref_source_close(struct ref_source *source)
{
    if (source->fd >= 0)
        (void)close(source->fd);
    source->fd = -1;
}
