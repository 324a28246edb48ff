/*
 * template.c: see template.h.  Parsing is where a configuration is checked, running on the rules'
 * thread.
 *
 * The kind of every value is known when a template is parsed, so whatever would become "%!x(...)"
 * beyond what go_format.h knows, or an error at run time, is told to whoever writes the rule and
 * not to whoever is woken up by it.  Only a label that is no number is found out later.
 */
#include "rules/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "model/labels.h"
#include "rules/template_function.h"

enum operand_kind { OP_VALUE, OP_LABEL, OP_EXTERNAL_LABEL, OP_EXTERNAL_URL, OP_CONST, OP_PIPE };

struct pipeline;

struct operand {
    enum operand_kind kind;
    char *text; /* a name; the text of a constant */
    struct go_value constant;
    struct pipeline *pipe;
};

struct command {
    const struct template_function *function; /* NULL: the operand alone */
    size_t n;
    struct operand operands[TEMPLATE_ARGUMENTS];
    struct command *next;
};

struct pipeline {
    struct command *first;
    enum go_kind kind; /* of what comes out */
};

struct piece {
    char *text; /* NULL: a pipeline */
    struct pipeline *pipe;
    struct piece *next;
};

struct template
{
    struct piece *first;
};

struct parser {
    const char *text, *p;
    const char *end; /* of the action: its }} */
    char *why;
    size_t size;
    int depth;
};

/* ---- freed ---- */

static void pipeline_destroy(struct pipeline *pipe)
{
    while (pipe && pipe->first) {
        struct command *command = pipe->first;

        pipe->first = command->next;
        for (size_t i = 0; i < command->n; i++) {
            free(command->operands[i].text);
            pipeline_destroy(command->operands[i].pipe);
        }
        free(command);
    }
    free(pipe);
}

void template_destroy(struct template *template)
{
    while (template && template->first) {
        struct piece *piece = template->first;

        template->first = piece->next;
        free(piece->text);
        pipeline_destroy(piece->pipe);
        free(piece);
    }
    free(template);
}

/* ---- errors ---- */

__attribute__((format(printf, 3, 4))) static int fail(struct parser *parser, const char *at,
                                                      const char *format, ...)
{
    unsigned line = 1, column = 1;
    va_list args;
    int len;

    for (const char *p = parser->text; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else {
            column += ((unsigned char)p[1] & 0xc0) != 0x80;
        }
    }
    len = snprintf(parser->why, parser->size, "%u:%u: ", line, column);
    if (len > 0 && (size_t)len < parser->size) {
        va_start(args, format);
        (void)vsnprintf(parser->why + len, parser->size - (size_t)len, format, args);
        va_end(args);
    }
    return -EINVAL;
}

/* ---- words ---- */

static void skip_blanks(struct parser *parser)
{
    while (parser->p < parser->end && strchr(" \t\r\n", *parser->p)) {
        parser->p++;
    }
}

static size_t word_length(const char *p)
{
    size_t len = 0;

    while (isalnum((unsigned char)p[len]) || p[len] == '_') {
        len++;
    }
    return len;
}

static bool is_word(const char *p, size_t len, const char *word)
{
    return strlen(word) == len && strncmp(p, word, len) == 0;
}

/* A name behind a dot, or nothing. */
static int read_field(struct parser *parser, const char *at, const char *what, char **ret_name)
{
    size_t len;

    if (*parser->p != '.' || (len = word_length(parser->p + 1)) == 0) {
        return fail(parser, at,
                    "%s as a whole is outside of what templates take here; name one: "
                    "%s.instance",
                    what, what);
    }
    *ret_name = strndup(parser->p + 1, len);
    if (!*ret_name) {
        return -ENOMEM;
    }
    parser->p += 1 + len;
    return *parser->p == '.' ? fail(parser, parser->p, "a label has no fields") : 0;
}

