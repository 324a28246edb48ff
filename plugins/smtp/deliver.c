/*
 * deliver.c: a notification goes to a server, and what its answers mean.  See smtp.h.
 */
#include "smtp.h"

#include <time.h>

#define MARGIN_MS 500 /* before the deadline: to say what happened */
#define CONNECT_MS 10000

/* ---- who has it already ---- */

static struct smtp_partly *find_partly(struct smtp *smtp, const char *id)
{
    for (size_t i = 0; i < SMTP_PARTLY; i++) {
        if (strcmp(smtp->partly[i].id, id) == 0) {
            return &smtp->partly[i];
        }
    }
    return NULL;
}

static void keep_partly(struct smtp *smtp, const char *id, uint64_t done)
{
    struct smtp_partly *partly = find_partly(smtp, id);

    if (partly == NULL) {
        partly = &smtp->partly[smtp->next_partly++ % SMTP_PARTLY];
        memcpy(partly->id, id, sizeof partly->id);
    }
    partly->done = done;
}

/* ---- the message ---- */

static bool write_message(struct smtp *smtp, const struct tmon_notification *notification)
{
    const char *references[ALERT_MAIL_REFERENCES];
    struct mime_mail mail = {
        .from = &smtp->settings.from,
        .to = smtp->settings.to,
        .nto = smtp->settings.nto,
        .references = references,
        .date_ms = (int64_t)time(NULL) * 1000,
    };

    if (alert_mail_write(&smtp->mail, notification, mime_address_domain(&smtp->settings.from)) <
        0) {
        return false;
    }
    for (size_t i = 0; i < smtp->mail.nreferences; i++) {
        references[i] = smtp->mail.references[i];
    }
    mail.nreferences = smtp->mail.nreferences;
    mail.subject = smtp->mail.subject;
    mail.id = smtp->mail.id;
    mail.text = buf_str(&smtp->mail.text);
    mail.html = buf_str(&smtp->mail.html);
    buf_clear(&smtp->message);
    return mime_write(&smtp->message, &mail) == 0;
}

/* ---- what became of it ---- */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* The recipients of this conversation, by what the server said. */
struct tally {
    size_t taken, later, never;
    size_t shown; /* a place of one that was refused, from 0; SIZE_MAX: none */
    uint64_t done;
};

static struct tally count(const struct talk *talk, const size_t *places)
{
    struct tally tally = {.shown = SIZE_MAX};

    for (size_t i = 0; i < talk->nto; i++) {
        const int code = talk->codes[i];

        tally.taken += code >= 200 && code <= 299;
        tally.later += code >= 400 && code <= 499;
        tally.never += code >= 500;
        if (code >= 400 && tally.shown == SIZE_MAX) {
            tally.shown = i;
        }
        if (code > 0 && (code < 400 || code >= 500)) {
            tally.done |= UINT64_C(1) << places[i];
        }
    }
    return tally;
}

static void say_recipients(struct tmon_call *call, const struct smtp *smtp, const struct talk *talk,
                           const struct tally *tally, const size_t *places)
{
    const char *line = talk->refusals[tally->shown];
    char said[OUTCOME_SAID_BYTES];

    outcome_word(said, line, strlen(line), false, &smtp->hidden);
    tmon_log(call, TMON_ERROR,
             "%zu recipient%s taken, %zu to be tried again, %zu refused; the one at place %zu of "
             "'to': %s",
             tally->taken, plural(tally->taken), tally->later, tally->never,
             places[tally->shown] + 1, said);
}

/* Who was refused for good is not asked again; the others have it, or get it later. */
static tmon_rc after_sending(struct tmon_call *call, struct smtp *smtp, const struct talk *talk,
                             const char *id, uint64_t done, const size_t *places)
{
    const struct tally tally = count(talk, places);

    if (tally.shown == SIZE_MAX) {
        return TMON_OK;
    }
    say_recipients(call, smtp, talk, &tally, places);
    if (tally.later == 0) {
        return TMON_OK;
    }
    keep_partly(smtp, id, done | tally.done);
    return TMON_RETRY;
}

/* 5xx is for good, but for a login: that is mended in the settings, and nothing is lost meanwhile.
 */
static tmon_rc meaning_of_code(const struct talk *talk)
{
    const bool login = talk->code == 530 || talk->code == 534 || talk->code == 535 ||
                       talk->code == 538 || talk->step <= TALK_AUTH;

    return talk->code >= 500 && !login ? TMON_REJECTED : TMON_RETRY;
}

static void say_code(struct tmon_call *call, const struct smtp *smtp, const struct talk *talk)
{
    char said[OUTCOME_SAID_BYTES];

    outcome_word(said, talk->line, strlen(talk->line), false, &smtp->hidden);
    tmon_log(call, TMON_ERROR, "the server answered to %s: %s", talk_step_name(talk->step), said);
}

