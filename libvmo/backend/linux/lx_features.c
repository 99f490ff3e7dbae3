/* SPDX-License-Identifier: Apache-2.0 */
/* Feature probing, errno to status, descriptors. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"

#define PROBED (UINT32_C(1) << 31)
#define UNMAP_TRIES 3

/* One word: a thread that initialises its registry meanwhile sees all features or none. */
static atomic_uint found;
static atomic_uint hidden;
static _Atomic uint64_t memfd_device;

uint32_t lx_features(void)
{
    return atomic_load(&found) & LX_ALL_FEATURES & ~atomic_load(&hidden);
}

uint64_t lx_memfd_device(void)
{
    return atomic_load(&memfd_device);
}

void lx_features_without(uint32_t features)
{
    atomic_store(&hidden, features);
}

/* ---- Errors ------------------------------------------------------------------------------------- */

vmo_status lx_status(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
        return VMO_ERR_NO_SLOTS;
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EAGAIN:
    case ENOLCK:
    case ENOBUFS:
        return VMO_ERR_NO_MEMORY;
    case EFAULT:
        return VMO_ERR_INVALID;
    case EBADF: /* the program closed a descriptor of the library */
    case ENOTSOCK:
        return VMO_ERR_BAD_HANDLE;
    case EFBIG:
        return VMO_ERR_TOO_LARGE;
    case EIO:
    case ENXIO:
    case ESTALE:
        return VMO_ERR_IO;
    case EINVAL:
    case ENOSYS:
    case EACCES: /* these and EPERM: also a filter of system calls, or a security module */
    case EPERM:
    case EROFS:
    case EBUSY:
    case ETXTBSY:
    case ENODEV:
    case EISDIR:
    case ESPIPE:
    case EOVERFLOW:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ENOPROTOOPT:
    case EDESTADDRREQ:
    case EISCONN:
    case ESRCH:
    case EPIPE:
    case EXDEV:
        return VMO_ERR_UNSUPPORTED;
    default:
        return VMO_ERR_BACKEND;
    }
}

/* ---- Descriptors -------------------------------------------------------------------------------- */

int lx_duplicate(int descriptor)
{
    const int made = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (made < 0 && errno == EINVAL) {
        errno = EMFILE; /* the limit is 3 or less */
    }
    return made;
}

int lx_above_stdio(int made)
{
    if (made < 0 || made > STDERR_FILENO) {
        return made;
    }
    const int moved = lx_duplicate(made);
    const int error = errno;
    lx_close_quiet(made);
    errno = error;
    return moved;
}

vmo_status lx_close_open(int descriptor)
{
    /* After any other error the descriptor is closed. */
    return close(descriptor) != 0 && errno == EBADF ? VMO_ERR_BAD_HANDLE : VMO_OK;
}

void lx_close_quiet(int descriptor)
{
    (void)close(descriptor);
}

void lx_unmap_quiet(void *at, uint64_t bytes)
{
    for (int i = 0; i < UNMAP_TRIES && munmap(at, (size_t)bytes) != 0; i++) {
    }
}

bool lx_within_file_limit(uint64_t end)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || end <= limit.rlim_cur;
}

vmo_status lx_memfd(const char *name, unsigned flags, int *out)
{
    const int made = lx_above_stdio(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags));

    if (made < 0) { /* EINVAL: an older kernel; EACCES: vm.memfd_noexec; EPERM: a filter of system calls */
        return errno == EINVAL ? VMO_ERR_UNSUPPORTED : lx_status(errno);
    }
    *out = made;
    return VMO_OK;
}

/* ---- Probing ------------------------------------------------------------------------------------ */

/* A call that fails because a feature is missing. Any other failure is the program's limit or memory: it must
 * not hide a feature for the life of the process. */
static vmo_status probed(bool ok, uint32_t feature, uint32_t *has)
{
    const vmo_status status = ok ? VMO_OK : lx_status(errno);

    if (status == VMO_ERR_NO_SLOTS || status == VMO_ERR_NO_MEMORY) {
        return status;
    }
    *has |= ok ? feature : 0;
    return VMO_OK;
}

