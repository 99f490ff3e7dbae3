/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe prints what the kernel returns, one line per case (docs/testing/probe.md). A case's id begins
 * with the statement of docs/abi.md that decides it.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/probe_ecall.h"
#include "probe/probe_orders.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define PAGE ((uint64_t)NX_PAGE_BYTES)
#define KERNEL_HALF UINT64_C(0x80000000) /* a bad pointer that every kernel refuses (K-21, K-64) */
#define ANY_SLOT UINT64_MAX
#define FIRST_SLOT 2               /* the lowest free slot when a part starts (K-14, K-15) */
#define EMPTY_SLOT 60              /* no part uses it */
#define NO_SUCH_SLOT 256           /* out of range on both revisions */
#define NO_SUCH_PID 60000          /* more tasks than a boot can start (K-10) */
#define BIT_32 (UINT64_C(1) << 32) /* set in arguments of which 32 bits count (K-40, K-63) */
#define UNKNOWN_FLAG 256           /* of map and vm_map (K-22, K-24) */
#define FACTORY NX_SLOT_FACTORY
#define BOOTSTRAP NX_SLOT_BOOTSTRAP

/* ---- Calls ---- */

/* Makes a call, alternating between two addresses (K-03). CALL returns a0 only. */
struct probe_answer probe_call(uint64_t number, const uint64_t args[6]);
#define CALL(number, ...) (probe_call((number), (const uint64_t[6]){__VA_ARGS__}).a0)

/* What as_self and map returned at the start. a1 has map but not as_self, a2 the reverse (K-04). */
struct probe_revision {
    int64_t as_self, map;
};
struct probe_revision probe_ask_revision(void);

/* Decides by map alone if a kernel has both calls or neither. */
bool probe_is_a1(void);

/* ---- Cases ---- */

/* Prints a case with its return value: 0 or an error. */
void row(const char *id, const char *call, const char *what, int64_t answer);

/* Prints a case whose result is a relation. If the relation is false, prints the error or "other". */
void row_if(const char *id, const char *call, const char *what, bool holds, const char *relation,
            int64_t answer);

/* Makes a call and prints its return value as a case. */
#define ROW(id, what, number, ...) row((id), probe_call_name(number), (what), CALL((number), __VA_ARGS__))

/* Prints a case that must return this slot, and returns the answer. */
int64_t row_slot(const char *id, const char *call, const char *what, int64_t answer, uint64_t expected);

/* Prints the status of a child that wait returned. On a1, -22 is accepted for any status (K-63). */
void row_status(const char *id, const char *what, int64_t status, int64_t expected);

/* Prints a case that must return this number of bytes. */
void row_len(const char *id, const char *call, const char *what, int64_t answer, uint64_t expected);

const char *probe_call_name(uint64_t number);

/* Cases of one call with different arguments. */
struct probe_case {
    const char *id, *what;
    uint64_t args[6];
};
void rows_of(uint64_t number, const struct probe_case *cases, size_t count);

/* Prints "probe: done N cases" and ends init (K-65). */
_Noreturn void probe_done(void);

/* ---- Objects and memory ---- */

/* Create a VMO of this length or an endpoint of this depth in the lowest free slot; return the slot. */
uint64_t new_vmo(uint64_t bytes);
uint64_t new_endpoint(uint64_t depth);

/* Closes the slots first to last, inclusive, and ignores errors. */
void close_slots(uint64_t first, uint64_t last);

/* Clones the object of a slot until the table is full. Returns the number of clones. */
uint64_t fill_table(uint64_t slot);

/* Maps one page of a VMO into the own address space by the revision's call; NULL if refused. */
volatile uint8_t *view(uint64_t slot, uint64_t off, bool writable);
void unview(const volatile uint8_t *page);

/* a2: fill_regions maps single pages until vm_map fails; it returns their number, and the last answer in
 * *last. unmap_pages unmaps consecutive pages, each of them a separate region. */
unsigned fill_regions(uint64_t vmo, int64_t *last);
void unmap_pages(uint64_t va, unsigned count);

/* Whether the page is mapped and starts with these bytes, is all 0, or is 0 from an offset on. */
bool shows(const volatile uint8_t *page, const void *bytes, size_t count);
bool shows_zeros(const volatile uint8_t *page);
bool shows_zeros_from(const volatile uint8_t *page, size_t off);

/* Stores a byte if the page is mapped. */
void put(volatile uint8_t *page, size_t off, uint8_t byte);

/* PATTERN_BYTES bytes, none of them 0. */
#define PATTERN_BYTES 9000
const uint8_t *pattern(void);

/* ---- Messages, without blocking ---- */
int64_t post(uint64_t slot, const struct nx_ipc_hdr *hdr, const void *payload);
int64_t take(uint64_t slot, struct nx_ipc_hdr *hdr, void *buf, uint64_t max);
uint64_t probe_message_max(void);

/* Receives; while the queue is empty, yields and retries until a time limit. With a sender_id it calls
 * recv_v2. */
int64_t take_later(uint64_t slot, struct nx_ipc_hdr *hdr, void *buf, uint64_t max, uint64_t *sender_id);

/* Yields long enough for other tasks to block or end. */
void let_others_run(void);

/* ---- Children ---- */
extern const uint8_t probe_child_elf[];
extern const uint64_t probe_child_elf_bytes;

struct child {
    int64_t pid;
    uint64_t reply; /* init's endpoint for the child's report */
    uint64_t watch; /* death watch (K-62) */
};

/* Starts a child by exec with an order, or by exec_v2 with gp 0 if name is not NULL. Creates its reply
 * endpoint and its death watch, in this order of slots. The child does not run yet. */
void child_exec(struct child *child, uint64_t order, const char *name, const uint8_t *elf);
void child_give(const struct child *child, uint64_t slot, uint64_t rights);
void child_run(const struct child *child);

/* Waits for the death watch to answer and returns the answer. */
int64_t child_ended(const struct child *child);

/* Waits for an ended child (pid <= 0: any) and closes its endpoints. If the watch did not answer -3, the
 * child may still run and wait could block for ever: returns the watch's answer in a0 and a1 instead. */
struct probe_answer child_reap(const struct child *child, int64_t watch_answer, int64_t pid);

/* Receives the report of a named ORDER_HELLO child, prints its sender id as a case and returns its gp. */
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
