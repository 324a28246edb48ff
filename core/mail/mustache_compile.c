/*
 * mustache_compile.c: the text of a template becomes a list of nodes.  See mustache.h.
 *
 * One pass from tag to tag.  A section, a comment and the like that stand alone on a line take the
 * line with them; whether they do is seen in the text around the tag, so that no second pass is
 * needed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/mustache_private.h"

#define DELIMITER_BYTES 16

struct compiler {
    struct mustache *template;
    const char *text;
    size_t len, pos;
    char open[DELIMITER_BYTES], close[DELIMITER_BYTES];
    size_t open_len, close_len;
    uint32_t stack[LIMIT_MUSTACHE_DEPTH]; /* sections that are open */
    size_t depth;
    char *why;
    size_t why_size;
    int error;
};

/* What stands between two delimiters. */
struct tag {
    size_t from, end; /* where it begins and where it is over, delimiters and all */
    char sigil;       /* 0: a name alone */
    size_t name, name_len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
    return is_blank(c) || c == '\n' || c == '\r';
}

void mustache_place(const char *text, size_t at, unsigned *ret_line, unsigned *ret_column)
{
    *ret_line = *ret_column = 1;
    for (size_t i = 0; i < at; i++) {
        *ret_line += text[i] == '\n';
        *ret_column = text[i] == '\n' ? 1 : *ret_column + 1;
    }
}

__attribute__((format(printf, 4, 5))) static void complain(struct compiler *compiler, int error,
                                                           size_t at, const char *format, ...)
{
    unsigned line, column;
    va_list args;
    int n;

    if (compiler->error) {
        return;
    }
    compiler->error = error;
    mustache_place(compiler->text, at, &line, &column);
    n = snprintf(compiler->why, compiler->why_size, "%u:%u: ", line, column);
    if (n < 0 || (size_t)n >= compiler->why_size) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(compiler->why + n, compiler->why_size - (size_t)n, format, args);
    va_end(args);
}

static struct node *push(struct compiler *compiler, enum node_kind kind, size_t at, size_t len)
{
    struct mustache *template = compiler->template;

    if (template->count == template->size) {
        size_t size = template->size ? template->size * 2 : 32;
        struct node *nodes = NULL;

        if (template->count >= LIMIT_MUSTACHE_TAGS) {
            complain(compiler, -E2BIG, at, "there are too many tags; %d are allowed",
                     LIMIT_MUSTACHE_TAGS / 2);
            return NULL;
        }
        nodes = realloc(template->nodes, size * sizeof *nodes);
        if (!nodes) {
            complain(compiler, -ENOMEM, at, "out of memory");
            return NULL;
        }
        template->nodes = nodes;
        template->size = size;
    }
    template->nodes[template->count] =
        (struct node){.kind = kind, .at = (uint32_t)at, .len = (uint32_t)len};
    return &template->nodes[template->count++];
}

static void push_text(struct compiler *compiler, size_t from, size_t to)
{
    struct node *node = push(compiler, NODE_TEXT, from, to - from);

    if (node) {
        node->begins_line = from == 0 || compiler->text[from - 1] == '\n';
    }
}

/* The text before a tag in a line, and an empty one where the line begins with the tag: it is what
 * gets the indentation. */
static void push_text_before(struct compiler *compiler, size_t from, size_t to)
{
    if (from < to) {
        push_text(compiler, from, to);
    }
    if (to == 0 || compiler->text[to - 1] == '\n') {
        push_text(compiler, to, to);
    }
}

static size_t find(const struct compiler *compiler, size_t from, const char *what, size_t len)
{
    const char *found = from < compiler->len
                            ? memmem(compiler->text + from, compiler->len - from, what, len)
                            : NULL;

    return found ? (size_t)(found - compiler->text) : SIZE_MAX;
}

/* Moves the ends of a span to what is not blank. */
static void trim(const struct compiler *compiler, size_t *from, size_t *end)
{
    while (*from < *end && is_space(compiler->text[*from])) {
        ++*from;
    }
    while (*end > *from && is_space(compiler->text[*end - 1])) {
        --*end;
    }
}

