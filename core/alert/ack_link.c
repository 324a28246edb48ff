/*
 * ack_link.c: see ack_link.h.  HMAC-SHA-256 is libnettle's, which is in the agent anyway (TLS of
 * its server).
 */
#include "alert/ack_link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/log.h"

#define FILE_NAME "ack.key"
#define MAC_BYTES 20 /* half of it would do; so the token fits a segment of a path */
#define MAC_DIGITS (2 * MAC_BYTES)

/* ---- the key ---- */

/* 0; -ENOENT: there is none, or it is damaged; -errno. */
static int read_key(const char *path, struct ack_key *ret_key)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t bytes[ACK_KEY_BYTES + 1]; /* one more, to see whether it is longer */
    ssize_t n;

    if (fd < 0) {
        return -errno;
    }
    n = read(fd, bytes, sizeof bytes);
    if (n == ACK_KEY_BYTES) {
        memcpy(ret_key->bytes, bytes, ACK_KEY_BYTES);
        (void)fchmod(fd, 0600); /* a copy that somebody put back may be open to all */
    }
    explicit_bzero(bytes, sizeof bytes);
    (void)close(fd);
    return n == ACK_KEY_BYTES ? 0 : n < 0 ? -EIO : -ENOENT;
}

static int sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return r;
}

/* Whole or not at all: written beside, then renamed. */
static int make_key(const char *directory, const char *path, struct ack_key *ret_key)
{
    char beside[PATH_MAX];
    int fd, r = 0;

    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        return -ENAMETOOLONG;
    }
    if (getrandom(ret_key->bytes, ACK_KEY_BYTES, 0) != ACK_KEY_BYTES) {
        return -EIO;
    }
    (void)unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return -errno;
    }
    if (write(fd, ret_key->bytes, ACK_KEY_BYTES) != ACK_KEY_BYTES) {
        r = errno ? -errno : -EIO;
    } else if (fsync(fd) < 0) {
        r = -errno;
    }
    (void)close(fd);
    if (r == 0 && rename(beside, path) < 0) {
        r = -errno;
    }
    if (r < 0) {
        (void)unlink(beside);
        return r;
    }
    return sync_directory(directory);
}

int ack_key_load(const char *directory, struct ack_key *ret_key, struct buf *why)
{
    struct ack_key key = {.set = true};
    char path[PATH_MAX];
    int r;

    if (snprintf(path, sizeof path, "%s/" FILE_NAME, directory) >= (int)sizeof path) {
        r = -ENAMETOOLONG;
    } else {
        r = read_key(path, &key);
        r = r == -ENOENT ? make_key(directory, path, &key) : r;
    }
    if (r < 0) {
        buf_printf(why, "%s/" FILE_NAME " can be neither read nor made: %s", directory,
                   log_errno(r));
        return r;
    }
    *ret_key = key;
    return 0;
}

/* ---- tokens ---- */

static void make_mac(const struct ack_key *key, const char *text, size_t len,
                     char ret_digits[static MAC_DIGITS])
{
    static const char purpose[] = "toiletmon ack 1\n"; /* another use has another text */
    struct hmac_sha256_ctx hmac;
    uint8_t digest[MAC_BYTES];
    char *at = ret_digits;

    hmac_sha256_set_key(&hmac, ACK_KEY_BYTES, key->bytes);
    hmac_sha256_update(&hmac, sizeof purpose - 1, (const uint8_t *)purpose);
    hmac_sha256_update(&hmac, len, (const uint8_t *)text);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    for (size_t i = 0; i < MAC_BYTES; i++) {
        at = hex_put(at, digest[i], 2);
    }
}

int ack_token_make(const struct ack_key *key, const char *episode, int64_t expires_ms,
                   char ret_token[static ACK_TOKEN_SIZE])
{
    size_t len = strlen(episode);
    char *at = ret_token;

    if (!key->set || len == 0 || len >= ACK_EPISODE_SIZE || expires_ms < 0 ||
        len + 1 + HEX_MOST + 1 + MAC_DIGITS >= ACK_TOKEN_SIZE ||
        strspn(episode, "0123456789abcdef-") != len) {
        return -EINVAL;
    }
    memcpy(at, episode, len);
    at += len;
    *at++ = '.';
    at = hex_put(at, (uint64_t)expires_ms / 1000, 1);
    make_mac(key, ret_token, (size_t)(at - ret_token), at + 1);
    *at = '.';
    at[1 + MAC_DIGITS] = '\0';
    return 0;
}

int ack_token_read(const struct ack_key *key, const char *token, int64_t now_ms,
                   char ret_episode[static ACK_EPISODE_SIZE])
{
    const char *first = strchr(token, '.'), *last = strrchr(token, '.');
    char mac[MAC_DIGITS], *end;
    uint64_t expires_s;

    if (!key->set || !first || first == last || first == token ||
        (size_t)(first - token) >= ACK_EPISODE_SIZE || strlen(last + 1) != MAC_DIGITS) {
        return -EINVAL;
    }
    make_mac(key, token, (size_t)(last - token), mac);
    if (!memeql_sec(mac, last + 1, MAC_DIGITS)) {
        return -EINVAL;
    }
    expires_s = strtoull(first + 1, &end, 16); /* we wrote it */
    if (end != last) {
        return -EINVAL;
    }
    memcpy(ret_episode, token, (size_t)(first - token));
    ret_episode[first - token] = '\0';
    return now_ms / 1000 >= (int64_t)expires_s ? -ETIME : 0;
}
