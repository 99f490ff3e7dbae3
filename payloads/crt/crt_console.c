/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stdout: line-buffered ASCII. A line is one debug_write, so that the lines of two tasks do not mix. A kernel
 * without debug_write gets it byte by byte (K-66).
 */
#include "crt/crt_console.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "crt/crt_sys.h"

#define LINE_BYTES 512 /* a longer line is split */

static char line[LINE_BYTES];
static size_t line_bytes;

static void put_bytes(void)
{
    for (size_t i = 0; i < line_bytes; i++) {
        const uint64_t byte = (uint8_t)line[i];
        if (i % 2) {
            (void)sys_ecall_odd(NX_SYS_DEBUG_PUTC, byte, 0);
        } else {
            (void)sys_ecall_even(NX_SYS_DEBUG_PUTC, byte, 0);
        }
    }
}

void console_flush(void)
{
    static bool no_debug_write;
    if (line_bytes == 0) {
        return;
    }
    if (!no_debug_write) {
        static bool turn;
        const uint64_t at = (uint64_t)(uintptr_t)line;
        turn = !turn;
        const int64_t answer = turn ? sys_ecall_odd(NX_SYS_DEBUG_WRITE, at, line_bytes)
                                    : sys_ecall_even(NX_SYS_DEBUG_WRITE, at, line_bytes);
        no_debug_write = answer == -NX_ENOSYS;
    }
    if (no_debug_write) {
        put_bytes();
    }
    line_bytes = 0;
}

/* picolibc calls this for each character of stdout. */
static int console_put(char c, FILE *file)
{
    (void)file;
    line[line_bytes++] = (unsigned char)c < 0x80 ? c : '?';
    if (c == '\n' || line_bytes == LINE_BYTES) {
        console_flush();
    }
    return (unsigned char)c;
}

static FILE console = FDEV_SETUP_STREAM(console_put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &console;
