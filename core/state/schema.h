/*
 * schema.h: the tables, and the steps from each version of the file to the next.
 *
 * A step is never changed once it was released; a new version appends one.  One that adds a column
 * also writes it into every row, since a salvage knows a row by its columns.  Types are INTEGER,
 * TEXT and BLOB.  The rooms that own the tables say there what their columns mean.
 */
#ifndef STATE_SCHEMA_H
#define STATE_SCHEMA_H

#include <stddef.h>

#define STATE_APPLICATION_ID 0x746d6f6e /* "tmon" */

/* SQL of step i leads from version i to version i + 1 (PRAGMA user_version). */
extern const char *const state_schema[];
extern const size_t state_schema_version;

/* The tables of the newest version, in the order in which a salvage copies them. */
extern const char *const state_tables[];
extern const size_t state_ntables;

#endif
