/* SPDX-License-Identifier: Apache-2.0 */
#include "core/port_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sanitizer/asan_interface.h>

#include "core/port.h"
#include "nexus_abi.h"

#define PAGE NX_PAGE_BYTES
#define BASE_PA UINT64_C(0x80201000) /* not congruent with any mapping */
#define CONSOLE_BYTES (1u << 20)

/* Offsets of the parts from BASE_PA. A poisoned page precedes each part and follows the last. */
#define ROOT_OFF (UINT64_C(1) * PAGE)
#define FRAMES_OFF (ROOT_OFF + 2 * PAGE)
#define ELF_OFF (FRAMES_OFF + HOST_FRAMES_BYTES + PAGE)
#define ARENA_OFF (ELF_OFF + HOST_ELF_BYTES + PAGE)
#define RAM_BYTES (ARENA_OFF + HOST_ARENA_BYTES + PAGE)

uint64_t host_ticks;
unsigned host_tlb_flushes, host_code_flushes;
uint64_t host_root_pa;

static uint8_t *ram;
static char console[CONSOLE_BYTES];
static size_t console_used;
static jmp_buf finish;
static bool finish_is_expected;
static unsigned finish_code;

static void make_ram(void)
{
    static const uint64_t gaps[] = {0, ROOT_OFF + PAGE, ELF_OFF - PAGE, ARENA_OFF - PAGE, RAM_BYTES - PAGE};
    ram = aligned_alloc(PAGE, RAM_BYTES);
    assert_non_null(ram);
    for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
        ASAN_POISON_MEMORY_REGION(ram + gaps[i], PAGE);
    }
}

void host_reset(void)
{
    if (ram == NULL) {
        make_ram();
    }
    memset(ram + FRAMES_OFF, HOST_JUNK, HOST_FRAMES_BYTES);
    memset(ram + ARENA_OFF, HOST_JUNK, HOST_ARENA_BYTES);
    memset(ram + ROOT_OFF, 0, PAGE);
    const uint64_t leaf = UINT64_C(0x80000000) >> 12 << 10 | 0xCF; /* V R W X, A and D */
    memcpy(ram + ROOT_OFF + HOST_KERNEL_GIB * sizeof(leaf), &leaf, sizeof(leaf));
    host_ticks = host_root_pa = 0;
    host_tlb_flushes = host_code_flushes = 0;
    host_console_forget();
}

struct kernel_memory host_memory(void)
{
    return (struct kernel_memory){.frames_pa = BASE_PA + FRAMES_OFF,
                                  .frames_bytes = HOST_FRAMES_BYTES,
                                  .arena_pa = BASE_PA + ARENA_OFF,
                                  .arena_bytes = HOST_ARENA_BYTES,
                                  .kernel_root_pa = BASE_PA + ROOT_OFF};
}

uint64_t host_elf_pa(void)
{
    return BASE_PA + ELF_OFF;
}

const char *host_console(void)
{
    return console;
}

void host_console_forget(void)
{
    console_used = 0;
    console[0] = '\0';
}

int host_run(void (*body)(void *ctx), void *ctx)
{
    finish_is_expected = true;
    if (setjmp(finish) == 0) {
        body(ctx);
        finish_is_expected = false;
        return HOST_GOES_ON;
    }
    finish_is_expected = false;
    return (int)finish_code;
}

/* ---- core/port.h
 * ----------------------------------------------------------------------------------------- */

void *port_ptr(uint64_t pa)
{
    if (pa < BASE_PA || pa - BASE_PA >= RAM_BYTES) {
        fail_msg("the kernel reached for physical address 0x%llx", (unsigned long long)pa);
    }
    return ram + (pa - BASE_PA);
}

uint64_t port_ticks(void)
{
    return host_ticks;
}

uint64_t port_user_instret(void)
{
    return HOST_USER_INSTRET;
}

uint64_t port_instret(void)
{
    return HOST_INSTRET;
}

void port_tlb_flush(void)
{
    host_tlb_flushes++;
}

uint64_t port_root(void)
{
    return host_root_pa;
}

void port_use_root(uint64_t root_pa)
{
    host_root_pa = root_pa;
}

void port_code_flush(void)
{
    host_code_flushes++;
}

void port_console(const char *bytes, size_t n)
{
    if (n >= CONSOLE_BYTES - console_used) {
        fail_msg("the console's buffer is full");
    }
    memcpy(console + console_used, bytes, n);
    console_used += n;
    console[console_used] = '\0';
}

_Noreturn void port_finish(unsigned code)
{
    finish_code = code;
    if (finish_is_expected) {
        longjmp(finish, 1);
    }
    fail_msg("the run ended with %u: %.400s", code, console);
    abort();
}
