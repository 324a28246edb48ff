/*
 * card.c: a notification as an adaptive card.  See teams.h.
 *
 * Text stands in runs of rich text, where Teams reads no markup: a TextBlock and a FactSet would
 * make links and emphasis of what an alert says, and know no escape for it on telephones.  Links
 * are actions.
 *
 * Teams refuses messages above 28 KB, and some were refused above 21: a card that is larger than
 * CARD_BYTES is written again, with less of each text and fewer alerts, until it fits.
 */
#include "teams.h"

#include "../common/when.h"

#define CARD_BYTES 20480
#define TITLE_UNITS 300
#define LINE_UNITS 500
#define URL_BYTES 1000
#define FIELDS_MAX 12
#define ALERTS_MAX 20

/* So much of each text, of so many alerts.  The last fits whatever the texts are. */
static const struct room {
    unsigned text, pair; /* units: of a description, of a label */
    size_t alerts;
    bool links; /* of each alert */
} rooms[] = {
    {3000, 200, ALERTS_MAX, true}, {1000, 100, ALERTS_MAX, true}, {400, 60, ALERTS_MAX, true},
    {200, 40, 10, true},           {100, 30, 5, false},           {60, 20, 2, false},
};
#define ROOMS (sizeof rooms / sizeof rooms[0])

struct card {
    struct writer *json;
    const struct tmon_notification *notification;
    struct room room;
    bool begun; /* a block is there, so that a comma goes before the next */
};

static const char *colour(enum chat_rank rank)
{
    static const char *const colours[] = {"Attention", "Warning", "Accent", "Good"};

    return colours[rank];
}

static void put_word(struct writer *json, const char *text)
{
    writer_put(json, text, strlen(text));
}

/* Begins a block of runs; `look` is more of its members, "" or with a comma in front. */
static void open_block(struct card *card, const char *look)
{
    put_word(card->json,
             card->begun ? ",{\"type\":\"RichTextBlock\"" : "{\"type\":\"RichTextBlock\"");
    put_word(card->json, look);
    writer_literal(card->json, ",\"inlines\":[");
    card->begun = true;
}

static void close_block(struct card *card)
{
    writer_literal(card->json, "]}");
}

/* Begins a run in a block; the text follows, then close_run(). */
static void open_run(struct card *card, struct prose *text, unsigned most)
{
    writer_literal(card->json, "{\"type\":\"TextRun\",\"text\":\"");
    prose_init(text, card->json, NULL, most);
}

static void close_run(struct card *card, const char *look)
{
    writer_literal(card->json, "\"");
    put_word(card->json, look);
    writer_literal(card->json, "}");
}

static bool is_link(const char *url)
{
    return prose_is_link(url, URL_BYTES);
}

static void put_opening(struct card *card, const char *url)
{
    writer_literal(card->json, "{\"type\":\"Action.OpenUrl\",\"url\":\"");
    put_word(card->json, url); // nothing in it that JSON would escape, see is_link()
    writer_literal(card->json, "\"");
}

/* ", Runbook", to be opened. */
static void put_link(struct card *card, const char *label, const char *url)
{
    if (card->room.links && is_link(url)) {
        writer_literal(card->json, ",{\"type\":\"TextRun\",\"text\":\" \xc2\xb7 \"},"
                                   "{\"type\":\"TextRun\",\"text\":\"");
        put_word(card->json, label);
        writer_literal(card->json, "\",\"selectAction\":");
        put_opening(card, url);
        writer_literal(card->json, "}}");
    }
}

/* A block of one run, where people would see it. */
static void put_line(struct card *card, const char *look, const char *said, unsigned most,
                     enum prose_shape shape)
{
    struct prose text;

    if (prose_seen(said)) {
        open_block(card, "");
        open_run(card, &text, most);
        (void)prose_user(&text, said, most, shape);
        close_run(card, look);
        close_block(card);
    }
}

static void put_title(struct card *card)
{
    const enum chat_rank rank = chat_worst(card->notification);
    struct prose text;

    open_block(card, "");
    open_run(card, &text, TITLE_UNITS);
    prose_markup(&text, chat_sign(rank));
    (void)prose_user(&text, prose_title(card->notification), TITLE_UNITS, PROSE_LINE);
    writer_literal(card->json, "\",\"size\":\"Large\",\"weight\":\"Bolder\",\"color\":\"");
    put_word(card->json, colour(rank));
    close_run(card, "");
    close_block(card);
}

/* ---- alerts ---- */

static void put_when(struct prose *text, const struct tmon_alert *alert)
{
    const int64_t ms = alert->firing ? alert->starts_ms : alert->ends_ms;
    char plain[WHEN_BYTES];

    if (when_is_known(ms)) {
        when_plain(plain, ms);
        prose_markup(text, alert->firing ? " \xc2\xb7 since " : " \xc2\xb7 ");
        prose_markup(text, plain);
    }
}

/* Name, how bad, since when; of several also what one can open. */
static void put_heading(struct card *card, const struct tmon_alert *alert, bool alone)
{
    struct prose text;

    open_block(card, ",\"separator\":true");
    open_run(card, &text, card->room.pair + 60);
    prose_markup(&text, chat_sign(chat_rank(alert)));
    (void)prose_user(&text, chat_name(alert), card->room.pair + 60, PROSE_LINE);
    close_run(card, ",\"weight\":\"Bolder\"");
    writer_literal(card->json, ",");
    open_run(card, &text, LINE_UNITS);
    prose_markup(&text, " \xc2\xb7 ");
    prose_markup(&text, chat_word(chat_rank(alert)));
    put_when(&text, alert);
    close_run(card, ",\"isSubtle\":true");
    if (!alone) {
        put_link(card, "Acknowledge", alert->firing ? alert->ack_url : NULL);
        put_link(card, "Runbook", chat_runbook(alert));
        put_link(card, "Source", alert->generator_url);
    }
    close_block(card);
}

