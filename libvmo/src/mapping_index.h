/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the mapping of an object that covers a range, in O(log n).
 *
 * The index is a treap of mappings, ordered by offset. No mapping in it lies within another, so mappings that
 * begin later also end later: of all that begin at or before a range, the last reaches furthest. A new
 * mapping removes those that it covers, since it serves every range that they serve.
 */
#ifndef VMO_MAPPING_INDEX_H
#define VMO_MAPPING_INDEX_H

#include "registry.h"

/* The mapping that covers a range of pages, or NULL. */
struct mapping *index_find(struct mapping *root, struct vmo_range pages);
/* Adds a mapping that no mapping in the index covers; its rank is set. */
void index_add(struct mapping **root, struct mapping *mapping);
/* Removes a mapping if it is in the index. */
void index_remove(struct mapping **root, struct mapping *mapping);

#endif
