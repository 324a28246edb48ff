/*
 * signature.c: so that a receiver knows who sent it, and when.  See webhook.h.
 *
 * SHA-256 is libnettle's: it costs a worker 170 kB of memory where libcrypto costs 1 to 2.4 MB.
 */
#include <nettle/hmac.h>

#include "webhook.h"

void signature_write(char text[SIGNATURE_BYTES], const char *secret, int64_t unix_s,
                     const void *data, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx hmac;
    char time[24];
    int n = snprintf(time, sizeof time, "%lld", (long long)unix_s);
    size_t at;

    hmac_sha256_set_key(&hmac, strlen(secret), (const uint8_t *)secret);
    hmac_sha256_update(&hmac, (size_t)n, (const uint8_t *)time);
    hmac_sha256_update(&hmac, 1, (const uint8_t *)".");
    hmac_sha256_update(&hmac, len, data);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    at = (size_t)snprintf(text, SIGNATURE_BYTES, "t=%s,v1=", time);
    for (size_t i = 0; i < sizeof digest; i++) {
        text[at++] = hex[digest[i] >> 4];
        text[at++] = hex[digest[i] & 15];
    }
    text[at] = '\0';
}
