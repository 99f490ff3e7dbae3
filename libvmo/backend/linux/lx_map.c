/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"

/* True if the process has as many mappings as vm.max_map_count allows. The kernel checks that first: ENOMEM.
 * Otherwise it finds the address in use: EEXIST. */
static bool mappings_are_used_up(void)
{
    static char used;
    const uintptr_t page = (uintptr_t)&used & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    void *at = mmap((void *)page, 1, PROT_NONE, how, -1, 0);

    if (at != MAP_FAILED) { /* before 4.17 the address is a hint */
        lx_unmap_quiet(at, 1);
        return false;
    }
    return errno == ENOMEM;
}

vmo_status lx_map_status(int error)
{
    return error == ENOMEM && mappings_are_used_up() ? VMO_ERR_NO_SLOTS : lx_status(error);
}

/* Only a writable mapping is refused for the file's seals and the descriptor's mode. */
static vmo_status mapped(void *answer, int protection, void **at)
{
    if (answer != MAP_FAILED) {
        *at = answer;
        return VMO_OK;
    }
    if (protection & PROT_WRITE && (errno == EPERM || errno == EACCES)) {
        return errno == EPERM ? VMO_ERR_SEALED : VMO_ERR_RIGHTS;
    }
    return lx_map_status(errno);
}

/* A child that inherited a mapping made through a writable description could write, and would forbid a
 * FOREVER seal. A child that another thread forks between the two calls still inherits it. */
vmo_status lx_map_unshared(int file, struct vmo_range range, int protection, void **at)
{
    const size_t len = (size_t)range.len_bytes;
    void *made = mmap(NULL, len, protection, MAP_SHARED, file, (off_t)range.off_bytes);

    if (made != MAP_FAILED && madvise(made, len, MADV_DONTFORK) != 0) {
        const vmo_status status = lx_map_status(errno);
        lx_unmap_quiet(made, len);
        return status;
    }
    return mapped(made, protection, at);
}

/* After PEERS the kernel refuses new writable mappings, but mremap with an old size of 0 duplicates the kept
 * one, and a fork inherits neither. The duplicate may outlive the kept one. mremap wants room for three more
 * mappings than mmap: if not even one page can be duplicated, their number is the reason. */
static vmo_status duplicate_kept(uint8_t *kept, struct vmo_range range, void **at)
{
    void *made = mremap(kept + range.off_bytes, 0, (size_t)range.len_bytes, MREMAP_MAYMOVE);

    if (made == MAP_FAILED && errno == ENOMEM) {
        void *page = mremap(kept, 0, 1, MREMAP_MAYMOVE);
        if (page == MAP_FAILED) {
            return VMO_ERR_NO_SLOTS;
        }
        lx_unmap_quiet(page, 1);
        return VMO_ERR_NO_MEMORY;
    }
    return mapped(made, PROT_READ | PROT_WRITE, at);
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
        return object->own.kept != NULL ? duplicate_kept(object->own.kept, range, at)
                                        : lx_map_unshared(object->owner, range, PROT_READ | PROT_WRITE, at);
    }
    if (object->alias == BE_NONE) {
        return lx_map_unshared(object->owner, range, PROT_READ, at);
    }
    const bool private = must_be_private(object->alias);
    const int how = private ? MAP_PRIVATE : MAP_SHARED;
    const vmo_status status =
        mapped(mmap(NULL, (size_t)range.len_bytes, PROT_READ, how, object->alias, (off_t)range.off_bytes),
               PROT_READ, at);
    if (status == VMO_OK && private) {
        counters->private_maps++;
    }
    return status;
}

vmo_status be_unmap(void *at, uint64_t bytes)
{
    return munmap(at, (size_t)bytes) == 0 ? VMO_OK : lx_map_status(errno);
}
