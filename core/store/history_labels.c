/*
 * history_labels.c: the labels of a track: packed, they are its identity, and a quarter of what an
 * array of pairs and strings would take; unpacked for whoever reads it.
 *
 * For each label: a byte, the key's length; two bytes, the value's; key, NUL, value, NUL.
 */
#include <string.h>

#include "store/history_private.h"

#define HEAD_BYTES 3u

uint32_t labels_pack(const struct tmon_pair *pairs, size_t n, char *text)
{
    char *out = text;

    for (size_t i = 0; i < n; i++) {
        size_t key_len = strlen(pairs[i].key);
        size_t value_len = strlen(pairs[i].value);
        uint16_t len = (uint16_t)value_len;

        if (key_len > UINT8_MAX || value_len > UINT16_MAX ||
            HEAD_BYTES + key_len + value_len + 2 > HISTORY_TEXT_BYTES - (size_t)(out - text)) {
            return 0;
        }
        *out++ = (char)key_len;
        memcpy(out, &len, sizeof len);
        out += sizeof len;
        memcpy(out, pairs[i].key, key_len + 1);
        out += key_len + 1;
        memcpy(out, pairs[i].value, value_len + 1);
        out += value_len + 1;
    }
    return (uint32_t)(out - text);
}

void labels_unpack(const struct track *track, struct tmon_pair *ret_pairs)
{
    const char *at = track->text;

    for (uint32_t i = 0; i < track->nlabels; i++) {
        uint16_t len;

        memcpy(&len, at + 1, sizeof len);
        ret_pairs[i].key = at + HEAD_BYTES;
        ret_pairs[i].value = ret_pairs[i].key + (unsigned char)*at + 1;
        at = ret_pairs[i].value + len + 1;
    }
}

void labels_insert(struct tmon_pair *pairs, size_t *n, struct tmon_pair pair)
{
    size_t at = *n;

    for (; at > 0 && strcmp(pairs[at - 1].key, pair.key) > 0; at--) {
        pairs[at] = pairs[at - 1];
    }
    pairs[at] = pair;
    ++*n;
}

/* text.c wrote it, so it is as it should be. */
size_t labels_parse(const char *text, uint32_t len, char *parsed, struct tmon_pair *ret_pairs)
{
    const char *end = text + len;
    char *out = parsed;
    size_t n = 0;

    while (text < end && (*text == '{' || *text == ',') && n < HISTORY_LABELS - 2) {
        ret_pairs[n].key = out;
        for (text++; *text != '='; text++) {
            *out++ = *text;
        }
        *out++ = '\0';
        ret_pairs[n++].value = out;
        for (text += 2; *text != '"'; text++) {
            if (*text == '\\') {
                text++;
                *out++ = *text == 'n' ? '\n' : *text;
            } else {
                *out++ = *text;
            }
        }
        *out++ = '\0';
        text++;
    }
    return n;
}
