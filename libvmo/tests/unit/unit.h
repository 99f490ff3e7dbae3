/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the core share: two tasks on the fake backend, and checks by name. */
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

/* Compares by name, so that a red test says which status came. */
#define assert_status(call, expected) assert_string_equal(vmo_status_name(call), vmo_status_name(expected))
#define assert_ok(call) assert_status(call, VMO_OK)

/* Side 0 is the parent and has `a`; side 1 its child and has `b`. Side 0 is current to begin with. */
struct world {
    struct vmo_registry *a;
    struct vmo_registry *b;
    vmo_peer_t to_b;      /* a's; on its list */
    vmo_peer_t to_a;      /* b's; on its list */
    struct be_peer raw_b; /* b's end as the backend names it, to send what no core would */
};

extern struct world world;

/* Limits of both registries: 8 objects, 8 mappings, 8 views, 4 peers, no bound on bytes. */
extern const struct vmo_limits world_limits;

/* cmocka's setup and teardown. The kernel of world_make_small has no alias, no read, no unmap, no destroy and
 * no mapping by be_verify, like ABI revision a1. */
int world_make(void **state);
int world_make_small(void **state);
int world_drop(void **state);

/* Both ends again after a change of fake_config or of limits; `limits` is for both. */
void world_remake(const struct vmo_limits *limits);

/* All that must not change when a call is refused. */
struct snapshot {
    struct fake_live live;
    uint64_t contents;
    struct vmo_counters a;
    struct vmo_counters b;
};
struct snapshot snapshot_take(void);
void snapshot_check(const struct snapshot *before, const char *call, const char *file, int line);

/* The call answers `expected` and changes nothing. */
#define assert_refused(call, expected)                                                                       \
    do {                                                                                                     \
        const struct snapshot before_ = snapshot_take();                                                     \
        assert_status(call, expected);                                                                       \
        snapshot_check(&before_, #call, __FILE__, __LINE__);                                                 \
    } while (0)

/* The same, and the backend was not even asked. */
#define assert_refused_quietly(call, expected)                                                               \
    do {                                                                                                     \
        const uint32_t calls_ = fake_call_count();                                                           \
        assert_refused(call, expected);                                                                      \
        assert_int_equal(fake_call_count(), calls_);                                                         \
    } while (0)

/* A VMO of a's, filled with a pattern that differs from byte to byte and page to page. */
vmo_t vmo_filled(uint64_t len_bytes);
uint8_t pattern_at(uint64_t off);
void assert_pattern(const uint8_t *bytes, uint64_t off, uint64_t len);

struct vmo_counters counters_of(const struct vmo_registry *registry);

/* a sends the VMO with these rights, b receives it; side 0 is current before and after. */
vmo_t hand_over(vmo_t vmo, uint32_t rights);

/* The sides' turn. */
#define AS_A fake_side(0)
#define AS_B fake_side(1)

#endif
