/*
 * resolve.c: puts the environment into scalars.  Runs where a configuration is loaded.
 *
 * It works on parsed scalars, not on the file's text: a value that holds ": " or a line break
 * cannot change the structure.  A `$` that starts neither a variable nor `$$` stays as it is, for
 * the sake of patterns like "ok$";
 * `$NAME` without braces is refused, because shells made people expect it to work.
 */
#include "config/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"

static const char *process_lookup(void *owner, const char *name)
{
    return getenv(name);
}

const struct config_env config_env_process = {process_lookup, NULL};

static bool starts_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static size_t name_length(const char *text)
{
    size_t n = 0;

    if (starts_name(*text)) {
        while (starts_name(text[n]) || (text[n] >= '0' && text[n] <= '9')) {
            n++;
        }
    }
    return n;
}

bool resolve_is_name(const char *text)
{
    size_t n = name_length(text);

    return n > 0 && n <= LIMIT_NAME_BYTES && !text[n];
}

enum outcome { PUT, MISTAKE, MISSING };

struct resolving {
    const struct config_env *env;
    bool lenient, instance;
    struct config_errors *errors;
};

static void tell_unset(const struct resolving *resolving, const struct node *node, const char *name)
{
    if (resolving->lenient) {
        return;
    }
    if (resolving->instance) {
        config_error(resolving->errors, node->at,
                     "the variable %s is not set; set it, write ${%s:-default}, or let the "
                     "instance be off without it by 'enabled_if: [%s]'",
                     name, name, name);
    } else {
        config_error(resolving->errors, node->at,
                     "the variable %s is not set; set it, or write ${%s:-default}", name, name);
    }
}

/* *at stands behind "${"; it moves behind "}". */
static enum outcome put_variable(const struct resolving *resolving, struct node *node,
                                 const char **at, struct buf *out)
{
    struct config_errors *errors = resolving->errors;
    const char *text = *at, *fallback = NULL, *value;
    const char *end = strchr(text, '}');
    size_t n = name_length(text);
    char name[LIMIT_NAME_BYTES + 1];

    if (!end) {
        config_error(errors, node->at, "a ${ is not closed by }; write $$ for a dollar sign");
        return MISTAKE;
    }
    if (n == 0 || n > LIMIT_NAME_BYTES || (text + n != end && strncmp(text + n, ":-", 2) != 0)) {
        config_error(errors, node->at,
                     "only ${NAME} and ${NAME:-default} are known; write $$ for a dollar sign");
        return MISTAKE;
    }
    memcpy(name, text, n);
    name[n] = '\0';
    if (text + n != end) {
        fallback = text + n + 2;
        if (memmem(fallback, (size_t)(end - fallback), "${", 2)) {
            config_error(errors, node->at, "the default of ${%s} may not hold another variable",
                         name);
            return MISTAKE;
        }
    }
    *at = end + 1;
    value = resolving->env->lookup(resolving->env->owner, name);
    if (value && (*value || !fallback)) {
        if (!utf8_valid(value, strlen(value))) {
            config_error(errors, node->at, "the variable %s does not hold UTF-8", name);
            return MISTAKE;
        }
        buf_puts(out, value);
    } else if (fallback) {
        buf_append(out, fallback, (size_t)(end - fallback));
    } else {
        tell_unset(resolving, node, name);
        return MISSING;
    }
    node->replaced = true;
    return PUT;
}

static int resolve_scalar(const struct resolving *resolving, struct node *node)
{
    struct config_errors *errors = resolving->errors;
    struct buf out;
    const char *at = node->text;
    int r = 0;

    buf_init(&out, LIMIT_SETTING_BYTES);
    buf_puts(&out, "");
    while (*at) {
        size_t plain = strcspn(at, "$");

        buf_append(&out, at, plain);
        at += plain;
        if (!*at) {
            break;
        }
        at++;
        if (*at == '$') {
            buf_putc(&out, '$');
            at++;
        } else if (*at == '{') {
            at++;
            if (put_variable(resolving, node, &at, &out) != PUT) {
                node->unset = true;
                goto out;
            }
        } else if (starts_name(*at)) {
            config_error(errors, node->at,
                         "$%.*s is not replaced; write ${%.*s}, or $$ for a dollar sign",
                         (int)name_length(at), at, (int)name_length(at), at);
            node->unset = true;
            goto out;
        } else {
            buf_putc(&out, '$');
        }
    }
    if (out.failed) {
        config_error(errors, node->at, "with its variables replaced this is longer than %d bytes",
                     LIMIT_SETTING_BYTES);
        node->unset = true;
    } else {
        node->value = out.data ? buf_take(&out) : strdup("");
        r = node->value ? 0 : -ENOMEM;
    }
out:
    buf_finish(&out);
    return r;
}

static int resolve(const struct resolving *resolving, struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        return node->value || node->unset ? 0 : resolve_scalar(resolving, node);
    }
    for (size_t i = 0; i < node->count; i++) {
        int r = resolve(resolving, node->items[i]);

        if (r) {
            return r;
        }
    }
    return 0;
}

int resolve_node(struct node *node, const struct config_env *env, bool lenient,
                 struct config_errors *errors)
{
    const struct resolving resolving = {.env = env, .lenient = lenient, .errors = errors};

    return resolve(&resolving, node);
}

int resolve_instance(struct node *node, const struct config_env *env, bool lenient,
                     struct config_errors *errors)
{
    const struct resolving resolving = {
        .env = env, .lenient = lenient, .instance = true, .errors = errors};

    return resolve(&resolving, node);
}
