/*
 * agent_section.c: the `agent:` section.  Runs where a configuration is loaded.
 *
 * Its keys are declared in a table like a component's and checked by the same code; here is only
 * what a table cannot say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/limits.h"
#include "config/schema.h"
#include "config/sections.h"

static const struct tmon_option log_options[] = {
    {"level", TMON_CHOICE, 0, "info", 0, 0, "debug|info|warning|warn|error",
     "the least that is logged", NULL},
    {"format", TMON_CHOICE, 0, "logfmt", 0, 0, "logfmt|json", "the form of a line", NULL},
    {0},
};

static const struct tmon_option tls_options[] = {
    {"certificate", TMON_STRING, 0, NULL, 0, 0, NULL, "a PEM file, with the chain", NULL},
    {"key", TMON_STRING, 0, NULL, 0, 0, NULL, "the PEM file of its private key", NULL},
    {0},
};

static const struct tmon_option token_options[] = {
    {"write", TMON_STRING, TMON_SECRET, NULL, 0, 0, NULL,
     "what a client off loopback shows to change something", NULL},
    {0},
};

static const struct tmon_option limit_options[] = {
    {"series", TMON_INT, 0, "200000", 100, 10000000, NULL, "how many series are kept in all", NULL},
    {"series_per_instance", TMON_INT, 0, "10000", 1, 10000000, NULL,
     "how many series one instance may have", NULL},
    {"series_stale", TMON_DURATION, 0, "5m", 1000, 604800000, NULL,
     "when a series that stopped is dropped", NULL},
    {0},
};

static const struct tmon_option agent_options[] = {
    {"listen", TMON_LIST, 0, "127.0.0.1:9909", 0, 0, NULL,
     "HOST:PORT and unix:PATH, one or several", NULL},
    {"state_dir", TMON_STRING, 0, "/var/lib/toiletmon", 0, 0, NULL,
     "where the agent keeps what must survive", NULL},
    {"log", TMON_GROUPS, SCHEMA_ONE, NULL, 0, 0, NULL, "the log on standard error", log_options},
    {"tls", TMON_GROUPS, SCHEMA_ONE, NULL, 0, 0, NULL, "HTTPS instead of HTTP", tls_options},
    {"tokens", TMON_GROUPS, SCHEMA_ONE, NULL, 0, 0, NULL, "who may change something",
     token_options},
    {"hosts", TMON_LIST, 0, NULL, 0, 0, NULL, "further names that a client may call the agent by",
     NULL},
    {"plugin_dirs", TMON_LIST, 0, NULL, 0, 0, NULL,
     "directories with plugins, besides the agent's own", NULL},
    {"ready", TMON_LIST, 0, NULL, 0, 0, NULL,
     "instances whose checks must pass before the agent is ready", NULL},
    {"external_url", TMON_URL, 0, NULL, 0, 0, NULL, "where people reach the agent, for links",
     NULL},
    {"limits", TMON_GROUPS, SCHEMA_ONE, NULL, 0, 0, NULL, "bounds on memory", limit_options},
    {0},
};

/* Where item i of a list setting stands. */
static struct config_position item_at(const struct node *mapping, const char *name, size_t i,
                                      struct config_position at)
{
    struct node *node = node_get(mapping, name, NULL);

    if (node && node->kind == NODE_SEQUENCE && i < node->count) {
        return node->items[i]->at;
    }
    return node ? node->at : at;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
    char *end;
    unsigned long port = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 65536;

    if (port > 65535 || *end) {
        return false;
    }
    *ret_port = (uint16_t)port;
    return true;
}

