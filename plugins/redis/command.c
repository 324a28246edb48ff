/*
 * command.c: one command and its reply, by hiredis' formatter and reader.
 *
 * Nothing here asks for arrays, so the reader is given no way to make one: a server cannot make us
 * allocate by a number that it names.  What it sends is bounded as a whole.
 */
#include <errno.h>
#include <stdlib.h>

#include "redis.h"

#define REPLY_BYTES (4u << 20) /* INFO ALL with every command and 10,000 replicas is far below */
#define RECEIVE_BYTES 16384

static struct redis_reply *make(int type, const char *text, size_t len)
{
    struct redis_reply *reply = len < REPLY_BYTES ? malloc(sizeof *reply + len + 1) : NULL;

    if (reply != NULL) {
        reply->type = type;
        reply->integer = 0;
        reply->len = len;
        if (len > 0) {
            memcpy(reply->text, text, len);
        }
        reply->text[len] = '\0';
    }
    return reply;
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
    return make(task->type, text, len);
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t elements)
{
    return NULL;
}

static void *make_double(const redisReadTask *task, double value, char *text, size_t len)
{
    return NULL;
}

static void *make_bool(const redisReadTask *task, int value)
{
    return NULL;
}
#else
static void *make_array(const redisReadTask *task, int elements)
{
    return NULL;
}
#endif

static void *make_integer(const redisReadTask *task, long long value)
{
    struct redis_reply *reply = make(REDIS_REPLY_INTEGER, "", 0);

    if (reply != NULL) {
        reply->integer = value;
    }
    return reply;
}

static void *make_nil(const redisReadTask *task)
{
    return make(REDIS_REPLY_NIL, "", 0);
}

static const redisReplyObjectFunctions makers = {
    .createString = make_text,
    .createArray = make_array,
    .createInteger = make_integer,
    .createNil = make_nil,
    .freeObject = free,
#if HIREDIS_MAJOR >= 1
    .createDouble = make_double,
    .createBool = make_bool,
#endif
};

/* Waits for a whole reply. */
static int receive(struct redis_link *link, int64_t until_ms, struct redis_reply **ret_reply,
                   struct redis_failure *failure)
{
    char space[RECEIVE_BYTES];
    size_t total = 0;

    for (;;) {
        void *reply = NULL;
        int n;

        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            return redis_fail(failure, REDIS_COMMAND, "the answer is not Redis' protocol");
        }
        if (reply != NULL) {
            *ret_reply = reply;
            return 0;
        }
        n = redis_link_receive(link, space, sizeof space, until_ms, failure);
        if (n < 0) {
            return -1;
        }
        total += (size_t)n;
        // Who floods us never lets us wait, so the time is looked at here too.
        if (redis_now_ms() >= until_ms) {
            failure->timeout = true;
            return redis_fail(failure, REDIS_COMMAND, "no end of the answer before the deadline");
        }
        if (total > REPLY_BYTES || redisReaderFeed(link->reader, space, (size_t)n) != REDIS_OK) {
            return redis_fail(failure, REDIS_COMMAND, "the answer is longer than 4 MiB");
        }
    }
}

/* Says at which step it was, and with which command; never with its arguments. */
static int say(struct redis_failure *failure, enum redis_step step, const char *command)
{
    char text[sizeof failure->text];

    (void)snprintf(text, sizeof text, "%s", failure->text);
    return redis_fail(failure, step, "%s%s: %.400s",
                      step == REDIS_AUTHENTICATION ? "authentication" : "command ",
                      step == REDIS_AUTHENTICATION ? "" : command, text);
}

int redis_command(struct redis_link *link, enum redis_step step, const char *const *words, int n,
                  int64_t until_ms, struct redis_reply **ret_reply, struct redis_failure *failure)
{
    struct redis_reply *reply = NULL;
    char *line = NULL;
    int len = redisFormatCommandArgv(&line, n, (const char **)(uintptr_t)words, NULL);
    int r = len < 0 ? redis_fail(failure, step, "out of memory")
                    : redis_link_send(link, line, (size_t)len, until_ms, failure);

    redisFreeCommand(line);
    if (r == 0) {
        r = receive(link, until_ms, &reply, failure);
    }
    if (r < 0) {
        redis_link_close(link); // a late answer would be taken for the next one's
        return say(failure, step, words[0]);
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        bool denied =
            strncmp(reply->text, "NOAUTH", 6) == 0 || strncmp(reply->text, "WRONGPASS", 9) == 0;

        (void)snprintf(failure->text, sizeof failure->text, "%.300s", reply->text);
        free(reply);
        if (denied) {
            redis_link_close(link); // the next call logs in anew
        }
        return say(failure, denied ? REDIS_AUTHENTICATION : step, words[0]);
    }
    *ret_reply = reply;
    return 0;
}

/* A command whose reply is only an OK. */
static int tell(struct redis_link *link, enum redis_step step, const char *const *words, int n,
                int64_t until_ms, struct redis_failure *failure)
{
    struct redis_reply *reply;
    int r = redis_command(link, step, words, n, until_ms, &reply, failure);

    if (r == 0) {
        free(reply);
    } else {
        redis_link_close(link);
    }
    return r;
}

static int log_in(struct redis_link *link, int64_t until_ms, struct redis_failure *failure)
{
    const struct redis_target *target = link->target;
    const char *auth[3] = {"AUTH", target->user, target->password};
    char number[16];
    const char *select[2] = {"SELECT", number};
    int r = 0;

    if (target->password != NULL && target->user == NULL) {
        auth[1] = target->password;
        r = tell(link, REDIS_AUTHENTICATION, auth, 2, until_ms, failure);
    } else if (target->password != NULL) {
        r = tell(link, REDIS_AUTHENTICATION, auth, 3, until_ms, failure);
    }
    if (r == 0 && target->database != 0) {
        (void)snprintf(number, sizeof number, "%ld", target->database);
        r = tell(link, REDIS_COMMAND, select, 2, until_ms, failure);
    }
    return r;
}

int redis_ready(struct redis_link *link, int64_t until_ms, struct redis_failure *failure)
{
    memset(failure, 0, sizeof *failure);
    if (link->fd >= 0) {
        link->used = true;
        return 0;
    }
    if (redis_link_open(link, until_ms, failure) < 0) {
        return -1;
    }
    link->reader = redisReaderCreateWithFunctions((redisReplyObjectFunctions *)(uintptr_t)&makers);
    if (link->reader == NULL) {
        redis_link_close(link);
        return redis_fail(failure, REDIS_CONNECT, "out of memory");
    }
    return log_in(link, until_ms, failure);
}
