/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conformance suite (B1..B3): cases, checks, and the world in which a case runs.
 *
 * A case starts with an empty registry, and with a peer if it needs one. Afterwards the registry must be
 * empty again, and the task must use as many entries of the kernel's tables as before. A failed check ends
 * the case.
 */
#ifndef CONF_H
#define CONF_H

#include <string.h>

#include "conformance/conf_order.h"
#include "conformance/conf_port.h"
#include "page.h"
#include "vmo/sha256.h"
#include "wire.h"

#define OBJECTS 9
#define MAPPINGS 9
#define VIEWS 9
#define PEERS 2
#define FAR_NS UINT64_MAX

#define RANGE(off, len) ((struct vmo_range){(off), (len)})
#define NO_VIEW ((vmo_view_t){0})
#define NO_PEER ((vmo_peer_t){0})
#define UNTOUCHED UINT64_C(0xa5a5a5a5a5a5a5a5) /* value of an out parameter before a refusal */

struct conf_case {
    const char *name;
    void (*run)(void);
    uint32_t needs; /* HAS_... */
};

struct conf_group {
    const char *name;
    const struct conf_case *cases;
    size_t count;
};
extern const struct conf_group *const conf_groups[];
extern const size_t conf_group_count;

/* `a` is empty; `to_peer` is allowed to get VMOs. It exists if the case needs HAS_PEER. */
struct conf_world {
    struct vmo_registry *a;
    vmo_peer_t to_peer;
};
extern struct conf_world world;

/* Runs all groups (NULL) or the named one, and prints TAP. Returns 0 if each case was ok. */
int conf_run(const char *only);

static inline bool can(uint32_t features)
{
    return (conf_port()->features & features) == features;
}

/* ---- Checks ------------------------------------------------------------------------------------- */

_Noreturn void conf_fail(const char *file, int line, const char *text, uint64_t found, uint64_t wanted);
void conf_status(const char *file, int line, const char *call, vmo_status found, vmo_status wanted);
/* State that a refused call must not change: counters, and the task's entries in kernel tables. */
void conf_before(void);
void conf_after(const char *file, int line, const char *call);

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            conf_fail(__FILE__, __LINE__, #condition, 0, 1);                                                 \
        }                                                                                                    \
    } while (0)
#define CHECK_EQ(found, wanted)                                                                              \
    do {                                                                                                     \
        const uint64_t found_ = (uint64_t)(found), wanted_ = (uint64_t)(wanted);                             \
        if (found_ != wanted_) {                                                                             \
            conf_fail(__FILE__, __LINE__, #found " == " #wanted, found_, wanted_);                           \
        }                                                                                                    \
    } while (0)
#define STATUS(call, wanted) conf_status(__FILE__, __LINE__, #call, (call), (wanted))
#define OK(call) STATUS(call, VMO_OK)
/* The call returns `wanted` and changes nothing. */
#define REFUSED(call, wanted)                                                                                \
    do {                                                                                                     \
        conf_before();                                                                                       \
        STATUS(call, wanted);                                                                                \
        conf_after(__FILE__, __LINE__, #call);                                                               \
    } while (0)

/* ---- Tools -------------------------------------------------------------------------------------- */

/* A second registry, for foreign handles and other limits. It must be empty at conf_fini. */
struct vmo_registry *conf_second(const struct vmo_limits *limits);
extern const struct vmo_limits conf_limits;
void conf_fini(struct vmo_registry *registry);

vmo_t conf_create(uint64_t len);
/* Creates a VMO and writes conf_pattern. */
vmo_t conf_filled(uint64_t len);
void conf_check_pattern(const uint8_t *bytes, uint64_t off, uint64_t len);
/* Checks with vmo_read that the VMO has the pattern from off on. */
void conf_check_vmo(vmo_t vmo, uint64_t off, uint64_t len);

vmo_view_t conf_map_ro(vmo_t vmo, uint64_t off, uint64_t len);
vmo_view_t conf_map_rw(vmo_t vmo, uint64_t off, uint64_t len);

/* Destroys the VMO if this platform can destroy what was mapped, else closes it. */
void conf_release(vmo_t vmo);
void conf_release_in(struct vmo_registry *registry, vmo_t vmo);
/* Closes a VMO that is sealed FOREVER: no task can destroy it. */
void conf_close_forever(vmo_t vmo);

struct vmo_counters conf_counters(void);

/* Checks that vmo_registry_each reports this name for each VMO and view, or "" without HAS_NAMES. */
void conf_check_names(const char *name);

/* ---- The peer ----------------------------------------------------------------------------------- */

uint64_t conf_soon(void);
void conf_send_order(const struct conf_order *order, vmo_t vmo, uint32_t rights);
struct conf_answer conf_recv_answer(void);
/* Sends an order and receives the answer, which must have the wanted status. */
struct conf_answer conf_ask(const char *file, int line, struct conf_order order, vmo_status wanted);
#define ASK(wanted, ...) conf_ask(__FILE__, __LINE__, (struct conf_order){__VA_ARGS__}, (wanted))
/* Sends a VMO, which the peer keeps in its place 0. */
struct conf_answer conf_hand_over(vmo_t vmo, uint32_t rights);
/* Receives the next message, which must carry a VMO. */
vmo_t conf_recv_vmo(void);

/* Ends the peer, waits for it, and starts another. */
void conf_new_peer(void);
/* Starts a peer in a case that has none. A kernel may refuse. */
VMO_CHECK vmo_status conf_try_peer(void);
/* Tells the suite that the case has closed the peer. */
void conf_peer_closed(void);

/* conf_raw.c: sends bytes that no core sends, with a VMO unless object is VMO_NONE. */
void conf_send_raw(vmo_t object, bool writable, const void *bytes, size_t len);

#endif