/* HOST:PORT, [ADDRESS]:PORT or unix:PATH.  What is wrong with it, or NULL. */
static const char *parse_listen(const char *text, struct config_listen *listen)
{
    const char *colon = strrchr(text, ':');
    size_t len;

    listen->text = strdup(text);
    if (!listen->text) {
        return "needs more memory than there is";
    }
    if (strncmp(text, "unix:", 5) == 0) {
        if (text[5] != '/' || strlen(text + 5) >= sizeof((struct sockaddr_un *)0)->sun_path) {
            return "needs an absolute path of at most 107 bytes, such as "
                   "unix:/run/toiletmon/api.sock";
        }
        listen->path = strdup(text + 5);
        return listen->path ? NULL : "needs more memory than there is";
    }
    len = colon ? (size_t)(colon - text) : 0;
    if (len == 0 || !parse_port(colon + 1, &listen->port)) {
        return "must be HOST:PORT (127.0.0.1:9909, [::1]:9909, 0.0.0.0:9909 for all) or unix:PATH";
    }
    if (text[0] == '[' && text[len - 1] == ']' && len > 2) {
        listen->host = strndup(text + 1, len - 2);
    } else if (memchr(text, ':', len) || strpbrk(text, "[]/ ")) {
        return "must have an IPv6 address in brackets, such as [::1]:9909";
    } else {
        listen->host = strndup(text, len);
    }
    return listen->host ? NULL : "needs more memory than there is";
}

static int read_listen(const struct node *mapping, struct config_position at,
                       struct settings *settings, struct config_errors *errors,
                       struct config_agent *agent)
{
    const struct setting *setting = settings_find(settings, "listen");

    if (setting->count == 0 || setting->count > LIMIT_LISTEN) {
        config_error(errors, item_at(mapping, "listen", SIZE_MAX, at),
                     "'listen' needs from 1 to %d addresses", LIMIT_LISTEN);
        return 0;
    }
    agent->listen = calloc(setting->count, sizeof *agent->listen);
    if (!agent->listen) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < setting->count; i++) {
        const char *problem = parse_listen(setting->items[i], &agent->listen[agent->nlisten++]);

        for (size_t j = 0; !problem && j < i; j++) {
            if (strcmp(setting->items[i], setting->items[j]) == 0 &&
                agent->listen[i].port + !!agent->listen[i].path) {
                problem = "names the same address twice";
            }
        }
        if (problem) {
            config_error(errors, item_at(mapping, "listen", i, at), "'listen' %s", problem);
        }
    }
    return 0;
}

static void need_absolute(const char *name, const char *path, struct config_position at,
                          struct config_errors *errors)
{
    if (path && path[0] != '/') {
        config_error(errors, at, "'%s' must be an absolute path, one that starts with /", name);
    }
}

static void check_paths(const struct node *mapping, struct config_position at,
                        struct config_agent *agent, struct config_errors *errors)
{
    struct node *tls = node_get(mapping, "tls", NULL);

    need_absolute("state_dir", agent->state_dir, item_at(mapping, "state_dir", 0, at), errors);
    need_absolute("certificate", agent->tls_certificate, item_at(tls, "certificate", 0, at),
                  errors);
    need_absolute("key", agent->tls_key, item_at(tls, "key", 0, at), errors);
    for (size_t i = 0; i < agent->nplugin_dirs; i++) {
        need_absolute("plugin_dirs", agent->plugin_dirs[i], item_at(mapping, "plugin_dirs", i, at),
                      errors);
    }
    if (!agent->tls_certificate != !agent->tls_key) {
        config_error(errors, item_at(mapping, "tls", 0, at),
                     "'tls' needs both 'certificate' and 'key'");
    }
}

static void check_token(const struct node *mapping, struct config_position at,
                        struct config_agent *agent, struct config_errors *errors)
{
    struct config_position where = item_at(node_get(mapping, "tokens", NULL), "write", 0, at);
    const char *token = agent->write_token;

    if (token && !*token) { // "${TOKEN:-}": none
        free(agent->write_token);
        agent->write_token = NULL;
        return;
    }
    for (const char *c = token; c && *c; c++) {
        if (*c <= ' ' || *c > '~') {
            config_error(
                errors, where,
                "'write' must be printable ASCII without blanks, as it travels in a header");
            return;
        }
    }
    if (token && strlen(token) < 16) {
        config_warning(
            errors, where,
            "'write' is shorter than 16 characters; make one with: openssl rand -hex 24");
    }
}

