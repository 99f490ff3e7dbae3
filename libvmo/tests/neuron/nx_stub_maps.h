/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the stub kernel. */
#ifndef NX_STUB_MAPS_H
#define NX_STUB_MAPS_H

#include <stdint.h>

/* Returns the slot in use, or NULL. */
struct stub_slot *stub_slot_of(uint64_t number);

/* K-17: counts page tables; a1 panics when its heap is used up. */
void stub_take_tables(uint32_t count);
int64_t stub_map_page(uint64_t number, uint64_t va, uint64_t off);
int64_t stub_vm_map(uint64_t number, uint64_t off, uint64_t bytes, uint64_t flags);
int64_t stub_vm_unmap(uint64_t va, uint64_t bytes);

#endif