static void say_error(struct tmon_call *call, const struct smtp *smtp, const struct talk *talk,
                      CURLcode code)
{
    const char *why = talk->error[0] != '\0' ? talk->error : curl_easy_strerror(code);
    char said[OUTCOME_SAID_BYTES];

    outcome_word(said, why, strlen(why), false, &smtp->hidden);
    tmon_log(call, TMON_ERROR, "at %s: %s", talk_step_name(talk->step), said);
}

static tmon_rc after_failing(struct tmon_call *call, struct smtp *smtp, const struct talk *talk,
                             CURLcode code, const char *id, uint64_t done, const size_t *places)
{
    const struct tally tally = count(talk, places);

    if (talk->step == TALK_BODY && talk->code == 0 && talk->all_read) {
        tmon_log(call, TMON_ERROR, "the mail was sent, but its answer never came: %s%s",
                 curl_easy_strerror(code),
                 smtp->hold ? "; it is not sent again (on_ambiguous: hold)" : "");
        return smtp->hold ? TMON_REJECTED : TMON_AMBIGUOUS;
    }
    if (talk->step == TALK_TO && talk->nto > 0 && tally.taken == 0 && tally.shown != SIZE_MAX &&
        talk->code >= 400) {
        say_recipients(call, smtp, talk, &tally, places);
        if (tally.later == 0 && done == 0) {
            return TMON_REJECTED;
        }
        keep_partly(smtp, id, done | tally.done);
        return tally.later == 0 ? TMON_OK : TMON_RETRY; // others have it already
    }
    if (talk->code >= 400) {
        say_code(call, smtp, talk);
        return meaning_of_code(talk);
    }
    say_error(call, smtp, talk, code);
    return TMON_RETRY;
}

/* ---- the conversation ---- */

static void set_rights(const struct smtp *smtp, CURL *easy)
{
    if (smtp->tls) {
        curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    }
    if (smtp->ca_file[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_CAINFO, smtp->ca_file);
    }
    if (smtp->user[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_USERNAME, smtp->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, smtp->password);
    }
}

static CURLcode speak(struct smtp *smtp, struct talk *talk, struct curl_slist *recipients)
{
    const int64_t left = tmon_remaining_ms(talk->call);
    const long ms = left > 2 * MARGIN_MS ? (long)(left - MARGIN_MS) : (long)(left / 2 + 1);
    CURL *easy = smtp->easy;

    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, smtp->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, smtp->settings.from.address);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients);
#if LIBCURL_VERSION_NUM >= 0x080200
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLOWFAILS, 1L);
#else
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
#endif
    set_rights(smtp, easy);
    talk_listen(talk, easy);
    return curl_easy_perform(easy);
}

/* Those who have not got it; `places` says where each stands in `to`.  NULL: no memory. */
static struct curl_slist *name_recipients(const struct smtp *smtp, uint64_t done, size_t *places)
{
    struct curl_slist *list = NULL;
    size_t n = 0;

    for (size_t i = 0; i < smtp->settings.nto; i++) {
        struct curl_slist *longer;

        if (done >> i & 1) {
            continue;
        }
        longer = curl_slist_append(list, smtp->settings.to[i].address);
        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
        places[n++] = i;
    }
    return list;
}

tmon_rc smtp_deliver(struct tmon_call *call, void *self,
                     const struct tmon_notification *notification)
{
    struct smtp *smtp = self;
    char id[ALERT_MAIL_TOKEN_BYTES];
    const struct smtp_partly *partly;
    struct talk talk = {.call = call};
    struct curl_slist *recipients;
    size_t places[MAIL_TO_MAX];
    uint64_t done;
    CURLcode code;

    alert_mail_token(id, notification->id);
    partly = find_partly(smtp, id);
    done = partly == NULL ? 0 : partly->done;
    recipients = name_recipients(smtp, done, places);
    if (smtp->easy == NULL) {
        smtp->easy = curl_easy_init();
    }
    if (smtp->easy == NULL || recipients == NULL || !write_message(smtp, notification)) {
        curl_slist_free_all(recipients);
        tmon_log(call, TMON_ERROR, "there is no memory for the mail");
        return TMON_RETRY;
    }
    talk.message = smtp->message.data;
    talk.len = smtp->message.len;
    code = speak(smtp, &talk, recipients);
    curl_slist_free_all(recipients);
    if (code != CURLE_OK) { // a late answer must not be taken for that to the next mail
        talk_end(smtp->easy);
        smtp->easy = NULL;
    } else {
        curl_easy_setopt(smtp->easy, CURLOPT_ERRORBUFFER, NULL); // ours ends here
    }
    return code == CURLE_OK ? after_sending(call, smtp, &talk, id, done, places)
                            : after_failing(call, smtp, &talk, code, id, done, places);
}
