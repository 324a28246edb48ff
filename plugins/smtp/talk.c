/*
 * talk.c: what is said in a conversation.  See smtp.h.
 *
 * libcurl tells the code of the last answer only.  Which recipient was refused, and whether the
 * server had the whole message when the line went dead, is seen in what goes over the wire, which
 * libcurl shows to whoever debugs.  Nothing of it is kept but answers.
 */
#include "smtp.h"

#include <stdlib.h>
#include <sys/socket.h>

static bool begins(const char *data, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(data, word, strlen(word)) == 0;
}

static void on_question(struct talk *talk, const char *data, size_t len)
{
    static const struct {
        const char *word;
        enum talk_step step;
    } words[] = {
        {"EHLO", TALK_HELLO}, {"HELO", TALK_HELLO},  {"STARTTLS", TALK_TLS}, {"AUTH", TALK_AUTH},
        {"MAIL", TALK_FROM},  {"RCPT TO:", TALK_TO}, {"DATA", TALK_DATA},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (begins(data, len, words[i].word)) {
            talk->step = words[i].step;
            talk->code = 0;
            talk->leaving = false;
            talk->nto += talk->step == TALK_TO && talk->nto < MAIL_TO_MAX;
            return;
        }
    }
    if (begins(data, len, "QUIT")) {
        talk->leaving = true; // what comes now says nothing about the mail
    } else if (talk->step == TALK_AUTH) {
        talk->code = 0; // a further word of it
    }
}

/* The last line of an answer: three digits and a blank. */
static void on_answer(struct talk *talk, const char *data, size_t len)
{
    char *end;
    long code;

    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r')) {
        len--;
    }
    if (talk->leaving || len < 3 || (len > 3 && data[3] != ' ')) {
        return;
    }
    len = len < sizeof talk->line ? len : sizeof talk->line - 1;
    memcpy(talk->line, data, len);
    talk->line[len] = '\0';
    code = strtol(talk->line, &end, 10);
    if (end != talk->line + 3 || code < 200 || code > 599) {
        return;
    }
    talk->code = (int)code;
    if (talk->step == TALK_TO && talk->nto > 0) {
        talk->codes[talk->nto - 1] = talk->code;
        (void)snprintf(talk->refusals[talk->nto - 1], sizeof talk->refusals[0], "%.63s",
                       talk->line);
    }
    if (talk->step == TALK_DATA && talk->code == 354) {
        talk->step = TALK_BODY;
        talk->code = 0;
    }
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *arg)
{
    struct talk *talk = arg;

    if (type == CURLINFO_HEADER_OUT) {
        on_question(talk, data, len);
    } else if (type == CURLINFO_HEADER_IN) {
        on_answer(talk, data, len);
    }
    return 0;
}

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
    struct talk *talk = arg;
    const size_t left = talk->len - talk->at, room = size * count;
    const size_t n = left < room ? left : room;

    memcpy(to, talk->message + talk->at, n);
    talk->at += n;
    talk->all_read = talk->at == talk->len;
    return n;
}

static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
    return size * count; // a server has nothing to say but answers
}

/* The agent is stopping, or the deadline has passed. */
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct talk *talk = arg;

    return tmon_remaining_ms(talk->call) <= 0;
}

void talk_listen(struct talk *talk, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, talk);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, talk->error);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, talk);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)talk->len);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, talk);
}

void talk_end(CURL *easy)
{
    curl_socket_t socket = CURL_SOCKET_BAD;

    if (easy == NULL) {
        return;
    }
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK &&
        socket != CURL_SOCKET_BAD) {
        (void)shutdown(socket, SHUT_RDWR);
    }
    curl_easy_cleanup(easy);
}

const char *talk_step_name(enum talk_step step)
{
    static const char *const names[] = {
        "the greeting", "STARTTLS", "the login", "the sender", "the recipients", "DATA", "the mail",
    };

    return names[step];
}
