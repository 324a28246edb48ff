/*
 * dsn.c: Sentry's way to write address, project and key in one.  See sentry.h.
 */
#include "sentry.h"

#include <stdlib.h>

#define AUTHORIZATION "Sentry sentry_version=7, sentry_client=" SENTRY_CLIENT ", sentry_key="
#define SECRET ", sentry_secret="

/* What a key, a secret and a project are made of. */
static bool is_name(const char *text, size_t len)
{
    static const char letters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

    return len > 0 && strspn(text, letters) >= len;
}

const char *dsn_parse(struct dsn *ret_dsn, const char *text)
{
    const char *user = strstr(text, "://");
    const char *host, *colon, *project, *end = text + strlen(text);
    size_t key, secret = 0, size;

    *ret_dsn = (struct dsn){0};
    user = user == NULL ? text : user + 3;
    host = user + strcspn(user, "@/?#");
    if (*host != '@') {
        return "dsn: there is no key in it; it is written https://KEY@HOST/PROJECT";
    }
    colon = memchr(user, ':', (size_t)(host - user));
    key = (size_t)((colon == NULL ? host : colon) - user);
    secret = colon == NULL ? 0 : (size_t)(host - colon - 1);
    if (!is_name(user, key) || (secret > 0 && !is_name(colon + 1, secret))) {
        return "dsn: its key is not of letters and digits";
    }
    ret_dsn->key = user;
    ret_dsn->key_len = key;
    host++;
    while (end > host && end[-1] == '/') {
        end--;
    }
    for (project = end; project > host && project[-1] != '/'; project--) {}
    if (project == host || !is_name(project, (size_t)(end - project))) {
        return "dsn: there is no project at its end; it is written https://KEY@HOST/PROJECT";
    }
    size = strlen(text) + sizeof "api//envelope/";
    ret_dsn->url = malloc(size);
    ret_dsn->authorization = malloc(sizeof AUTHORIZATION + sizeof SECRET + key + secret);
    if (ret_dsn->url == NULL || ret_dsn->authorization == NULL) {
        dsn_finish(ret_dsn);
        return "out of memory";
    }
    (void)snprintf(ret_dsn->url, size, "%.*s%.*sapi/%.*s/envelope/", (int)(user - text), text,
                   (int)(project - host), host, (int)(end - project), project);
    (void)snprintf(ret_dsn->authorization, sizeof AUTHORIZATION + sizeof SECRET + key + secret,
                   AUTHORIZATION "%.*s%s%.*s", (int)key, user, secret > 0 ? SECRET : "",
                   (int)secret, secret > 0 ? colon + 1 : "");
    return NULL;
}

void dsn_finish(struct dsn *dsn)
{
    free(dsn->url);
    free(dsn->authorization);
    *dsn = (struct dsn){0};
}
