/* SPDX-License-Identifier: Apache-2.0 */
/* Prints cases. */
#include <inttypes.h>
#include <stdio.h>

#include "crt/crt_task.h"
#include "probe/probe.h"

static unsigned cases;

const char *probe_call_name(uint64_t number)
{
    static const char *const names[NX_SYS_COUNT] = {
#define NX_CALL(number, constant, name, revisions, arguments) [number] = #name,
#include "calls.def"
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
    (void)snprintf(text, sizeof(text), "%" PRId64, answer);
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
    (void)snprintf(text, sizeof(text), "status %" PRId64, status);
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
