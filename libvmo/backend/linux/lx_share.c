/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-overs: the open file descriptions that peers get. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lx.h"

#define OWNER_ONLY 0600

/* ---- Descriptions ------------------------------------------------------------------------------- */

/* The path may lead to another file if /proc is not the real one. Sets *inode if it does not. */
static bool same_file(int a, int b, uint64_t *inode)
{
    struct stat first;
    struct stat second;
    const bool same = fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
                      first.st_ino == second.st_ino;

    *inode = same ? first.st_ino : *inode;
    return same;
}

static vmo_status refusal_of_open(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return lx_status(error);
    case EAGAIN: /* a peer holds a lease */
        return VMO_ERR_BUSY;
    default: /* no /proc, or the file belongs to another user */
        return VMO_ERR_UNSUPPORTED;
    }
}

vmo_status lx_reopen(int file, int how, int32_t *out, uint64_t *inode)
{
    char name[64];
    int made = -1;

    (void)snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", file);
    do {
        made = lx_above_stdio(open(name, how | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    } while (made < 0 && errno == EINTR);
    if (made < 0) {
        return refusal_of_open(errno);
    }
    if (!same_file(file, made, inode)) {
        lx_close_quiet(made);
        return VMO_ERR_UNSUPPORTED;
    }
    *out = made;
    return VMO_OK;
}

/* Opens the readers' description. First denies the file to other users, who could reopen it for writing
 * through that description. */
static vmo_status make_alias(struct be_object *object)
{
    if (fchmod(object->owner, OWNER_ONLY) != 0) {
        return lx_status(errno);
    }
    return lx_reopen(object->owner, O_RDONLY, &object->alias, &object->own.inode);
}

static vmo_status for_reader(struct be_object *object, struct lx_grant *out)
{
    vmo_status status = VMO_OK;

    if (object->alias == BE_NONE) {
        status = make_alias(object);
        out->new_alias = status == VMO_OK;
    }
    out->descriptor = object->alias;
    return status;
}

/* A peer of the same user may have changed the file's mode. */
static vmo_status for_writer(struct be_object *object, struct lx_grant *out)
{
    vmo_status status = lx_reopen(object->owner, O_RDWR, &out->descriptor, &object->own.inode);

    if (status == VMO_ERR_UNSUPPORTED && fchmod(object->owner, OWNER_ONLY) == 0) {
        status = lx_reopen(object->owner, O_RDWR, &out->descriptor, &object->own.inode);
    }
    out->for_once = status == VMO_OK;
    return status;
}

/* ---- Hand-overs --------------------------------------------------------------------------------- */

vmo_status lx_grant(struct be_object *object, bool writable, bool may_share_owner, struct lx_grant *out)
{
    if (object->own.unfinished) {
        const vmo_status status = lx_finish_seal(object);
        if (status != VMO_OK) {
            return status;
        }
    }
    *out = (struct lx_grant){.descriptor = object->alias};
    if (object->owner == BE_NONE) {
        return VMO_OK;
    }
    vmo_status status = writable ? for_writer(object, out) : for_reader(object, out);
    const bool shares = status == VMO_ERR_UNSUPPORTED && may_share_owner;
    if (shares) {
        out->descriptor = object->owner;
        status = VMO_OK;
    }
    /* After PEERS nobody can make a writable mapping. */
    out->exposes = object->own.kept == NULL && (shares || !(lx_features() & LX_LEASES));
    return status;
}

void lx_grant_end(struct be_object *object, const struct lx_grant *grant, bool sent)
{
    if (grant->for_once) {
        lx_close_quiet(grant->descriptor);
    }
    if (grant->new_alias && !sent) {
        lx_close_quiet(object->alias);
        object->alias = BE_NONE;
    }
    object->own.exposed = object->own.exposed || (grant->exposes && sent);
}
