/* SPDX-License-Identifier: Apache-2.0 */
/* The ABI revision, and the state in which init starts: K-01..K-04, K-10..K-12, K-63, K-66. */
#include <string.h>

#include "probe/probe.h"

#define ID_BYTES 32
#define SAME_SITE_CALLS NX_STORM_LIMIT
#define REGS 32
#define REG_PATTERN 0x5A00u
#define REGS_AREA 35

extern const char __global_pointer$[];

void probe_regs(uint64_t area[REGS_AREA]); /* probe_regs.S */

static struct probe_revision revision;

/* Prints the case "K-04.vmo-read" for the number of vmo_read. */
static void absent_call(uint64_t number)
{
    char id[ID_BYTES] = "K-04.";
    char *end = id + strlen(id);
    for (const char *name = probe_call_name(number); *name != '\0' && end < id + sizeof(id) - 1; name++) {
        *end++ = *name == '_' ? '-' : *name;
    }
    ROW(id, "not there", number, 0);
}

/* Probes each call that calls.def gives to a2 only. */
static void absent_calls(void)
{
#define NUMBER_A1(number)
#define NUMBER_A2(number) number,
#define NUMBER_BOTH(number)
#define NX_CALL(number, constant, name, revisions, arguments) NUMBER_##revisions(number)
    static const uint64_t absent[] = {
#include "calls.def"
    };

    for (size_t i = 0; i < COUNT_OF(absent); i++) {
        if (absent[i] != NX_SYS_AS_SELF) { /* probe_start prints it */
            absent_call(absent[i]);
        }
    }
}

void probe_revision_row(void)
{
    revision = probe_ask_revision();
    const bool one = (revision.as_self == -NX_ENOSYS) != (revision.map == -NX_ENOSYS);
    row_if("K-04.revision", "as_self", "the revision, told by as_self and map", one,
           probe_is_a1() ? "a1" : "a2", 0);
}

static void at_entry(const uint64_t *start)
{
    uint64_t others = 0;
    for (unsigned n = 1; n < REGS; n++) {
        others |= n == 2 || n == 3 ? 0 : start[n];
    }
    row_if("K-11.init-sp", "start", "sp of init", start[2] == NX_USER_SP, "sp-0x20008000", 0);
    row_if("K-11.init-zero", "start", "all registers of init but sp and gp", others == 0, "zero", 0);
    row_if("K-12.init-gp", "start", "gp of init", start[3] == at(__global_pointer$), "global-pointer", 0);
    const int64_t pid = CALL(NX_SYS_GETPID, 0);
    row_if("K-10.init", "getpid", "of init", pid == NX_PID_INIT, "pid-17", pid);
}

/* K-02: returns a bit for each register that the call changed. */
static uint32_t changed_registers(void)
{
    static uint64_t area[REGS_AREA];
    uint32_t changed = 0;
    probe_regs(area);
    for (unsigned n = 1; n < REGS; n++) {
        const uint64_t before = n >= 2 && n <= 4 ? area[REGS + n - 2]
                                : n == 17        ? NX_SYS_GETPID
                                                 : REG_PATTERN + n;
        changed |= n != 10 && area[n] != before ? UINT32_C(1) << n : 0;
    }
    return changed;
}

static void registers(void)
{
    const uint32_t temporaries = UINT32_C(7) << 5; /* t0, t1, t2 are x5, x6, x7 */
    const uint32_t changed = changed_registers();
    const bool a1 = probe_is_a1();
    row_if("K-02.kept", "getpid", "all registers but a0 and t0 to t2", (changed & ~temporaries) == 0, "kept",
           0);
    row_if("K-02.temporaries", "getpid", "t0 to t2", ((changed & temporaries) != 0) == a1,
           a1 ? "clobbered" : "kept", 0);
}

static void one_site(void)
{
    const uint64_t args[6] = {0};
    const int64_t pid = CALL(NX_SYS_GETPID, 0);
    int64_t answer = pid;
    for (unsigned i = 0; i < SAME_SITE_CALLS && answer == pid; i++) {
        answer = probe_ecall_odd(NX_SYS_GETPID, args).a0;
    }
    row_if("K-03.10001", "getpid", "10001 calls from one address", answer == pid, "own-pid", answer);
}

static void time_and_turns(void)
{
    int64_t answer = CALL(NX_SYS_YIELD, 0);
    row_if("K-04.yield", "yield", "nothing else can run", answer == NX_PID_INIT, "own-pid", answer);
    answer = CALL(NX_SYS_YIELD, 12345);
    row_if("K-04.yield-a0", "yield", "a0 is not 0", answer == NX_PID_INIT, "own-pid", answer);
    const int64_t first = CALL(NX_SYS_NSEC, 0), second = CALL(NX_SYS_NSEC, 0);
    row_if("K-04.nsec", "nsec", "ns since boot", first > 0 && first % 100 == 0, "steps-of-100", first);
    row_if("K-04.nsec-again", "nsec", "a second time", second >= first, "not-before", second);
}

void probe_start(const uint64_t *start)
{
    row_if("K-04.as-self", "as_self", "own address space", revision.as_self >= 0, "handle", revision.as_self);
    row("K-04.map", "map", "an address that is not aligned", revision.map);
    if (probe_is_a1()) {
        absent_calls();
    }
    ROW("K-04.old-endpoint-create", "the call from before factories", NX_SYS_EP_CREATE_OLD, 0);
    at_entry(start);
    registers();
    one_site();
    time_and_turns();
    ROW("K-63.no-children", "any, without children", NX_SYS_WAIT, 0);
    ROW("K-63.no-children-self", "oneself, without children", NX_SYS_WAIT, NX_PID_INIT);
    if (!probe_is_a1()) {
        ROW("K-63.no-children-nohang", "without children", NX_SYS_WAIT_NOHANG, 0);
    }
}

static void debug_write(void)
{
    static const uint8_t line_end = '\n';
    static uint8_t not_utf8[2000] = {0xFF};
    ROW("K-66.null", "null pointer", NX_SYS_DEBUG_WRITE, 0, 1);
    row_len("K-66.write", "debug_write", "a line end", CALL(NX_SYS_DEBUG_WRITE, at(&line_end), 1), 1);
    ROW("K-66.nothing", "length 0", NX_SYS_DEBUG_WRITE, at(&line_end), 0);
    row_len("K-66.not-utf-8", "debug_write", "5 bytes that are not utf-8",
            CALL(NX_SYS_DEBUG_WRITE, at(not_utf8), 5), 5);
    const int64_t answer = CALL(NX_SYS_DEBUG_WRITE, at(not_utf8), sizeof(not_utf8));
    row_if("K-66.long", "debug_write", "2000 bytes that are not utf-8", answer == NX_DEBUG_WRITE_MAX,
           "len-1024", answer);
    ROW("K-66.null-nothing", "null pointer, length 0", NX_SYS_DEBUG_WRITE, 0, 0);
}

void probe_console(void)
{
    int64_t answer = CALL(NX_SYS_DEBUG_PUTC, '\n');
    row_if("K-66.putc", "debug_putc", "a line end", answer == '\n', "byte", answer);
    answer = CALL(NX_SYS_DEBUG_PUTC, 0xFF);
    row_if("K-66.putc-high", "debug_putc", "byte 0xff", answer == 0xFF, "byte", answer);
    if (!probe_is_a1()) {
        debug_write();
    }
}
