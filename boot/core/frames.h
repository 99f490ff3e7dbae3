/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of 4 KiB frames for page tables, images, stacks and messages. A bitmap at the start of the range
 * marks the frames in use. The lowest free frame is allocated first, so runs are deterministic.
 */
#ifndef CORE_FRAMES_H
#define CORE_FRAMES_H

#include <stdint.h>

#define FRAMES_JUNK 0xA5 /* fills a freed frame, to expose reads after free */

/* Manages [pa, pa + bytes), page-aligned. Panics if the bitmap leaves no frame. */
void frames_init(uint64_t pa, uint64_t bytes);

/* Allocates a zeroed frame and returns its address; 0 if none is left. */
uint64_t frames_alloc(void);

/* Likewise, not zeroed; the caller must not read bytes that it has not written. */
uint64_t frames_alloc_raw(void);

/* Frees a frame. Panics if the frame is not in use. */
void frames_free(uint64_t pa);

/* Likewise, for a raw frame of which only the first bytes were written: only those get junk. */
void frames_free_used(uint64_t pa, uint64_t bytes);

uint64_t frames_in_use(void);
uint64_t frames_available(void);

#endif
