/* SPDX-License-Identifier: Apache-2.0 */
/* How a case is printed, and the call behind it. */
#include <inttypes.h>
#include <stdio.h>

#include "crt/crt_task.h"
#include "probe/probe.h"

static unsigned cases;

struct probe_answer probe_call(uint64_t number, const uint64_t args[6])
{
    static bool turn;

    turn = !turn;
    return turn ? probe_ecall_odd(number, args) : probe_ecall_even(number, args);
}

const char *probe_call_name(uint64_t number)
{
    static const char *const names[NX_SYS_COUNT] = {
        [NX_SYS_YIELD] = "yield",
        [NX_SYS_NSEC] = "nsec",
        [NX_SYS_MAP] = "map",
        [NX_SYS_VMO_CREATE] = "vmo_create",
        [NX_SYS_VMO_WRITE] = "vmo_write",
        [NX_SYS_CAP_TRANSFER] = "cap_transfer",
        [NX_SYS_AS_CREATE] = "as_create",
        [NX_SYS_AS_MAP] = "as_map",
        [NX_SYS_EXIT] = "exit",
        [NX_SYS_WAIT] = "wait",
        [NX_SYS_EXEC] = "exec",
        [NX_SYS_IPC_SEND] = "ipc_send",
        [NX_SYS_DEBUG_PUTC] = "debug_putc",
        [NX_SYS_EXEC_V2] = "exec_v2",
        [NX_SYS_IPC_RECV] = "ipc_recv",
        [NX_SYS_EP_CREATE_OLD] = "endpoint_create_old",
        [NX_SYS_CAP_CLOSE] = "cap_close",
        [NX_SYS_EP_CLOSE] = "endpoint_close",
        [NX_SYS_EP_CREATE] = "endpoint_create",
        [NX_SYS_EP_CREATE_FOR] = "endpoint_create_for",
        [NX_SYS_CAP_CLONE] = "cap_clone",
        [NX_SYS_GETPID] = "getpid",
        [NX_SYS_IPC_RECV_V2] = "ipc_recv_v2",
        [NX_SYS_CAP_QUERY] = "cap_query",
        [NX_SYS_CAP_TRANSFER_TO] = "cap_transfer_to",
        [NX_SYS_TASK_RESUME] = "task_resume",
        [NX_SYS_DEBUG_WRITE] = "debug_write",
        [NX_SYS_VMO_DESTROY] = "vmo_destroy",
        [NX_SYS_VMO_READ] = "vmo_read",
        [NX_SYS_AS_SELF] = "as_self",
        [NX_SYS_VMO_SHARE_RO] = "vmo_share_ro",
        [NX_SYS_WAIT_NOHANG] = "wait_nohang",
        [NX_SYS_VM_MAP] = "vm_map",
        [NX_SYS_VM_UNMAP] = "vm_unmap",
    };

    return number < NX_SYS_COUNT && names[number] != NULL ? names[number] : "unknown";
}

static void print(const char *id, const char *call, const char *what, const char *answer)
{
    cases++;
    printf("%s\t%s\t%s\t%s\n", id, call, what, answer);
}

void row(const char *id, const char *call, const char *what, int64_t answer)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, answer);
    print(id, call, what, text);
}

void row_if(const char *id, const char *call, const char *what, bool holds, const char *relation,
            int64_t answer)
{
    if (holds) {
        print(id, call, what, relation);
    } else if (answer < 0) {
        row(id, call, what, answer);
    } else {
        print(id, call, what, "other");
    }
}

int64_t row_slot(const char *id, const char *call, const char *what, int64_t answer, uint64_t expected)
{
    row_if(id, call, what, answer == (int64_t)expected, "lowest-free-slot", answer);
    return answer;
}

void row_status(const char *id, const char *what, int64_t status, int64_t expected)
{
    char text[32];

    (void)snprintf(text, sizeof text, "status %" PRId64, status);
    if (probe_is_a1()) {
        row_if(id, "wait", what, status == expected || status == NX_TASK_FAULT_STATUS, "status-ok", status);
    } else {
        print(id, "wait", what, text);
    }
}

void row_len(const char *id, const char *call, const char *what, int64_t answer, uint64_t expected)
{
    row_if(id, call, what, answer == (int64_t)expected, "len", answer);
}

void rows_of(uint64_t number, const struct probe_case *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        row(list[i].id, probe_call_name(number), list[i].what, probe_call(number, list[i].args).a0);
    }
}

_Noreturn void probe_done(void)
{
    printf("probe: done %u cases\n", cases);
    task_finish(0);
}
