/*
 * tree.c: libyaml's events become nodes.  Runs where a configuration is loaded.
 *
 * An alias is a deep copy, made when it is met, and each copied node counts like a written one.
 * That is the simplest rule under which nothing behind this file has to know about aliases, and
 * under which a document of ten lines cannot become a billion nodes.
 */
#include "config/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/utf8.h"

struct anchor {
    char *name;
    struct node *node; /* NULL while it is being read: an alias inside itself */
    struct anchor *next;
};

/* One collection that is not closed yet. */
struct level {
    struct node *node;
    struct node *key; /* mapping: a key that waits for its value */
    struct map keys;  /* mapping: the keys so far, to their nodes */
    struct anchor *anchor;
};

struct builder {
    struct tree *tree;
    struct config_errors *errors;
    struct anchor *anchors;
    struct level levels[LIMIT_CONFIG_DEPTH];
    size_t depth;
    size_t documents;
    int result; /* -EINVAL once there was an error */
    bool stop;  /* nothing that follows could be placed */
};

void tree_destroy(struct tree *tree)
{
    if (!tree) {
        return;
    }
    for (struct node *node = tree->all, *next; node; node = next) {
        next = node->next;
        free(node->text);
        free(node->value);
        free(node->keys);
        free(node->items);
        free(node);
    }
    free(tree->file);
    free(tree);
}

struct node *tree_node(struct tree *tree, enum node_kind kind, struct config_position at)
{
    struct node *node = calloc(1, sizeof *node);

    if (!node) {
        return NULL;
    }
    node->kind = kind;
    node->at = at;
    node->next = tree->all;
    tree->all = node;
    return node;
}

static int grow(struct node ***array, size_t count)
{
    struct node **bigger;

    if (count & (count - 1)) { // only at 0, 1, 2, 4, 8, ... is it full
        return 0;
    }
    bigger = realloc(*array, (count ? count * 2 : 1) * sizeof(struct node *));
    if (!bigger) {
        return -ENOMEM;
    }
    *array = bigger;
    return 0;
}

int node_append(struct node *node, struct node *key, struct node *item)
{
    if (grow(&node->items, node->count) ||
        (node->kind == NODE_MAPPING && grow(&node->keys, node->count))) {
        return -ENOMEM;
    }
    if (node->kind == NODE_MAPPING) {
        node->keys[node->count] = key;
    }
    node->items[node->count++] = item;
    return 0;
}

struct node *node_get(const struct node *mapping, const char *key, struct node **ret_key)
{
    if (!mapping || mapping->kind != NODE_MAPPING) {
        return NULL;
    }
    for (size_t i = 0; i < mapping->count; i++) {
        if (strcmp(mapping->keys[i]->text, key) == 0) {
            if (ret_key) {
                *ret_key = mapping->keys[i];
            }
            return mapping->items[i];
        }
    }
    return NULL;
}

bool node_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->plain &&
           (!*node->text || strcmp(node->text, "~") == 0 || strcasecmp(node->text, "null") == 0);
}

const char *node_kind_name(const struct node *node)
{
    if (node_is_null(node)) {
        return "nothing";
    }
    return node->kind == NODE_SCALAR     ? "text"
           : node->kind == NODE_SEQUENCE ? "a list"
                                         : "a mapping";
}

static struct config_position position(const struct builder *builder, yaml_mark_t mark)
{
    return (struct config_position){builder->tree->file, (uint32_t)mark.line + 1,
                                    (uint32_t)mark.column + 1};
}

__attribute__((format(printf, 3, 4))) static void
fail(struct builder *builder, struct config_position at, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    config_error(builder->errors, at, "%s", text);
    builder->result = -EINVAL;
}

static void no_memory(struct builder *builder)
{
    builder->result = -ENOMEM;
    builder->stop = true;
}

