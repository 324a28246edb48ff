/*
 * ack_link.h: the token in the link by which somebody who was told of an alert acknowledges it.
 *
 * It names one episode and says until when it is good, and carries a MAC over both under a key that
 * is made once and never leaves the state's directory.  So nothing has to be kept for each link,
 * and nobody can make one for an alert that he was not told of.
 *
 *     EPISODE.EXPIRES.MAC     EXPIRES: Unix time in seconds, hexadecimal; MAC: 40 hex digits
 *
 * Pure functions but for ack_key_load(); any thread.
 */
#ifndef ALERT_ACK_LINK_H
#define ALERT_ACK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define ACK_KEY_BYTES 32
#define ACK_LINK_MS INT64_C(604800000) /* a week from when the notification was queued */
#define ACK_TOKEN_SIZE 129             /* it is a segment of a path, see router.h */
#define ACK_EPISODE_SIZE 64            /* of the episode's key, with its NUL */

struct ack_key {
    bool set; /* else no link can be made or read */
    uint8_t bytes[ACK_KEY_BYTES];
};

/* Reads the key from the directory, or makes it there, for its owner only.  One that is damaged is
 * made anew: links that were sent before are good no more.  Blocks on the disk.  -errno with a
 * sentence appended to `why`. */
int ack_key_load(const char *directory, struct ack_key *ret_key, struct buf *why);

/* -EINVAL: there is no key, or the episode's key is none. */
int ack_token_make(const struct ack_key *key, const char *episode, int64_t expires_ms,
                   char ret_token[static ACK_TOKEN_SIZE]);
/* Gives the episode's key.  -EINVAL: we did not make it; -ETIME: we did, and its time is over.  How
 * long it takes tells nothing about how much of it was right. */
int ack_token_read(const struct ack_key *key, const char *token, int64_t now_ms,
                   char ret_episode[static ACK_EPISODE_SIZE]);

#endif
