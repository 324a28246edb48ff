/*
 * client.h: a request to the agent that --url or TOILETMON_URL names.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/command.h"
#include "fetch/client.h"

struct client_answer {
    int status;       /* of HTTP */
    const char *body; /* ends with a NUL behind `len` bytes; borrowed from `owned` */
    size_t len;
    json_t *json; /* owned; NULL when it is none */
    char *owned;
};

/* Returns CLI_OK with an answer of any status but 401 and 403, else complains on stderr and returns
 * the exit code. `accept` NULL: JSON, and anything else is a complaint too.  The answer is finished
 * by the caller in any case. */
int client_request(const struct cli *cli, const char *method, const char *path, const char *accept,
                   struct client_answer *ret_answer);
/* The same with a body of JSON (NULL: none), and another time than 10 s that is waited for it where
 * the user says none (0: 10 s). */
int client_send(const struct cli *cli, const char *method, const char *path, const char *body,
                size_t len, int64_t patience_ms, struct client_answer *ret_answer);
/* A GET or the like whose answer must be 200: complains of any other. */
int client_ask(const struct cli *cli, const char *method, const char *path,
               struct client_answer *ret_answer);
/* An answer that is neither well nor expected: complains, returns CLI_FAILED. */
int client_complain(const struct client_answer *answer);
/* Appends a parameter to a path with a query, escaped. */
void client_parameter(struct buf *path, const char *name, const char *value);
/* Appends a segment to a path, escaped. */
void client_segment(struct buf *path, const char *text);
void client_answer_finish(struct client_answer *answer);
/* Where the agent is, for people. */
const char *client_url(const struct cli *cli);

/* A member as text; "" when it is not there or no text. */
const char *client_text(const json_t *object, const char *key);
/* The document on stdout, for scripts. */
int client_print(const json_t *json);

#endif
