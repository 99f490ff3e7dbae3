/* SPDX-License-Identifier: Apache-2.0 */
/* VMO seals, as file seals that the kernel enforces. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "lx.h"
#include "lx_abi.h"

/* How long a refused FOREVER seal is retried. */
#define RETRY_NS UINT64_C(50000000)
#define FIRST_PAUSE_NS 50000L

vmo_status be_make_alias(struct be_object *object)
{
    (void)object;
    return VMO_ERR_UNSUPPORTED; /* lx_grant makes it at the first hand-over that needs it */
}

/* ---- File seals --------------------------------------------------------------------------------- */

vmo_status lx_add_seals(int file, int seals)
{
    if (fcntl(file, F_ADD_SEALS, seals) == 0) {
        return VMO_OK;
    }
    return errno == EBUSY ? VMO_ERR_BUSY : errno == EPERM ? VMO_ERR_SEALED : lx_status(errno);
}

static bool has_seals(int file, int seals)
{
    const int found = fcntl(file, F_GET_SEALS);

    return found >= 0 && (found & seals) == seals;
}

/* Adds the seals of FOREVER. Another process may have added them already. */
static vmo_status try_forever(int file)
{
    const vmo_status status = lx_add_seals(file, F_SEAL_WRITE | F_SEAL_SEAL);

    return status == VMO_ERR_SEALED && has_seals(file, F_SEAL_WRITE | F_SEAL_SEAL) ? VMO_OK : status;
}

/* Retries for a while: a child that another thread forked between mmap and madvise has a writable mapping
 * until it calls exec or ends. */
static vmo_status add_forever(int file)
{
    struct timespec pause = {.tv_nsec = FIRST_PAUSE_NS};
    vmo_status status = try_forever(file);

    if (status != VMO_ERR_BUSY) {
        return status;
    }
    const uint64_t start = be_now_ns();
    while (status == VMO_ERR_BUSY && be_now_ns() - start < RETRY_NS) {
        (void)nanosleep(&pause, NULL); /* a signal shortens one pause */
        pause.tv_nsec *= 2;
        status = try_forever(file);
    }
    return status;
}

/* ---- PEERS -------------------------------------------------------------------------------------- */

/* Takes a read lease: while it lasts, nobody can open the file for writing. BUSY: another process can write,
 * through its own open file description or a mapping made through one. UNSUPPORTED: this kernel or system
 * cannot show that. If a process tries to open the file, the kernel sends SIGURG, which is ignored by
 * default; its default, SIGIO, would end the program. */
static vmo_status hold_lease(int file)
{
    if (!(lx_features() & LX_LEASES)) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (fcntl(file, F_SETSIG, SIGURG) == 0 && fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
        return VMO_OK;
    }
    switch (errno) {
    case EBADF:
        return lx_status(errno);
    case EAGAIN:
        return VMO_ERR_BUSY;
    case ENOMEM:
    case ENOLCK:
        return VMO_ERR_NO_MEMORY;
    default: /* the program changed its user, or fs.leases-enable is 0 */
        return VMO_ERR_UNSUPPORTED;
    }
}

/* Adds F_SEAL_FUTURE_WRITE, after which nobody can make a writable mapping. A lease during the call shows
 * that no other process has one. Sets *exposed if a peer may have one nevertheless. */
static vmo_status forbid_new_writers(const struct be_object *object, bool *exposed)
{
    const vmo_status leased = hold_lease(object->owner);

    if (leased != VMO_OK && leased != VMO_ERR_UNSUPPORTED) {
        return leased;
    }
    const vmo_status status = lx_add_seals(object->owner, F_SEAL_FUTURE_WRITE);
    if (leased == VMO_OK) {
        (void)fcntl(object->owner, F_SETLEASE, F_UNLCK);
    }
    *exposed = object->own.exposed || (leased != VMO_OK && object->alias != BE_NONE);
    return status;
}

