/*
 * connection.c: connecting and asking, without ever waiting past a moment that was set before.
 *
 * libpq's asynchronous calls are used throughout; names, whose lookup blocks there, are looked up
 * before (hosts.c).
 */
#include "postgres.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

int64_t postgres_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

double postgres_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int64_t postgres_budget(struct tmon_call *call)
{
    int64_t left = tmon_remaining_ms(call);
    int64_t reserve = left / 10 < 200 ? left / 10 : 200;

    return postgres_now_ms() + left - reserve;
}

/* Waits for the socket.  1 ready, 0 the time is up, -1 error. */
static int wait_socket(PGconn *connection, short events, int64_t until_ms)
{
    struct pollfd watched = {.fd = PQsocket(connection), .events = events};

    for (;;) {
        int64_t left = until_ms - postgres_now_ms();
        int n;

        if (left <= 0) {
            return 0;
        }
        n = poll(&watched, 1, left > 60000 ? 60000 : (int)left);
        if (n > 0) {
            return 1;
        }
        if (n < 0 && errno != EINTR) {
            return -1;
        }
    }
}

/* libpq ends its messages with a line feed and may have several lines. */
static void copy_message(char *dest, size_t size, const char *message)
{
    size_t len = 0;

    for (const char *p = message; *p && len + 1 < size; p++) {
        dest[len++] = *p == '\n' || *p == '\t' ? ' ' : *p;
    }
    while (len > 0 && dest[len - 1] == ' ') {
        len--;
    }
    dest[len] = '\0';
}

static int fail(struct postgres_failure *failure, enum postgres_phase phase, const char *message)
{
    *failure = (struct postgres_failure){.phase = phase, .lost = true};
    copy_message(failure->text, sizeof failure->text, message);
    return -1;
}

static int time_up(struct postgres_failure *failure, enum postgres_phase phase)
{
    (void)fail(failure, phase, "no answer in time");
    failure->timeout = true;
    return -1;
}

void postgres_failure_text(const struct postgres_failure *failure, char *ret_text, size_t size)
{
    static const char *const names[] = {"",    "name resolution", "connect",
                                        "TLS", "authentication",  "statement"};

    (void)snprintf(ret_text, size, "%s failed: %s", names[failure->phase], failure->text);
}

void postgres_disconnect(struct postgres *postgres)
{
    PQfinish(postgres->connection);
    postgres->connection = NULL;
}

static PGconn *start_connecting(const struct postgres *postgres,
                                const struct postgres_servers *servers)
{
    /* What stands before the DSN is a default that the DSN may replace; what stands behind it
     * holds, unless it is empty. */
    static const char *const keys[] = {"gssencmode",
                                       "fallback_application_name",
                                       "keepalives_idle",
                                       "dbname",
                                       "client_encoding",
                                       "host",
                                       "hostaddr",
                                       "port",
                                       NULL};
    const char *const values[] = {"disable",          "toiletmon",    "30",
                                  postgres->dsn,      "UTF8",         servers->names,
                                  servers->addresses, servers->ports, NULL};

    return PQconnectStartParams(keys, values, 1);
}

/* The step in which libpq stands, as people call it.  Until the server has said whether it speaks
 * TLS, it is not TLS that is waited for. */
static enum postgres_phase phase_of(PGconn *connection)
{
    switch (PQstatus(connection)) {
    case CONNECTION_SSL_STARTUP:
        return PQsslInUse(connection) ? PHASE_TLS : PHASE_CONNECT;
    case CONNECTION_GSS_STARTUP:
        return PHASE_TLS;
    case CONNECTION_MADE:
    case CONNECTION_NEEDED:
    case CONNECTION_STARTED:
        return PHASE_CONNECT;
    default:
        return PHASE_AUTHENTICATION;
    }
}

/* libpq says in words alone that it was the name, that TLS is not offered or that nobody listens.
 */
static enum postgres_phase phase_of_message(const char *message, enum postgres_phase seen)
{
    if (strstr(message, "could not translate host name")) {
        return PHASE_RESOLVE;
    }
    if (strstr(message, "server does not support SSL") || strstr(message, "SSL error") ||
        strstr(message, "certificate")) {
        return PHASE_TLS;
    }
    if (strstr(message, "Connection refused") || strstr(message, "No such file or directory") ||
        strstr(message, "Network is unreachable") || strstr(message, "No route to host")) {
        return PHASE_CONNECT;
    }
    return seen;
}

int postgres_connect(struct postgres *postgres, int64_t until_ms,
                     struct postgres_failure *ret_failure)
{
    enum postgres_phase phase = PHASE_CONNECT;
    PostgresPollingStatusType polling = PGRES_POLLING_WRITING;
    struct postgres_servers servers;
    PGconn *connection;

