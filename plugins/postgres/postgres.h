/*
 * postgres.h: what the files of this plugin share.
 *
 * One instance has at most one connection, which is kept between calls.  Everything on it is
 * non-blocking and waits at most until a budget that ends shortly before the call's deadline, so
 * that this plugin can still say what it was waiting for.
 */
#ifndef POSTGRES_H
#define POSTGRES_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "../common/resolve.h"
#include "plugin_api.h"

/* hosts.c: the servers of the DSN, and the lookups of their names. */
struct postgres_host;
struct postgres_hosts {
    size_t n;
    struct postgres_host *list;
    size_t lookups; /* how many are names */
};

struct postgres {
    const struct tmon_config *config;
    const char *dsn; /* secret: never in a message */
    const char *statement;
    struct postgres_hosts hosts;
    int64_t slow_ms;    /* warn above; 0: never */
    PGconn *connection; /* NULL: none */
};

enum postgres_phase {
    PHASE_NONE,
    PHASE_RESOLVE,
    PHASE_CONNECT,
    PHASE_TLS,
    PHASE_AUTHENTICATION,
    PHASE_STATEMENT
};

/* Why something failed, for people. */
struct postgres_failure {
    enum postgres_phase phase;
    bool timeout;
    bool lost; /* the connection is of no more use */
    char text[512];
};

/* The moment (CLOCK_MONOTONIC, ms) at which to give up waiting, a little before the call's
 * deadline. */
int64_t postgres_budget(struct tmon_call *call);
int64_t postgres_now_ms(void);
double postgres_now(void); /* seconds */

/* What libpq is told besides the DSN: lists with commas, as its options host, hostaddr and port
 * want them.  n == 0: nothing. */
#define POSTGRES_SERVERS_SIZE 4096
struct postgres_servers {
    size_t n;
    char names[POSTGRES_SERVERS_SIZE];
    char addresses[POSTGRES_SERVERS_SIZE];
    char ports[POSTGRES_SERVERS_SIZE];
};

/* 0 or -ENOMEM. */
int postgres_hosts_init(struct postgres_hosts *hosts, const PQconninfoOption *parsed);
void postgres_hosts_finish(struct postgres_hosts *hosts);
/* Looks up what is a name; a server whose name cannot be is left out, if there are others.  0, or
 * -1 with *ret_failure. */
int postgres_hosts_resolve(struct postgres_hosts *hosts, int64_t until_ms,
                           struct postgres_servers *ret_servers,
                           struct postgres_failure *ret_failure);

/* Connects if there is no connection.  0, or -1 with *ret_failure. */
int postgres_connect(struct postgres *postgres, int64_t until_ms,
                     struct postgres_failure *ret_failure);
void postgres_disconnect(struct postgres *postgres);

/*
 * Runs a statement with text parameters in a read-only transaction of its own, with statement and
 * lock timeouts that end before `until_ms`, so that no backend goes on working for a call that has
 * ended.  0 with a result to be cleared by the caller (PQclear), or -1 with *ret_failure.  Needs a
 * connection; a lost one is closed.
 */
int postgres_query(struct postgres *postgres, const char *statement, const char *const *params,
                   int nparams, int64_t until_ms, PGresult **ret_result,
                   struct postgres_failure *ret_failure);

/* "authentication failed: password authentication failed for user "x"" */
void postgres_failure_text(const struct postgres_failure *failure, char *ret_text, size_t size);

/* tables.c: the sizes of the tables that the operator named. */
extern const struct tmon_option postgres_table_options[];
/* Whether each has a name that a metric can have; says which has not. */
bool postgres_tables_named(struct tmon_call *call, const struct postgres *postgres);
/* Emits one untyped sample a table that could be counted, and its success. */
void postgres_collect_tables(struct tmon_call *call, struct postgres *postgres, int64_t until_ms);
/* Reports a warning for each table that cannot be counted as it should be. */
void postgres_check_tables(struct tmon_call *call, struct postgres *postgres, int64_t until_ms);

#endif
