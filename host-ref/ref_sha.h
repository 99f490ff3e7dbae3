/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by OpenSSL's EVP interface, fed in pieces. */
#ifndef REF_SHA_H
#define REF_SHA_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#define REF_SHA_BYTES 32
#define REF_SHA_HEX_CHARS 65 /* 64 digits and the terminating NUL */

struct ref_sha {
    EVP_MD_CTX *ctx; /* NULL once OpenSSL has refused something: the error waits for ref_sha_end */
};

void ref_sha_begin(struct ref_sha *sha);
void ref_sha_add(struct ref_sha *sha, const void *bytes, size_t len);

/* Writes the digest and frees the context, in every case. False, with one line said, if OpenSSL failed. */
bool ref_sha_end(struct ref_sha *sha, unsigned char digest[REF_SHA_BYTES]);

/* 32 bytes as 64 lower-case hex digits, and back; the latter accepts digits of either case. */
void ref_hex_write(char hex[REF_SHA_HEX_CHARS], const unsigned char bytes[REF_SHA_BYTES]);
bool ref_hex_read(unsigned char bytes[REF_SHA_BYTES], const char *hex, size_t len);

#endif
