/*
 * runbooks.c: /runbooks and /runbooks/NAME, what to do about the alerts of the shipped rules, whose
 * links lead here.  Server's thread.
 *
 * The texts are docs/runbooks/, in the program itself: on the night when they are wanted nobody has
 * to know where documentation was installed.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "http/runbook_texts.h"
#include "http/server.h"

struct runbook {
    const char *name; /* the last part of /runbooks/NAME */
    const char *text; /* Markdown */
};

#define ENTRY(name, text) {name, (const char *)(text)},
static const struct runbook runbooks[] = {RUNBOOK_LIST(ENTRY)};
#define RUNBOOKS (sizeof runbooks / sizeof runbooks[0])

static const struct runbook *find(const char *name)
{
    for (size_t i = 0; i < RUNBOOKS; i++) {
        if (strcmp(runbooks[i].name, name) == 0) {
            return &runbooks[i];
        }
    }
    return NULL;
}

int runbooks_answer(struct request *request)
{
    struct buf page;
    size_t len;

    buf_init(&page, 16384);
    buf_puts(&page, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width\">\n"
                    "<title>Runbooks</title>\n<h1>Runbooks</h1>\n"
                    "<p>What to do about the alerts of the shipped rules.\n<ul>\n");
    for (size_t i = 0; i < RUNBOOKS; i++) {
        const char *name = runbooks[i].name;

        buf_printf(&page, "<li><a href=\"/runbooks/%s\">%s</a>\n", name, name);
    }
    buf_puts(&page, "</ul>\n</html>\n");
    len = page.len;
    if (page.failed) {
        buf_finish(&page);
        return -ENOMEM;
    }
    return answer_page(request, MHD_HTTP_OK, buf_take(&page), len);
}

int runbook_answer(struct request *request)
{
    const struct runbook *runbook = find(request->client->parameter);

    if (!runbook) {
        return answer_error(request, MHD_HTTP_NOT_FOUND, "there is no runbook of this name",
                            "/runbooks lists those there are");
    }
    return answer_constant(request, "text/plain; charset=utf-8", runbook->text);
}