/* Counts a node against the limits and makes it. */
static struct node *make(struct builder *builder, enum node_kind kind, struct config_position at,
                         const char *text, size_t len)
{
    struct tree *tree = builder->tree;
    struct node *node;

    if (++tree->nodes > LIMIT_CONFIG_NODES || (tree->bytes += len) > LIMIT_CONFIG_TREE_BYTES) {
        fail(builder, at,
             "the file, with its aliases, has more than %d values or %u bytes; split it into "
             "conf.d/*.yaml",
             LIMIT_CONFIG_NODES, LIMIT_CONFIG_TREE_BYTES);
        builder->stop = true;
        return NULL;
    }
    if (len > LIMIT_SETTING_BYTES) {
        fail(builder, at, "a text of %zu bytes is too long (%d at most)", len, LIMIT_SETTING_BYTES);
        builder->stop = true;
        return NULL;
    }
    if (text && memchr(text, '\0', len)) {
        fail(builder, at, "a text may not hold a NUL byte; remove \\0");
        builder->stop = true;
        return NULL;
    }
    node = tree_node(tree, kind, at);
    if (node && text) {
        node->text = strndup(text, len);
    }
    if (!node || (text && !node->text)) {
        no_memory(builder);
        return NULL;
    }
    return node;
}

static struct node *copy(struct builder *builder, const struct node *from, size_t depth)
{
    struct node *node;

    if (depth > LIMIT_CONFIG_DEPTH) {
        fail(builder, from->at, "an alias makes this nested deeper than %d levels",
             LIMIT_CONFIG_DEPTH);
        builder->stop = true;
        return NULL;
    }
    node = make(builder, from->kind, from->at, from->text, from->text ? strlen(from->text) : 0);
    if (!node) {
        return NULL;
    }
    node->plain = from->plain;
    for (size_t i = 0; i < from->count; i++) {
        struct node *key = NULL, *item;

        if (from->kind == NODE_MAPPING) {
            key = copy(builder, from->keys[i], depth);
            if (!key) {
                return NULL;
            }
        }
        item = copy(builder, from->items[i], depth + 1);
        if (!item) {
            return NULL;
        }
        if (node_append(node, key, item)) {
            no_memory(builder);
            return NULL;
        }
    }
    return node;
}

static struct anchor *add_anchor(struct builder *builder, const yaml_char_t *name)
{
    struct anchor *anchor = calloc(1, sizeof *anchor);

    if (!anchor || !(anchor->name = strdup((const char *)name))) {
        free(anchor);
        no_memory(builder);
        return NULL;
    }
    anchor->next =
        builder->anchors; // a later anchor of the same name hides the earlier, as YAML says
    builder->anchors = anchor;
    return anchor;
}

/* A key of a mapping: unique, and text. */
static void place_key(struct builder *builder, struct level *level, struct node *node)
{
    struct node *other;

    level->key = node;
    if (node->kind != NODE_SCALAR) {
        fail(builder, node->at,
             "a key must be text, not %s; put quotes around text that starts with { or [",
             node_kind_name(node));
        builder->stop = true;
        return;
    }
    if (node->plain && strcmp(node->text, "<<") == 0) {
        fail(builder, node->at,
             "merge keys (<<) are not supported; repeat the keys, or use an alias for a whole "
             "value");
        return;
    }
    other = map_get(&level->keys, node->text, strlen(node->text));
    if (other) {
        fail(builder, node->at, "the key '%s' is here twice, first in line %u; remove one",
             node->text, other->at.line);
    } else if (map_put(&level->keys, node->text, strlen(node->text), node)) {
        no_memory(builder);
    }
}

/* A node that is complete or just opened goes into its parent. */
static void place(struct builder *builder, struct node *node)
{
    struct level *level;

    if (builder->depth == 0) {
        builder->tree->root = node;
        return;
    }
    level = &builder->levels[builder->depth - 1];
    if (level->node->kind == NODE_MAPPING && !level->key) {
        place_key(builder, level, node);
        return;
    }
    if (node_append(level->node, level->key, node)) {
        no_memory(builder);
    }
    level->key = NULL;
}

static void open_level(struct builder *builder, enum node_kind kind, const yaml_event_t *event,
                       const yaml_char_t *anchor)
{
    struct config_position at = position(builder, event->start_mark);
    struct level *level;
    struct node *node;

    if (builder->depth == LIMIT_CONFIG_DEPTH) {
        fail(builder, at, "nested deeper than %d levels", LIMIT_CONFIG_DEPTH);
        builder->stop = true;
        return;
    }
    node = make(builder, kind, at, NULL, 0);
    if (!node) {
        return;
    }
    place(builder, node);
    level = &builder->levels[builder->depth++];
    level->node = node;
    level->key = NULL;
    level->anchor = anchor ? add_anchor(builder, anchor) : NULL;
    map_init(&level->keys);
}

