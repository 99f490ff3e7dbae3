/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/linux_task.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crt/crt_console.h"
#include "crt/crt_task.h"

static void wait_for_inspection(void)
{
    char byte;
    if (fclose(stdout) != 0) {
        _exit(2);
    }
    while (read(STDIN_FILENO, &byte, sizeof(byte)) > 0) {
        /* the harness sends nothing; it ends the wait by closing */
    }
}

int linux_task_begin(void)
{
    return setvbuf(stdout, NULL, _IOLBF, 0) == 0 && atexit(wait_for_inspection) == 0 ? 0 : -1;
}

void console_flush(void)
{
    if (fflush(stdout) != 0) {
        _exit(2);
    }
}

/* Ends the process without waiting for the harness. */
_Noreturn void task_finish(int status)
{
    console_flush();
    _exit(status);
}