/* $labels.x, .Labels.x and their like; p is behind the $ or the dot. */
static int read_variable(struct parser *parser, bool dollar, struct operand *operand)
{
    const char *at = parser->p - 1;
    size_t len = word_length(parser->p);
    const char *name = parser->p;

    parser->p += len;
    if (is_word(name, len, dollar ? "value" : "Value")) {
        operand->kind = OP_VALUE;
        return *parser->p == '.' ? fail(parser, parser->p, "the value has no fields") : 0;
    }
    if (is_word(name, len, dollar ? "externalURL" : "ExternalURL")) {
        operand->kind = OP_EXTERNAL_URL;
        return 0;
    }
    if (is_word(name, len, dollar ? "labels" : "Labels")) {
        operand->kind = OP_LABEL;
        return read_field(parser, at, dollar ? "$labels" : ".Labels", &operand->text);
    }
    if (is_word(name, len, dollar ? "externalLabels" : "ExternalLabels")) {
        operand->kind = OP_EXTERNAL_LABEL;
        return read_field(parser, at, dollar ? "$externalLabels" : ".ExternalLabels",
                          &operand->text);
    }
    return fail(parser, at,
                "'%c%.*s' is not known here; there are $value, $labels.NAME, $externalURL and "
                "$externalLabels.NAME",
                dollar ? '$' : '.', (int)len, name);
}

static int take_constant(struct operand *operand, struct buf *text)
{
    buf_puts(text, "");
    operand->kind = OP_CONST;
    operand->text = strdup(buf_str(text));
    operand->constant = (struct go_value){.kind = GO_STRING, .text = operand->text};
    buf_finish(text);
    return operand->text ? 0 : -ENOMEM;
}

/* "with escapes" or `as it is` */
static int read_text(struct parser *parser, struct operand *operand)
{
    static const char letters[] = "abfnrtv\\\"", means[] = "\a\b\f\n\r\t\v\\\"";
    const char *at = parser->p;
    char quote = *parser->p++;
    struct buf text;

    buf_init(&text, LIMIT_SETTING_BYTES);
    while (parser->p < parser->end && *parser->p != quote) {
        char c = *parser->p++;

        if (c == '\\' && quote == '"') {
            const char *found = *parser->p ? strchr(letters, *parser->p) : NULL;

            if (!found) {
                buf_finish(&text);
                return fail(parser, parser->p - 1,
                            "this escape is outside of what templates take "
                            "here; there are \\n, \\t, \\\" and \\\\");
            }
            c = means[found - letters];
            parser->p++;
        }
        buf_putc(&text, c);
    }
    if (parser->p >= parser->end) {
        buf_finish(&text);
        return fail(parser, at, "the quote is not closed");
    }
    parser->p++;
    return take_constant(operand, &text);
}

static int read_number(struct parser *parser, struct operand *operand)
{
    const char *at = parser->p;
    char *end = NULL, word[64];
    size_t len = strcspn(at, " \t\r\n|(){}");

    if (len >= sizeof word) {
        return fail(parser, at, "this is no number");
    }
    memcpy(word, at, len);
    word[len] = '\0';
    operand->kind = OP_CONST;
    errno = 0;
    if (strpbrk(word, ".eEpP") && strncmp(word, "0x", 2) != 0) {
        operand->constant = (struct go_value){.kind = GO_FLOAT, .number = strtod(word, &end)};
    } else {
        operand->constant = (struct go_value){.kind = GO_INT, .whole = strtoll(word, &end, 0)};
    }
    parser->p += len;
    return end == word || *end || errno ? fail(parser, at, "\"%s\" is no number", word) : 0;
}

static int read_pipeline(struct parser *parser, bool inner, struct pipeline **ret_pipe);

static int read_operand(struct parser *parser, struct operand *operand)
{
    const char *at = parser->p;

    if (*at == '$') {
        parser->p++;
        return read_variable(parser, true, operand);
    }
    if (*at == '.' && !isdigit((unsigned char)at[1])) {
        parser->p++;
        return read_variable(parser, false, operand);
    }
    if (*at == '"' || *at == '`') {
        return read_text(parser, operand);
    }
    if (*at == '(') {
        parser->p++;
        operand->kind = OP_PIPE;
        return read_pipeline(parser, true, &operand->pipe);
    }
    if (isdigit((unsigned char)*at) || *at == '-' || *at == '+' || *at == '.') {
        return read_number(parser, operand);
    }
    if (is_word(at, word_length(at), "true") || is_word(at, word_length(at), "false")) {
        operand->kind = OP_CONST;
        operand->constant = (struct go_value){.kind = GO_BOOL, .whole = *at == 't'};
        parser->p += word_length(at);
        return 0;
    }
    return fail(parser, at,
                *at == '\'' ? "a character in quotes is outside of what templates take "
                              "here; write a text"
                            : "a value is expected here, such as $value or "
                              "$labels.instance");
}

