/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "ref.h"

void name_print(FILE *to, const char *name, bool controls)
{
    static const char special[] = "\\\n\r";

    for (; *name != '\0'; name++) {
        const char *found = strchr(special, *name);

        if (controls && iscntrl((unsigned char)*name)) {
            fprintf(to, "\\%03o", (unsigned)(unsigned char)*name);
        } else if (found != NULL) {
            fprintf(to, "\\%c", "\\nr"[found - special]);
        } else {
            putc(*name, to);
        }
    }
}

void say(const char *name, const char *reason)
{
    fputs("host-ref: ", stderr);
    name_print(stderr, name, true);
    fprintf(stderr, ": %s\n", reason);
}

void refuse(const char *name, const char *reason)
{
    say(name, reason);
    exit(REFUSED);
}
