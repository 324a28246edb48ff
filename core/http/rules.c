/*
 * rules.c: /api/v1/rules: what rules are there and how they are, and what an expression gives.
 * Server's thread; the rules' thread answers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/query.h"
#include "http/server.h"

int rules_handle(struct request *request)
{
    return ask_agent(request, &(struct http_question){.what = HTTP_RULES_LIST});
}

static int take_expr(void *arg, const char *name, const char *value, char *ret_why, size_t size)
{
    static const char *const known[] = {"expr", NULL};
    char **expr = arg;

    if (strcmp(name, "expr") != 0) {
        return query_unknown(name, known, ret_why, size);
    }
    free(*expr);
    *expr = strdup(value);
    return *expr ? 0 : -ENOMEM;
}

int rules_eval_handle(struct request *request)
{
    struct http_question question = {.what = HTTP_RULES_EVAL};
    char why[QUERY_WHY_SIZE] = "";
    int r = query_read(request, take_expr, &question.text, why, sizeof why);

    if (r == 0 && !question.text) {
        (void)snprintf(why, sizeof why, "'expr' is missing: ?expr=up");
        r = -EINVAL;
    }
    if (r < 0) {
        free(question.text);
        return r == -EINVAL ? answer_error(request, MHD_HTTP_BAD_REQUEST, why, NULL) : r;
    }
    return ask_agent(request, &question);
}
