/*
 * mock_settings.c: settings for the mock host, from text of the shape that an operator writes.
 *
 * Owns struct tmon_config.  Runs in the test.  It reads one setting a line rather than YAML, so
 * that the mock needs no library; types, ranges and defaults are those of the agent.
 */
#include "mock_settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

struct mock_setting {
    const struct tmon_option *option;
    bool set;
    int64_t num;
    double real;
    char *text;
    size_t count; /* of items, pairs or groups */
    char **items; /* of a map: the keys */
    char **values;
    struct tmon_config **groups;
};

struct tmon_config {
    size_t count;
    struct mock_setting *settings;
};

struct reader { /* where an error goes; the first one stays */
    char *why;
    size_t size;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reader *reader, const char *format,
                                                         ...)
{
    va_list args;

    if (!reader->failed) {
        va_start(args, format);
        (void)vsnprintf(reader->why, reader->size, format, args);
        va_end(args);
    }
    reader->failed = true;
    return false;
}

static void *must(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static char *copy_n(const char *text, size_t len)
{
    char *copy = (char *)must(malloc(len + 1));

    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static void append(char ***items, size_t count, char *item)
{
    *items = (char **)must(realloc(*items, (count + 1) * sizeof **items));
    (*items)[count] = item;
}

/* ---- Scalars and lists of them ------------------------------------------------------------------
 */

static const char *skip_blank(const char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    return text;
}

/* One scalar, quoted or bare; a bare one ends at a character of `stops`.  Moves *text behind it. */
static char *read_scalar(const char **text, const char *stops)
{
    const char *at = skip_blank(*text);
    char *out = (char *)must(malloc(strlen(at) + 1));
    size_t len = 0;

    if (*at == '"' || *at == '\'') {
        const char quote = *at++;

        while (*at != '\0' && *at != quote) {
            if (quote == '"' && *at == '\\' && at[1] != '\0') {
                at++;
                out[len++] = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at;
                at++;
            } else {
                out[len++] = *at++;
            }
        }
        at += *at == quote;
    } else {
        while (*at != '\0' && strchr(stops, *at) == NULL && !(*at == ' ' && at[1] == '#')) {
            out[len++] = *at++;
        }
        while (len > 0 && (out[len - 1] == ' ' || out[len - 1] == '\t')) {
            len--;
        }
    }
    out[len] = '\0';
    *text = skip_blank(at);
    return out;
}

/* "[a, b]", "{k: v}", or the same without the brackets. */
static bool read_items(struct reader *reader, struct mock_setting *setting, const char *text)
{
    const bool map = setting->option->type == TMON_MAP;
    const char *stops;
    const char close = map ? '}' : ']';
    bool bracket;

    text = skip_blank(text);
    bracket = *text == (map ? '{' : '[');
    stops = map ? ",}:" : bracket ? ",]" : ",";
    text = skip_blank(text + bracket);
    while (*text != '\0' && !(bracket && *text == close)) {
        char *item = read_scalar(&text, stops);

        append(&setting->items, setting->count, item);
        setting->count++;
        if (map) {
            append(&setting->values, setting->count - 1, NULL);
            if (*text != ':') {
                return refuse(reader, "%s: expected \"key: value\" at \"%s\"",
                              setting->option->name, text);
            }
            text++;
            setting->values[setting->count - 1] = read_scalar(&text, ",}");
        }
        if (*text == ',') {
            text = skip_blank(text + 1);
        } else if (*text != '\0' && *text != close) {
            return refuse(reader, "%s: unexpected \"%s\"", setting->option->name, text);
        }
    }
    if (bracket && *text != close) {
        return refuse(reader, "%s: a closing \"%c\" is missing", setting->option->name, close);
    }
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

static bool read_number(struct reader *reader, struct mock_setting *setting, const char *text)
{
    static const struct unit durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                            {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    static const struct unit sizes[] = {
        {"", 1},      {"B", 1},     {"KiB", 1024},   {"MiB", 1048576},   {"GiB", 1073741824},
        {"kB", 1000}, {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {NULL, 0}};
    static const struct unit none[] = {{"", 1}, {NULL, 0}};
    const struct tmon_option *option = setting->option;
    const struct unit *unit = option->type == TMON_DURATION ? durations
                              : option->type == TMON_BYTES  ? sizes
                                                            : none;
    char *end = NULL;
    double check;

    errno = 0;
    if (option->type == TMON_FLOAT) {
        setting->real = strtod(text, &end);
        check = setting->real;
    } else {
        setting->num = strtoll(text, &end, 10);
        check = (double)setting->num;
    }
    if (end == text || errno != 0) {
        return refuse(reader, "%s: \"%s\" is not a number", option->name, text);
    }
    while (unit->name != NULL && strcmp(unit->name, end) != 0) {
        unit++;
    }
    if (unit->name == NULL) {
        return refuse(reader, "%s: \"%s\" has an unknown unit or none", option->name, text);
    }
    setting->num *= unit->factor;
    check *= (double)unit->factor;
    if ((option->min != 0 || option->max != 0) && !(check >= option->min && check <= option->max)) {
        return refuse(reader, "%s: %s is not between %g and %g", option->name, text, option->min,
                      option->max);
    }
    return true;
}

static bool is_choice(const char *choices, const char *text)
{
    const size_t len = strlen(text);

    while (choices != NULL && *choices != '\0') {
        const size_t n = strcspn(choices, "|");

        if (n == len && memcmp(choices, text, len) == 0) {
            return true;
        }
        choices += n + (choices[n] == '|');
    }
    return false;
}

static bool read_text(struct reader *reader, struct mock_setting *setting, char *text)
{
    const struct tmon_option *option = setting->option;

    setting->text = text;
    if (option->type == TMON_CHOICE && !is_choice(option->choices, text)) {
        return refuse(reader, "%s: \"%s\" is not one of %s", option->name, text, option->choices);
    }
    if (option->type == TMON_URL && strncmp(text, "http://", 7) != 0 &&
        strncmp(text, "https://", 8) != 0) {
        return refuse(reader, "%s: \"%s\" does not begin with http:// or https://", option->name,
                      text);
    }
    return true;
}

static bool read_value(struct reader *reader, struct mock_setting *setting, const char *text)
{
    const tmon_type type = setting->option->type;
    char *scalar;
    bool good = true;

    setting->set = true;
    if (type == TMON_LIST || type == TMON_MAP) {
        return read_items(reader, setting, text);
    }
    scalar = read_scalar(&text, "");
    switch (type) {
    case TMON_STRING:
    case TMON_CHOICE:
    case TMON_URL:
        return read_text(reader, setting, scalar); // takes it
    case TMON_BOOL:
        setting->num = strcmp(scalar, "true") == 0;
        good =
            setting->num != 0 || strcmp(scalar, "false") == 0 ||
            refuse(reader, "%s: \"%s\" is neither true nor false", setting->option->name, scalar);
        break;
    case TMON_INT:
    case TMON_FLOAT:
    case TMON_DURATION:
    case TMON_BYTES:
        good = read_number(reader, setting, scalar);
        break;
    default:
        good = refuse(reader, "%s: cannot be given as one value", setting->option->name);
    }
    free(scalar);
    return good;
}

/* ---- The whole ----------------------------------------------------------------------------------
 */

static struct tmon_config *config_new(const struct tmon_option *options)
{
    struct tmon_config *config = (struct tmon_config *)must(calloc(1, sizeof *config));
    size_t i;

    while (options != NULL && options[config->count].name != NULL) {
        config->count++;
    }
    config->settings =
        (struct mock_setting *)must(calloc(config->count + 1, sizeof *config->settings));
    for (i = 0; i < config->count; i++) {
        config->settings[i].option = &options[i];
    }
    return config;
}

static struct mock_setting *find(const struct tmon_config *config, const char *name, size_t len)
{
    size_t i;

    for (i = 0; i < config->count; i++) {
        if (strlen(config->settings[i].option->name) == len &&
            memcmp(config->settings[i].option->name, name, len) == 0) {
            return &config->settings[i];
        }
    }
    return NULL;
}

/* One line, "name: value" or "group[0].name: value". */
static bool read_line(struct reader *reader, struct tmon_config *config, const char *line)
{
    size_t len = 0;
    struct mock_setting *setting;

    while (isalnum((unsigned char)line[len]) || line[len] == '_') {
        len++;
    }
    setting = find(config, line, len);
    if (setting == NULL) {
        return refuse(reader, "\"%.*s\" is not a setting of this component", (int)len, line);
    }
    line += len;
    if (*line == '[' && setting->option->type == TMON_GROUPS) {
        char *end;
        const size_t i = strtoul(line + 1, &end, 10);

        if (i > setting->count || strncmp(end, "].", 2) != 0) {
            return refuse(reader, "%s: write %s[%zu].name: value", setting->option->name,
                          setting->option->name, setting->count);
        }
        if (i == setting->count) {
            setting->groups = (struct tmon_config **)must(
                realloc(setting->groups, (i + 1) * sizeof *setting->groups));
            setting->groups[i] = config_new(setting->option->group);
            setting->count++;
        }
        setting->set = true;
        return read_line(reader, setting->groups[i], end + 2);
    }
    if (*line != ':') {
        return refuse(reader, "%s: expected a colon", setting->option->name);
    }
    if (setting->set) {
        return refuse(reader, "%s: given twice", setting->option->name);
    }
    return read_value(reader, setting, skip_blank(line + 1));
}

static bool fill_in(struct reader *reader, struct tmon_config *config)
{
    size_t i, k;

    for (i = 0; i < config->count; i++) {
        struct mock_setting *setting = &config->settings[i];

        if (!setting->set && (setting->option->flags & TMON_REQUIRED) != 0) {
            return refuse(reader, "%s: is required", setting->option->name);
        }
        if (!setting->set && setting->option->fallback != NULL &&
            !read_value(reader, setting, setting->option->fallback)) {
            return false;
        }
        for (k = 0; setting->groups != NULL && k < setting->count; k++) {
            if (!fill_in(reader, setting->groups[k])) {
                return false;
            }
        }
    }
    return true;
}

struct tmon_config *mock_settings_create(const struct tmon_option *options, const char *text,
                                         char *why, size_t size)
{
    struct reader reader = {why, size, false};
    struct tmon_config *config = config_new(options);

    while (text != NULL && *text != '\0' && !reader.failed) {
        const size_t len = strcspn(text, "\n");
        char *line = copy_n(text, len);
        const char *at = skip_blank(line);

        if (*at != '\0' && *at != '#') {
            (void)read_line(&reader, config, at);
        }
        free(line);
        text += len + (text[len] == '\n');
    }
    if (!reader.failed) {
        (void)fill_in(&reader, config);
    }
    if (reader.failed) {
        mock_settings_destroy(config);
        return NULL;
    }
    return config;
}

void mock_settings_destroy(struct tmon_config *config)
{
    size_t i, k;

    if (config == NULL) {
        return;
    }
    for (i = 0; i < config->count; i++) {
        struct mock_setting *setting = &config->settings[i];

        for (k = 0; k < setting->count; k++) {
            if (setting->items != NULL) {
                free(setting->items[k]);
            }
            if (setting->values != NULL) {
                free(setting->values[k]);
            }
            if (setting->groups != NULL) {
                mock_settings_destroy(setting->groups[k]);
            }
        }
        free(setting->items);
        free(setting->values);
        free(setting->groups);
        free(setting->text);
    }
    free(config->settings);
    free(config);
}

/* Where its host begins, behind a name and a password, and how long it is with the port. */
static const char *host_of(const char *url, size_t *ret_len)
{
    const char *host = strstr(url, "://");
    size_t len, i;

    host = host == NULL ? url : host + 3;
    len = strcspn(host, "/?#");
    for (i = len; i > 0 && host[i - 1] != '@'; i--) {}
    *ret_len = len - i;
    return host + i;
}

bool mock_settings_allow(const struct tmon_config *config, const char *url)
{
    size_t len, i, k;
    const char *host = host_of(url, &len);

    for (i = 0; i < config->count; i++) {
        const struct mock_setting *setting = &config->settings[i];

        if (len > 0 && setting->option->type == TMON_URL && setting->text != NULL) {
            size_t own_len;
            const char *own = host_of(setting->text, &own_len);

            if (own_len == len && memcmp(own, host, len) == 0) {
                return true;
            }
        }
        for (k = 0; setting->groups != NULL && k < setting->count; k++) {
            if (mock_settings_allow(setting->groups[k], url)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- What the plugin asks for -------------------------------------------------------------------
 */

#define BIT(type) (1u << (type))

static const struct mock_setting *ask(const struct tmon_config *config, const char *name,
                                      unsigned types)
{
    const struct mock_setting *setting = find(config, name, strlen(name));

    if (setting == NULL || (BIT(setting->option->type) & types) == 0) {
        fprintf(stderr, "mock: the plugin asked for the setting \"%s\", which %s\n", name,
                setting == NULL ? "it does not declare" : "is of another type");
        abort();
    }
    return setting;
}

bool mock_config_has(const struct tmon_config *config, const char *name)
{
    return ask(config, name, ~0u)->set;
}

const char *mock_config_string(const struct tmon_config *config, const char *name)
{
    const char *text = ask(config, name, BIT(TMON_STRING) | BIT(TMON_CHOICE) | BIT(TMON_URL))->text;

    return text == NULL ? "" : text;
}

int64_t mock_config_int(const struct tmon_config *config, const char *name)
{
    return ask(config, name, BIT(TMON_INT) | BIT(TMON_BOOL) | BIT(TMON_DURATION) | BIT(TMON_BYTES))
        ->num;
}

double mock_config_float(const struct tmon_config *config, const char *name)
{
    return ask(config, name, BIT(TMON_FLOAT))->real;
}

size_t mock_config_count(const struct tmon_config *config, const char *name)
{
    return ask(config, name, BIT(TMON_LIST) | BIT(TMON_MAP) | BIT(TMON_GROUPS))->count;
}

static const struct mock_setting *ask_at(const struct tmon_config *config, const char *name,
                                         unsigned types, size_t i)
{
    const struct mock_setting *setting = ask(config, name, types);

    if (i >= setting->count) {
        fprintf(stderr, "mock: the plugin asked for \"%s\" number %zu of %zu\n", name, i,
                setting->count);
        abort();
    }
    return setting;
}

const char *mock_config_item(const struct tmon_config *config, const char *name, size_t i)
{
    return ask_at(config, name, BIT(TMON_LIST), i)->items[i];
}

struct tmon_pair mock_config_pair(const struct tmon_config *config, const char *name, size_t i)
{
    const struct mock_setting *setting = ask_at(config, name, BIT(TMON_MAP), i);
    struct tmon_pair pair;

    pair.key = setting->items[i];
    pair.value = setting->values[i];
    return pair;
}

const struct tmon_config *mock_config_group(const struct tmon_config *config, const char *name,
                                            size_t i)
{
    return ask_at(config, name, BIT(TMON_GROUPS), i)->groups[i];
}
