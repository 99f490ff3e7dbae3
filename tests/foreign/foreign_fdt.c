/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces core/fdt.c: a kernel that ignores the device tree. Its init and boot arguments are built in, and
 * its memory is QEMU's -m 320M (MEM). */
#include "core/fdt.h"

#include <string.h>

#define RAM_PA UINT64_C(0x80000000)
#define RAM_BYTES (UINT64_C(320) * 1024 * 1024)

/* foreign_init.S; foreign_a1.c or foreign_a2.c */
extern const char foreign_init[], foreign_init_end[];
extern const char foreign_bootargs[];

enum fdt_status fdt_read(const void *blob, size_t limit_bytes, struct fdt_facts *facts)
{
    (void)blob;
    (void)limit_bytes;
    *facts = (struct fdt_facts){
        .memory_pa = RAM_PA,
        .memory_bytes = RAM_BYTES,
        .initrd_pa = (uint64_t)(uintptr_t)foreign_init,
        .initrd_bytes = (uint64_t)(foreign_init_end - foreign_init),
    };
    strcpy(facts->bootargs, foreign_bootargs);
    return FDT_OK;
}

const char *fdt_status_name(enum fdt_status status)
{
    return status == FDT_OK ? "ok" : "unknown";
}
