// libcrypto's digests behind two functions: Swift need not import all of OpenSSL for a hash.

#ifndef CCRYPTO_SHIM_H
#define CCRYPTO_SHIM_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stddef.h>

#define CCRYPTO_DIGEST_MAX EVP_MAX_MD_SIZE

// Writes the digest that OpenSSL calls `name` and gives its size; 0 where the library has no such digest, as in FIPS
// mode for MD5. `digest` has room for CCRYPTO_DIGEST_MAX bytes.
static inline unsigned int ccrypto_digest(const char *name, const void *bytes, size_t count, unsigned char *digest) {
    const EVP_MD *type = EVP_get_digestbyname(name);
    unsigned int size = 0;
    if (type == NULL || EVP_Digest(bytes, count, digest, &size, type, NULL) != 1) {
        return 0;
    }
    return size;
}

// Writes HMAC-SHA-256 (RFC 2104) and gives its size, 32; 0 where the library refuses. `code` has room for
// CCRYPTO_DIGEST_MAX bytes.
static inline unsigned int ccrypto_hmac_sha256(const void *key, size_t key_count, const void *bytes, size_t count,
                                               unsigned char *code) {
    unsigned int size = 0;
    if (HMAC(EVP_sha256(), key, (int)key_count, (const unsigned char *)bytes, count, code, &size) == NULL) {
        return 0;
    }
    return size;
}

#endif
