/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe: what this kernel answers, one line a case (docs/testing/probe.md). A case's id begins with the
 * statement of docs/abi.md that decides it.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/probe_ecall.h"
#include "probe/probe_orders.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define PAGE ((uint64_t)NX_PAGE_BYTES)
#define KERNEL_HALF UINT64_C(0x80000000) /* the one bad pointer that every kernel refuses (K-21, K-64) */
#define ANY_SLOT UINT64_MAX
#define FIRST_SLOT                                                                                           \
    2                 /* the lowest that is free when a part begins: each leaves 0 and 1 alone (K-14, K-15)  \
                       */
#define EMPTY_SLOT 60 /* no part uses it */
#define NO_SUCH_SLOT 256  /* beyond the table of both ages */
#define NO_SUCH_PID 60000 /* far above what a boot can count up to (K-10) */
#define UNKNOWN_FLAG 256  /* of map and vm_map (K-22, K-24) */
#define FACTORY NX_SLOT_FACTORY
#define BOOTSTRAP NX_SLOT_BOOTSTRAP

/* ---- Calls ---- */

/* A call from one of two places in turn (K-03). CALL gives a0 alone. */
struct probe_answer probe_call(uint64_t number, const uint64_t args[6]);
#define CALL(number, ...) (probe_call((number), (const uint64_t[6]){__VA_ARGS__}).a0)

/* K-04: a1 has map and no as_self, a2 the reverse. What both answered when the probe began. */
struct probe_revision {
    int64_t as_self, map;
};
struct probe_revision probe_ask_revision(void);

/* A kernel that has neither or both is probed by its map. */
bool probe_is_a1(void);

/* ---- Cases ---- */

/* A case with its answer as it is: 0 or an error. */
void row(const char *id, const char *call, const char *what, int64_t answer);

/* A case whose answer is a relation; where that does not hold, the error, or "other". */
void row_if(const char *id, const char *call, const char *what, bool holds, const char *relation,
            int64_t answer);

/* The case is this call's answer. */
#define ROW(id, what, number, ...) row((id), probe_call_name(number), (what), CALL((number), __VA_ARGS__))

/* A call that must take this slot; gives the answer. */
int64_t row_slot(const char *id, const char *call, const char *what, int64_t answer, uint64_t expected);

/* The status of a child, as wait gave it; on a1 -22 proves nothing and is accepted (K-63). */
void row_status(const char *id, const char *what, int64_t status, int64_t expected);

/* A call that must answer this many bytes. */
void row_len(const char *id, const char *call, const char *what, int64_t answer, uint64_t expected);

const char *probe_call_name(uint64_t number);

/* Cases of one call that differ in its arguments. */
struct probe_case {
    const char *id, *what;
    uint64_t args[6];
};
void rows_of(uint64_t number, const struct probe_case *cases, size_t count);

/* "probe: done N cases", and the end of init (K-65). */
_Noreturn void probe_done(void);

/* ---- Things to probe with ---- */

/* A new VMO of this length in the lowest free slot, an endpoint of this depth; the slot. */
uint64_t new_vmo(uint64_t bytes);
uint64_t new_endpoint(uint64_t depth);

/* Closes slots from first up to and with last; what they held does not matter any more. */
void close_slots(uint64_t first, uint64_t last);

/* Clones the object of a slot until the table is full; how many were made, in slots from the lowest free one.
 */
uint64_t fill_table(uint64_t slot);

/* One page of a VMO in one's own address space, by the call that the age has; NULL where it cannot be had. */
volatile uint8_t *view(uint64_t slot, uint64_t off, bool writable);
void unview(const volatile uint8_t *page);

/* a2: vm_maps page after page until none more is taken; how many were, and what the last call answered.
 * Unmaps pages that lie one after the other, each a region of its own. */
unsigned fill_regions(uint64_t vmo, int64_t *last);
void unmap_pages(uint64_t va, unsigned count);

/* Whether the page is there and begins with these bytes; whether all of it, or all
 * from an offset on, is 0. */
bool shows(const volatile uint8_t *page, const void *bytes, size_t count);
bool shows_zeros(const volatile uint8_t *page);
bool shows_zeros_from(const volatile uint8_t *page, size_t off);

/* A store, where the page is there. */
void put(volatile uint8_t *page, size_t off, uint8_t byte);

/* The first `count` bytes of a pattern. */
#define PATTERN_BYTES 9000
const uint8_t *pattern(void);

/* ---- Messages, without blocking ---- */
int64_t post(uint64_t slot, const struct nx_ipc_hdr *hdr, const void *payload);
int64_t take(uint64_t slot, struct nx_ipc_hdr *hdr, void *buf, uint64_t max);
uint64_t probe_message_max(void);

/* A receive, tried again with yields in between as long as nothing is there and time is left. With
 * sender_id, by recv_v2. */
int64_t take_later(uint64_t slot, struct nx_ipc_hdr *hdr, void *buf, uint64_t max, uint64_t *sender_id);

/* Yields for as long as others need to block or to end; bounded. */
void let_others_run(void);

/* ---- Children ---- */
extern const uint8_t probe_child_elf[];
extern const uint64_t probe_child_elf_bytes;

struct child {
    int64_t pid;
    uint64_t reply; /* endpoint of init's */
    uint64_t watch; /* K-62 */
};

/* exec with an order, or exec_v2 with a name where there is one (and gp 0). The child has its reply endpoint
 * and its death watch, and does not run yet. Slots: reply, watch. */
void child_exec(struct child *child, uint64_t order, const char *name, const uint8_t *elf);
void child_give(const struct child *child, uint64_t slot, uint64_t rights);
void child_run(const struct child *child);

/* What a receive on the death watch answers once something is there to answer. */
int64_t child_ended(const struct child *child);

/* wait for an ended child, its pid or <= 0 for any; closes its endpoints. Where the watch did not answer -3
 * there is no wait, which could last for ever, and that answer is both a0 and a1. */
struct probe_answer child_reap(const struct child *child, int64_t watch_answer, int64_t pid);

/* The report of a child that was given ORDER_HELLO by a name: the sender id is a case, its gp is for the
 * caller. */
int64_t row_name(const char *id, const char *what, const struct child *child, const char *name);

/* ---- The parts ---- */
void probe_revision_row(void);
void probe_start(const uint64_t *start);
void probe_console(void);
void probe_vmo(void);
void probe_map_a1(void);
void probe_map_a2(void);
void probe_as(void);
void probe_share(void);
void probe_destroy(void);
void probe_cap(void);
void probe_endpoint(void);
void probe_ipc(void);
void probe_ipc_order(void);
void probe_ipc_move(void);
void probe_recv_v2(void);
void probe_child_lifecycle(void);
void probe_child_names(void);
void probe_child_waits(void);
void probe_child_faults(void);
void probe_child_memory(void);
void probe_last(void);
void probe_elf(void);

#endif
