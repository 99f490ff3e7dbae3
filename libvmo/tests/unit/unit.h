/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of the core: two tasks on the fake backend, and checks by status name. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "page.h"
#include "vmo/channel.h"
#include "vmo/sha256.h"
#include "vmo/vmo.h"

#define SOON_NS UINT64_C(50000) /* 50 polls of the fake's clock from its start */
#define NO_VIEW ((vmo_view_t){0})
#define NO_PEER ((vmo_peer_t){0})

#define RANGE(off, len) ((struct vmo_range){(off), (len)})

/* Compares names, so that a failure shows which status was returned. */
#define assert_status(call, expected) assert_string_equal(vmo_status_name(call), vmo_status_name(expected))
#define assert_ok(call) assert_status(call, VMO_OK)

/* Side 0 is the parent with registry `a`, side 1 its child with `b`. Side 0 runs first. */
struct world {
    struct vmo_registry *a;
    struct vmo_registry *b;
    vmo_peer_t to_b;      /* peer of a; allowed */
    vmo_peer_t to_a;      /* peer of b; allowed */
    struct be_peer raw_b; /* b's end in the backend, to send messages that no core sends */
};

extern struct world world;

/* For both registries: 8 objects, 8 mappings, 8 views, 4 peers, no bound on bytes. */
extern const struct vmo_limits world_limits;

/* Setup and teardown for cmocka. The kernel of world_make_small is like ABI revision a1: it has no alias,
 * read, unmap or destroy, and be_verify maps nothing. */
int world_make(void **state);
int world_make_small(void **state);
int world_drop(void **state);

/* Makes both registries anew, with these limits, after a change of fake_config. */
void world_remake(const struct vmo_limits *limits);

/* State that a refused call must not change. */
struct snapshot {
    struct fake_live live;
    uint64_t contents;
    struct vmo_counters a;
    struct vmo_counters b;
};
struct snapshot snapshot_take(void);
void snapshot_check(const struct snapshot *before, const char *call, const char *file, int line);

/* The call returns `expected` and changes nothing. */
#define assert_refused(call, expected)                                                                       \
    do {                                                                                                     \
        const struct snapshot before_ = snapshot_take();                                                     \
        assert_status(call, expected);                                                                       \
        snapshot_check(&before_, #call, __FILE__, __LINE__);                                                 \
    } while (0)

/* The same, without a call to the backend. */
#define assert_refused_quietly(call, expected)                                                               \
    do {                                                                                                     \
        const uint32_t calls_ = fake_call_count();                                                           \
        assert_refused(call, expected);                                                                      \
        assert_int_equal(fake_call_count(), calls_);                                                         \
    } while (0)

/* Makes a VMO in `a`, filled with a pattern that differs from byte to byte and page to page. */
vmo_t vmo_filled(uint64_t len_bytes);
uint8_t pattern_at(uint64_t off);
void assert_pattern(const uint8_t *bytes, uint64_t off, uint64_t len);

struct vmo_counters counters_of(const struct vmo_registry *registry);

/* Sends the VMO from a to b with these rights; returns b's handle. Side 0 runs before and after. */
vmo_t hand_over(vmo_t vmo, uint32_t rights);

/* Selects the side that runs. */
#define AS_A fake_side(0)
#define AS_B fake_side(1)

#endif
