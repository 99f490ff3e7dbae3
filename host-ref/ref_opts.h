/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the form `--name value`. */
#ifndef REF_OPTS_H
#define REF_OPTS_H

#include <stdbool.h>
#include <stddef.h>

struct ref_opt {
    const char *name; /* with its dashes */
    bool required;
    const char *value; /* out: NULL if it was not given */
};

/*
 * Reads all of `args` into `opts`. False, with one line said, on a word that is no option, an unknown
 * option, one without a value, one given twice, or a required one left out. A value is never empty
 * and never starts with two dashes (write ./--name for a file of such a name).
 */
bool ref_opts_parse(struct ref_opt *opts, size_t opt_count, int arg_count, char *const *args);

#endif
