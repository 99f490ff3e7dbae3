/* SPDX-License-Identifier: Apache-2.0 */
/* Stories about descriptors: import and export. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linux/errno/errno_stories.h"

static vmo_t imported;

/* Imports a descriptor into the other registry, and closes it. */
static void import(int fd, uint32_t rights, uint32_t flags)
{
    const struct vmo_import_options options = {.rights = rights, .flags = flags};

    STEP(vmo_import_fd, world.b, fd, &options, &imported);
    DEMAND(holds_pattern(world.b, imported));
    if (rights & VMO_RIGHT_WRITE) {
        STEP(vmo_write, world.b, imported, RANGE(3, 2), pattern() + 3);
    }
    DEMAND(close(fd) == 0);
}

/* A VMO in two registries of one process. */
static void exported(uint32_t rights)
{
    const vmo_t vmo = filled();
    int fd = -1;

    STEP(vmo_export_fd, world.a, vmo, rights, &fd);
    DEMAND(fd > STDERR_FILENO);
    import(fd, rights, 0);
    STEP(vmo_close, world.a, vmo);
    DEMAND(holds_pattern(world.b, imported));
    STEP(vmo_close, world.b, imported);
}

static void exported_to_read(void)
{
    exported(VMO_RIGHT_READ);
}

static void exported_to_write(void)
{
    exported(VMO_RIGHTS_ALL);
}

static void exported_sealed(void)
{
    int fd = -1;

    sealing = filled();
    SURE(vmo_seal(world.a, sealing, VMO_SEAL_FOREVER));
    STEP(vmo_export_fd, world.a, sealing, VMO_RIGHT_READ, &fd);
    import(fd, VMO_RIGHT_READ, 0);
    STEP(vmo_close, world.b, imported);
    STEP(vmo_close, world.a, sealing);
}

/* A file whose length its holders can change. */
static void resizable(void)
{
    const int fd = fcntl(memfd_create("foreign", MFD_CLOEXEC), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    DEMAND(fd >= 0 && write(fd, pattern(), LEN) == LEN);
    import(fd, VMO_RIGHTS_ALL, VMO_IMPORT_RESIZABLE);
    STEP(vmo_close, world.b, imported);
    DEMAND(close(fd - 1) == 0);
}

static const struct story stories[] = {
    {"exported to read", exported_to_read, false, 0},
    {"exported to write", exported_to_write, false, 0},
    {"exported sealed", exported_sealed, false, 0},
    {"a resizable import", resizable, false, 0},
};
const struct story_group descriptor_stories = STORY_GROUP(stories);
