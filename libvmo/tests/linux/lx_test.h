/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of the Linux backend: a registry with a socket to it, and a check for leaks. */
#ifndef TESTS_LX_TEST_H
#define TESTS_LX_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "lx.h"
#include "page.h"
#include "vmo/channel.h"
#include "vmo/vmo.h"
#include "wire.h"

#define PAST_NS UINT64_C(0)
#define RANGE(off, len) ((struct vmo_range){(off), (len)})
#define NO_VIEW ((vmo_view_t){0})

/* Compares by name, so that a failure shows the status. */
#define assert_status(call, expected) assert_string_equal(vmo_status_name(call), vmo_status_name(expected))
#define assert_ok(call) assert_status(call, VMO_OK)

/* The registry under test, which allows its peer, and the other end of the peer's socket. */
struct rig {
    struct vmo_registry *registry;
    vmo_peer_t peer;
    int near; /* the library's end: for looking at, not for closing */
    int far;
};
extern struct rig rig;

/* cmocka's setup and teardown. The teardown fails the case if it left a descriptor or a mapping of a file.
 */
int rig_make(void **state);
int rig_drop(void **state);

/* A second registry, for the far end. It owns the socket until far_drop. */
struct vmo_registry *far_make(vmo_peer_t *peer);
void far_drop(vmo_peer_t peer);

/* Skips a case that fails under Valgrind, which hides from the kernel: limits of descriptors and addresses,
 * bad pointers, and unlinked programs. */
void skip_under_valgrind(void);

/* A deadline that passes only if a test fails. */
uint64_t soon(void);

/* ---- What must not change when a call is refused ----------------------------------------------------- */

struct seen {
    uint32_t descriptors;
    uint32_t mappings; /* of memfds and of deleted files */
    struct vmo_counters counters;
};
struct seen look(void);
/* Counts lines of /proc/self/maps that contain this text, of memfds and deleted files. */
uint32_t count_mappings(const char *with);
void assert_same(const struct seen *before, const char *call, const char *file, int line);

#define assert_refused(call, expected)                                                                       \
    do {                                                                                                     \
        const struct seen before_ = look();                                                                  \
        assert_status(call, expected);                                                                       \
        assert_same(&before_, #call, __FILE__, __LINE__);                                                    \
    } while (0)

static inline bool kernel_enforces_peers(void)
{
    return (lx_features() & LX_PEERS_SEAL) != 0;
}

/* ---- VMOs --------------------------------------------------------------------------------------- */

/* A VMO full of a pattern that differs from byte to byte and page to page. */
vmo_t filled(uint64_t len_bytes);
uint8_t pattern_at(uint64_t off);
void assert_pattern(const uint8_t *bytes, uint64_t off, uint64_t len);

/* ---- The far end, without the library ----------------------------------------------------------------- */

/* The packet that carries a transferred descriptor; wire.h has the other messages. */
#define WIRE_GRANT_MAGIC 0x474F4D56u
struct wire_grant {
    uint32_t magic;
    uint32_t name;
};
struct wire wire_data(uint32_t tag);
struct wire wire_handle(uint64_t len_bytes, uint32_t rights, vmo_seal_strength seal);

/* Sends one packet with these descriptors, at most as many as the kernel takes; the caller keeps them. */
#define FAR_MOST 253
void far_send(const void *bytes, size_t len, const int *descriptors, size_t count);
/* Receives one packet; the descriptor that came along or -1. Never waits. */
int far_recv(void *bytes, size_t max, size_t *len);
/* recv of the next packet that is no notice (lx_packet.h). */
ssize_t far_hear(void *bytes, size_t max, int flags);

/* Sends a VMO to the far end; the descriptor that arrives there. */
int far_given(vmo_t vmo, uint32_t rights);

/* Reopens the file of a descriptor through /proc, as a process of the same user can. */
int reopen(int descriptor, int how);

/* Closes the far end. */
void far_close(void);
/* Sends messages until the queue is full; returns how many. */
uint32_t fill_queue(void);

/* Runs a part of a case in a forked process, where assertions do not work. Returns the status of waitpid. */
int in_child(int (*part)(void));

/* A memfd of this size with these seals, made without the library. */
int memory_with(uint64_t size_bytes, int seals);

#endif
