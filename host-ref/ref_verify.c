/* SPDX-License-Identifier: Apache-2.0 */
/* `host-ref verify`: hashes a blob afresh and compares with a digest file that `challenge` wrote. */
#include <string.h>

#include "ref_commands.h"
#include "ref_opts.h"
#include "ref_sha.h"
#include "ref_source.h"

#define DIGEST_FILE_CHARS 65 /* 64 hex digits and a newline */

static bool digest_file_read(const char *path, unsigned char digest[REF_SHA_BYTES])
{
    unsigned char text[DIGEST_FILE_CHARS + 1]; /* one to spare, to see that there is no more */
    struct ref_source source;
    size_t len = 0;
    size_t got = 0;
    bool all_read = true;
    bool fits;

    if (!ref_source_open_file(&source, path))
        return false;
    fits = source.len_bytes == DIGEST_FILE_CHARS;
    while (fits && (all_read = ref_source_read(&source, text + len, sizeof text - len, &got)) && got > 0)
        len += got;
    ref_source_close(&source);
    if (!all_read)
        return false;
    if (fits && text[len - 1] == '\n' && ref_hex_read(digest, (const char *)text, len - 1))
        return true;
    ref_say(path, "is not a digest file: 64 hex digits and a newline");
    return false;
}

static bool blob_digest(const char *path, unsigned char digest[REF_SHA_BYTES])
{
    struct ref_source source;
    bool good;

    if (!ref_source_open_file(&source, path))
        return false;
    good = ref_source_digest(&source, digest);
    ref_source_close(&source);
    return good;
}

enum ref_status ref_cmd_verify(int arg_count, char *const *args)
{
    struct ref_opt opts[] = {{.name = "--blob", .required = true}, {.name = "--digest", .required = true}};
    unsigned char observed[REF_SHA_BYTES];
    unsigned char expected[REF_SHA_BYTES];
    char observed_hex[REF_SHA_HEX_CHARS];
    char expected_hex[REF_SHA_HEX_CHARS];

    if (!ref_opts_parse(opts, 2, arg_count, args))
        return REF_REFUSED;
    if (!digest_file_read(opts[1].value, expected) || !blob_digest(opts[0].value, observed))
        return REF_REFUSED;
    ref_hex_write(observed_hex, observed);
    ref_hex_write(expected_hex, expected);
    if (memcmp(observed, expected, sizeof observed) == 0) {
        printf("host-ref: digest ok %s\n", observed_hex);
        return REF_OK;
    }
    fprintf(stderr, "host-ref: digest mismatch: the blob has %s, the digest file says %s\n", observed_hex,
            expected_hex);
    return REF_MISMATCH;
}
