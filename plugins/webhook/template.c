/*
 * template.c: the operator's own body: a Mustache template over what the document says.  See
 * webhook.h.
 *
 * A template that makes no JSON of some alert would be found out when that alert is there.  So each
 * is tried at the start, with texts that have in them what breaks JSON, with no alert, one and
 * several; and what it makes of a real one is looked at again before it is sent.
 */
#include "webhook.h"

#include <errno.h>
#include <jansson.h>
#include <strings.h>

#include "../common/when.h"
#include "base/buf.h"
#include "mail/data.h"
#include "mail/mustache.h"

struct filling {
    struct mail_tree tree;
    size_t most; /* bytes of one text */
};

/* ---- what a template is filled with ---- */

static void add_text(struct filling *filling, struct mail_data *to, const char *key,
                     const char *text)
{
    size_t len = text == NULL ? 0 : strlen(text);

    if (len > filling->most) {
        for (len = filling->most; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--) {}
    }
    mail_add_text(&filling->tree, to, key, text == NULL ? "" : text, len);
}

static void add_time(struct filling *filling, struct mail_data *to, const char *key, int64_t ms)
{
    char text[WHEN_BYTES];

    when_rfc3339(text, ms);
    mail_add_string(&filling->tree, to, key, text);
}

static void add_flag(struct filling *filling, struct mail_data *to, const char *key, bool flag)
{
    (void)mail_add(&filling->tree, to, key, flag ? MAIL_TRUE : MAIL_FALSE);
}

/* By name, and as a list, since a template cannot ask a map for its names. */
static void add_pairs(struct filling *filling, struct mail_data *to, const char *key,
                      const char *list_key, const struct pairs *pairs)
{
    struct mail_tree *tree = &filling->tree;
    struct mail_data *map = mail_add(tree, to, key, MAIL_MAP);
    struct mail_data *list = mail_add(tree, to, list_key, MAIL_LIST);

    for (size_t i = 0; i < pairs->count && !tree->failed; i++) {
        struct mail_data *item = mail_add(tree, list, NULL, MAIL_MAP);

        add_text(filling, map, pairs->at[i]->key, pairs->at[i]->value);
        add_text(filling, item, "name", pairs->at[i]->key);
        add_text(filling, item, "value", pairs->at[i]->value);
        add_flag(filling, item, "last", i + 1 == pairs->count);
    }
}

static void add_alert(struct filling *filling, struct mail_data *list, const struct body *body,
                      const struct tmon_alert *alert, bool last)
{
    static const char *const severities[] = {"info", "warning", "critical"};
    struct mail_data *item = mail_add(&filling->tree, list, NULL, MAIL_MAP);

    add_text(filling, item, "status", alert->firing ? "firing" : "resolved");
    add_flag(filling, item, "firing", alert->firing);
    add_flag(filling, item, "last", last);
    add_text(filling, item, "severity",
             severities[alert->severity <= TMON_SEVERITY_INFO       ? 0
                        : alert->severity >= TMON_SEVERITY_CRITICAL ? 2
                                                                    : (int)alert->severity]);
    add_text(filling, item, "name", alert->name);
    add_text(filling, item, "summary", alert->summary);
    add_text(filling, item, "description", alert->description);
    add_text(filling, item, "key", alert->key);
    add_text(filling, item, "fingerprint", alert->fingerprint);
    add_text(filling, item, "generatorURL", alert->generator_url);
    add_text(filling, item, "ackURL", alert->ack_url);
    add_time(filling, item, "startsAt", alert->starts_ms);
    if (alert->firing || alert->ends_ms == 0) {
        add_text(filling, item, "endsAt", WEBHOOK_NEVER);
    } else {
        add_time(filling, item, "endsAt", alert->ends_ms);
    }
    add_pairs(filling, item, "labels", "labelList", &body->labels);
    add_pairs(filling, item, "annotations", "annotationList", &body->annotations);
}

