/*
 * mail_check.h: whether a mail is what Resend takes, and its HTML what we meant to write.  As
 * sink_check.h.
 */
#ifndef MAIL_CHECK_H
#define MAIL_CHECK_H

#include "sink_check.h"

/* Tags that the template has, and nothing that an alert may have brought. */
static inline const char *check_tag(const char *at)
{
    static const char *const names[] = {
        "!doctype html>", "html", "head",  "meta", "title", "style>",
        "body",           "div",  "table", "tr>",  "th",    "td",
        "span",           "h1",   "h2",    "p",    "br>",   "a"};

    at += *at == '/';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const size_t len = strlen(names[i]);

        if (strncmp(at, names[i], len) == 0 &&
            (names[i][len - 1] == '>' || at[len] == '>' || at[len] == ' ')) {
            return NULL;
        }
    }
    return "a tag that is none of ours";
}

static inline const char *check_html(const char *html)
{
    const char *why = NULL;

    if (strlen(html) > (size_t)102 << 10) {
        return "the HTML is so long that it is cut";
    }
    for (const char *at = html; *at != '\0' && why == NULL; at++) {
        if ((unsigned char)*at < ' ' && *at != '\n') {
            why = "a control character";
        } else if (*at == '<') {
            why = check_tag(at + 1);
        } else if (strncmp(at, "href=\"", 6) == 0 && strncasecmp(at + 6, "http", 4) != 0) {
            why = "a link that is none";
        }
    }
    return why;
}

static inline const char *check_resend(const void *data, size_t len, json_t **ret_root)
{
    static const char *const texts[] = {"from", "subject", "html", "text"};
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const char *key;
    json_t *value;

    *ret_root = root;
    if (root == NULL || !check_known(root, "from|to|subject|html|text|headers")) {
        return "no JSON, or a key that no mail has";
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = json_string_value(json_object_get(root, texts[i]));

        if (text == NULL || *text == '\0' || (i < 2 && strpbrk(text, "\r\n") != NULL)) {
            return "a text that is missing, or has line ends";
        }
    }
    if (strlen(json_string_value(json_object_get(root, "subject"))) > 256 ||
        json_array_size(json_object_get(root, "to")) == 0) {
        return "the subject is too long, or there is nobody to write to";
    }
    json_object_foreach(json_object_get(root, "headers"), key, value)
    {
        if (strpbrk(json_string_value(value), "\r\n") != NULL) {
            return "a header with a line end";
        }
    }
    return check_html(json_string_value(json_object_get(root, "html")));
}

#endif