static void check_hosts(const struct node *mapping, struct config_position at,
                        const struct config_agent *agent, struct config_errors *errors)
{
    for (size_t i = 0; i < agent->nhosts; i++) {
        const char *host = agent->hosts[i];

        if (!*host || strpbrk(host, ":/ @[]")) {
            config_error(
                errors, item_at(mapping, "hosts", i, at),
                "'hosts' takes names without scheme, port and path, such as monitor.example.com");
        }
    }
}

int agent_section_read(const struct node *mapping, struct config_position at,
                       struct config_errors *errors, struct config_agent *ret_agent)
{
    struct schema schema = {0};
    struct manifest_option *options = NULL;
    struct settings *settings = NULL, *group;
    size_t noptions = 0;
    int r;

    memset(ret_agent, 0, sizeof *ret_agent);
    options = schema_options(agent_options, &noptions);
    if (!options) {
        return -ENOMEM;
    }
    schema.options = options;
    schema.noptions = noptions;
    r = schema_check(&schema, mapping, at, errors, &settings);
    if (r) {
        r = r == -ENOMEM ? r : 0;
        goto out;
    }
    r = read_listen(mapping, at, settings, errors, ret_agent);
    ret_agent->state_dir = section_take_text(settings, "state_dir");
    ret_agent->external_url = section_take_text(settings, "external_url");
    section_take_list(settings, "hosts", &ret_agent->nhosts, &ret_agent->hosts);
    section_take_list(settings, "plugin_dirs", &ret_agent->nplugin_dirs, &ret_agent->plugin_dirs);
    section_take_list(settings, "ready", &ret_agent->nready, &ret_agent->ready);
    group = section_group(settings, "log");
    (void)log_level_parse(section_text(group, "level"), &ret_agent->log_level);
    ret_agent->log_format =
        strcmp(section_text(group, "format"), "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT;
    group = section_group(settings, "tls");
    ret_agent->tls_certificate = section_take_text(group, "certificate");
    ret_agent->tls_key = section_take_text(group, "key");
    ret_agent->write_token = section_take_text(section_group(settings, "tokens"), "write");
    group = section_group(settings, "limits");
    ret_agent->series_total = (uint64_t)section_number(group, "series");
    ret_agent->series_per_instance = (uint64_t)section_number(group, "series_per_instance");
    ret_agent->series_stale_ms = section_number(group, "series_stale");
    check_paths(mapping, at, ret_agent, errors);
    check_token(mapping, at, ret_agent, errors);
    check_hosts(mapping, at, ret_agent, errors);
out:
    settings_destroy(settings);
    schema_free_options(options, noptions);
    return r;
}

static void free_list(char **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(items[i]);
    }
    free(items);
}

void agent_section_finish(struct config_agent *agent)
{
    for (size_t i = 0; i < agent->nlisten; i++) {
        free(agent->listen[i].text);
        free(agent->listen[i].host);
        free(agent->listen[i].path);
    }
    free(agent->listen);
    free(agent->state_dir);
    free(agent->external_url);
    free(agent->tls_certificate);
    free(agent->tls_key);
    free(agent->write_token);
    free_list(agent->hosts, agent->nhosts);
    free_list(agent->plugin_dirs, agent->nplugin_dirs);
    free_list(agent->ready, agent->nready);
    memset(agent, 0, sizeof *agent);
}

/* ---- what both sections use */

static struct setting *find(const struct settings *settings, const char *name)
{
    return (struct setting *)settings_find(settings, name);
}

char *section_take_text(struct settings *settings, const char *name)
{
    struct setting *setting = find(settings, name);
    char *text = setting->text;

    setting->text = NULL;
    return text;
}

void section_take_list(struct settings *settings, const char *name, size_t *ret_count,
                       char ***ret_items)
{
    struct setting *setting = find(settings, name);

    *ret_count = setting->count;
    *ret_items = setting->items;
    setting->count = 0;
    setting->items = NULL;
}

int64_t section_number(const struct settings *settings, const char *name)
{
    return find(settings, name)->num;
}

const char *section_text(const struct settings *settings, const char *name)
{
    return find(settings, name)->text;
}

struct settings *section_group(const struct settings *settings, const char *name)
{
    return find(settings, name)->groups[0];
}