static void close_level(struct builder *builder)
{
    struct level *level = &builder->levels[--builder->depth];

    if (level->anchor) {
        level->anchor->node = level->node;
    }
    map_finish(&level->keys);
}

static void add_alias(struct builder *builder, const yaml_event_t *event)
{
    struct config_position at = position(builder, event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    struct anchor *anchor = builder->anchors;
    struct node *node;

    while (anchor && strcmp(anchor->name, name) != 0) {
        anchor = anchor->next;
    }
    if (!anchor || !anchor->node) {
        fail(builder, at,
             anchor ? "the alias *%s stands inside of what it names"
                    : "there is no anchor &%s above this alias",
             name);
        builder->stop = true;
        return;
    }
    node = copy(builder, anchor->node, builder->depth);
    if (node) {
        place(builder, node);
    }
}

static void add_scalar(struct builder *builder, const yaml_event_t *event)
{
    struct node *node = make(builder, NODE_SCALAR, position(builder, event->start_mark),
                             (const char *)event->data.scalar.value, event->data.scalar.length);

    if (!node) {
        return;
    }
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    place(builder, node);
    if (event->data.scalar.anchor) {
        struct anchor *anchor = add_anchor(builder, event->data.scalar.anchor);

        if (anchor) {
            anchor->node = node;
        }
    }
}

static void refuse_tag(struct builder *builder, const yaml_event_t *event, const yaml_char_t *tag)
{
    if (tag) {
        fail(builder, position(builder, event->start_mark), "tags are not supported; remove %s",
             strncmp((const char *)tag, "tag:yaml.org,2002:", 18) == 0 ? "the !!" : "the !");
    }
}

/* Takes one event; false: it was the last. */
static bool take(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++builder->documents > 1) {
            fail(builder, position(builder, event->start_mark),
                 "a second document (---) starts here; one file holds one, put the other into "
                 "conf.d/*.yaml");
            builder->stop = true;
        }
        break;
    case YAML_SCALAR_EVENT:
        refuse_tag(builder, event, event->data.scalar.tag);
        add_scalar(builder, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_tag(builder, event, event->data.sequence_start.tag);
        open_level(builder, NODE_SEQUENCE, event, event->data.sequence_start.anchor);
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_tag(builder, event, event->data.mapping_start.tag);
        open_level(builder, NODE_MAPPING, event, event->data.mapping_start.anchor);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_level(builder);
        break;
    case YAML_ALIAS_EVENT:
        add_alias(builder, event);
        break;
    case YAML_STREAM_END_EVENT:
        return false;
    default:
        break;
    }
    return !builder->stop;
}

/* The line and column of a byte. */
static struct config_position position_of(const struct builder *builder, const char *data,
                                          size_t offset)
{
    struct config_position at = {builder->tree->file, 1, 1};

    for (size_t i = 0; i < offset; i++) {
        if (data[i] == '\n') {
            at.line++;
            at.column = 1;
        } else {
            at.column += ((unsigned char)data[i] & 0xc0) != 0x80;
        }
    }
    return at;
}

/* libyaml would complain of some of this too, but without a line. */
static bool check_bytes(struct builder *builder, const char *data, size_t len)
{
    const char *nul = memchr(data, '\0', len);
    size_t good = 0;

    if (len > LIMIT_CONFIG_BYTES) {
        fail(builder, (struct config_position){builder->tree->file, 0, 0},
             "the file has %zu bytes, more than %u; split it into conf.d/*.yaml", len,
             LIMIT_CONFIG_BYTES);
        return false;
    }
    if (nul) {
        fail(builder, position_of(builder, data, (size_t)(nul - data)),
             "there is a NUL byte here; the file must be text in UTF-8");
        return false;
    }
    if (utf8_valid(data, len)) {
        return true;
    }
    while (good < len) { // the first code point that is bad
        unsigned char lead = (unsigned char)data[good];
        size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

        if (size > len - good || !utf8_valid(data + good, size)) {
            break;
        }
        good += size;
    }
    fail(builder, position_of(builder, data, good), "this is not UTF-8; save the file as UTF-8");
    return false;
}

