/*
 * http_harness.c: the HTTP server alone, with stores of its own, driven by lines on stdin.
 *
 *   http_harness LISTEN... [key=value]...   keys: certificate, key, host, token, connections,
 * receive_ms, answer_ms, ask_ms, series
 *
 * Prints "ports N N..." once it answers.  Lines: `ready`, `unready`, `hang` (the heart), `beat`,
 * `verdict pass|warn|fail`, `mute` (questions stay unanswered), `speak`, `full` (no room for
 * alerts), `empty`, `series N FIRST` (other values), `reload LISTEN... [key=value]...`, `quit`;
 * each is answered by "ok", a reload that fails by its reason.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/alerts_filter.h"
#include "http/alerts_in.h"
#include "http/http.h"
#include "model/sample.h"
#include "store/store.h"
#include "store/verdicts.h"

#define MAX_WORDS 32

struct question {
    enum http_what what;
    uint64_t ticket;
    struct alerts_in *alerts;
};

struct harness {
    struct http *http;
    struct store *store;
    struct store_owner *owner;
    struct verdicts *verdicts;
    struct verdicts_entry *entry;
    atomic_bool ready, hangs;
    bool mute, full;
    int questions[2]; /* a pipe: the server's thread writes, the main thread reads */
};

static bool is_ready(void *agent, struct buf *reason)
{
    struct harness *h = agent;

    if (!atomic_load(&h->ready)) {
        buf_puts(reason, "the first round of checks is not over");
    }
    return atomic_load(&h->ready);
}

static bool is_alive(void *agent, struct buf *reason)
{
    struct harness *h = agent;

    if (atomic_load(&h->hangs)) {
        buf_puts(reason, "the main loop hangs");
    }
    return !atomic_load(&h->hangs);
}

static int ask(void *agent, struct http_question *asked)
{
    struct harness *h = agent;
    struct question question = {asked->what, asked->ticket, asked->alerts};

    alerts_filter_destroy(asked->filter);
    return write(h->questions[1], &question, sizeof question) == sizeof question ? 0 : -EIO;
}

static void set_option(struct http_options *options, const char *word, long *series)
{
    const char *value = strchr(word, '=') + 1;
    size_t len = (size_t)(value - word - 1);

    if (strncmp(word, "certificate", len) == 0) {
        options->tls_certificate = value;
    } else if (strncmp(word, "key", len) == 0) {
        options->tls_key = value;
    } else if (strncmp(word, "host", len) == 0) {
        ((const char **)(uintptr_t)options->hosts)[options->nhosts++] = value;
    } else if (strncmp(word, "token", len) == 0) {
        options->write_token = value;
    } else if (strncmp(word, "connections", len) == 0) {
        options->bounds.connections = (unsigned)atoi(value);
    } else if (strncmp(word, "receive_ms", len) == 0) {
        options->bounds.receive_ms = atoi(value);
    } else if (strncmp(word, "answer_ms", len) == 0) {
        options->bounds.answer_ms = atoi(value);
    } else if (strncmp(word, "ask_ms", len) == 0) {
        options->bounds.ask_ms = atoi(value);
    } else if (strncmp(word, "series", len) == 0) {
        *series = atol(value);
    }
}

/* Splits words into addresses and options; `listen` and `hosts` have room for MAX_WORDS. */
static void read_words(struct harness *h, char **words, int n, struct http_options *ret_options,
                       const char **listen, const char **hosts, long *series)
{
    *ret_options = (struct http_options){
        .listen = listen,
        .hosts = hosts,
        .version = "1.2.3",
        .started_ns = clock_mono_ns(),
        .store = h->store,
        .verdicts = h->verdicts,
        .hooks = {.agent = h, .ready = is_ready, .alive = is_alive, .ask = ask},
    };
    for (int i = 0; i < n && i < MAX_WORDS; i++) {
        if (strchr(words[i], '=')) {
            set_option(ret_options, words[i], series);
        } else {
            listen[ret_options->nlisten++] = words[i];
        }
    }
}

static void put_verdict(struct harness *h, tmon_verdict status)
{
    struct verdict *verdict = verdict_create(status, status == TMON_PASS ? NULL : "the reason");

    verdict_detail_number(verdict, "usage.percentage", 65);
    verdicts_put(h->verdicts, h->entry, verdict, clock_mono_ns(), clock_real_ms(), NULL);
}

/* The first time `first` is 0; another one gives other values to all of them. */
static void put_series(struct harness *h, long n, long first)
{
    struct store_owner_spec spec = {.name = "flood", .series = (uint32_t)n + 1, .keep_ms = 1 << 30};
    static struct store_commit_result result;
    struct buf batch;

    if (!h->owner) {
        (void)store_owner_add(h->store, &spec, &h->owner);
    }
    buf_init(&batch, SIZE_MAX / 2);
    for (long i = 0; i < n; i++) {
        char text[32];
        struct tmon_pair label = {"number", text};
        struct tmon_metric metric = {.size = sizeof metric,
                                     .kind = TMON_GAUGE,
                                     .name = "harness_series",
                                     .value = i % 2 ? (double)(first + i) : (double)(first + i) / 7,
                                     .labels = &label,
                                     .nlabels = 1};
        const char *why = NULL;

        (void)snprintf(text, sizeof text, "%ld", i);
        if (sample_encode(&batch, &metric, &why) < 0) {
            fprintf(stderr, "%s\n", why);
        }
    }
    (void)store_commit(h->store, h->owner, batch.data, batch.len, clock_mono_ns() / NS_PER_MS,
                       clock_real_ms(), &result);
    buf_finish(&batch);
}

