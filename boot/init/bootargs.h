/* SPDX-License-Identifier: Apache-2.0 */
/* The boot arguments (docs/testing/audit.md, "Boot arguments"), parsed into a configuration. */
#ifndef INIT_BOOTARGS_H
#define INIT_BOOTARGS_H

#include "core/config.h"

enum bootargs_status {
    BOOTARGS_OK,
    BOOTARGS_UNKNOWN_KEY,
    BOOTARGS_NO_VALUE,
    BOOTARGS_BAD_VALUE,
    BOOTARGS_REPEATED,
};

/* Parses a NUL-terminated line. On refusal *config is unchanged and *where points to the word. */
enum bootargs_status bootargs_parse(const char *line, struct kernel_config *config, const char **where);

const char *bootargs_status_name(enum bootargs_status status);

#endif