static void put_labels(struct card *card, const struct tmon_alert *alert)
{
    const size_t mark = card->json->len;
    const bool begun = card->begun;
    struct prose text;

    open_block(card, "");
    open_run(card, &text, LINE_UNITS);
    chat_labels(&text, card->notification, alert, "");
    if (text.used == 0) { // an empty run would be refused
        card->json->len = mark;
        card->begun = begun;
        return;
    }
    close_run(card, ",\"isSubtle\":true");
    close_block(card);
}

static void put_fields(struct card *card, const struct tmon_alert *alert)
{
    const struct tmon_pair *label;
    size_t count = 0, at = 0;

    while (count < FIELDS_MAX && (label = chat_field(card->notification, alert, &at)) != NULL) {
        struct prose text;

        open_block(card, count++ == 0 ? ",\"separator\":true" : ",\"spacing\":\"None\"");
        open_run(card, &text, card->room.pair + 2);
        (void)prose_user(&text, label->key, card->room.pair, PROSE_LINE);
        prose_markup(&text, ": ");
        close_run(card, ",\"weight\":\"Bolder\"");
        writer_literal(card->json, ",");
        open_run(card, &text, card->room.pair);
        (void)prose_user(&text, label->value, card->room.pair, PROSE_LINE);
        close_run(card, "");
        close_block(card);
    }
}

static void put_alert(struct card *card, const struct tmon_alert *alert, bool alone)
{
    put_heading(card, alert, alone);
    put_line(card, "", alert->summary, card->room.text, PROSE_LINE);
    if (!alone) {
        put_labels(card, alert);
    }
    put_line(card, "", chat_description(alert), card->room.text, PROSE_LINES);
    if (alone) {
        put_fields(card, alert);
    }
}

/* Returns the alert that the card is about; NULL: it is about several, or none. */
static const struct tmon_alert *put_alerts(struct card *card)
{
    const struct tmon_alert *alerts[ALERTS_MAX];
    const size_t count = chat_first(card->notification, alerts, card->room.alerts);
    const uint64_t more = chat_more(card->notification, count);
    const bool alone = count == 1 && more == 0;
    struct prose text;

    if (!alone) {
        open_block(card, "");
        open_run(card, &text, LINE_UNITS);
        chat_group(&text, card->notification);
        close_run(card, ",\"isSubtle\":true");
        close_block(card);
    }
    for (size_t i = 0; i < count; i++) {
        put_alert(card, alerts[i], alone);
    }
    if (more > 0) {
        open_block(card, ",\"separator\":true");
        open_run(card, &text, LINE_UNITS);
        prose_markup(&text, "and ");
        prose_number(&text, more);
        prose_markup(&text, " more");
        close_run(card, ",\"isSubtle\":true");
        close_block(card);
    }
    return alone ? alerts[0] : NULL;
}

/* ---- the whole ---- */

static void put_action(struct card *card, const char *title, const char *url, bool *begun)
{
    if (is_link(url)) {
        put_word(card->json, *begun ? "," : ",\"actions\":[");
        put_opening(card, url);
        writer_literal(card->json, ",\"title\":\"");
        put_word(card->json, title);
        writer_literal(card->json, "\"}");
        *begun = true;
    }
}

static void put_actions(struct card *card, const struct tmon_alert *alone)
{
    bool begun = false;

    if (alone != NULL) {
        put_action(card, "Acknowledge", alone->firing ? alone->ack_url : NULL, &begun);
        put_action(card, "Runbook", chat_runbook(alone), &begun);
        put_action(card, "Source", alone->generator_url, &begun);
    }
    put_action(card, "toiletmon", card->notification->external_url, &begun);
    if (begun) {
        writer_literal(card->json, "]");
    }
}

static void put_card(struct card *card)
{
    const struct tmon_notification *notification = card->notification;
    const struct tmon_alert *alone = NULL;

    writer_literal(card->json,
                   "{\"type\":\"message\",\"attachments\":[{\"contentType\":"
                   "\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null,\"content\":{"
                   "\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\","
                   "\"type\":\"AdaptiveCard\",\"version\":\"1.2\",\"body\":[");
    put_title(card);
    if (notification->nalerts > 0) {
        alone = put_alerts(card);
    } else {
        put_line(card, "", notification->text, 2 * card->room.text, PROSE_LINES);
    }
    writer_literal(card->json, "]");
    put_actions(card, alone);
    writer_literal(card->json, ",\"msteams\":{\"width\":\"full\"}}}]}");
}

void card_write(struct teams *teams, const struct tmon_notification *notification)
{
    struct writer *json = &teams->json;

    json->cap = CARD_BYTES;
    for (size_t i = 0; i < ROOMS; i++) {
        struct card card = {.json = json, .notification = notification, .room = rooms[i]};

        writer_start(json);
        put_card(&card);
        if (!json->failed || json->no_memory) {
            return;
        }
    }
}
