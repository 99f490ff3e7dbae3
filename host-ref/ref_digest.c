/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "ref.h"

static void hash_require(bool good)
{
    require(good, "OpenSSL", "SHA-256 failed; check OpenSSL's configuration");
}

static void hex_write(struct bytes32 *bytes)
{
    for (size_t i = 0; i < sizeof(bytes->raw); i++) {
        (void)snprintf(bytes->hex + 2 * i, 3, "%02x", (unsigned)bytes->raw[i]);
    }
}

void sha256(struct bytes32 *digest, const void *a, size_t a_len, const void *b, size_t b_len)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();

    hash_require(hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1);
    hash_require(EVP_DigestUpdate(hash, a, a_len) == 1);
    hash_require(EVP_DigestUpdate(hash, b, b_len) == 1);
    hash_require(EVP_DigestFinal_ex(hash, digest->raw, NULL) == 1);
    EVP_MD_CTX_free(hash);
    hex_write(digest);
}

bool stream_hash(struct bytes32 *digest, int fd, const char *name)
{
    static unsigned char chunk[65536];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    ssize_t len;

    hash_require(hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1);
    while ((len = read(fd, chunk, sizeof(chunk))) > 0) {
        hash_require(EVP_DigestUpdate(hash, chunk, (size_t)len) == 1);
    }
    if (len < 0) {
        say(name, strerror(errno));
    }
    hash_require(EVP_DigestFinal_ex(hash, digest->raw, NULL) == 1);
    EVP_MD_CTX_free(hash);
    hex_write(digest);
    return len == 0;
}

void random_draw(struct bytes32 *bytes)
{
    require(RAND_bytes(bytes->raw, sizeof(bytes->raw)) == 1, "OpenSSL",
            "no random bytes; check OpenSSL's configuration");
    hex_write(bytes);
}

bool hex_read(struct bytes32 *bytes, const char *hex)
{
    if (strlen(hex) != sizeof(bytes->hex) - 1 ||
        OPENSSL_hexstr2buf_ex(bytes->raw, sizeof(bytes->raw), NULL, hex, '\0') != 1) {
        return false;
    }
    hex_write(bytes);
    return true;
}