static void check_name(struct compiler *compiler, const struct tag *tag)
{
    const char *name = compiler->text + tag->name;

    if (tag->name_len == 0) {
        complain(compiler, -EINVAL, tag->from, "a tag without a name");
        return;
    }
    if (tag->name_len > LIMIT_MUSTACHE_NAME_BYTES) {
        complain(compiler, -EINVAL, tag->from, "the name is too long; %d bytes are allowed",
                 LIMIT_MUSTACHE_NAME_BYTES);
        return;
    }
    for (size_t i = 0; i < tag->name_len; i++) {
        if (is_space(name[i]) || name[i] == '\0') {
            complain(compiler, -EINVAL, tag->from, "a name has no blanks in it");
            return;
        }
    }
    if (tag->sigil == '>' || (tag->name_len == 1 && name[0] == '.')) {
        return;
    }
    for (size_t i = 0; i < tag->name_len; i++) {
        if (name[i] == '.' && (i == 0 || i + 1 == tag->name_len || name[i + 1] == '.')) {
            complain(compiler, -EINVAL, tag->from, "there is nothing beside a dot of the name");
            return;
        }
    }
}

/* Reads the tag whose opening delimiter is at tag->from. */
static bool read_tag(struct compiler *compiler, struct tag *tag)
{
    char close[DELIMITER_BYTES + 1];
    size_t at = tag->from + compiler->open_len, n = 0, end;

    while (at < compiler->len && is_space(compiler->text[at])) {
        at++;
    }
    tag->sigil = 0;
    if (at < compiler->len && memchr("#^/>!&={", compiler->text[at], 8)) {
        tag->sigil = compiler->text[at++];
    }
    if (tag->sigil == '=' || tag->sigil == '{') {
        close[n++] = tag->sigil == '=' ? '=' : '}';
    }
    memcpy(close + n, compiler->close, compiler->close_len);
    n += compiler->close_len;
    end = find(compiler, at, close, n);
    if (end == SIZE_MAX) {
        complain(compiler, -EINVAL, tag->from, "this tag is not closed");
        return false;
    }
    tag->end = end + n;
    trim(compiler, &at, &end);
    tag->name = at;
    tag->name_len = end - at;
    if (tag->sigil != '!' && tag->sigil != '=') {
        check_name(compiler, tag);
    }
    return compiler->error == 0;
}

/* Whether the tag and blanks are all that its line has; then where the line begins and where the
 * next one does. */
static bool stands_alone(const struct compiler *compiler, const struct tag *tag, size_t *ret_begin,
                         size_t *ret_next)
{
    size_t begin = tag->from, next = tag->end;

    if (!tag->sigil || tag->sigil == '&' || tag->sigil == '{') {
        return false;
    }
    while (begin > 0 && is_blank(compiler->text[begin - 1])) {
        begin--;
    }
    if (begin > 0 && compiler->text[begin - 1] != '\n') {
        return false;
    }
    while (next < compiler->len && is_blank(compiler->text[next])) {
        next++;
    }
    if (next + 1 < compiler->len && compiler->text[next] == '\r' &&
        compiler->text[next + 1] == '\n') {
        next++;
    }
    if (next < compiler->len && compiler->text[next] != '\n') {
        return false;
    }
    *ret_begin = begin;
    *ret_next = next < compiler->len ? next + 1 : next;
    return true;
}

static void set_delimiters(struct compiler *compiler, const struct tag *tag)
{
    const char *text = compiler->text + tag->name, *end = text + tag->name_len;
    const char *gap = text, *second;

    while (gap < end && !is_space(*gap)) {
        gap++;
    }
    for (second = gap; second < end && is_space(*second); second++) {}
    for (const char *p = second; p < end; p++) {
        if (is_space(*p)) {
            second = end; /* a third one */
        }
    }
    if (gap == text || second >= end || memchr(text, '=', tag->name_len)) {
        complain(compiler, -EINVAL, tag->from,
                 "delimiters are two words without '=', as in {{=<%% %%>=}}");
        return;
    }
    if (gap - text > DELIMITER_BYTES || end - second > DELIMITER_BYTES) {
        complain(compiler, -EINVAL, tag->from, "a delimiter has %d bytes at most", DELIMITER_BYTES);
        return;
    }
    compiler->open_len = (size_t)(gap - text);
    memcpy(compiler->open, text, compiler->open_len);
    compiler->close_len = (size_t)(end - second);
    memcpy(compiler->close, second, compiler->close_len);
}