/* ---- commands ---- */

static enum go_kind operand_type(const struct operand *operand)
{
    switch (operand->kind) {
    case OP_VALUE:
        return GO_FLOAT;
    case OP_CONST:
        return operand->constant.kind;
    case OP_PIPE:
        return operand->pipe->kind;
    default:
        return GO_STRING;
    }
}

/* A word that begins a command. */
static int read_function(struct parser *parser, struct command *command)
{
    static const char *const keywords[] = {"if",    "else",   "end",      "range",    "with",
                                           "block", "define", "template", "continue", "break"};
    const char *at = parser->p;
    size_t len = word_length(at);
    char name[64], suggestion[SUGGESTION_SIZE];

    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (is_word(at, len, keywords[i])) {
            return fail(parser, at, "'%s' is outside of what templates take here", keywords[i]);
        }
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)len, at);
    command->function = template_function_find(name);
    if (!command->function) {
        template_function_suggest(name, suggestion);
        return fail(parser, at, "the function '%s' is outside of what templates take here%s", name,
                    suggestion);
    }
    parser->p += len;
    return 0;
}

static bool command_ends(const struct parser *parser)
{
    return parser->p >= parser->end || *parser->p == '|' || *parser->p == ')';
}

/* `piped`: what the command before it hands over, its last argument; NULL: there is none. */
static int check_command(struct parser *parser, const char *at, const struct command *command,
                         const enum go_kind *piped, enum go_kind *ret_kind)
{
    enum go_kind kinds[TEMPLATE_ARGUMENTS + 1] = {GO_STRING};
    size_t n = 0;
    char why[256];

    for (size_t i = 0; i < command->n; i++) {
        kinds[n++] = operand_type(&command->operands[i]);
    }
    if (!command->function) {
        *ret_kind = kinds[0];
        if (piped) {
            return fail(parser, at, "only a function can take what comes through '|'");
        }
        return n == 1 ? 0 : fail(parser, at, "a value takes no arguments; functions do");
    }
    if (piped) {
        kinds[n++] = *piped;
    }
    if (template_function_check(command->function, kinds, n,
                                command->n > 0 && command->operands[0].kind == OP_CONST
                                    ? &command->operands[0].constant
                                    : NULL,
                                why, sizeof why) < 0) {
        return fail(parser, at, "%s", why);
    }
    *ret_kind = GO_STRING;
    return 0;
}

static int read_command(struct parser *parser, struct command *command, const enum go_kind *piped,
                        enum go_kind *ret_kind)
{
    const char *at = parser->p;
    int r = 0;

    if (command_ends(parser)) {
        return fail(parser, at, "a value or a function is missing here");
    }
    if (isalpha((unsigned char)*at) && !is_word(at, word_length(at), "true") &&
        !is_word(at, word_length(at), "false")) {
        r = read_function(parser, command);
    }
    for (skip_blanks(parser); r == 0 && !command_ends(parser); skip_blanks(parser)) {
        if (strncmp(parser->p, ":=", 2) == 0 || *parser->p == '=' || *parser->p == ',') {
            return fail(parser, parser->p, "variables are outside of what templates take here");
        }
        if (command->n == TEMPLATE_ARGUMENTS) {
            return fail(parser, parser->p, "there are more than %d arguments", TEMPLATE_ARGUMENTS);
        }
        r = read_operand(parser, &command->operands[command->n++]);
        if (r == 0 && parser->p < parser->end && !strchr(" \t\r\n|):", *parser->p)) {
            return fail(parser, parser->p, "a blank is missing here");
        }
    }
    return r < 0 ? r : check_command(parser, at, command, piped, ret_kind);
}

