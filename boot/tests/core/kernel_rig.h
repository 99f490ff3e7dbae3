/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boots the kernel core on the host port and plays its tasks. A call fills the task's frame and calls
 * kernel_syscall, as a trap does. Memory is accessed through the rig's own page walk, as the MMU does. After
 * each test the rig ends the run and checks that nothing is left over.
 */
#ifndef TESTS_CORE_KERNEL_RIG_H
#define TESTS_CORE_KERNEL_RIG_H

#include "core/elf_image.h"
#include "core/port_host.h"
#include "core/task.h"
#include "nexus_abi.h"

/* The memory of every task: one page of text, and data for the tests to write. */
#define RIG_TEXT_VA UINT64_C(0x10000)
#define RIG_DATA_VA UINT64_C(0x20000)
#define RIG_DATA_BYTES UINT64_C(0x20000)

/* Addresses in the data. */
#define U_HDR RIG_DATA_VA
#define U_DESC (RIG_DATA_VA + 0x100)
#define U_ID (RIG_DATA_VA + 0x200)
#define U_NAME (RIG_DATA_VA + 0x300)
#define U_INFO (RIG_DATA_VA + 0x400)
#define U_BUF (RIG_DATA_VA + 0x1000)  /* 0x5000 bytes */
#define U_ELF (RIG_DATA_VA + 0x8000)  /* 0x4000 bytes */
#define U_NOWHERE UINT64_C(0x7000000) /* never mapped */

#define PAGE ((uint64_t)NX_PAGE_BYTES)
#define MIB (UINT64_C(1) << 20)
#define ANY_SLOT UINT64_MAX
#define RIG_WAITS INT64_MIN       /* the call is not finished: the task is blocked */
#define RIG_ENDED (INT64_MIN + 1) /* the task has ended */

/* Entries in a list of tests: on both revisions, on one, or without a boot. */
#define ON_A1(test) cmocka_unit_test_setup_teardown(test, rig_boot_a1, rig_down)
#define ON_A2(test) cmocka_unit_test_setup_teardown(test, rig_boot_a2, rig_down)
#define ON_EACH(test)                                                                                        \
    {#test " on a1", test, rig_boot_a1, rig_down, NULL},                                                     \
    {                                                                                                        \
#test " on a2", test, rig_boot_a2, rig_down, NULL                                                    \
    }
#define BOOTS(test) cmocka_unit_test_teardown(test, rig_down)

/* ---- Boot and end -------------------------------------------------------------------------------- */

int rig_boot_a1(void **state);
int rig_boot_a2(void **state);
void rig_boot(const struct kernel_config *config);

/* The default configuration, with an arena that fits the host. */
struct kernel_config rig_config(enum abi_revision revision);

/* Ends the run if it is active, and checks that no frame, endpoint or unexpected hazard is left. */
int rig_down(void **state);

/* Makes console and audit new, without a boot. */
int rig_fresh_audit(void **state);

/* Notes that a call or an event has ended the run. */
void rig_has_ended(void);

/* Likewise, by a panic: nothing is checked afterwards. */
void rig_forget(void);

struct task *rig_init(void);
bool rig_is_a1(void);

/* ---- Calls --------------------------------------------------------------------------------------- */

/* The running task; NULL if all wait. */
struct task *rig_current(void);

/* Makes other tasks yield until this task runs. */
void rig_run(struct task *task);

/* Makes a call as this task. Checks the registers that the ABI preserves (K-02). */
int64_t rig_call(struct task *task, uint64_t number, const uint64_t args[6]);

/* The answer of a call that was finished later. */
int64_t rig_answer(const struct task *task);

/* Like rig_call, but from this pc and without a switch of tasks. */
int64_t rig_call_at(struct task *task, uint64_t pc, uint64_t number, const uint64_t args[6]);

/* The exit code with which this call ends the run. */
int rig_call_ends(struct task *task, uint64_t number, const uint64_t args[6]);

/* Checks that the call has this answer and changes nothing else. */
void rig_refuses(int64_t answer, const char *file, int line, struct task *task, uint64_t number,
                 const uint64_t args[6]);

#define CALL(task, number, ...) rig_call(task, number, (const uint64_t[6]){__VA_ARGS__})
#define GIVES(answer, task, number, ...) assert_int_equal(CALL(task, number, __VA_ARGS__), answer)
#define REFUSES(answer, task, number, ...)                                                                   \
    rig_refuses(answer, __FILE__, __LINE__, task, number, (const uint64_t[6]){__VA_ARGS__})
#define ENDS(code, task, number, ...)                                                                        \
    assert_int_equal(rig_call_ends(task, number, (const uint64_t[6]){__VA_ARGS__}), code)

/* Checks that the next unchecked hazard is this one. */
void rig_hazard(uint32_t pid, uint64_t call, const char *id, const char *what);

/* Accepts any hazards in this test. */
void rig_ignore_hazards(void);

/* ---- Common steps -------------------------------------------------------------------------------- */

/* A valid program with the data above. */
void rig_make_elf(struct image *elf);

/* Copies the program into the task's memory and execs it with one page of stack. */
int64_t rig_exec_elf(struct task *parent, const void *elf, size_t n);

/* Execs a child and, on a2, resumes it. */
struct task *rig_child(struct task *parent);

/* Makes the task exit or fault. The task must be able to run. */
void rig_exit(struct task *task, int status);
void rig_fault(struct task *task, enum kernel_fault kind, uint64_t va);

/* Creates capabilities of init and returns their slots. */
uint64_t rig_vmo(struct task *task, uint64_t bytes);
uint64_t rig_endpoint(uint64_t depth);

/* Gives the task a copy of init's capability and returns its slot there. */
uint64_t rig_give(uint64_t slot, const struct task *to, uint64_t rights);

/* Fills the task's table to the last slot with clones of slot 0. */
void rig_fill_slots(struct task *task);

/* Sends n bytes of U_BUF with this type; moves a slot unless it is CAP_NO_SLOT. */
int64_t rig_send(struct task *task, uint64_t slot, uint16_t type, uint64_t n, uint32_t move, uint64_t flags,
                 uint64_t deadline_ns);

/* Receives into U_HDR and U_BUF. */
int64_t rig_recv(struct task *task, uint64_t slot, uint64_t max, uint64_t flags, uint64_t deadline_ns);

/* ---- Memory as the task sees it (rig_mmu.c) ------------------------------------------------------ */

/* Page table bits that tests check. */
enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_A = 64, PTE_D = 128 };

/* The leaf entry of an address; 0 if there is none. */
uint64_t rig_pte(const struct task *task, uint64_t va);
uint64_t rig_pte_of(const struct aspace *space, uint64_t va);
uint64_t rig_pa(const struct task *task, uint64_t va); /* 0 if not mapped */

/* Behave like a load, a store and a fetch, including A and D. False if the access faults. */
bool rig_load(const struct task *task, uint64_t va, void *dst, size_t n);
bool rig_store(const struct task *task, uint64_t va, const void *src, size_t n);
bool rig_fetch(const struct task *task, uint64_t va);

/* Reads without setting A. */
void rig_peek(const struct task *task, uint64_t va, void *dst, size_t n);
void rig_poke(const struct task *task, uint64_t va, const void *src, size_t n);
void rig_fill(const struct task *task, uint64_t va, int byte, size_t n);
bool rig_holds(const struct task *task, uint64_t va, int byte, size_t n);

#endif
