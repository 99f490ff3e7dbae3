/* SPDX-License-Identifier: Apache-2.0 */
/* `host-ref digest`: any files, of any kind and length, printed as sha256sum prints them. */
#include <errno.h>
#include <string.h>

#include "ref_commands.h"
#include "ref_sha.h"
#include "ref_source.h"

static bool stream_digest(FILE *from, const char *name, unsigned char digest[REF_SHA_BYTES])
{
    static unsigned char chunk[REF_CHUNK_BYTES];
    struct ref_sha sha;
    size_t got;
    bool hashed;
    int reading;

    ref_sha_begin(&sha);
    errno = 0;
    while ((got = fread(chunk, 1, sizeof chunk, from)) > 0)
        ref_sha_add(&sha, chunk, got);
    reading = ferror(from) != 0 ? errno : 0;
    hashed = ref_sha_end(&sha, digest);
    if (reading != 0)
        ref_say(name, strerror(reading));
    return hashed && reading == 0;
}

static bool file_digest(const char *name)
{
    bool standard = strcmp(name, "-") == 0;
    FILE *from = standard ? stdin : fopen(name, "rb");
    unsigned char digest[REF_SHA_BYTES];
    bool good;

    if (from == NULL) {
        ref_say_errno(name);
        return false;
    }
    good = stream_digest(from, name, digest);
    if (!standard)
        (void)fclose(from);
    if (good) {
        char hex[REF_SHA_HEX_CHARS];

        ref_hex_write(hex, digest);
        ref_say_digest(stdout, hex, name);
    }
    return good;
}

enum ref_status ref_cmd_digest(int arg_count, char *const *args)
{
    enum ref_status status = REF_OK;
    int first = 0;

    if (arg_count > 0 && strcmp(args[0], "--") == 0)
        first = 1;
    else
        for (int i = 0; i < arg_count; i++)
            if (args[i][0] == '-' && args[i][1] != '\0')
                return ref_say_usage("unknown option", args[i]);
    if (first == arg_count)
        return ref_say_usage("digest needs at least one file", NULL);
    for (int i = first; i < arg_count; i++)
        if (!file_digest(args[i]))
            status = REF_REFUSED;
    return status;
}
