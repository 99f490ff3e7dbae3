/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces core/storm.c: the kernel counts wrong entries of its own page table, then writes to its code. */
#include "core/storm.h"

#include "core/console.h"
#include "core/port.h"
#include "core/pte.h"

extern const char __text_start[];

static struct {
    uint64_t pages, open_to_tasks, writable_code;
} found;

static const uint64_t *below(uint64_t entry)
{
    return (entry & (PTE_V | PTE_LEAF)) == PTE_V ? port_ptr(pte_pa(entry)) : NULL;
}

static void count(uint64_t entry)
{
    const uint64_t both = PTE_W | PTE_X;
    if ((entry & PTE_V) != 0 && (entry & PTE_LEAF) != 0) {
        found.pages++;
        found.open_to_tasks += (entry & PTE_U) != 0;
        found.writable_code += (entry & both) == both;
    }
}

static void count_all(void)
{
    const uint64_t *root = port_ptr(port_root());
    for (unsigned i = 0; i < PTE_COUNT; i++) {
        const uint64_t *middle = below(root[i]);
        count(root[i]);
        for (unsigned j = 0; middle != NULL && j < PTE_COUNT; j++) {
            const uint64_t *low = below(middle[j]);
            count(middle[j]);
            for (unsigned k = 0; low != NULL && k < PTE_COUNT; k++) {
                count(low[k]);
            }
        }
    }
}

void storm_init(void)
{
    struct line line;
    count_all();
    console_begin(&line);
    line_text(&line, found.pages > PTE_COUNT / 4 ? "fault: entries" : "fault: too few entries");
    line_key_decimal(&line, "open_to_tasks", found.open_to_tasks);
    line_key_decimal(&line, "writable_code", found.writable_code);
    line_end(&line);
    *(volatile char *)(uintptr_t)__text_start = 0; /* the entry, which has run */
}

enum storm_verdict storm_count(uint64_t pc)
{
    (void)pc;
    return STORM_CALM;
}
