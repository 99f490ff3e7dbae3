/* SPDX-License-Identifier: Apache-2.0 */
#include "ref_opts.h"

#include <string.h>

#include "ref_say.h"

static struct ref_opt *find(struct ref_opt *opts, size_t opt_count, const char *name)
{
    for (size_t i = 0; i < opt_count; i++)
        if (strcmp(opts[i].name, name) == 0)
            return &opts[i];
    return NULL;
}

bool ref_opts_parse(struct ref_opt *opts, size_t opt_count, int arg_count, char *const *args)
{
    const char *complaint = NULL;
    const char *what = NULL;

    for (int i = 0; i < arg_count && complaint == NULL; i += 2) {
        const char *value = i + 1 < arg_count ? args[i + 1] : "";
        struct ref_opt *opt = find(opts, opt_count, args[i]);

        what = args[i];
        if (opt == NULL)
            complaint = args[i][0] == '-' ? "unknown option" : "an option was expected, not";
        else if (opt->value != NULL)
            complaint = "option given twice:";
        else if (*value == '\0' || strncmp(value, "--", 2) == 0)
            complaint = "a value is missing after";
        else
            opt->value = value;
    }
    for (size_t i = 0; i < opt_count && complaint == NULL; i++) {
        if (opts[i].required && opts[i].value == NULL) {
            complaint = "missing option";
            what = opts[i].name;
        }
    }
    if (complaint != NULL)
        (void)ref_say_usage(complaint, what);
    return complaint == NULL;
}
