/*
 * schema.c: see schema.h.
 *
 * Every row carries a checksum over its other columns, which is verified when it is read: SQLite
 * itself would hand out a value whose bytes the disk has changed.
 */
#include "state/schema.h"

static const char version_1[] =
    /* An episode of an alert, while it is firing or somebody is still to be told that it ended
     * (core/alert/rows.c).  Numbers are never used twice: the outbox refers to them. */
    "CREATE TABLE alert ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " body BLOB NOT NULL,"
    " sum INTEGER NOT NULL);"

    /* When a group was and will be told of (core/alert/rows.c). */
    "CREATE TABLE alert_group ("
    " id INTEGER PRIMARY KEY,"
    " body BLOB NOT NULL,"
    " sum INTEGER NOT NULL);"

    /* A notification to one sink, from when it is decided until long after it is delivered
     * (core/outbox/rows.c).  `head` 1: none before it, of the same sink and order, is pending. */
    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " uid TEXT NOT NULL,"
    " sink TEXT NOT NULL,"
    " ordering INTEGER NOT NULL,"
    " head INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " next_ms INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " title TEXT NOT NULL,"
    " body BLOB NOT NULL,"
    " sum INTEGER NOT NULL);"
    "CREATE INDEX outbox_ready ON outbox (sink, next_ms, id) WHERE state = 0 AND head = 1;"
    "CREATE INDEX outbox_order ON outbox (sink, ordering, id) WHERE state = 0;"
    "CREATE INDEX outbox_ended ON outbox (state, ended_ms) WHERE state > 0;";

static const char version_2[] =
    /* An alert of a rule that is pending or fires, with how far its timers are
     * (core/rules/rows.c).  The number is a hash of rule and labels. */
    "CREATE TABLE rule_state ("
    " id INTEGER PRIMARY KEY,"
    " body BLOB NOT NULL,"
    " sum INTEGER NOT NULL);";

static const char version_3[] =
    /* A silence, until five days after its end (core/alert/silence_rows.c).  The number is made of
     * `uid`, which is random. */
    "CREATE TABLE silence ("
    " id INTEGER PRIMARY KEY,"
    " uid TEXT NOT NULL,"
    " body BLOB NOT NULL,"
    " sum INTEGER NOT NULL);";

static const char version_4[] =
    /* Labels whose alert changes often, and when it did (core/alert/flap_rows.c). */
    "CREATE TABLE flap ("
    " id INTEGER PRIMARY KEY,"
    " body BLOB NOT NULL,"
    " sum INTEGER NOT NULL);";

const char *const state_schema[] = {version_1, version_2, version_3, version_4};
const size_t state_schema_version = sizeof state_schema / sizeof state_schema[0];

const char *const state_tables[] = {"alert",      "alert_group", "outbox",
                                    "rule_state", "silence",     "flap"};
const size_t state_ntables = sizeof state_tables / sizeof state_tables[0];
