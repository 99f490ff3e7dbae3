/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchanges by hand: the fewest system calls that give libvmo's guarantees. Lengths and seals are looked
 * at, no descriptor is lost when the receiver's table is full, and no call raises a signal whatever the
 * program's limits are. A comment names each call that a version without these guarantees would not make.
 * "guarded" also makes the three calls that libvmo makes for promises of its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench.h"
#include "lx_abi.h"

#define FOREVER (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
#define PEERS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)

struct header {
    uint64_t len_bytes;
    uint32_t number;
    uint32_t index; /* of the pool */
};

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int))];
};

static size_t len;
static bool guarded; /* also by hand what libvmo promises besides: three calls more */
static int ends[2];
static int ours, theirs; /* descriptors of the message's object */
static uint8_t *our_view;
static const uint8_t *their_view;
static int pool[BENCH_POOL];
static uint8_t *our_views[BENCH_POOL];
static const uint8_t *their_views[BENCH_POOL];

/* ---- Messages ------------------------------------------------------------------------------------------ */

static void send_header(const struct header *header, int descriptor)
{
    union control control = {.bytes = {0}};
    struct iovec part = {(void *)(uintptr_t)header, sizeof(*header)};
    const struct msghdr message = {.msg_iov = &part,
                                   .msg_iovlen = 1,
                                   .msg_control = control.bytes,
                                   .msg_controllen = sizeof(control.bytes)};

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
    NEED(sendmsg(ends[0], &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(*header));
}

/* MSG_PEEK: the descriptor of a message that is only looked at is not lost when the table is full. */
static int receive_descriptor(struct header *header)
{
    union control control;
    struct iovec part = {header, sizeof(*header)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    int descriptor = -1;

    NEED(recvmsg(ends[1], &message, MSG_PEEK | MSG_CMSG_CLOEXEC | MSG_DONTWAIT) == (ssize_t)sizeof(*header));
    NEED(!(message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) && message.msg_controllen == sizeof(control.bytes));
    memcpy(&descriptor, CMSG_DATA(&control.header), sizeof(descriptor));
    NEED(recv(ends[1], header, 0, MSG_DONTWAIT) == 0);
    return descriptor;
}

static void acknowledge(uint32_t number)
{
    NEED(send(ends[1], &number, sizeof(number), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(number));
}

static void hear_acknowledgement(uint32_t number)
{
    uint32_t heard = 0;

    NEED(recv(ends[0], &heard, sizeof(heard), MSG_DONTWAIT) == (ssize_t)sizeof(heard) && heard == number);
}

/* ---- Objects ------------------------------------------------------------------------------------------- */

/* getrlimit: past RLIMIT_FSIZE ftruncate would raise SIGXFSZ. Guarded: the size is fixed from here on. */
static int create(void)
{
    struct rlimit limit;

    NEED(getrlimit(RLIMIT_FSIZE, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || len <= limit.rlim_cur));
    const int made = memfd_create("hand", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    NEED(made >= 0 && ftruncate(made, (off_t)len) == 0);
    NEED(!guarded || fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    return made;
}

/* F_GET_SEALS shows that the file is memory that cannot change, fstat that it is as long as the message says:
 * an access to a mapping then raises no SIGBUS. Guarded: it can be read. */
static void check(int descriptor, const struct header *header, int seals)
{
    struct stat seen;

    NEED((fcntl(descriptor, F_GET_SEALS) & seals) == seals);
    NEED(fstat(descriptor, &seen) == 0 && header->len_bytes <= (uint64_t)seen.st_size);
    NEED(!guarded || (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_WRONLY);
}

static void *map(int descriptor, int protection)
{
    void *const at = mmap(NULL, len, protection, MAP_SHARED, descriptor, 0);

    NEED(at != MAP_FAILED);
    return at;
}

static void open_ends(size_t bytes)
{
    len = bytes;
    guarded = false;
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
}

static void close_ends(void)
{
    NEED(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* ---- Fresh: a new object for each message, sealed FOREVER ------------------------------------------------
 */

static void fresh_create(uint32_t number)
{
    (void)number;
    ours = create();
}

static void open_guarded(size_t bytes)
{
    open_ends(bytes);
    guarded = true;
}

/* Guarded: a child that is forked now cannot make the seal fail, and cannot write. */
static void fresh_map(uint32_t number)
{
    our_view = map(ours, PROT_READ | PROT_WRITE);
    NEED(!guarded || madvise(our_view, len, MADV_DONTFORK) == 0);
    bench_fill(our_view, len, number);
}

static void fresh_seal(uint32_t number)
{
    (void)number;
    NEED(munmap(our_view, len) == 0);
    NEED(fcntl(ours, F_ADD_SEALS, FOREVER) == 0);
}

static void fresh_send(uint32_t number)
{
    const struct header header = {len, number, 0};

    send_header(&header, ours);
}

static void fresh_receive(uint32_t number)
{
    struct header header;

    theirs = receive_descriptor(&header);
    NEED(header.number == number);
    check(theirs, &header, F_SEAL_SHRINK | F_SEAL_WRITE);
}

static void read_mapped(uint32_t number)
{
    their_view = map(theirs, PROT_READ);
    bench_check(their_view, len, number);
}

static void close_received(uint32_t number)
{
    (void)number;
    NEED(munmap((void *)(uintptr_t)their_view, len) == 0);
    NEED(close(theirs) == 0);
}

static void fresh_close(uint32_t number)
{
    (void)number;
    NEED(close(ours) == 0);
}

/* ---- Resend: an object of the pool goes along each time, and is mapped each time -------------------------
 */

static void make_pool(size_t bytes)
{
    open_ends(bytes);
    for (int i = 0; i < BENCH_POOL; i++) {
        pool[i] = create();
        our_views[i] = map(pool[i], PROT_READ | PROT_WRITE);
        NEED(fcntl(pool[i], F_ADD_SEALS, PEERS) == 0);
    }
}

static void end_pool(void)
{
    for (int i = 0; i < BENCH_POOL; i++) {
        NEED(munmap(our_views[i], len) == 0 && close(pool[i]) == 0);
    }
    close_ends();
}

static void resend_send(uint32_t number)
{
    const uint32_t index = number % BENCH_POOL;
    const struct header header = {len, number, index};

    bench_fill(our_views[index], len, number);
    send_header(&header, pool[index]);
}

static void resend_receive(uint32_t number)
{
    struct header header;

    theirs = receive_descriptor(&header);
    NEED(header.number == number);
    check(theirs, &header, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE);
}

/* ---- Pool: the objects went over once, and a message has an index ----------------------------------------
 */

static void open_shared_pool(size_t bytes)
{
    make_pool(bytes);
    for (uint32_t i = 0; i < BENCH_POOL; i++) {
        resend_send(i);
        resend_receive(i);
        their_views[i] = map(theirs, PROT_READ);
        NEED(close(theirs) == 0);
    }
}

static void close_shared_pool(void)
{
    for (int i = 0; i < BENCH_POOL; i++) {
        NEED(munmap((void *)(uintptr_t)their_views[i], len) == 0);
    }
    end_pool();
}

static void pool_send(uint32_t number)
{
    const uint32_t index = number % BENCH_POOL;
    const struct header header = {0, number, index};

    bench_fill(our_views[index], len, number);
    NEED(send(ends[0], &header, sizeof(header), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(header));
}

static void pool_receive(uint32_t number)
{
    struct header header;

    NEED(recv(ends[1], &header, sizeof(header), MSG_DONTWAIT) == (ssize_t)sizeof(header));
    NEED(header.number == number && header.index < BENCH_POOL);
    their_view = their_views[header.index];
}

static void pool_read(uint32_t number)
{
    bench_check(their_view, len, number);
}

const struct bench_exchange bench_hand[BENCH_EXCHANGES] = {
    {"fresh",
     open_ends,
     close_ends,
     {{"create", fresh_create},
      {"map and fill", fresh_map},
      {"seal FOREVER", fresh_seal},
      {"send", fresh_send},
      {"receive", fresh_receive},
      {"map and read", read_mapped},
      {"close received", close_received},
      {"close", fresh_close},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement}}},
    {"guarded",
     open_guarded,
     close_ends,
     {{"create", fresh_create},
      {"map and fill", fresh_map},
      {"seal FOREVER", fresh_seal},
      {"send", fresh_send},
      {"receive", fresh_receive},
      {"map and read", read_mapped},
      {"close received", close_received},
      {"close", fresh_close},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement}}},
    {"resend",
     make_pool,
     end_pool,
     {{"fill and send", resend_send},
      {"receive", resend_receive},
      {"map and read", read_mapped},
      {"close received", close_received},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement},
      {NULL, NULL}}},
    {"pool",
     open_shared_pool,
     close_shared_pool,
     {{"fill and send", pool_send},
      {"receive", pool_receive},
      {"read", pool_read},
      {"acknowledge", acknowledge},
      {"hear it", hear_acknowledgement},
      {NULL, NULL}}},
};
