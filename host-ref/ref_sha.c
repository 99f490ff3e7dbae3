/* SPDX-License-Identifier: Apache-2.0 */
#include "ref_sha.h"

#include "ref_say.h"

static void drop(struct ref_sha *sha)
{
    EVP_MD_CTX_free(sha->ctx);
    sha->ctx = NULL;
}

void ref_sha_begin(struct ref_sha *sha)
{
    sha->ctx = EVP_MD_CTX_new();
    if (sha->ctx != NULL && EVP_DigestInit_ex(sha->ctx, EVP_sha256(), NULL) != 1)
        drop(sha);
}

void ref_sha_add(struct ref_sha *sha, const void *bytes, size_t len)
{
    if (sha->ctx != NULL && EVP_DigestUpdate(sha->ctx, bytes, len) != 1)
        drop(sha);
}

bool ref_sha_end(struct ref_sha *sha, unsigned char digest[REF_SHA_BYTES])
{
    unsigned int len = 0;
    bool good = sha->ctx != NULL && EVP_MD_CTX_get_size(sha->ctx) == REF_SHA_BYTES &&
                EVP_DigestFinal_ex(sha->ctx, digest, &len) == 1 && len == REF_SHA_BYTES;

    drop(sha);
    if (!good)
        ref_say("OpenSSL", "SHA-256 failed");
    return good;
}

void ref_hex_write(char hex[REF_SHA_HEX_CHARS], const unsigned char bytes[REF_SHA_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < REF_SHA_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[REF_SHA_HEX_CHARS - 1] = '\0';
}

static int nibble(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool ref_hex_read(unsigned char bytes[REF_SHA_BYTES], const char *hex, size_t len)
{
    if (len != 2 * (size_t)REF_SHA_BYTES)
        return false;
    for (size_t i = 0; i < REF_SHA_BYTES; i++) {
        int high = nibble(hex[2 * i]);
        int low = nibble(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}
