/* SPDX-License-Identifier: Apache-2.0 */
/* The port of streams on Linux: futexes on shared words, and a word that a fork clears. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "backend_stream.h"
#include "lx.h"

#define SLICE_NS UINT64_C(10000000)    /* a sleep: the peer's end is seen after it */
#define SLICE_ONE_NS UINT64_C(1000000) /* if the kernel cannot sleep on every word at once */
#define NS_PER_SECOND UINT64_C(1000000000)
#define LOOKS_PER_YIELD 128

/* From linux/futex.h, which musl's compiler does not find; struct futex_waitv came with 5.16. */
#define LX_FUTEX_WAIT 0
#define LX_FUTEX_WAKE 1
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

    return syscall(SYS_futex, word->at, LX_FUTEX_WAIT, word->seen, &timeout, NULL, 0) != 0 &&
           errno == ETIMEDOUT;
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
    if (errno == ETIMEDOUT || errno == EAGAIN || errno == EINTR) {
        return errno == ETIMEDOUT;
    }
    /* The kernel lacks the call, or has no memory for it, or a filter refuses it. */
    return sleep_on_one(&words[0], SLICE_ONE_NS);
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
    (void)syscall(SYS_futex, word, LX_FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool be_stream_relax(uint32_t looks)
{
    if (looks % LOOKS_PER_YIELD == LOOKS_PER_YIELD - 1) {
        (void)sched_yield();
        return true;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
    return false;
}

bool be_peer_ended(const struct be_peer *peer)
{
    struct pollfd end = {.fd = peer->socket, .events = POLLRDHUP};

    return peer->socket == BE_NONE ||
           (poll(&end, 1, 0) == 1 && end.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

vmo_status be_stream_token_make(const _Atomic uint64_t **token)
{
    _Atomic uint64_t *made =
        mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (made == MAP_FAILED) {
        return lx_status(errno);
    }
    if (madvise(made, sizeof(*made), MADV_WIPEONFORK) != 0) {
        const vmo_status status = lx_status(errno);
        lx_unmap_quiet(made, sizeof(*made));
        return status;
    }
    *made = 1;
    *token = made;
    return VMO_OK;
}

void be_stream_token_drop(const _Atomic uint64_t *token)
{
    lx_unmap_quiet((void *)(uintptr_t)token, sizeof(*token));
}