static void add_head(struct filling *filling, const struct tmon_notification *notification,
                     size_t nalerts)
{
    struct mail_data *root = &filling->tree.root;
    size_t firing = 0;

    for (size_t i = 0; i < notification->nalerts; i++) {
        firing += notification->alerts[i]->firing;
    }
    add_text(filling, root, "receiver", notification->receiver);
    add_text(filling, root, "status", body_is_firing(notification) ? "firing" : "resolved");
    add_flag(filling, root, "firing", body_is_firing(notification));
    add_text(filling, root, "title", notification->title);
    add_text(filling, root, "text", notification->text);
    add_text(filling, root, "id", notification->id);
    add_text(filling, root, "externalURL", notification->external_url);
    add_text(filling, root, "groupKey", notification->group_key);
    add_text(filling, root, "version", "4");
    mail_add_number(&filling->tree, root, "attempt", notification->attempt);
    mail_add_number(&filling->tree, root, "numFiring", firing);
    mail_add_number(&filling->tree, root, "numResolved", notification->nalerts - firing);
    mail_add_number(&filling->tree, root, "truncatedAlerts",
                    notification->ntruncated + (notification->nalerts - nalerts));
}

/* False when out of memory. */
static bool fill(struct filling *filling, struct body *body,
                 const struct tmon_notification *notification, size_t nalerts)
{
    struct mail_data *root = &filling->tree.root, *list;

    add_head(filling, notification, nalerts);
    list = mail_add(&filling->tree, root, "alerts", MAIL_LIST);
    for (size_t i = 0; i < nalerts && !filling->tree.failed; i++) {
        if (!body_look_at(body, notification->alerts[i], i == 0)) {
            return false;
        }
        add_alert(filling, list, body, notification->alerts[i], i + 1 == nalerts);
    }
    if (nalerts == 0) {
        body->common_labels.count = body->common_annotations.count = 0;
    }
    add_pairs(filling, root, "commonLabels", "commonLabelList", &body->common_labels);
    add_pairs(filling, root, "commonAnnotations", "commonAnnotationList",
              &body->common_annotations);
    if (!pairs_sort(&body->labels, notification->group, notification->ngroup)) {
        return false;
    }
    add_pairs(filling, root, "groupLabels", "groupLabelList", &body->labels);
    return true;
}

bool template_put(struct body *body, const struct tmon_notification *notification, size_t nalerts,
                  size_t most)
{
    struct filling filling = {.most = most};
    struct buf out;
    bool made;
    int r = 0;

    mail_tree_init(&filling.tree);
    buf_init(&out, body->json.cap);
    writer_start(&body->json);
    made = fill(&filling, body, notification, nalerts);
    if (made && !filling.tree.failed) {
        r = mustache_render(body->template, &filling.tree.root, body->escape, NULL, 0, &out);
    }
    if (made && filling.tree.failed) { // too much for the tree, or for memory
        made = filling.tree.nodes >= TEMPLATE_VALUES;
        r = -E2BIG;
    }
    writer_put(&body->json, out.data, r < 0 ? 0 : out.len);
    body->json.failed = body->json.failed || r < 0;
    buf_finish(&out);
    mail_tree_finish(&filling.tree);
    return made;
}

/* ---- trying it ---- */

bool template_check(const struct body *body, int *ret_line, int *ret_column)
{
    json_error_t error;
    json_t *root;

    if (body->escape != MUSTACHE_JSON) {
        return true;
    }
    root = json_loadb(body->json.data == NULL ? "" : body->json.data, body->json.len,
                      JSON_DECODE_ANY, &error);
    *ret_line = error.line;
    *ret_column = error.column;
    json_decref(root);
    return root != NULL;
}

/* Texts as a stranger writes them, under each name of a text. */
#define ODD "a \"quoted\" \\ text\nof two lines"

struct example {
    struct tmon_alert alert;
    const struct tmon_alert *alerts[3];
    struct tmon_notification notification;
};

