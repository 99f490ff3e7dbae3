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

/* After PEERS the kernel refuses new writable mappings, but mremap with an old size of 0 duplicates the kept
 * one. The duplicate may outlive the kept one. */
static vmo_status map_writable(const struct be_object *object, struct vmo_range range, void **at)
{
    const size_t len = (size_t)range.len_bytes;

    if (object->own.kept != NULL) {
        return mapped(mremap((uint8_t *)object->own.kept + range.off_bytes, 0, len, MREMAP_MAYMOVE), at);
    }
    return mapped(mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, object->owner, (off_t)range.off_bytes),
                  at);
}

/* True if the kernel refuses shared mappings of this write-sealed file (before 6.7). A private one shows the
 * same pages. */
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
