/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file is written under a hidden name. Once all are complete, each older file is renamed to a
 * hidden name, and the new one to its own. The exit handler completes that, or undoes it.
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ref.h"

#define FILE_COUNT (sizeof(files) / sizeof(files[0]))

static const char *const files[] = {"payload.bin", "blob.bin",  "page.bin",     "digest",
                                    "page.digest", "challenge", "payload_spec", "expected.h"};

/* The folder, and how far its files have come. */
static struct {
    const char *dir;
    int fd;
    bool made;             /* by this process, so that undoing removes it */
    struct bytes32 suffix; /* random, so that two runs, or what a killed one left, cannot collide */
    size_t placed;         /* this many of the files bear their final names */
    sigset_t signals_before;
} out = {.fd = -1};

/* `kind` is tmp for a new file until it is placed, old for an older one until all are placed. */
static const char *hidden(const char *name, const char *kind)
{
    static char text[64];

    (void)snprintf(text, sizeof(text), ".%s.%.16s.%s", name, out.suffix.hex, kind);
    return text;
}

/* The exit handler. Of the names that it tries, some do not exist; those calls do nothing. */
static void out_end(void)
{
    bool all_placed = out.placed == FILE_COUNT;

    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (all_placed) {
            (void)unlinkat(out.fd, hidden(files[i], "old"), 0);
        } else {
            (void)unlinkat(out.fd, i < out.placed ? files[i] : hidden(files[i], "tmp"), 0);
            (void)renameat(out.fd, hidden(files[i], "old"), out.fd, files[i]);
        }
    }
    if (out.made && !all_placed) {
        (void)rmdir(out.dir);
    }
    (void)sigprocmask(SIG_SETMASK, &out.signals_before, NULL);
}

/* SIGINT, SIGTERM and SIGHUP wait until out_end, so that being stopped leaves nothing behind. */
static void out_begin(const char *dir)
{
    sigset_t held;

    out.dir = dir;
    random_draw(&out.suffix);
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &held, &out.signals_before);
    require(atexit(out_end) == 0, dir, "out of memory");
    out.made = mkdir(dir, 0777) == 0;
    require_errno(out.made || errno == EEXIST, dir);
    out.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require_errno(out.fd >= 0, dir);
}

static void file_place(const char *name)
{
    bool moved = renameat(out.fd, name, out.fd, hidden(name, "old")) == 0;

    require_errno(moved || errno == ENOENT, name);
    require_errno(renameat(out.fd, hidden(name, "tmp"), out.fd, name) == 0, name);
    out.placed++;
}

static FILE *file_open(const char *name)
{
    struct stat info;
    bool exists = fstatat(out.fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    FILE *to;
    int fd;

    require_errno(exists || errno == ENOENT, name);
    require(!exists || S_ISREG(info.st_mode), name,
            "cannot be replaced: it exists and is not a regular file; remove it");
    fd = openat(out.fd, hidden(name, "tmp"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    to = fd >= 0 ? fdopen(fd, "wb") : NULL;
    require_errno(to != NULL, out.dir);
    return to;
}

static void file_write(const char *name, const void *bytes, size_t len, const char *end)
{
    FILE *to = file_open(name);

    fwrite(bytes, 1, len, to);
    fputs(end, to);
    require_errno(ferror(to) == 0 && fclose(to) == 0, out.dir);
}

static void array_print(FILE *to, const char *name, const struct bytes32 *bytes)
{
    fprintf(to, "\nstatic const unsigned char %s[%zu] = {", name, sizeof(bytes->raw));
    for (size_t i = 0; i < sizeof(bytes->raw); i++) {
        fprintf(to, "%s0x%02x,", i % 8 == 0 ? "\n    " : " ", (unsigned)bytes->raw[i]);
    }
    fputs("\n};\n", to);
}

static void header_write(const struct payload *payload, const struct bytes32 *challenge,
                         const struct bytes32 *digest, const struct bytes32 *page_digest)
{
    FILE *to = file_open("expected.h");

    fprintf(to,
            "/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* Written by host-ref for one run: what the producer shares and expects "
            "(docs/testing/payload.md). */\n"
            "#ifndef PAYLOAD_EXPECTED_H\n"
            "#define PAYLOAD_EXPECTED_H\n\n"
            "#define PAYLOAD_KIND %d /* 1: the file in payload.bin, 2: generated */\n"
            "#define PAYLOAD_LEN_BYTES %zu /* without the challenge */\n"
            "#define PAYLOAD_SEED 0x%016" PRIx64 "ULL\n",
            payload->generated ? 2 : 1, payload->len, payload->seed);
    array_print(to, "expected_challenge", challenge);
    array_print(to, "expected_digest", digest);
    array_print(to, "expected_page_digest", page_digest);
    fputs("\n#endif\n", to);
    require_errno(ferror(to) == 0 && fclose(to) == 0, out.dir);
}

void run_write(const char *dir, const char *spec, const char *fixed)
{
    static struct payload payload;
    struct bytes32 challenge;
    struct bytes32 digest;
    struct bytes32 page_digest;
    unsigned char page[128 * CHALLENGE_BYTES];

    random_draw(&challenge);
    require(fixed == NULL || hex_read(&challenge, fixed), "--challenge", "needs 64 hex digits");
    payload_load(&payload, spec);
    sha256(&digest, payload.bytes, payload.len, challenge.raw, CHALLENGE_BYTES);
    memcpy(payload.bytes + payload.len, challenge.raw, CHALLENGE_BYTES);
    for (size_t at = 0; at < sizeof(page); at += CHALLENGE_BYTES) {
        memcpy(page + at, challenge.raw, CHALLENGE_BYTES);
    }
    sha256(&page_digest, page, sizeof(page), NULL, 0);
    out_begin(dir);
    file_write("payload.bin", payload.bytes, payload.generated ? 0 : payload.len, "");
    file_write("blob.bin", payload.bytes, payload.len + CHALLENGE_BYTES, "");
    file_write("page.bin", page, sizeof(page), "");
    file_write("digest", digest.hex, strlen(digest.hex), "\n");
    file_write("page.digest", page_digest.hex, strlen(page_digest.hex), "\n");
    file_write("challenge", challenge.hex, strlen(challenge.hex), "\n");
    file_write("payload_spec", spec, strlen(spec), "\n");
    header_write(&payload, &challenge, &digest, &page_digest);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        file_place(files[i]);
    }
}
