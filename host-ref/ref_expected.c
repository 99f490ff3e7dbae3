/* SPDX-License-Identifier: Apache-2.0 */
/* `host-ref expected`: the digest of a payload alone, before any challenge follows it. */
#include "ref_commands.h"
#include "ref_opts.h"
#include "ref_sha.h"
#include "ref_source.h"

enum ref_status ref_cmd_expected(int arg_count, char *const *args)
{
    struct ref_opt opts[] = {{.name = "--payload", .required = true}};
    struct ref_source source;
    struct ref_spec spec;
    unsigned char digest[REF_SHA_BYTES];
    char hex[REF_SHA_HEX_CHARS];
    bool good;

    if (!ref_opts_parse(opts, 1, arg_count, args))
        return REF_REFUSED;
    if (!ref_source_open_payload(&source, &spec, opts[0].value))
        return REF_REFUSED;
    good = ref_source_digest(&source, digest);
    ref_source_close(&source);
    if (!good)
        return REF_REFUSED;
    ref_hex_write(hex, digest);
    ref_say_digest(stdout, hex, spec.text);
    return REF_OK;
}
