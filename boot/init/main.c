/* SPDX-License-Identifier: Apache-2.0 */
/* Boots the kernel: boot_main lists the steps in order. */
#include <stdbool.h>
#include <string.h>

#include "arch/machine.h"
#include "core/checked.h"
#include "core/exit_code.h"
#include "core/fdt.h"
#include "core/kernel.h"
#include "core/port.h"
#include "core/syscall.h"
#include "init/bootargs.h"
#include "nexus_abi.h"

#define FDT_LIMIT_BYTES (1024 * 1024)
#define FRAMES_BYTES (UINT64_C(32) * 1024 * 1024)

_Noreturn void boot_main(uint64_t hart, uint64_t fdt_pa);

static struct fdt_facts facts;
static struct kernel_config config;
static struct kernel_memory memory;

static void say(const char *text)
{
    port_console(text, strlen(text));
}

static _Noreturn void refuse(const char *why, const char *detail)
{
    say("kernel: refused: ");
    say(why);
    say(": ");
    say(detail);
    say("\n");
    port_finish(EXIT_REFUSED);
}

/* Places the frames, then the arena, above the kernel. The initrd may lie in the arena: init is loaded
 * before the first VMO exists, and nothing reads the initrd afterwards. */
static void plan_memory(uint64_t fdt_pa)
{
    const uint64_t ram_end = facts.memory_pa + facts.memory_bytes;
    const uint64_t arena = config_arena_bytes(&config);
    memory.frames_pa = MACHINE_KERNEL_END_PA;
    memory.frames_bytes = FRAMES_BYTES;
    memory.arena_pa = memory.frames_pa + memory.frames_bytes;
    memory.arena_bytes = arena;
    if (facts.memory_pa != MACHINE_RAM_PA || ram_end < memory.arena_pa || ram_end - memory.arena_pa < arena) {
        refuse("memory", "RAM is too small for the kernel, its frames and the arena; see MEM");
    }
    if (ranges_overlap(fdt_pa, facts.fdt_bytes, memory.frames_pa, memory.frames_bytes + arena)) {
        refuse("memory", "the device tree overlaps the frames or the arena; see MEM");
    }
    if (facts.initrd_bytes == 0) {
        refuse("init", "no init ELF; pass one with -initrd");
    }
    if (ranges_overlap(facts.initrd_pa, facts.initrd_bytes, MACHINE_RAM_PA,
                       memory.arena_pa - MACHINE_RAM_PA)) {
        refuse("memory", "the init ELF overlaps the kernel or its frames; see MEM");
    }
    if (facts.initrd_pa < MACHINE_RAM_PA || facts.initrd_bytes > ram_end - MACHINE_RAM_PA ||
        facts.initrd_pa > ram_end - facts.initrd_bytes) {
        refuse("init", "the init ELF is not in RAM");
    }
}

_Noreturn void boot_main(uint64_t hart, uint64_t fdt_pa)
{
    (void)hart;
    const char *where = "";

    const enum fdt_status fdt = fdt_read(port_ptr(fdt_pa), FDT_LIMIT_BYTES, &facts);
    if (fdt != FDT_OK) {
        refuse("device tree", fdt_status_name(fdt));
    }
    kernel_config_default(&config);
    const enum bootargs_status args = bootargs_parse(facts.bootargs, &config, &where);
    if (args != BOOTARGS_OK) {
        refuse(bootargs_status_name(args), where);
    }
    plan_memory(fdt_pa);
    memory.kernel_root_pa = machine_map(facts.memory_pa + facts.memory_bytes);
    machine_traps();
    kernel_init(&config, &memory);
    kernel_calls_init();
    kernel_start(facts.initrd_pa, facts.initrd_bytes);
    machine_run();
}
