/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into host-ref by its tests, to bring about what a healthy machine will not. SABOTAGE is
 * `<what>:<n>`, and the n-th call (from 1) of that function is tampered with:
 *   rename      renameat answers EIO
 *   terminate   renameat first sends this process SIGTERM, then works
 *   random      RAND_bytes says that it has none
 *   update      EVP_DigestUpdate fails
 *   grow        before this read, one byte is appended to the file named by SABOTAGE_FILE
 *   exchange    before this open, a FIFO takes the place of the file named by SABOTAGE_FILE
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool due(const char *what, int *calls)
{
    const char *order = getenv("SABOTAGE");
    size_t len = strlen(what);

    *calls += 1;
    return order != NULL && strncmp(order, what, len) == 0 && order[len] == ':' &&
           atoi(order + len + 1) == *calls;
}

/* ISO C has no cast from an object pointer to a function pointer, so the bytes are copied. */
static void next_function(const char *name, void *function, size_t len)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL || len != sizeof(found)) {
        exit(99);
    }
    memcpy(function, &found, sizeof(found));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    static int failures;
    static int signals;
    int (*real)(int, const char *, int, const char *);

    next_function("renameat", &real, sizeof(real));
    if (due("terminate", &signals)) {
        (void)raise(SIGTERM);
    }
    if (due("rename", &failures)) {
        errno = EIO;
        return -1;
    }
    return real(from_dir, from, to_dir, to);
}

int RAND_bytes(unsigned char *bytes, int len)
{
    static int calls;
    int (*real)(unsigned char *, int);

    next_function("RAND_bytes", &real, sizeof(real));
    return due("random", &calls) ? 0 : real(bytes, len);
}

int EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
    static int calls;
    int (*real)(EVP_MD_CTX *, const void *, size_t);

    next_function("EVP_DigestUpdate", &real, sizeof(real));
    return due("update", &calls) ? 0 : real(ctx, bytes, len);
}

static void file_grow(const char *path)
{
    FILE *file = path != NULL ? fopen(path, "ab") : NULL;

    if (file == NULL || fputc('+', file) == EOF || fclose(file) != 0) {
        exit(99);
    }
}

ssize_t read(int fd, void *bytes, size_t len)
{
    static int calls;
    ssize_t (*real)(int, void *, size_t);

    next_function("read", &real, sizeof(real));
    if (due("grow", &calls)) {
        file_grow(getenv("SABOTAGE_FILE"));
    }
    return real(fd, bytes, len);
}

static void file_exchange(const char *path)
{
    if (path == NULL || unlink(path) != 0 || mkfifo(path, 0600) != 0) {
        exit(99);
    }
}

int open(const char *path, int flags, ...)
{
    static int calls;
    int (*real)(const char *, int, ...);
    mode_t mode = 0;

    if ((flags & O_CREAT) != 0) {
        va_list more;

        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    next_function("open", &real, sizeof(real));
    if (due("exchange", &calls)) {
        file_exchange(getenv("SABOTAGE_FILE"));
    }
    return real(path, flags, mode);
}
