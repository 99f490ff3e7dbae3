/* SPDX-License-Identifier: Apache-2.0 */
#include "core/panic.h"

#include <stddef.h>

#include "core/exit_code.h"
#include "core/port.h"

static panic_hook *end_of_run;
static bool is_panicking;

void panic_init(panic_hook *hook)
{
    end_of_run = hook;
    is_panicking = false;
}

void panic_describe(struct line *line, const struct panic *panic)
{
    line_text(line, "kernel: panic: ");
    line_text(line, panic->why);
    line_char(line, ' ');
    line_address(line, panic->detail);
    if (panic->is_fault) {
        line_key_address(line, "va", panic->va);
    }
}

static _Noreturn void end(const struct panic *panic)
{
    struct line line;
    if (is_panicking) {
        port_finish(EXIT_PANIC);
    }
    is_panicking = true;
    if (end_of_run != NULL) {
        end_of_run(panic);
    }
    line_begin(&line, port_console);
    panic_describe(&line, panic);
    line_end(&line);
    port_finish(EXIT_PANIC);
}

_Noreturn void kernel_panic(const char *why, uint64_t detail)
{
    end(&(struct panic){.why = why, .detail = detail});
}

_Noreturn void kernel_panic_fault(const char *why, uint64_t pc, uint64_t va)
{
    end(&(struct panic){.why = why, .detail = pc, .is_fault = true, .va = va});
}
