/* SPDX-License-Identifier: Apache-2.0 */
/* The port of streams on Linux: futexes on shared words, and a word that a fork clears. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "backend_stream.h"
#include "lx.h"

#define SLICE_NS UINT64_C(10000000)    /* a sleep: the peer's end is seen after it */
#define SLICE_ONE_NS UINT64_C(1000000) /* if the kernel cannot sleep on every word at once (before 5.16) */
#define NS_PER_SECOND UINT64_C(1000000000)
#define LOOKS_PER_YIELD 128

/* linux/futex.h of 5.16: struct futex_waitv. Older headers lack it. */
struct lx_futex_wait {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t zero;
};
#define LX_FUTEX_32 2u
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static bool sleep_on_one(const struct be_stream_word *word, uint64_t ns)
{
    const struct timespec timeout = {.tv_sec = (time_t)(ns / NS_PER_SECOND),
                                     .tv_nsec = (long)(ns % NS_PER_SECOND)};

    return syscall(SYS_futex, word->at, FUTEX_WAIT, word->seen, &timeout, NULL, 0) != 0 && errno == ETIMEDOUT;
}

static bool sleep_on_all(const struct be_stream_word *words, uint32_t count, uint64_t until_ns)
{
    struct lx_futex_wait waits[BE_STREAM_WORDS_MAX];
    const struct timespec timeout = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
                                     .tv_nsec = (long)(until_ns % NS_PER_SECOND)};

    for (uint32_t i = 0; i < count; i++) {
        waits[i] = (struct lx_futex_wait){
            .value = words[i].seen, .address = (uint64_t)(uintptr_t)words[i].at, .flags = LX_FUTEX_32};
    }
    if (syscall(SYS_futex_waitv, waits, count, 0, &timeout, CLOCK_MONOTONIC) >= 0) {
        return false;
    }
    if (errno == ENOSYS || errno == EPERM) {
        return sleep_on_one(&words[0], SLICE_ONE_NS);
    }
    return errno == ETIMEDOUT;
}

bool be_stream_sleep(const struct be_stream_word *words, uint32_t count, uint64_t deadline_ns)
{
    const uint64_t now = be_now_ns();

    if (now >= deadline_ns) {
        return true;
    }
    const uint64_t ns = deadline_ns - now < SLICE_NS ? deadline_ns - now : SLICE_NS;
    return count == 1 ? sleep_on_one(words, ns) : sleep_on_all(words, count, now + ns);
}

void be_stream_wake(const void *word)
{
    /* Fails only for an address that is not mapped; this one is. */
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void be_stream_relax(uint32_t looks)
{
    if (looks % LOOKS_PER_YIELD == LOOKS_PER_YIELD - 1) {
        (void)sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

bool be_peer_ended(const struct be_peer *peer)
{
    struct pollfd end = {.fd = peer->socket, .events = POLLRDHUP};

    return peer->socket == BE_NONE ||
           (poll(&end, 1, 0) == 1 && end.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

/* Made once a process, and never unmapped. Two threads that make it at the same time both succeed; one of the
 * two pages is given back. */
const _Atomic uint64_t *be_stream_token(void)
{
    static _Atomic(_Atomic uint64_t *) token;
    _Atomic uint64_t *known = atomic_load(&token);
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

    if (known != NULL && atomic_load(known)) {
        return known;
    }
    void *made = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) {
        return NULL;
    }
    if (madvise(made, page_bytes, MADV_WIPEONFORK) != 0) {
        lx_unmap_quiet(made, page_bytes);
        return NULL;
    }
    atomic_store((_Atomic uint64_t *)made, 1);
    if (!atomic_compare_exchange_strong(&token, &known, (_Atomic uint64_t *)made)) {
        lx_unmap_quiet(made, page_bytes);
        return known;
    }
    return made;
}
