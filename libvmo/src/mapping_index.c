/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping_index.h"

static uint64_t start_of(const struct mapping *mapping)
{
    return mapping->range.off_bytes;
}

static uint64_t end_of(struct vmo_range range)
{
    return range.off_bytes + range.len_bytes;
}

/* The last mapping that begins at or before an offset; with by_end, that ends at or before it. Or NULL. */
static struct mapping *last_until(struct mapping *root, uint64_t offset, bool by_end)
{
    struct mapping *last = NULL;

    while (root != NULL) {
        if ((by_end ? end_of(root->range) : start_of(root)) <= offset) {
            last = root;
            root = root->right;
        } else {
            root = root->left;
        }
    }
    return last;
}

struct mapping *index_find(struct mapping *root, struct vmo_range pages)
{
    struct mapping *last = last_until(root, pages.off_bytes, false);

    return last != NULL && end_of(last->range) >= end_of(pages) ? last : NULL;
}

void index_add(struct mapping **root, struct mapping *mapping)
{
    const uint64_t start = start_of(mapping);
    struct mapping **less = &mapping->left;
    struct mapping **more = &mapping->right;
    struct mapping *rest = last_until(*root, end_of(mapping->range), true);

    for (; rest != NULL && start_of(rest) >= start; rest = last_until(*root, end_of(mapping->range), true)) {
        index_remove(root, rest); /* the new mapping covers it */
    }
    while (*root != NULL && (*root)->rank >= mapping->rank) {
        root = start < start_of(*root) ? &(*root)->left : &(*root)->right;
    }
    /* Split the subtree by offset. */
    rest = *root;
    while (rest != NULL) {
        struct mapping ***side = start_of(rest) < start ? &less : &more;
        **side = rest;
        *side = start_of(rest) < start ? &rest->right : &rest->left;
        rest = **side;
    }
    *less = NULL;
    *more = NULL;
    *root = mapping;
    mapping->indexed = true;
}

void index_remove(struct mapping **root, struct mapping *mapping)
{
    struct mapping *less = mapping->left;
    struct mapping *more = mapping->right;

    if (!mapping->indexed) {
        return;
    }
    while (*root != mapping) {
        root = start_of(mapping) < start_of(*root) ? &(*root)->left : &(*root)->right;
    }
    while (less != NULL && more != NULL) {
        if (less->rank >= more->rank) {
            *root = less;
            root = &less->right;
            less = *root;
        } else {
            *root = more;
            root = &more->left;
            more = *root;
        }
    }
    *root = less != NULL ? less : more;
    mapping->indexed = false;
}