    if (postgres->connection) {
        return 0;
    }
    if (postgres_hosts_resolve(&postgres->hosts, until_ms, &servers, ret_failure) < 0) {
        return -1;
    }
    connection = start_connecting(postgres, &servers);
    if (!connection) {
        return fail(ret_failure, PHASE_CONNECT, "out of memory");
    }
    if (PQstatus(connection) == CONNECTION_BAD) {
        const char *message = PQerrorMessage(connection);

        (void)fail(ret_failure, phase_of_message(message, PHASE_CONNECT), message);
        goto out;
    }
    for (;;) {
        int ready =
            wait_socket(connection, polling == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms);

        if (ready <= 0) {
            (void)time_up(ret_failure, phase);
            goto out;
        }
        polling = PQconnectPoll(connection);
        if (polling == PGRES_POLLING_OK) {
            break;
        }
        if (polling == PGRES_POLLING_FAILED) {
            const char *message = PQerrorMessage(connection);

            (void)fail(ret_failure, phase_of_message(message, phase), message);
            goto out;
        }
        phase = phase_of(connection);
    }
    (void)PQsetnonblocking(connection, 1);
    postgres->connection = connection;
    return 0;
out:
    PQfinish(connection);
    return -1;
}

/* Sends what libpq still holds.  0, or -1 with *ret_failure. */
static int flush(PGconn *connection, int64_t until_ms, struct postgres_failure *ret_failure)
{
    int left;

    while ((left = PQflush(connection)) > 0) {
        if (wait_socket(connection, POLLOUT, until_ms) <= 0) {
            return time_up(ret_failure, PHASE_STATEMENT);
        }
    }
    return left < 0 ? fail(ret_failure, PHASE_STATEMENT, PQerrorMessage(connection)) : 0;
}

/* The next result; NULL in *ret_result at the end.  0, or -1 with *ret_failure. */
static int next_result(PGconn *connection, int64_t until_ms, PGresult **ret_result,
                       struct postgres_failure *ret_failure)
{
    while (PQisBusy(connection)) {
        if (wait_socket(connection, POLLIN, until_ms) <= 0) {
            return time_up(ret_failure, PHASE_STATEMENT);
        }
        if (!PQconsumeInput(connection)) {
            return fail(ret_failure, PHASE_STATEMENT, PQerrorMessage(connection));
        }
    }
    *ret_result = PQgetResult(connection);
    return 0;
}

/*
 * Runs one statement and keeps its last result.  An error of the statement leaves the connection
 * good; it is told with its SQLSTATE.
 */
static int run(PGconn *connection, int64_t until_ms, PGresult **ret_result,
               struct postgres_failure *ret_failure)
{
    PGresult *kept = NULL;
    PGresult *result = NULL;
    bool failed = false;

    if (flush(connection, until_ms, ret_failure) < 0) {
        return -1;
    }
    for (;;) {
        if (next_result(connection, until_ms, &result, ret_failure) < 0) {
            PQclear(kept);
            return -1;
        }
        if (!result) {
            break;
        }
        if (PQresultStatus(result) != PGRES_TUPLES_OK &&
            PQresultStatus(result) != PGRES_COMMAND_OK && !failed) {
            const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
            char text[400];

            (void)snprintf(text, sizeof text, "%s (SQLSTATE %s)",
                           primary ? primary : PQresultErrorMessage(result),
                           state ? state : "none");
            (void)fail(ret_failure, PHASE_STATEMENT, text);
            ret_failure->lost = PQstatus(connection) != CONNECTION_OK;
            failed = true;
        }
        PQclear(kept);
        kept = result;
    }
    if (failed) {
        PQclear(kept);
        return -1;
    }
    *ret_result = kept;
    return 0;
}

static int simple(PGconn *connection, const char *text, int64_t until_ms,
                  struct postgres_failure *ret_failure)
{
    PGresult *result = NULL;

    if (!PQsendQuery(connection, text)) {
        return fail(ret_failure, PHASE_STATEMENT, PQerrorMessage(connection));
    }
    if (run(connection, until_ms, &result, ret_failure) < 0) {
        return -1;
    }
    PQclear(result);
    return 0;
}

int postgres_query(struct postgres *postgres, const char *statement, const char *const *params,
                   int nparams, int64_t until_ms, PGresult **ret_result,
                   struct postgres_failure *ret_failure)
{
    PGconn *connection = postgres->connection;
    PGresult *result = NULL;
    struct postgres_failure ignored;
    int64_t left = until_ms - postgres_now_ms();
    int64_t timeout = left * 8 / 10;
    char begin[256];
    int r;

    if (timeout < 1) {
        return time_up(ret_failure, PHASE_STATEMENT);
    }
    /* SET LOCAL and not a start-up option: a pooler in transaction mode hands this backend to
     * others afterwards. */
    (void)snprintf(begin, sizeof begin,
                   "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = %lld; SET LOCAL "
                   "lock_timeout = %lld; "
                   "SET LOCAL idle_in_transaction_session_timeout = %lld",
                   (long long)timeout, (long long)timeout, (long long)(left + 1000));
    r = simple(connection, begin, until_ms, ret_failure);
    if (r == 0) {
        if (!PQsendQueryParams(connection, statement, nparams, NULL, params, NULL, NULL, 0)) {
            r = fail(ret_failure, PHASE_STATEMENT, PQerrorMessage(connection));
        } else {
            r = run(connection, until_ms, &result, ret_failure);
        }
        if (r == 0 || !ret_failure->lost) {
            if (simple(connection, r == 0 ? "COMMIT" : "ROLLBACK", until_ms,
                       r == 0 ? ret_failure : &ignored) < 0) {
                if (r == 0) {
                    PQclear(result);
                }
                postgres_disconnect(postgres);
                return -1;
            }
        }
    }
    if (r < 0) {
        if (ret_failure->lost) {
            postgres_disconnect(postgres);
        }
        return -1;
    }
    *ret_result = result;
    return 0;
}
