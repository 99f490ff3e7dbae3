/* SPDX-License-Identifier: Apache-2.0 */
/* What `vmo sum` and `vmo sum --check` share. */
#ifndef TOOL_SUM_H
#define TOOL_SUM_H

#include "tool.h"

struct sum_options {
    bool check;
    bool binary;
    bool text; /* asked for */
    bool tag;
    bool zero;
    bool ignore_missing;
    bool quiet;
    bool status;
    bool strict;
    bool warn;
};

/* Hashes a file to its end; "-" is standard input. Returns 0, or errno. */
int sum_hash_file(const char *name, uint8_t digest[VMO_SHA256_BYTES]);

/* Checks each file that a list names, as sha256sum(1) does. True if the list holds. */
bool sum_check(const char *list, const struct sum_options *options);

#endif