/* Makes a sealable memfd; finds out whether it can be made non-executable. With vm.memfd_noexec=2 it must. */
static vmo_status probe_memfd(int *memory, uint32_t *has)
{
    vmo_status status = lx_memfd("vmo-probe", MFD_NOEXEC_SEAL, memory);

    if (status == VMO_OK) {
        *has |= LX_NOEXEC_SEAL;
    } else if (status == VMO_ERR_UNSUPPORTED) {
        status = lx_memfd("vmo-probe", 0, memory);
    }
    if (status == VMO_OK && fcntl(*memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
        lx_close_quiet(*memory);
        status = VMO_ERR_UNSUPPORTED;
    }
    return status;
}

/* A new memfd has no other description, so a lease is refused only if the kernel counts the first one, too.
 */
static uint32_t probe_leases(int memory)
{
    if (fcntl(memory, F_SETSIG, SIGURG) != 0 || fcntl(memory, F_SETLEASE, F_RDLCK) != 0) {
        return 0;
    }
    return fcntl(memory, F_SETLEASE, F_UNLCK) == 0 ? LX_LEASES : 0;
}

/* Checks that a mapping survives F_SEAL_FUTURE_WRITE and that mremap duplicates it. No page is touched, so
 * the memfd may be empty: RLIMIT_FSIZE does not matter. */
static vmo_status probe_peers_seal(int memory, size_t page, uint32_t *has)
{
    void *kept = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);

    if (kept == MAP_FAILED) {
        return lx_status(errno);
    }
    vmo_status status = VMO_OK;
    if (fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0) {
        void *twice = mremap(kept, 0, page, MREMAP_MAYMOVE);
        status = probed(twice != MAP_FAILED, LX_PEERS_SEAL, has);
        if (twice != MAP_FAILED) {
            lx_unmap_quiet(twice, page);
        }
    }
    lx_unmap_quiet(kept, page);
    return status;
}

/* Needs a memfd that was never mapped writable: a child forked meanwhile would forbid the seal. */
static vmo_status probe_shared_ro(int memory, size_t page, uint32_t *has)
{
    if (fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE) != 0) {
        return VMO_ERR_UNSUPPORTED;
    }
    void *at = mmap(NULL, page, PROT_READ, MAP_SHARED, memory, 0);
    const vmo_status status = probed(at != MAP_FAILED, LX_SHARED_RO, has);
    if (at != MAP_FAILED) {
        lx_unmap_quiet(at, page);
    }
    return status;
}

/* Waits for this process, which is not its own child: ECHILD if waitid knows pidfds. */
static vmo_status probe_pidfd(uint32_t *has)
{
    const int made = lx_above_stdio((int)syscall(SYS_pidfd_open, getpid(), 0));
    siginfo_t seen;

    if (made < 0) {
        return probed(false, LX_PIDFD, has);
    }
    if (waitid(P_PIDFD, (id_t)made, &seen, WEXITED | WNOHANG) != 0 && errno == ECHILD) {
        *has |= LX_PIDFD;
    }
    lx_close_quiet(made);
    return VMO_OK;
}

static uint32_t probe_vm_read(void)
{
    char from = 0;
    char to = 1;
    const struct iovec here = {&to, 1};
    const struct iovec there = {&from, 1};

    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1 ? LX_VM_READ : 0;
}

/* The range is one descriptor that cannot be open. */
static uint32_t probe_close_range(void)
{
    return syscall(SYS_close_range, INT32_MAX, INT32_MAX, CLOSE_RANGE_CLOEXEC) == 0 ? LX_CLOSE_RANGE : 0;
}

static vmo_status probe_device(int memory)
{
    struct stat seen;

    if (fstat(memory, &seen) != 0) {
        return lx_status(errno);
    }
    atomic_store(&memfd_device, seen.st_dev);
    return VMO_OK;
}

/* The features that need a memfd, each with one of its own. */
static vmo_status probe_memory(size_t page, uint32_t *has)
{
    int memory = BE_NONE;

    vmo_status status = probe_memfd(&memory, has);
    if (status == VMO_OK) {
        *has |= probe_leases(memory);
        status = probe_device(memory);
        if (status == VMO_OK) {
            status = probe_peers_seal(memory, page, has);
        }
        lx_close_quiet(memory);
    }
    if (status == VMO_OK) {
        status = probe_memfd(&memory, has);
    }
    if (status == VMO_OK) {
        status = probe_shared_ro(memory, page, has);
        lx_close_quiet(memory);
    }
    return status;
}

/* A sealable memfd is required; every other feature has a substitute. */
static vmo_status probe(size_t page)
{
    uint32_t has = PROBED;

    vmo_status status = probe_memory(page, &has);
    if (status == VMO_OK) {
        status = probe_pidfd(&has);
    }
    if (status == VMO_OK) {
        atomic_store(&found, has | probe_close_range() | probe_vm_read());
    }
    return status;
}

vmo_status be_init(struct be_info *info)
{
    const long page = sysconf(_SC_PAGESIZE);

    if (page <= 0) {
        return VMO_ERR_UNSUPPORTED;
    }
    if (!(atomic_load(&found) & PROBED)) {
        const vmo_status status = probe((size_t)page);
        if (status != VMO_OK) {
            return status;
        }
    }
    *info = (struct be_info){.platform = "linux",
                             .page_bytes = (uint64_t)page,
                             .object_bytes_max = LX_OBJECT_BYTES_MAX,
                             .mappings_max =
                                 BE_ENTRIES_MAX, /* the kernel's own limit, vm.max_map_count, is NO_SLOTS */
                             .can_unmap = true};
    return VMO_OK;
}

/* The kernel checks: a bad pointer is EFAULT. A range of addresses would not do, since a valid pointer may be
 * tagged in its top bits. */
bool be_is_user(const void *memory, uint64_t bytes)
{
    (void)memory, (void)bytes;
    return true;
}

uint64_t be_now_ns(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