static void make_example(struct example *example, size_t nalerts, bool firing)
{
    static const struct tmon_pair labels[] = {{"alertname", ODD}, {"instance", "i"}};
    static const struct tmon_pair annotations[] = {{"description", ODD}, {"summary", ODD}};

    example->alert = (struct tmon_alert){
        .size = sizeof example->alert,
        .severity = TMON_SEVERITY_CRITICAL,
        .firing = firing,
        .key = "0123456789abcdef-1",
        .name = ODD,
        .summary = ODD,
        .description = ODD,
        .labels = labels,
        .nlabels = 2,
        .annotations = annotations,
        .nannotations = 2,
        .starts_ms = 1,
        .ends_ms = firing ? 0 : 2,
        .fingerprint = "0123456789abcdef",
        .generator_url = "http://a.example/",
        .ack_url = "http://a.example/",
    };
    example->alerts[0] = example->alerts[1] = example->alerts[2] = &example->alert;
    example->notification = (struct tmon_notification){
        .size = sizeof example->notification,
        .attempt = 1,
        .id = "n-1",
        .resolved = !firing,
        .alerts = example->alerts,
        .nalerts = nalerts,
        .group = labels,
        .ngroup = 1,
        .group_key = ODD,
        .receiver = "receiver",
        .external_url = "http://a.example/",
        .title = ODD,
        .text = ODD,
    };
}

/* Mustache takes a name that nobody knows for nothing; here it is a mistake. */
static tmon_rc check_names(struct tmon_call *call, struct body *body)
{
    struct filling filling = {.most = SIZE_MAX};
    struct example example;
    char why[512];
    tmon_rc rc = TMON_OK;

    make_example(&example, 1, true);
    mail_tree_init(&filling.tree);
    if (!fill(&filling, body, &example.notification, 1) || filling.tree.failed) {
        tmon_log(call, TMON_ERROR, "body: there is no memory for it");
        rc = TMON_RETRY;
    } else if (mustache_check(body->template, &filling.tree.root, why, sizeof why) < 0) {
        tmon_log(call, TMON_ERROR, "body: %s", why);
        rc = TMON_REJECTED;
    }
    mail_tree_finish(&filling.tree);
    return rc;
}

static bool try_it(struct tmon_call *call, struct body *body, size_t nalerts, bool firing)
{
    struct example example;
    int line = 0, column = 0;

    make_example(&example, nalerts, firing);
    if (!template_put(body, &example.notification, nalerts, SIZE_MAX) || body->json.failed) {
        tmon_log(call, TMON_ERROR, "body: it cannot be rendered, it is too large or too deep");
        return false;
    }
    if (!template_check(body, &line, &column)) {
        tmon_log(call, TMON_ERROR,
                 "body: of %zu alerts with quotes and line ends in their texts it makes no JSON: "
                 "see line %d, column %d of what it makes, {{name}} escapes, {{{name}}} does not",
                 nalerts, line, column);
        return false;
    }
    return true;
}

static bool has(const char *type, const char *word)
{
    const size_t len = strlen(word);

    for (; *type != '\0'; type++) {
        if (strncasecmp(type, word, len) == 0) {
            return true;
        }
    }
    return false;
}

tmon_rc template_open(struct tmon_call *call, struct body *body, const char *text, const char *type)
{
    char why[256];
    tmon_rc rc;
    int r;

    if (has(type, "x-www-form-urlencoded")) {
        tmon_log(call, TMON_ERROR, "body: a form cannot be made by a template; send JSON");
        return TMON_REJECTED;
    }
    body->escape = has(type, "json")                       ? MUSTACHE_JSON
                   : has(type, "html") || has(type, "xml") ? MUSTACHE_HTML
                                                           : MUSTACHE_PLAIN;
    r = mustache_compile(text, strlen(text), &body->template, why, sizeof why);
    if (r < 0) {
        tmon_log(call, TMON_ERROR, "body: %s", r == -ENOMEM ? "there is no memory for it" : why);
        return r == -ENOMEM ? TMON_RETRY : TMON_REJECTED;
    }
    rc = check_names(call, body);
    if (rc != TMON_OK) {
        return rc;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!try_it(call, body, i, i != 2)) {
            return TMON_REJECTED;
        }
    }
    return TMON_OK;
}

void template_close(struct body *body)
{
    mustache_destroy(body->template);
    body->template = NULL;
}
