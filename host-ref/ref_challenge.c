/* SPDX-License-Identifier: Apache-2.0 */
/* `host-ref challenge`: a run's blob, what the guest embeds, and what it is expected to answer. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <openssl/rand.h>
#include <string.h>

#include "ref_commands.h"
#include "ref_opts.h"
#include "ref_out.h"
#include "ref_sha.h"
#include "ref_source.h"

#define CHALLENGE_BYTES 32
#define PAGE_BYTES 4096
#define HEX_ROW_BYTES 8

_Static_assert(CHALLENGE_BYTES == REF_SHA_BYTES, "the hex helpers serve both");
_Static_assert(PAGE_BYTES % CHALLENGE_BYTES == 0, "the page holds whole challenges");

struct run {
    struct ref_spec spec;
    uint64_t len_bytes;
    unsigned char challenge[CHALLENGE_BYTES];
    unsigned char digest[REF_SHA_BYTES];
    unsigned char page_digest[REF_SHA_BYTES];
};

static bool challenge_draw(unsigned char challenge[CHALLENGE_BYTES], const char *fixed)
{
    if (fixed == NULL) {
        if (RAND_bytes(challenge, CHALLENGE_BYTES) == 1)
            return true;
        ref_say("OpenSSL", "no random bytes");
        return false;
    }
    if (ref_hex_read(challenge, fixed, strlen(fixed)))
        return true;
    ref_say("--challenge", "64 hex digits are needed");
    return false;
}

/* One pass makes the copy, the blob and the digest, so the three cannot disagree. */
static bool blob_write(struct ref_out *out, struct run *run, struct ref_source *source)
{
    static unsigned char chunk[REF_CHUNK_BYTES];
    FILE *copy = ref_out_add(out, "payload.bin");
    FILE *blob = copy != NULL ? ref_out_add(out, "blob.bin") : NULL;
    bool good = blob != NULL;
    bool hashed;
    struct ref_sha sha;
    size_t got = 1;

    ref_sha_begin(&sha);
    while (good && got > 0) {
        good = ref_source_read(source, chunk, sizeof chunk, &got) && ref_out_write(out, blob, chunk, got) &&
               (run->spec.generated || ref_out_write(out, copy, chunk, got));
        if (good)
            ref_sha_add(&sha, chunk, got);
    }
    ref_sha_add(&sha, run->challenge, sizeof run->challenge);
    hashed = ref_sha_end(&sha, run->digest);
    return good && hashed && ref_out_write(out, blob, run->challenge, sizeof run->challenge);
}

static bool page_write(struct ref_out *out, struct run *run)
{
    unsigned char page[PAGE_BYTES];
    FILE *file = ref_out_add(out, "page.bin");
    struct ref_sha sha;

    for (size_t at = 0; at < sizeof page; at += CHALLENGE_BYTES)
        memcpy(page + at, run->challenge, CHALLENGE_BYTES);
    if (file == NULL || !ref_out_write(out, file, page, sizeof page))
        return false;
    ref_sha_begin(&sha);
    ref_sha_add(&sha, page, sizeof page);
    return ref_sha_end(&sha, run->page_digest);
}

static bool line_write(struct ref_out *out, const char *name, const char *text)
{
    FILE *file = ref_out_add(out, name);

    return file != NULL && ref_out_write(out, file, text, strlen(text)) && ref_out_write(out, file, "\n", 1);
}

static bool hex_write(struct ref_out *out, const char *name, const unsigned char bytes[REF_SHA_BYTES])
{
    char hex[REF_SHA_HEX_CHARS];

    ref_hex_write(hex, bytes);
    return line_write(out, name, hex);
}

static void array_print(FILE *to, const char *name, const unsigned char bytes[REF_SHA_BYTES])
{
    fprintf(to, "\nstatic const unsigned char %s[%d] = {\n", name, REF_SHA_BYTES);
    for (unsigned i = 0; i < REF_SHA_BYTES; i++)
        fprintf(to, "%s0x%02x,%s", i % HEX_ROW_BYTES == 0 ? "    " : " ", (unsigned)bytes[i],
                i % HEX_ROW_BYTES == HEX_ROW_BYTES - 1 ? "\n" : "");
    fputs("};\n", to);
}

/* The commit notices what these prints could not write. */
static bool header_write(struct ref_out *out, const struct run *run)
{
    FILE *to = ref_out_add(out, "expected.h");

    if (to == NULL)
        return false;
    fputs("/* SPDX-License-Identifier: Apache-2.0 */\n"
          "/* Written by host-ref for one run: what the producer shares and expects "
          "(docs/testing/payload.md). */\n"
          "#ifndef PAYLOAD_EXPECTED_H\n"
          "#define PAYLOAD_EXPECTED_H\n\n",
          to);
    fprintf(to, "#define PAYLOAD_KIND %d /* 1: the file in payload.bin, 2: generated */\n",
            run->spec.generated ? 2 : 1);
    fprintf(to, "#define PAYLOAD_LEN_BYTES %" PRIu64 " /* without the challenge */\n", run->len_bytes);
    fprintf(to, "#define PAYLOAD_SEED 0x%016" PRIx64 "ULL\n", run->spec.seed);
    array_print(to, "expected_challenge", run->challenge);
    array_print(to, "expected_digest", run->digest);
    array_print(to, "expected_page_digest", run->page_digest);
    fputs("\n#endif\n", to);
    return true;
}

static bool set_write(struct run *run, struct ref_source *source, const char *dir)
{
    struct ref_out out;

    if (!ref_out_begin(&out, dir))
        return false;
    if (blob_write(&out, run, source) && page_write(&out, run) && hex_write(&out, "digest", run->digest) &&
        hex_write(&out, "page.digest", run->page_digest) && hex_write(&out, "challenge", run->challenge) &&
        line_write(&out, "payload_spec", run->spec.text) && header_write(&out, run))
        return ref_out_commit(&out);
    ref_out_abandon(&out);
    return false;
}

enum ref_status ref_cmd_challenge(int arg_count, char *const *args)
{
    struct ref_opt opts[] = {{.name = "--payload", .required = true},
                             {.name = "--out", .required = true},
                             {.name = "--challenge"}};
    struct ref_source source;
    struct run run = {.len_bytes = 0};
    bool good;

    if (!ref_opts_parse(opts, 3, arg_count, args) || !challenge_draw(run.challenge, opts[2].value) ||
        !ref_source_open_payload(&source, &run.spec, opts[0].value))
        return REF_REFUSED;
    run.len_bytes = source.len_bytes;
    good = set_write(&run, &source, opts[1].value);
    ref_source_close(&source);
    return good ? REF_OK : REF_REFUSED;
}
