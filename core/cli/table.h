/*
 * table.h: rows under headings, aligned by what a terminal shows.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 8

struct table {
    size_t ncolumns;
    const char *headings[TABLE_COLUMNS]; /* borrowed */
    bool numeric[TABLE_COLUMNS];         /* right-aligned */
    size_t nrows;
    char **cells; /* owned; ncolumns a row */
    bool failed;
};

/* Headings until NULL; one that begins with '>' is right-aligned. */
void table_init(struct table *table, const char *const *headings);
void table_finish(struct table *table);
/* Copies ncolumns cells, cleaned; NULL is "". */
void table_row(struct table *table, const char *const *cells);
/* The words pass, fail, ... are coloured where `colour`. */
void table_print(const struct table *table, FILE *file, bool colour);

/* Makes text of others fit for a terminal, in place: line breaks and tabs become blanks; control
 * characters, and those that change the direction of what follows, '?'.  Returns it. */
char *table_clean(char *text);
/* Cuts it to so many columns, in place; "..." says that it was. */
char *table_cut(char *text, size_t columns);
/* Columns that UTF-8 text takes on a terminal. */
size_t table_width(const char *text);
/* Whether stdout is a terminal that wants colour (NO_COLOR is not set). */
bool table_colour(void);
/* A word in its colour, or as it is. */
const char *table_word(const char *word, bool colour, char *space, size_t size);

#endif
