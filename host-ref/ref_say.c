/* SPDX-License-Identifier: Apache-2.0 */
#include "ref_say.h"

#include <errno.h>
#include <string.h>

/* Names come from the caller: a newline in one must not make two lines of a message. */
static void put_name(FILE *to, const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte == '\\')
            fputs("\\\\", to);
        else if (byte < 0x20 || byte == 0x7f)
            fprintf(to, "\\%03o", (unsigned)byte);
        else
            putc(byte, to);
    }
}

void ref_say(const char *name, const char *reason)
{
    fputs("host-ref: ", stderr);
    put_name(stderr, name);
    fprintf(stderr, ": %s\n", reason);
}

void ref_say_errno(const char *name)
{
    ref_say(name, strerror(errno));
}

enum ref_status ref_say_usage(const char *complaint, const char *what)
{
    fprintf(stderr, "host-ref: %s", complaint);
    if (what != NULL) {
        fputs(" '", stderr);
        put_name(stderr, what);
        fputs("'", stderr);
    }
    fputs(" (try 'host-ref --help')\n", stderr);
    return REF_REFUSED;
}

void ref_say_digest(FILE *to, const char *hex, const char *name)
{
    if (strpbrk(name, "\\\n\r") != NULL)
        putc('\\', to);
    fprintf(to, "%s  ", hex);
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '\\')
            fputs("\\\\", to);
        else if (*at == '\n')
            fputs("\\n", to);
        else if (*at == '\r')
            fputs("\\r", to);
        else
            putc(*at, to);
    }
    putc('\n', to);
}

enum ref_status ref_say_end(enum ref_status status)
{
    bool lost = ferror(stdout) != 0;

    errno = 0;
    if (fclose(stdout) != 0)
        lost = true;
    if (!lost)
        return status;
    ref_say("standard output", errno != 0 ? strerror(errno) : "not all of it could be written");
    return REF_REFUSED;
}
