/*
 * tags.c: labels as Datadog's tags.  See datadog.h.
 *
 * Datadog would bring a tag into this form by itself; done here, one sees in the agent what one
 * finds there.  A tag is a letter, then letters, digits and _ - : . / in lower case, 200 at most.
 */
#include "datadog.h"

#include "../common/prose.h"
#include "../common/utf8.h"

#define TAG_BYTES 200

const char *datadog_host(const struct tmon_notification *notification, const char *none)
{
    static const char *const keys[] = {"host", "hostname", "node", "instance", NULL};
    const struct tmon_alert *alert = prose_alert(notification);

    return alert == NULL ? none : prose_first(alert->labels, alert->nlabels, keys, none);
}

void datadog_line(struct writer *json, const char *text, unsigned most)
{
    prose_string(json, text, most, PROSE_LINE);
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Each character that may not stand there is an underscore, of which no two stand side by side. */
static size_t put_letters(char tag[TAG_BYTES + 1], size_t len, const char *text)
{
    size_t n;

    for (; *text != '\0' && len < TAG_BYTES; text += n) {
        const uint32_t code = utf8_next(text, &n);
        char c = code < 0x80 ? (char)code : '_';

        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (!is_letter(c) && (c < '0' || c > '9') && (c == '\0' || strchr("-:./", c) == NULL)) {
            c = '_';
        }
        if (len > 0 ? c != '_' || tag[len - 1] != '_' : is_letter(c)) {
            tag[len++] = c;
        }
    }
    return len;
}

/* key:value, or the key alone where the value is NULL; nothing where no letter begins it. */
static void put_tag(struct writer *json, const char *key, const char *value, size_t *count)
{
    char tag[TAG_BYTES + 1];
    size_t len = put_letters(tag, 0, key);

    if (len == 0 || *count >= TAGS_MAX) {
        return;
    }
    if (value != NULL && len < TAG_BYTES) {
        tag[len++] = ':';
        len = put_letters(tag, len, value);
    }
    while (len > 1 && (tag[len - 1] == ':' || tag[len - 1] == '_')) {
        len--;
    }
    writer_put(json, *count == 0 ? "\"" : ",\"", *count == 0 ? 1 : 2);
    writer_put(json, tag, len);
    writer_literal(json, "\"");
    ++*count;
}

void datadog_tags(struct tmon_call *call, struct datadog *datadog,
                  const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);
    const struct tmon_pair *labels = alert == NULL ? notification->group : alert->labels;
    const size_t nlabels = alert == NULL ? notification->ngroup : alert->nlabels;
    const size_t own = tmon_config_count(call, datadog->config, "tags");
    size_t count = 0;

    writer_literal(&datadog->json, "[");
    put_tag(&datadog->json, "source", "toiletmon", &count);
    for (size_t i = 0; i < own; i++) {
        put_tag(&datadog->json, tmon_config_item(call, datadog->config, "tags", i), NULL, &count);
    }
    for (size_t i = 0; i < nlabels; i++) {
        if (prose_seen(labels[i].value)) {
            put_tag(&datadog->json, labels[i].key, labels[i].value, &count);
        }
    }
    writer_literal(&datadog->json, "]");
}