static int read_pipeline(struct parser *parser, bool inner, struct pipeline **ret_pipe)
{
    struct pipeline *pipe = calloc(1, sizeof *pipe);
    struct command **end;
    enum go_kind kind;
    const enum go_kind *piped = NULL;
    int r = 0;

    *ret_pipe = pipe; /* the caller's to free, whatever is returned */
    if (!pipe) {
        return -ENOMEM;
    }
    if (++parser->depth > 32) {
        return fail(parser, parser->p, "brackets nest too deep");
    }
    end = &pipe->first;
    do {
        struct command *command = calloc(1, sizeof *command);

        if (!command) {
            return -ENOMEM;
        }
        *end = command;
        end = &command->next;
        skip_blanks(parser);
        r = read_command(parser, command, piped, &kind);
        if (r < 0) {
            return r;
        }
        pipe->kind = kind;
        piped = &pipe->kind;
    } while (parser->p < parser->end && *parser->p == '|' && parser->p++);
    parser->depth--;
    if (inner) {
        return parser->p < parser->end && *parser->p++ == ')'
                   ? 0
                   : fail(parser, parser->p, "a closing bracket is missing");
    }
    return parser->p < parser->end ? fail(parser, parser->p, "there is no opening bracket for this")
                                   : 0;
}

/* ---- the whole ---- */

static struct piece *add_piece(struct piece ***end)
{
    struct piece *piece = calloc(1, sizeof *piece);

    if (piece) {
        **end = piece;
        *end = &piece->next;
    }
    return piece;
}

static int add_text(struct piece ***end, const char *from, const char *to, bool trim_left,
                    bool trim_right)
{
    struct piece *piece;

    while (trim_left && from < to && strchr(" \t\r\n", *from)) {
        from++;
    }
    while (trim_right && to > from && strchr(" \t\r\n", to[-1])) {
        to--;
    }
    if (from == to) {
        return 0;
    }
    piece = add_piece(end);
    if (piece) {
        piece->text = strndup(from, (size_t)(to - from));
    }
    return piece && piece->text ? 0 : -ENOMEM;
}

/* Where the action ends: its }}, which a text in quotes may hold too. */
static const char *find_end(const char *p)
{
    while (*p && strncmp(p, "}}", 2) != 0) {
        char quote = *p++;

        if (quote == '"' || quote == '`') {
            while (*p && *p != quote) {
                p += *p == '\\' && quote == '"' && p[1] ? 2 : 1;
            }
            p += *p != '\0';
        }
    }
    return *p ? p : NULL;
}

/* From behind the {{ (and its -) to behind the }}. */
static int read_action(struct parser *parser, const char *open, struct piece ***end,
                       bool *ret_trim_after)
{
    const char *start = parser->p, *close;
    struct piece *piece;
    int r;

    if (strncmp(start, "/*", 2) == 0) {
        const char *over = strstr(start + 2, "*/");
        bool trim = over && strncmp(over + 2, " -}}", 4) == 0;

        if (!over || (!trim && strncmp(over + 2, "}}", 2) != 0)) {
            return fail(parser, open, "the comment is not closed by */}}");
        }
        *ret_trim_after = trim;
        parser->p = over + (trim ? 6 : 4);
        return 0;
    }
    close = find_end(start);
    if (!close) {
        return fail(parser, open, "{{ is not closed by }}");
    }
    *ret_trim_after = close - start >= 2 && close[-1] == '-' && strchr(" \t\r\n", close[-2]);
    parser->end = *ret_trim_after ? close - 1 : close;
    piece = add_piece(end);
    if (!piece) {
        return -ENOMEM;
    }
    r = read_pipeline(parser, false, &piece->pipe);
    parser->p = close + 2;
    return r;
}

static int parse(struct parser *parser, struct template *template)
{
    struct piece **end = &template->first;
    bool trim = false;
    int r = 0;

    while (r == 0 && *parser->p) {
        const char *open = strstr(parser->p, "{{");
        bool trim_before = open && open[2] == '-' && open[3] != '\0' && strchr(" \t\r\n", open[3]);

        r = add_text(&end, parser->p, open ? open : strchr(parser->p, '\0'), trim, trim_before);
        if (!open) {
            break;
        }
        parser->p = open + (trim_before ? 4 : 2);
        if (r == 0) {
            r = read_action(parser, open, &end, &trim);
        }
    }
    return r;
}

