/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFER_PUPPET_H
#define DIFFER_PUPPET_H

#include "differ/differ_page.h"
#include "model/model.h"

#define PUPPET_STACK_PAGES 1

/* puppet_elf.S */
extern const uint8_t puppet_elf[];
extern const uint64_t puppet_elf_bytes;

/* Sets the limits that depend on the puppet. Returns false if its file has no card, or more than one. */
bool puppet_read(struct model_limits *limits);

#endif
