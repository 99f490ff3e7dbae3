/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "lx.h"
#include "lx_abi.h"

static vmo_status mapped(void *answer, void **at)
{
    if (answer == MAP_FAILED) {
        return errno == EPERM ? VMO_ERR_SEALED : errno == EACCES ? VMO_ERR_RIGHTS : lx_status(errno);
    }
    *at = answer;
    return VMO_OK;
}

/* New writable mappings are refused after PEERS, but the kept one can be doubled: an old size of 0 leaves it
 * where it is. The double is a mapping of its own, and can outlive the kept one. */
static vmo_status map_writable(const struct be_object *object, struct vmo_range range, void **at)
{
    const size_t len = (size_t)range.len_bytes;

    if (object->own.kept) {
        return mapped(mremap((uint8_t *)object->own.kept + range.off_bytes, 0, len, MREMAP_MAYMOVE), at);
    }
    return mapped(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, object->owner, (off_t)range.off_bytes),
                  at);
}

/* Must a view of this file be private, as nobody can write to it and the kernel takes every shared mapping
 * for a writable one? It shows the same pages. */
static bool must_be_private(int file)
{
    const int seals = lx_features() & LX_SHARED_RO ? 0 : fcntl(file, F_GET_SEALS);

    return seals > 0 && (seals & F_SEAL_WRITE);
}

vmo_status be_map(const struct be_object *object, struct vmo_range range, bool writable, void **at,
                  struct vmo_counters *counters)
{
    if (writable) {
        return map_writable(object, range, at);
    }
    const int32_t file = object->owner != BE_NONE ? object->owner : object->alias;
    const bool private = must_be_private(file);
    const int how = private ? MAP_PRIVATE : MAP_SHARED;
    const vmo_status status =
        mapped(mmap(NULL, (size_t)range.len_bytes, PROT_READ, how, file, (off_t)range.off_bytes), at);
    if (status == VMO_OK && private) {
        counters->private_maps++;
    }
    return status;
}

vmo_status be_unmap(void *at, uint64_t bytes)
{
    return munmap(at, (size_t)bytes) == 0 ? VMO_OK : VMO_ERR_BACKEND;
}
