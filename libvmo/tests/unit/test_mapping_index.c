/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the index of an object's mappings with a linear search. */
#include "mapping_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT 400
#define MANY 100000
#define SPACE 200 /* bound of offsets and lengths: small, so that many ranges cover others */

static struct mapping mappings[COUNT];
static bool live[COUNT];
static struct mapping *root;
static uint32_t state = 1;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static bool covers(const struct mapping *mapping, struct vmo_range range)
{
    return mapping->range.off_bytes <= range.off_bytes &&
           mapping->range.off_bytes + mapping->range.len_bytes >= range.off_bytes + range.len_bytes;
}

static struct vmo_range random_range(void)
{
    return (struct vmo_range){next_random() % SPACE, 1 + next_random() % (next_random() % SPACE + 1)};
}

/* Linear search, through the indexed mappings or all of them. */
static bool any_covers(struct vmo_range range, bool indexed_only)
{
    for (int i = 0; i < COUNT; i++) {
        if (live[i] && (mappings[i].indexed || !indexed_only) && covers(&mappings[i], range)) {
            return true;
        }
    }
    return false;
}

static void check_finds(bool indexed_only)
{
    for (int i = 0; i < 20; i++) {
        const struct vmo_range range = random_range();
        const struct mapping *found = index_find(root, range);
        assert_int_equal(found != NULL, any_covers(range, indexed_only));
        assert_true(found == NULL || (covers(found, range) && live[found - mappings]));
    }
}

/* Like the core, adds a mapping only if none covers its range. */
static void add(int i)
{
    const struct vmo_range range = random_range();

    if (index_find(root, range) == NULL) {
        mappings[i] = (struct mapping){.range = range, .rank = next_random()};
        index_add(&root, &mappings[i]);
        assert_true(mappings[i].indexed);
        live[i] = true;
    }
}

static void finds_what_a_search_finds(void **unused)
{
    (void)unused;
    for (int round = 0; round < 200; round++) {
        root = NULL;
        for (int i = 0; i < COUNT; i++) {
            live[i] = false;
        }
        for (int i = 0; i < COUNT / 4; i++) {
            add(i);
            check_finds(false);
        }
        for (int i = 0; i < 4 * COUNT; i++) {
            const int at = (int)(next_random() % COUNT);
            if (live[at]) {
                index_remove(&root, &mappings[at]);
                assert_false(mappings[at].indexed);
                live[at] = false;
            } else {
                add(at);
            }
            check_finds(true);
        }
        for (int i = 0; i < COUNT; i++) {
            if (live[i]) {
                index_remove(&root, &mappings[i]);
            }
        }
        assert_null(root);
    }
}

/* Number of nodes from the root to a mapping. */
static int depth_of(const struct mapping *mapping)
{
    const struct mapping *at = root;
    int depth = 1;

    while (at != mapping) {
        at = mapping->range.off_bytes < at->range.off_bytes ? at->left : at->right;
        depth++;
    }
    return depth;
}

/* Ascending offsets are the worst order for an unbalanced tree. */
static void stays_shallow(void **unused)
{
    struct mapping *many = calloc(MANY, sizeof(*many));
    long sum = 0;

    (void)unused;
    assert_non_null(many);
    root = NULL;
    for (int i = 0; i < MANY; i++) {
        many[i].range = (struct vmo_range){(uint64_t)i, 1};
        many[i].rank = next_random();
        index_add(&root, &many[i]);
    }
    for (int i = 0; i < MANY; i++) {
        const int depth = depth_of(&many[i]);
        assert_true(depth < 60);
        sum += depth;
    }
    assert_true(sum / MANY < 30); /* 2 ln n is 23 */
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_search_finds),
        cmocka_unit_test(stays_shallow),
    };
    return cmocka_run_group_tests_name("unit/mapping_index", tests, NULL, NULL);
}