static void reload(struct harness *h, char **words, int n)
{
    const char *listen[MAX_WORDS] = {0};
    const char *hosts[MAX_WORDS] = {0};
    struct http_options options;
    struct buf why;
    long ignored = 0;

    buf_init(&why, 4096);
    read_words(h, words, n, &options, listen, hosts, &ignored);
    if (http_reload(h->http, &options, &why) < 0) {
        printf("%s\n", buf_str(&why));
    } else {
        printf("ok\n");
    }
    buf_finish(&why);
}

/* false: the end */
static bool obey(struct harness *h, char *line)
{
    char *words[MAX_WORDS] = {0};
    char *rest = NULL;
    int n = 0;

    for (char *word = strtok_r(line, " \n", &rest); word && n < MAX_WORDS;
         word = strtok_r(NULL, " \n", &rest)) {
        words[n++] = word;
    }
    if (n == 0 || strcmp(words[0], "quit") == 0) {
        return false;
    }
    if (strcmp(words[0], "reload") == 0) {
        reload(h, words + 1, n - 1);
        return true;
    }
    if (strcmp(words[0], "ready") == 0 || strcmp(words[0], "unready") == 0) {
        atomic_store(&h->ready, words[0][0] == 'r');
    } else if (strcmp(words[0], "hang") == 0 || strcmp(words[0], "beat") == 0) {
        atomic_store(&h->hangs, words[0][0] == 'h');
    } else if (strcmp(words[0], "mute") == 0 || strcmp(words[0], "speak") == 0) {
        h->mute = words[0][0] == 'm';
    } else if (strcmp(words[0], "full") == 0 || strcmp(words[0], "empty") == 0) {
        h->full = words[0][0] == 'f';
    } else if (strcmp(words[0], "series") == 0 && n == 3) {
        put_series(h, atol(words[1]), atol(words[2]));
    } else if (strcmp(words[0], "verdict") == 0 && n == 2) {
        put_verdict(h, words[1][0] == 'p' ? TMON_PASS : words[1][0] == 'w' ? TMON_WARN : TMON_FAIL);
    }
    printf("ok\n");
    return true;
}

/* As the state's thread would: everything is new, but for what is told to be resolved. */
static void take_alerts(struct harness *h, const struct question *question)
{
    struct buf buf;
    size_t len;

    for (size_t i = 0; i < question->alerts->n; i++) {
        struct alerts_in_item *item = &question->alerts->items[i];

        if (item->status == ALERTS_IN_GOOD) {
            item->status = h->full ? ALERTS_IN_REFUSED : ALERTS_IN_ACCEPTED;
            item->verdict = item->input.resolved ? ALERTS_NOT_FIRING : ALERTS_FIRING;
        }
    }
    buf_init(&buf, SIZE_MAX / 2);
    alerts_in_answer(question->alerts, &buf);
    len = buf.len;
    http_answer_text(h->http, question->ticket, alerts_in_status(question->alerts), buf_take(&buf),
                     len, h->full ? 30 : 0);
}

static void answer_question(struct harness *h)
{
    struct question question;

    if (read(h->questions[0], &question, sizeof question) != sizeof question) {
        return;
    }
    if (!h->mute && question.alerts) {
        take_alerts(h, &question);
    } else if (!h->mute) {
        http_answer(h->http, question.ticket, question.what == HTTP_RELOAD ? 409 : 200,
                    json_pack("{s:i}", "question", (int)question.what));
    }
    alerts_in_destroy(question.alerts);
}

static void work(struct harness *h)
{
    struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = h->questions[0], .events = POLLIN}};
    static char
        line[65536]; /* the caller writes a line and waits for its answer: one read() is one line */

    for (;;) {
        if (poll(fds, 2, -1) < 0) {
            continue;
        }
        if (fds[1].revents) {
            answer_question(h);
        }
        if (fds[0].revents) {
            ssize_t n = read(0, line, sizeof line - 1);

            if (n <= 0) {
                return;
            }
            line[n] = '\0';
            if (!obey(h, line)) {
                return;
            }
            (void)fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    struct harness h = {.ready = true};
    struct verdicts_spec check = {.name = "memory"};
    const char *listen[MAX_WORDS] = {0};
    const char *hosts[MAX_WORDS] = {0};
    struct http_options options;
    struct buf why;
    long series = 0;
    int r;

    (void)signal(SIGPIPE, SIG_IGN);
    buf_init(&why, 4096);
    if (pipe(h.questions) < 0 || store_create(NULL, &h.store) < 0 ||
        verdicts_create(&h.verdicts) < 0 || verdicts_add(h.verdicts, &check, &h.entry) < 0) {
        return 1;
    }
    put_verdict(&h, TMON_PASS);
    read_words(&h, argv + 1, argc - 1, &options, listen, hosts, &series);
    if (series > 0) {
        put_series(&h, series, 0);
    }
    r = http_create(&options, &why, &h.http);
    if (r < 0) {
        fprintf(stderr, "%s\n", buf_str(&why));
    } else {
        printf("ports");
        for (size_t i = 0; i < options.nlisten; i++) {
            printf(" %u", http_port(h.http, i));
        }
        printf("\n");
        (void)fflush(stdout);
        work(&h);
    }
    http_destroy(h.http);
    store_owner_remove(h.store, h.owner);
    verdicts_destroy(h.verdicts);
    store_destroy(h.store);
    buf_finish(&why);
    return r < 0 ? 1 : 0;
}