/* libyaml's words, and the remedy where it is always the same one. */
static void parser_error(struct builder *builder, const yaml_parser_t *parser, const char *data)
{
    struct config_position at = parser->error == YAML_READER_ERROR // which sets no mark
                                    ? position_of(builder, data, parser->problem_offset)
                                    : position(builder, parser->problem_mark);
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    const char *hint = "";

    if (strstr(problem, "cannot start any token")) {
        hint = "; indent with spaces, never tabs, and put quotes around text that starts with @, ` "
               "or %";
    } else if (strstr(problem, "mapping values are not allowed")) {
        hint = "; check the indentation, and put quotes around text with ': ' in it";
    } else if (strstr(problem, "expected ',' or") || strstr(problem, "expected node content")) {
        hint = "; a { or [ above is not closed";
    } else if (strstr(problem, "did not find expected key") ||
               strstr(problem, "expected <block end>")) {
        hint = "; check the indentation and the quotes of this line and the one above";
    } else if (strstr(problem, "end of stream") || strstr(problem, "document end")) {
        hint = "; a quote may not be closed";
    }
    if (parser->error == YAML_MEMORY_ERROR) {
        builder->result = -ENOMEM;
    } else if (parser->context && parser->context_mark.line != parser->problem_mark.line) {
        fail(builder, at, "this is not YAML: %s, %s that began in line %zu%s", problem,
             parser->context, parser->context_mark.line + 1, hint);
    } else {
        fail(builder, at, "this is not YAML: %s%s", problem, hint);
    }
}

int tree_parse(const char *file, const char *data, size_t len, struct config_errors *errors,
               struct tree **ret_tree)
{
    struct builder builder = {.errors = errors};
    yaml_parser_t parser;
    yaml_event_t event;
    bool more;

    if (len >= 3 &&
        memcmp(data, "\xef\xbb\xbf", 3) == 0) { // a byte order mark, as some editors write
        data += 3;
        len -= 3;
    }
    builder.tree = calloc(1, sizeof *builder.tree);
    if (!builder.tree || !(builder.tree->file = strdup(file))) {
        free(builder.tree);
        return -ENOMEM;
    }
    if (!check_bytes(&builder, data, len)) {
        tree_destroy(builder.tree);
        return -EINVAL;
    }
    if (!yaml_parser_initialize(&parser)) {
        tree_destroy(builder.tree);
        return -ENOMEM;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)data, len);
    do {
        if (!yaml_parser_parse(&parser, &event)) {
            parser_error(&builder, &parser, data);
            break;
        }
        more = take(&builder, &event);
        yaml_event_delete(&event);
    } while (more);
    yaml_parser_delete(&parser);
    while (builder.depth) {
        close_level(&builder);
    }
    for (struct anchor *anchor = builder.anchors, *next; anchor; anchor = next) {
        next = anchor->next;
        free(anchor->name);
        free(anchor);
    }
    if (builder.result) {
        tree_destroy(builder.tree);
        return builder.result == -ENOMEM ? -ENOMEM : -EINVAL;
    }
    *ret_tree = builder.tree;
    return 0;
}

int tree_load(const char *path, struct config_errors *errors, struct tree **ret_tree)
{
    struct config_position at = {path, 0, 0};
    char *data = NULL;
    size_t len = 0;
    struct stat st;
    int r = -EINVAL;
    // O_NONBLOCK: a fifo must not hang us; it is refused below.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) < 0) {
        config_error(errors, at, "cannot be read: %s", log_errno(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        config_error(errors, at, "is not a file");
        goto out;
    }
    data = malloc(LIMIT_CONFIG_BYTES + 1);
    if (!data) {
        r = -ENOMEM;
        goto out;
    }
    for (;;) {
        ssize_t n = read(fd, data + len, LIMIT_CONFIG_BYTES + 1 - len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            config_error(errors, at, "cannot be read: %s", log_errno(errno));
            goto out;
        }
        len += (size_t)n;
        if (n == 0 || len > LIMIT_CONFIG_BYTES) {
            break;
        }
    }
    r = tree_parse(path, data, len, errors, ret_tree);
out:
    free(data);
    if (fd >= 0) {
        close(fd);
    }
    return r;
}