int template_parse(const char *text, struct template **ret_template, char *ret_why, size_t size)
{
    struct parser parser = {.text = text, .p = text, .why = ret_why, .size = size};
    struct template *template = calloc(1, sizeof *template);
    int r = template ? parse(&parser, template) : -ENOMEM;

    if (r < 0) {
        template_destroy(template);
        return r;
    }
    *ret_template = template;
    return 0;
}

/* ---- run ---- */

struct run {
    const struct template_data *data;
    char *why;
    size_t size;
};

static int run_pipeline(const struct run *run, const struct pipeline *pipe, struct buf *space,
                        struct go_value *ret_value);

/* Texts that are made on the way live in `space`, one buf for each value. */
static int run_operand(const struct run *run, const struct operand *operand, struct buf *space,
                       struct go_value *ret_value)
{
    const struct template_data *data = run->data;

    switch (operand->kind) {
    case OP_VALUE:
        *ret_value = (struct go_value){.kind = GO_FLOAT, .number = data->value};
        return 0;
    case OP_LABEL:
        *ret_value = (struct go_value){
            .kind = GO_STRING, .text = labels_get(data->labels, data->nlabels, operand->text)};
        return 0;
    case OP_EXTERNAL_LABEL:
        *ret_value = (struct go_value){
            .kind = GO_STRING,
            .text = labels_get(data->external_labels, data->nexternal_labels, operand->text)};
        return 0;
    case OP_EXTERNAL_URL:
        *ret_value = (struct go_value){.kind = GO_STRING,
                                       .text = data->external_url ? data->external_url : ""};
        return 0;
    case OP_CONST:
        *ret_value = operand->constant;
        return 0;
    default:
        return run_pipeline(run, operand->pipe, space, ret_value);
    }
}

static int run_command(const struct run *run, const struct command *command,
                       const struct go_value *piped, struct buf *space, struct go_value *ret_value)
{
    struct go_value values[TEMPLATE_ARGUMENTS + 1];
    struct buf spaces[TEMPLATE_ARGUMENTS];
    size_t n = 0;
    int r = 0;

    if (!command->function) {
        return run_operand(run, &command->operands[0], space, ret_value);
    }
    for (; n < command->n && r == 0; n++) {
        buf_init(&spaces[n], space->cap);
        r = run_operand(run, &command->operands[n], &spaces[n], &values[n]);
    }
    if (piped) {
        values[n] = *piped;
    }
    if (r == 0) {
        r = template_function_call(command->function, values, n + (piped != NULL), space, run->why,
                                   run->size);
        *ret_value = (struct go_value){.kind = GO_STRING, .text = buf_str(space)};
    }
    for (size_t i = 0; i < n; i++) {
        buf_finish(&spaces[i]);
    }
    return r < 0 ? r : space->failed ? -ENOMEM : 0;
}

static int run_pipeline(const struct run *run, const struct pipeline *pipe, struct buf *space,
                        struct go_value *ret_value)
{
    struct buf before;
    const struct go_value *piped = NULL;
    struct go_value value = {0};
    int r = 0;

    buf_init(&before, space->cap);
    for (const struct command *command = pipe->first; command && r == 0; command = command->next) {
        struct buf made;

        buf_init(&made, space->cap);
        r = run_command(run, command, piped, &made, ret_value);
        buf_finish(&before);
        before = made; /* what the value's text points to moves along */
        value = *ret_value;
        piped = &value;
    }
    buf_finish(space);
    *space = before;
    return r;
}

int template_run(const struct template *template, const struct template_data *data, struct buf *out,
                 char *ret_why, size_t size)
{
    const struct run run = {data, ret_why, size};
    int r = 0;

    for (const struct piece *piece = template->first; piece && r == 0; piece = piece->next) {
        struct go_value value = {0};
        struct buf space;

        if (piece->text) {
            buf_puts(out, piece->text);
            continue;
        }
        buf_init(&space, LIMIT_ALERT_TEXT_BYTES);
        r = run_pipeline(&run, piece->pipe, &space, &value);
        if (r == 0) {
            go_print(&value, out);
        }
        buf_finish(&space);
    }
    if (r == -ENOMEM) {
        (void)snprintf(ret_why, size, "the text is too long");
        r = -EINVAL;
    }
    return r;
}
