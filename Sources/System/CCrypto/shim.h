// libcrypto's digests behind one function: Swift need not import all of OpenSSL for a hash.

#ifndef CCRYPTO_SHIM_H
#define CCRYPTO_SHIM_H

#include <openssl/evp.h>
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

#endif
