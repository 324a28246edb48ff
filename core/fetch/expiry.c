/*
 * expiry.c: reads the dates of a chain as libcurl reports it.  Runs in the fetch worker.
 */
#include "fetch/expiry.h"

#include <stdio.h>
#include <string.h>

#include "fetch/date.h"

static int64_t earliest_of_chain(CURL *easy)
{
    static const char key[] = "Expire date:";
    struct curl_certinfo *chain = NULL;
    int64_t earliest = 0, ms;
    long made = 0;

    /* Without a connection of its own the handle may still have the chain of another transfer. */
    if (curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made) != CURLE_OK || made == 0) {
        return 0;
    }
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain) {
        return 0;
    }
    for (int i = 0; i < chain->num_of_certs; i++) {
        for (const struct curl_slist *line = chain->certinfo[i]; line; line = line->next) {
            if (strncmp(line->data, key, sizeof key - 1) == 0 &&
                date_parse(line->data + sizeof key - 1, &ms) == 0 &&
                (earliest == 0 || ms < earliest)) {
                earliest = ms;
            }
        }
    }
    return earliest;
}

int64_t expiry_of(struct expiry *expiry, CURL *easy, const struct place *place)
{
    int64_t ms = earliest_of_chain(easy);
    size_t i;

    for (i = 0; i < EXPIRY_PLACES; i++) {
        if (expiry->seen[i].port == place->port && strcmp(expiry->seen[i].host, place->host) == 0) {
            break;
        }
    }
    if (ms == 0) { // a connection used again
        return i < EXPIRY_PLACES ? expiry->seen[i].expires_ms : 0;
    }
    if (i == EXPIRY_PLACES) {
        i = expiry->next;
        expiry->next = (expiry->next + 1) % EXPIRY_PLACES;
    }
    snprintf(expiry->seen[i].host, sizeof expiry->seen[i].host, "%s", place->host);
    expiry->seen[i].port = place->port;
    expiry->seen[i].expires_ms = ms;
    return ms;
}
