/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of 4 KiB frames: page tables, images and stacks, messages. A bitmap at the start of the
 * range says which are taken; the lowest free one is always given first, so runs repeat exactly.
 */
#ifndef CORE_FRAMES_H
#define CORE_FRAMES_H

#include <stdint.h>

#define FRAMES_JUNK 0xA5 /* fills a freed frame: who still reads it, notices */

/* Takes over [pa, pa + bytes), page-aligned. Panics when not even its own bitmap fits. */
void frames_init(uint64_t pa, uint64_t bytes);

/* A zeroed frame's address, or 0 when there is none left. */
uint64_t frames_alloc(void);

/* Likewise, with whatever stands in it: who takes it says what he reads of it. */
uint64_t frames_alloc_raw(void);

/* Gives a frame back. Panics on one that is not in use. */
void frames_free(uint64_t pa);

/* Likewise, of a raw frame of which only the first bytes were written: only those need junk. */
void frames_free_used(uint64_t pa, uint64_t bytes);

uint64_t frames_in_use(void);
uint64_t frames_available(void);

#endif
