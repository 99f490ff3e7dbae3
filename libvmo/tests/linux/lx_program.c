/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "lx_program.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct vmo_program program;

bool program_load(char *self)
{
    char path[4096];
    struct stat seen;

    (void)snprintf(path, sizeof(path), "%s/lx_child", dirname(self));
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &seen) != 0) {
        perror(path);
        return false;
    }
    void *at = mmap(NULL, (size_t)seen.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    (void)close(file);
    program = (struct vmo_program){at, (size_t)seen.st_size, 16};
    return at != MAP_FAILED;
}

vmo_peer_t spawned(const char *part)
{
    vmo_peer_t peer = {0};

    assert_int_equal(setenv("LX_CHILD", part, 1), 0);
    assert_ok(vmo_peer_spawn(rig.registry, &program, &peer));
    return peer;
}

int32_t waited_for(vmo_peer_t peer)
{
    int32_t status = 4711;

    assert_ok(vmo_peer_wait(rig.registry, peer, soon(), &status));
    return status;
}

uint32_t reply_tag(vmo_peer_t peer)
{
    struct vmo_incoming in;

    assert_ok(vmo_recv(rig.registry, peer, &in, soon()));
    return in.tag;
}
