/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ref.h"

static void regular_check(const char *path, mode_t mode)
{
    require(!S_ISDIR(mode), path, "is a directory; name a regular file");
    require(!S_ISFIFO(mode), path, "is a FIFO; name a regular file");
    require(S_ISREG(mode), path, "is not a regular file; name one");
}

/*
 * Checks before it opens, so that no FIFO or device can block it or be changed by it. The second
 * check, and O_NONBLOCK, are for a file that was exchanged in between.
 */
static int regular_open(const char *path, uint64_t *size)
{
    struct stat info;
    int fd;

    require_errno(stat(path, &info) == 0, path);
    regular_check(path, info.st_mode);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    require_errno(fd >= 0 && fstat(fd, &info) == 0, path);
    regular_check(path, info.st_mode);
    *size = (uint64_t)info.st_size;
    return fd;
}

static void size_check(const char *path, uint64_t size, uint64_t len)
{
    require(len == size, path,
            "changed its size while it was read, or reports a false one as /proc does; use a copy");
}

uint64_t file_read(const char *path, void *to, size_t max)
{
    uint64_t size;
    int fd = regular_open(path, &size);
    size_t len = 0;
    ssize_t got = 1;

    while (size <= max && len <= size && got > 0) {
        got = read(fd, (char *)to + len, size + 1 - len);
        require_errno(got >= 0, path);
        len += (size_t)got;
    }
    (void)close(fd);
    size_check(path, size, size <= max ? len : size);
    return size;
}

void file_hash(struct bytes32 *digest, const char *path)
{
    uint64_t size;
    int fd = regular_open(path, &size);

    if (!stream_hash(digest, fd, path)) {
        exit(REFUSED);
    }
    size_check(path, size, (uint64_t)lseek(fd, 0, SEEK_CUR));
    (void)close(fd);
}

/* strtoull alone would accept blanks, signs and other prefixes. */
static bool is_number(const char *from, const char *digits, char end)
{
    size_t len = strspn(from, digits);

    return len > 0 && from[len] == end;
}

/* A number that needs more than 64 bits reads as ULLONG_MAX, with ERANGE. */
static void spec_parse(struct payload *payload, const char *spec)
{
    const char *seed = spec + strlen("gen:");
    const char *colon = strchr(seed, ':');
    bool hex = strncmp(seed, "0x", 2) == 0;

    require(colon != NULL && strchr(colon + 1, ':') == NULL, spec,
            "a generated payload is written gen:<seed>:<len>");
    seed += hex ? 2 : 0;
    require(is_number(seed, hex ? "0123456789abcdefABCDEF" : "0123456789", ':'), spec,
            "the seed must be decimal digits, or 0x and hex digits");
    errno = 0;
    payload->seed = strtoull(seed, NULL, hex ? 16 : 10);
    require(errno != ERANGE, spec, "the seed must fit into 64 bits");
    require(is_number(colon + 1, "0123456789", '\0'), spec, "the length must be decimal digits");
    payload->len = strtoull(colon + 1, NULL, 10);
    require(payload->len > 0, spec, "the length must be at least 1 byte");
    require(payload->len <= GEN_BYTES_MAX, spec, "the length is over the limit of 67108864 bytes");
}

/* SplitMix64, as docs/testing/payload.md defines it. */
static void generate(unsigned char *to, size_t len, uint64_t state)
{
    uint64_t z = 0;

    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0) {
            state += UINT64_C(0x9E3779B97F4A7C15);
            z = (state ^ (state >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
            z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
            z ^= z >> 31;
        }
        to[i] = (unsigned char)(z >> (8 * (i % 8)));
    }
}

void payload_load(struct payload *payload, const char *spec)
{
    payload->generated = strncmp(spec, "gen:", strlen("gen:")) == 0;
    if (payload->generated) {
        spec_parse(payload, spec);
        generate(payload->bytes, payload->len, payload->seed);
        return;
    }
    payload->seed = 0;
    payload->len = file_read(spec, payload->bytes, FILE_BYTES_MAX);
    require(payload->len > 0, spec, "the payload is empty; it needs at least 1 byte");
    require(payload->len <= FILE_BYTES_MAX, spec, "the payload is over the limit of 1048576 bytes");
}
