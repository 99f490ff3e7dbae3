/* SPDX-License-Identifier: Apache-2.0 */
/* In place of core/fdt.c: a kernel that faults before it has a page table, while it reads the device tree. */
#include "core/fdt.h"

#define FIRMWARE_PA UINT64_C(0x80000000) /* the firmware keeps its own memory from S-mode */

enum fdt_status fdt_read(const void *blob, size_t limit_bytes, struct fdt_facts *facts)
{
    (void)blob;
    (void)limit_bytes;
    facts->memory_pa = *(volatile const uint64_t *)(uintptr_t)FIRMWARE_PA;
    return FDT_OK;
}

const char *fdt_status_name(enum fdt_status status)
{
    return status == FDT_OK ? "the firmware's memory could be read" : "";
}
