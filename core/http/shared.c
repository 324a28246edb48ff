/*
 * shared.c: answers that are made once and sent many times.
 *
 * Probes come often and together.  A document is made at most once a second, and anew when what it
 * tells changed; all requests in between get the very same libmicrohttpd response, headers and Date
 * included.  With thousands of checks something changes all the time and a document takes
 * milliseconds, so making one never takes more than a tenth of the thread: that bounds what a flood
 * of requests can cost the others.  Server's thread.
 */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "http/server.h"

#define CHEAP_NS (2 * NS_PER_MS) /* cheaper documents are made whenever something changed */
#define REST_FACTOR 10

static int64_t cpu_ns(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

bool shared_due(struct shared *shared, int64_t now_ns, uint64_t generation)
{
    bool due = !shared->response[0] || now_ns / NS_PER_S != shared->made_ns / NS_PER_S;

    if (!due && shared->generation != generation) {
        due = shared->cost_ns <= CHEAP_NS ||
              now_ns - shared->made_ns >= REST_FACTOR * shared->cost_ns;
    }
    if (due) {
        shared->cpu_at_start_ns = cpu_ns();
    }
    return due;
}

/* The server writes a Date into each answer; into one that lives for a second it is written once.
 */
static void add_date(struct MHD_Response *response, int64_t real_ms)
{
    char text[64];
    time_t seconds = (time_t)(real_ms / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm) &&
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0) {
        (void)MHD_add_response_header(response, "Date", text);
    }
}

int shared_set(struct shared *shared, int64_t now_ns, uint64_t generation, unsigned status,
               json_t *document)
{
    struct MHD_Response *made[2] = {NULL, NULL};

    for (int tls = 0; tls < 2; tls++) {
        made[tls] = answer_json_response(document);
        if (made[tls]) {
            answer_headers(made[tls], tls);
            add_date(made[tls], clock_real_ms());
        }
    }
    json_decref(document);
    if (!made[0] || !made[1]) {
        MHD_destroy_response(made[0]);
        MHD_destroy_response(made[1]);
        return -ENOMEM;
    }
    shared_finish(shared);
    shared->response[0] = made[0];
    shared->response[1] = made[1];
    shared->status = status;
    shared->made_ns = now_ns;
    shared->generation = generation;
    shared->cost_ns = cpu_ns() - shared->cpu_at_start_ns;
    return 0;
}

int shared_answer(struct request *request, const struct shared *shared)
{
    struct MHD_Response *response = shared->response[request->client->gate->tls];

    return response ? answer_queue(request, shared->status, response) : -ENOMEM;
}

void shared_finish(struct shared *shared)
{
    for (int tls = 0; tls < 2; tls++) {
        MHD_destroy_response(shared->response[tls]);
        shared->response[tls] = NULL;
    }
}
