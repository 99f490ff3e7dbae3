/* SPDX-License-Identifier: Apache-2.0 */
#include "crt/crt_task.h"

#include "crt/crt_console.h"
#include "crt/crt_sys.h"

_Noreturn void task_finish(int status)
{
    const uint64_t answer = (uint64_t)(int64_t)status;
    console_flush();
    if (sys_ecall_odd(NX_SYS_GETPID, 0, 0) != NX_PID_INIT) {
        (void)sys_ecall_odd(NX_SYS_EXIT, answer, 0);
    }
    for (;;) { /* the returned pid is not needed */
        (void)sys_ecall_odd(NX_SYS_YIELD, answer, 0);
        (void)sys_ecall_even(NX_SYS_YIELD, answer, 0);
    }
}