/* The creator goes on writing through the mapping that it has, or through one that is made just before. */
static vmo_status seal_peers(struct be_object *object, void *writable, vmo_enforcer *by)
{
    const struct vmo_range whole = {0, object->own.size_bytes};
    void *kept = writable;
    bool exposed = false;
    vmo_status status = VMO_OK;

    if (!(lx_features() & LX_PEERS_SEAL)) {
        *by = VMO_BY_LIBRARY;
        return VMO_OK;
    }
    if (kept == NULL) {
        status = lx_map_unshared(object->owner, whole, PROT_READ | PROT_WRITE, &kept);
    }
    if (status != VMO_OK) {
        return status;
    }
    status = forbid_new_writers(object, &exposed);
    if (status != VMO_OK) {
        if (kept != writable) {
            lx_unmap_quiet(kept, whole.len_bytes);
        }
        return status;
    }
    object->own.kept = kept;
    object->own.exposed = exposed;
    *by = exposed ? VMO_BY_LIBRARY : VMO_BY_KERNEL;
    return VMO_OK;
}

void *be_kept_at(const struct be_object *object)
{
    return object->own.kept;
}

void be_set_kept(struct be_object *object, void *at)
{
    object->own.kept = at;
}

vmo_status lx_drop_kept(struct be_object *object)
{
    if (object->own.kept != NULL && munmap(object->own.kept, (size_t)object->own.size_bytes) != 0) {
        return lx_map_status(errno);
    }
    object->own.kept = NULL;
    return VMO_OK;
}

/* The creator gives up writing. A mapping from an earlier PEERS seal goes. */
static vmo_status seal_without_writer(struct be_object *object, vmo_enforcer *by)
{
    bool exposed = object->own.exposed;

    if (!(lx_features() & LX_PEERS_SEAL)) {
        *by = VMO_BY_LIBRARY;
        return VMO_OK;
    }
    const vmo_status status =
        object->own.kept != NULL ? lx_drop_kept(object) : forbid_new_writers(object, &exposed);
    if (status != VMO_OK) {
        return status;
    }
    object->own.exposed = exposed;
    *by = exposed ? VMO_BY_LIBRARY : VMO_BY_KERNEL;
    return VMO_OK;
}

/* ---- FOREVER ------------------------------------------------------------------------------------ */

/* Turns the owner into an alias: the file is sealed. */
static void become_reader(struct be_object *object)
{
    if (object->alias == BE_NONE) {
        object->alias = object->owner;
    } else {
        lx_close_quiet(object->owner);
    }
    object->owner = BE_NONE;
    object->own.exposed = false;
    object->own.unfinished = false;
}

/* The kernel refuses while any process has a writable mapping, so the mapping that PEERS keeps must go first,
 * and cannot be made again. Foreseeable refusals come before that. PEERS showed that no other process has a
 * writable mapping, so the kernel can then refuse only for pages that a device or pipe still uses. No process
 * can write any more: the seal succeeds, and the library enforces it until lx_finish_seal succeeds. */
static vmo_status seal_forever_after_peers(struct be_object *object, vmo_enforcer *by)
{
    if (object->own.exposed) {
        return VMO_ERR_BUSY;
    }
    if (has_seals(object->owner, F_SEAL_SEAL)) {
        return VMO_ERR_SEALED;
    }
    const vmo_status status = lx_drop_kept(object);
    if (status != VMO_OK) {
        return status;
    }
    if (add_forever(object->owner) == VMO_OK) {
        become_reader(object);
        *by = VMO_BY_KERNEL;
    } else {
        object->own.unfinished = true;
        *by = VMO_BY_LIBRARY;
    }
    return VMO_OK;
}

vmo_status lx_finish_seal(struct be_object *object)
{
    const vmo_status status = try_forever(object->owner);

    if (status == VMO_OK) {
        become_reader(object);
    }
    return status;
}

vmo_status be_seal(struct be_object *object, vmo_seal_strength strength, const struct be_writer *writer,
                   vmo_enforcer *by)
{
    if (strength == VMO_SEAL_PEERS) {
        return writer->none ? seal_without_writer(object, by) : seal_peers(object, writer->at, by);
    }
    if (object->own.kept != NULL) {
        return seal_forever_after_peers(object, by);
    }
    const vmo_status status = add_forever(object->owner);
    if (status == VMO_OK) {
        become_reader(object);
        *by = VMO_BY_KERNEL;
    }
    return status;
}
