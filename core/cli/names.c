/*
 * names.c: see names.h.
 */
#include "cli/names.h"

#include <string.h>

#include "base/suggest.h"
#include "cli/client.h"

#define CANDIDATES 1024 /* that are looked through for a suggestion */

int names_unknown(const char *kind, const char *name, const json_t *rows, const char *lister)
{
    const char *names[CANDIDATES];
    char suggestion[SUGGESTION_SIZE];
    const json_t *row;
    size_t i, n = 0;

    json_array_foreach(rows, i, row)
    {
        if (n < CANDIDATES) {
            names[n++] = client_text(row, "name");
        }
    }
    (void)suggest_ending(name, names, n, suggestion);
    return cli_failed("there is no %s '%.128s'%s%s 'toiletmon %s' shows them", kind, name,
                      suggestion, *suggestion ? "" : ";", lister);
}

int names_check_sink(const struct cli *cli, const char *name)
{
    struct client_answer answer = {0};
    const json_t *sinks, *sink;
    bool found = false;
    size_t i;
    int r = client_ask(cli, "GET", "/api/v1/sinks", &answer);

    sinks = json_object_get(answer.json, "sinks");
    json_array_foreach(sinks, i, sink)
    {
        found = found || strcmp(client_text(sink, "name"), name) == 0;
    }
    if (r == CLI_OK && !found) {
        r = names_unknown("sink", name, sinks, "sinks list");
    }
    client_answer_finish(&answer);
    return r;
}
