/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a memfd. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lx.h"

#define BEFORE "/memfd:"
#define AFTER " (deleted)"

/* The kernel alone keeps the name and shows it as the target of the descriptor's link. */
void be_name(const struct be_object *object, char name[VMO_NAME_MAX_BYTES + 1])
{
    const size_t before = strlen(BEFORE);
    const size_t after = strlen(AFTER);
    char path[64];
    char link[sizeof(BEFORE AFTER) +
              VMO_NAME_MAX_BYTES]; /* a byte more than the longest, to see a longer one */

    name[0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", lx_reader(object));
    const ssize_t got = readlink(path, link, sizeof(link));
    const size_t len = got > 0 ? (size_t)got : 0;
    if (len < before + after || len == sizeof(link) || memcmp(link, BEFORE, before) != 0 ||
        memcmp(link + len - after, AFTER, after) != 0) {
        return;
    }
    memcpy(name, link + before, len - before - after);
    name[len - before - after] = '\0';
}
