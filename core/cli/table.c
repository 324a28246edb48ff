/*
 * table.c: tables for people.
 *
 * Widths are counted here and not by wcwidth(), which knows nothing until setlocale(): the agent
 * shares this executable and must not have a locale.
 */
#include "cli/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t next(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    uint32_t point = *at;
    size_t more = point < 0xc0 ? 0 : point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;

    if (more) {
        point &= 0x3f >> more;
    }
    for (at++; more > 0 && (*at & 0xc0) == 0x80; more--, at++) {
        point = point << 6 | (*at & 0x3f);
    }
    *text = (const char *)at;
    return point;
}

static size_t point_width(uint32_t point)
{
    static const struct {
        uint32_t first, last;
        size_t width;
    } ranges[] = {
        {0x300, 0x36f, 0},     {0x200b, 0x200f, 0},   {0xfe00, 0xfe0f, 0},   {0x20d0, 0x20ff, 0},
        {0x1100, 0x115f, 2},   {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},
        {0xf900, 0xfaff, 2},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last) {
            return ranges[i].width;
        }
    }
    return 1;
}

size_t table_width(const char *text)
{
    size_t width = 0;

    while (*text) {
        width += point_width(next(&text));
    }
    return width;
}

/* U+0080 to U+009F are control characters too (U+009B begins an escape sequence); the others turn
 * the direction of text around, end lines, or cannot be seen. */
static bool is_dangerous(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f && point != 0x200d) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
           point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
           (point >= 0xe0000 && point <= 0xe007f);
}

char *table_clean(char *text)
{
    const char *from = text;
    char *to = text;

    while (*from) {
        const char *start = from;
        uint32_t point = next(&from);

        if (point == '\n' || point == '\t' || point == '\r') {
            *to++ = ' ';
        } else if (is_dangerous(point)) {
            *to++ = '?';
        } else {
            while (start < from) {
                *to++ = *start++;
            }
        }
    }
    *to = '\0';
    return text;
}

char *table_cut(char *text, size_t columns)
{
    const char *at = text, *fits = text;
    size_t width = 0;

    assert(columns > 3);
    while (*at) {
        width += point_width(next(&at));
        if (width > columns) {
            memcpy(text + (fits - text), "...", 4); /* four columns at least are cut away */
            return text;
        }
        if (width + 3 <= columns) {
            fits = at;
        }
    }
    return text;
}

bool table_colour(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(none && *none) && term && strcmp(term, "dumb") != 0;
}

const char *table_word(const char *word, bool colour, char *space, size_t size)
{
    static const struct {
        const char *word;
        int code;
    } colours[] = {
        {"pass", 32},        {"healthy", 32},  {"ready", 32},     {"loaded", 32},
        {"warn", 33},        {"degraded", 33}, {"starting", 33},  {"pending", 33},
        {"disabled", 2},     {"fail", 31},     {"unhealthy", 31}, {"refused", 31},
        {"quarantined", 31}, {"stuck", 31},    {"firing", 31},    {"resolved", 32},
        {"critical", 31},    {"warning", 33},  {"delivered", 32}, {"dead", 31},
        {"cancelled", 2},    {"dropped", 2},   {"well", 32},      {"paused", 31},
        {"resting", 33},     {"parked", 33},   {"accepted", 32},  {"rejected", 31},
    };

    for (size_t i = 0; colour && i < sizeof colours / sizeof *colours; i++) {
        if (strcmp(word, colours[i].word) == 0) {
            snprintf(space, size, "\033[%dm%s\033[0m", colours[i].code, word);
            return space;
        }
    }
    return word;
}

void table_init(struct table *table, const char *const *headings)
{
    memset(table, 0, sizeof *table);
    for (; headings[table->ncolumns]; table->ncolumns++) {
        const char *heading = headings[table->ncolumns];

        table->numeric[table->ncolumns] = *heading == '>';
        table->headings[table->ncolumns] = heading + (*heading == '>');
    }
}

void table_finish(struct table *table)
{
    for (size_t i = 0; i < table->nrows * table->ncolumns; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    memset(table, 0, sizeof *table);
}

void table_row(struct table *table, const char *const *cells)
{
    size_t have = table->nrows * table->ncolumns;
    char **bigger = realloc(table->cells, (have + table->ncolumns) * sizeof *bigger);

    if (!bigger) {
        table->failed = true;
        return;
    }
    table->cells = bigger;
    for (size_t i = 0; i < table->ncolumns; i++) {
        char *cell = strdup(cells[i] ? cells[i] : "");

        table->failed |= !cell;
        bigger[have + i] = cell ? table_clean(cell) : NULL;
    }
    table->nrows++;
}

static void print_row(const struct table *table, const char *const *cells, const size_t *widths,
                      FILE *file, bool colour)
{
    size_t last = table->ncolumns;
    char space[64];

    while (last > 0 && (!cells[last - 1] || !*cells[last - 1])) {
        last--;
    }
    for (size_t i = 0; i < last; i++) {
        const char *cell = cells[i] ? cells[i] : "";
        int pad = (int)(widths[i] - table_width(cell));

        fprintf(file, "%s%*s", i ? "  " : "", table->numeric[i] ? pad : 0, "");
        fputs(table_word(cell, colour, space, sizeof space), file);
        fprintf(file, "%*s", table->numeric[i] || i + 1 == last ? 0 : pad, "");
    }
    fputc('\n', file);
}

void table_print(const struct table *table, FILE *file, bool colour)
{
    size_t widths[TABLE_COLUMNS];

    for (size_t i = 0; i < table->ncolumns; i++) {
        widths[i] = table_width(table->headings[i]);
        for (size_t row = 0; row < table->nrows; row++) {
            const char *cell = table->cells[row * table->ncolumns + i];
            size_t width = cell ? table_width(cell) : 0;

            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    print_row(table, table->headings, widths, file, false);
    for (size_t row = 0; row < table->nrows; row++) {
        print_row(table, (const char *const *)table->cells + row * table->ncolumns, widths, file,
                  colour);
    }
    if (table->failed) {
        fprintf(stderr, "toiletmon: there is not enough memory for all of it\n");
    }
}
