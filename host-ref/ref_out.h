/* SPDX-License-Identifier: Apache-2.0 */
/* A set of files that appears in a folder as a whole, or not at all. Includers define _POSIX_C_SOURCE, for
 * sigset_t. */
#ifndef REF_OUT_H
#define REF_OUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REF_OUT_FILES_MAX 8
#define REF_OUT_NAME_CHARS 48

struct ref_out_file {
    const char *name;
    char temporary[REF_OUT_NAME_CHARS]; /* what it is called until the commit */
    char former[REF_OUT_NAME_CHARS];    /* what an older file of that name is called meanwhile */
    FILE *stream;                       /* NULL once closed */
    bool placed;                        /* it bears its final name */
    bool replaced;                      /* there was an older file, and it is `former` now */
};

struct ref_out {
    const char *dir;
    int dir_fd;
    bool dir_made; /* by us, so it goes again on a failure */
    char suffix[17];
    sigset_t signals_before;
    size_t count;
    struct ref_out_file files[REF_OUT_FILES_MAX];
};

/*
 * Opens `dir`, making it if it is missing (its parent must exist). True: ref_out_commit or
 * ref_out_abandon is owed, and until then SIGINT, SIGTERM and SIGHUP wait, so that being stopped
 * leaves nothing behind. False: one line was said and nothing is held.
 */
bool ref_out_begin(struct ref_out *out, const char *dir);

/*
 * A new file of the set, to be written through its stream. NULL, with one line said, if it cannot be
 * made, or if something that is not a regular file bears its name. The stream stays the set's.
 */
FILE *ref_out_add(struct ref_out *out, const char *name);

/* Writes to a stream of the set; false, with one line said, if not all of it was taken. */
bool ref_out_write(const struct ref_out *out, FILE *stream, const void *bytes, size_t len);

/* Flushes, closes and renames every file. False, with one line said: the set was abandoned instead. */
bool ref_out_commit(struct ref_out *out);

/* Removes every file of the set, gives older ones their names back, and removes the folder if it is new. */
void ref_out_abandon(struct ref_out *out);

#endif
