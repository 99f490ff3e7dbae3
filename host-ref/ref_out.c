/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "ref_out.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ref_say.h"

static void signals_hold(sigset_t *before)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &held, before);
}

/* A random suffix keeps two runs, and the leavings of a killed one, from meeting. */
static bool suffix_draw(char suffix[17])
{
    unsigned char drawn[8];

    if (RAND_bytes(drawn, sizeof drawn) != 1) {
        ref_say("OpenSSL", "no random bytes");
        return false;
    }
    for (size_t i = 0; i < sizeof drawn; i++)
        (void)snprintf(suffix + 2 * i, 3, "%02x", (unsigned)drawn[i]);
    return true;
}

bool ref_out_begin(struct ref_out *out, const char *dir)
{
    *out = (struct ref_out){.dir = dir, .dir_fd = -1};
    if (!suffix_draw(out->suffix))
        return false;
    signals_hold(&out->signals_before);
    out->dir_made = mkdir(dir, 0777) == 0;
    if (out->dir_made || errno == EEXIST)
        out->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->dir_fd >= 0)
        return true;
    ref_say_errno(dir);
    ref_out_abandon(out);
    return false;
}

static bool way_is_clear(const struct ref_out *out, const char *name)
{
    struct stat info;

    if (fstatat(out->dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISREG(info.st_mode))
            return true;
        ref_say(name, "cannot be replaced: it exists and is not a regular file");
        return false;
    }
    if (errno == ENOENT)
        return true;
    ref_say_errno(name);
    return false;
}

static bool names_make(struct ref_out_file *file, const char *name, const char *suffix)
{
    int len = snprintf(file->temporary, sizeof file->temporary, ".%s.%s.tmp", name, suffix);

    (void)snprintf(file->former, sizeof file->former, ".%s.%s.old", name, suffix);
    return len > 0 && (size_t)len < sizeof file->temporary;
}

FILE *ref_out_add(struct ref_out *out, const char *name)
{
    struct ref_out_file *file;
    int fd;

    if (out->count == REF_OUT_FILES_MAX) {
        ref_say(name, "one file too many for this set");
        return NULL;
    }
    file = &out->files[out->count];
    *file = (struct ref_out_file){.name = name};
    if (!names_make(file, name, out->suffix)) {
        ref_say(name, "the file's name is too long");
        return NULL;
    }
    if (!way_is_clear(out, name))
        return NULL;
    fd = openat(out->dir_fd, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        ref_say_errno(out->dir);
        return NULL;
    }
    out->count++;
    file->stream = fdopen(fd, "wb");
    if (file->stream == NULL) {
        ref_say_errno(name);
        (void)close(fd);
    }
    return file->stream;
}

bool ref_out_write(const struct ref_out *out, FILE *stream, const void *bytes, size_t len)
{
    if (fwrite(bytes, 1, len, stream) == len)
        return true;
    ref_say_errno(out->dir);
    return false;
}

static bool file_finish(struct ref_out_file *file)
{
    bool lost = ferror(file->stream) != 0;

    errno = 0;
    if (fclose(file->stream) != 0)
        lost = true;
    file->stream = NULL;
    if (lost)
        ref_say(file->name, errno != 0 ? strerror(errno) : "not all of it could be written");
    return !lost;
}

static void let_go(struct ref_out *out)
{
    if (out->dir_fd >= 0)
        (void)close(out->dir_fd);
    out->dir_fd = -1;
    (void)sigprocmask(SIG_SETMASK, &out->signals_before, NULL);
}

static bool file_place(const struct ref_out *out, struct ref_out_file *file)
{
    file->replaced = renameat(out->dir_fd, file->name, out->dir_fd, file->former) == 0;
    if (file->replaced || errno == ENOENT)
        file->placed = renameat(out->dir_fd, file->temporary, out->dir_fd, file->name) == 0;
    if (!file->placed)
        ref_say_errno(file->name);
    return file->placed;
}

bool ref_out_commit(struct ref_out *out)
{
    bool good = true;

    for (size_t i = 0; good && i < out->count; i++)
        good = file_finish(&out->files[i]);
    for (size_t i = 0; good && i < out->count; i++)
        good = file_place(out, &out->files[i]);
    if (!good) {
        ref_out_abandon(out);
        return false;
    }
    for (size_t i = 0; i < out->count; i++)
        if (out->files[i].replaced)
            (void)unlinkat(out->dir_fd, out->files[i].former, 0);
    let_go(out);
    return true;
}

void ref_out_abandon(struct ref_out *out)
{
    for (size_t i = 0; i < out->count; i++) {
        struct ref_out_file *file = &out->files[i];

        if (file->stream != NULL)
            (void)fclose(file->stream);
        file->stream = NULL;
        (void)unlinkat(out->dir_fd, file->placed ? file->name : file->temporary, 0);
        if (file->replaced)
            (void)renameat(out->dir_fd, file->former, out->dir_fd, file->name);
    }
    if (out->dir_made)
        (void)rmdir(out->dir);
    let_go(out);
}