static void open_section(struct compiler *compiler, const struct tag *tag)
{
    if (compiler->depth == LIMIT_MUSTACHE_DEPTH) {
        complain(compiler, -EINVAL, tag->from, "sections stand %d deep in each other at most",
                 LIMIT_MUSTACHE_DEPTH);
        return;
    }
    compiler->stack[compiler->depth++] = (uint32_t)compiler->template->count;
    (void)push(compiler, tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED, tag->name,
               tag->name_len);
}

static void close_section(struct compiler *compiler, const struct tag *tag)
{
    const char *text = compiler->text;
    struct node *open;

    if (compiler->depth == 0) {
        complain(compiler, -EINVAL, tag->from, "this closes a section that is not open");
        return;
    }
    open = &compiler->template->nodes[compiler->stack[--compiler->depth]];
    if (open->len != tag->name_len || memcmp(text + open->at, text + tag->name, open->len) != 0) {
        complain(compiler, -EINVAL, tag->from, "this closes %.*s, but %.*s is open",
                 (int)tag->name_len, text + tag->name, (int)open->len, text + open->at);
        return;
    }
    open->jump = (uint32_t)compiler->template->count;
    (void)push(compiler, NODE_CLOSE, tag->name, tag->name_len);
}

static void push_tag(struct compiler *compiler, const struct tag *tag, size_t indent)
{
    struct node *node;

    switch (tag->sigil) {
    case '!':
        break;
    case '=':
        set_delimiters(compiler, tag);
        break;
    case '#':
    case '^':
        open_section(compiler, tag);
        break;
    case '/':
        close_section(compiler, tag);
        break;
    case '>':
        node = push(compiler, NODE_PARTIAL, tag->name, tag->name_len);
        if (node) {
            node->jump = (uint32_t)indent;
            node->indent_end = (uint32_t)tag->from;
        }
        break;
    default:
        (void)push(compiler, tag->sigil ? NODE_RAW : NODE_ESCAPED, tag->name, tag->name_len);
        break;
    }
}

static void compile(struct compiler *compiler)
{
    struct tag tag;

    while (!compiler->error && compiler->pos < compiler->len) {
        size_t begin, next;

        tag.from = find(compiler, compiler->pos, compiler->open, compiler->open_len);
        if (tag.from == SIZE_MAX) {
            break;
        }
        if (!read_tag(compiler, &tag)) {
            return;
        }
        if (stands_alone(compiler, &tag, &begin, &next)) {
            if (compiler->pos < begin) {
                push_text(compiler, compiler->pos, begin);
            }
            push_tag(compiler, &tag, tag.from - begin);
            compiler->pos = next;
        } else {
            push_text_before(compiler, compiler->pos, tag.from);
            push_tag(compiler, &tag, 0);
            compiler->pos = tag.end;
        }
    }
    if (compiler->pos < compiler->len) {
        push_text(compiler, compiler->pos, compiler->len);
    }
    if (compiler->depth > 0) {
        const struct node *open = &compiler->template->nodes[compiler->stack[compiler->depth - 1]];

        complain(compiler, -EINVAL, open->at, "the section %.*s is not closed", (int)open->len,
                 compiler->text + open->at);
    }
}

int mustache_compile(const char *text, size_t len, struct mustache **ret_template, char *ret_why,
                     size_t size)
{
    struct compiler compiler = {.why = ret_why, .why_size = size, .open_len = 2, .close_len = 2};
    struct mustache *template;

    if (len > LIMIT_MUSTACHE_BYTES) {
        (void)snprintf(ret_why, size, "1:1: the template is too long; %u bytes are allowed",
                       LIMIT_MUSTACHE_BYTES);
        return -E2BIG;
    }
    template = calloc(1, sizeof *template);
    if (template) {
        template->text = malloc(len + 1);
    }
    if (!template || !template->text) {
        mustache_destroy(template);
        (void)snprintf(ret_why, size, "out of memory");
        return -ENOMEM;
    }
    memcpy(template->text, text, len);
    template->text[len] = '\0';
    template->len = len;
    memcpy(compiler.open, "{{", 2);
    memcpy(compiler.close, "}}", 2);
    compiler.template = template;
    compiler.text = template->text;
    compiler.len = len;
    compile(&compiler);
    if (compiler.error) {
        mustache_destroy(template);
        return compiler.error;
    }
    *ret_template = template;
    return 0;
}

void mustache_destroy(struct mustache *template)
{
    if (template) {
        free(template->nodes);
        free(template->text);
        free(template);
    }
}
