/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the port to Linux that does not depend on the peer being a process or a thread. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "conformance/conf.h"

void conf_port_between(void) {}

bool conf_port_bad_program(uint32_t i, struct vmo_program *out)
{
    (void)i, (void)out;
    return false; /* no kernel loads programs here */
}

void conf_port_yield(void)
{
    (void)sched_yield(); /* never fails on Linux */
}

int conf_port_file(const void *bytes, size_t len)
{
    FILE *stream = tmpfile();

    if (stream == NULL) {
        return -1;
    }
    const bool written = fwrite(bytes, 1, len, stream) == len && fflush(stream) == 0;
    const int file = written ? fcntl(fileno(stream), F_DUPFD_CLOEXEC, 0) : -1;
    (void)fclose(stream);
    return file;
}

void conf_port_truncate(int file, size_t len)
{
    CHECK(ftruncate(file, (off_t)len) == 0);
}

void conf_port_close_file(int file)
{
    (void)close(file);
}
