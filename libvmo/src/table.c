/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

extern inline void *table_place(const struct table *table, uint32_t index);
extern inline void *table_at(const struct table *table, uint32_t index);
extern inline void *table_find(const struct table *table, uint64_t id);
extern inline void *table_take(struct table *table);
extern inline void table_give(struct table *table, struct entry *entry);
