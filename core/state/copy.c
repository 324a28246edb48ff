/*
 * copy.c: see copy.h.  Whether a row is right is decided by its room when it loads it; here the
 * checksum only decides which of two rows with the same number is taken.
 */
#include "state/copy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "state/file.h"
#include "state/state.h"

void copy_note(struct copy_target *target, int rc)
{
    if (target->error == 0 && rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
        target->error = file_error(target->db, rc);
    }
}

sqlite3_stmt *copy_prepare(struct copy_target *target, const char *format, const char *name)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf(format, name);

    copy_note(target,
              sql ? sqlite3_prepare_v2(target->db, sql, -1, &statement, NULL) : SQLITE_NOMEM);
    sqlite3_free(sql);
    return statement;
}

/* ---- rows ---- */

/* As the rooms reckon them: all columns but the last in order, which is the sum. */
static bool sum_is_right(const struct copy *copy, int64_t rowid, const struct value *values)
{
    int n = copy->shape.columns;
    uint32_t sum = STATE_SUM;

    for (int i = 0; i < n - 1; i++) {
        if (i == copy->shape.key || values[i].type == VALUE_INT) {
            sum = state_sum_int(sum, i == copy->shape.key ? rowid : values[i].number);
        } else {
            sum = state_sum_bytes(sum, values[i].data, values[i].len);
        }
    }
    return values[n - 1].type == VALUE_INT && values[n - 1].number == (int64_t)sum;
}

static void bind(sqlite3_stmt *statement, int i, const struct value *value)
{
    switch (value->type) {
    case VALUE_INT:
        (void)sqlite3_bind_int64(statement, i, value->number);
        break;
    case VALUE_TEXT:
        (void)sqlite3_bind_text(statement, i, (const char *)value->data, (int)value->len,
                                SQLITE_STATIC);
        break;
    case VALUE_BLOB:
        (void)sqlite3_bind_blob(statement, i, value->len ? (const void *)value->data : "",
                                (int)value->len, SQLITE_STATIC);
        break;
    default:
        (void)sqlite3_bind_null(statement, i);
        break;
    }
}

static void on_row(void *owner, int64_t rowid, const struct value *values)
{
    struct copy *copy = owner;
    sqlite3_stmt *statement = sum_is_right(copy, rowid, values) ? copy->prefer : copy->take;
    int rc;

    if (copy->target->error < 0) {
        return;
    }
    for (int i = 0; i < copy->shape.columns; i++) {
        if (i == copy->shape.key) {
            (void)sqlite3_bind_int64(statement, i + 1, rowid);
        } else {
            bind(statement, i + 1, &values[i]);
        }
    }
    rc = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    if ((rc & 0xff) == SQLITE_CONSTRAINT) {
        copy->tree.lost++;
        return;
    }
    copy_note(copy->target, rc);
    if (rowid > copy->last) {
        copy->last = rowid;
    }
}

/* ---- what the new file is like ---- */

static enum value_type declared(const char *type)
{
    return strcmp(type, "INTEGER") == 0 ? VALUE_INT
           : strcmp(type, "TEXT") == 0  ? VALUE_TEXT
                                        : VALUE_BLOB;
}

static void learn_shape(struct copy_target *target, struct copy *copy)
{
    sqlite3_stmt *statement =
        copy_prepare(target, "SELECT type, \"notnull\", pk FROM pragma_table_info(%Q)", copy->name);
    struct shape *shape = &copy->shape;

    shape->key = -1;
    while (target->error == 0 && sqlite3_step(statement) == SQLITE_ROW &&
           shape->columns < RECORD_COLUMNS) {
        int i = shape->columns++;

        shape->column[i].type = declared((const char *)sqlite3_column_text(statement, 0));
        shape->column[i].may_be_null = !sqlite3_column_int(statement, 1);
        if (sqlite3_column_int(statement, 2)) {
            shape->key = i;
        }
    }
    (void)sqlite3_finalize(statement);
}

uint32_t copy_root(struct copy_target *target, const char *name, bool *ret_numbers)
{
    sqlite3_stmt *statement = copy_prepare(target,
                                           "SELECT rootpage, instr(sql, 'AUTOINCREMENT') FROM"
                                           " sqlite_schema WHERE type = 'table' AND name = %Q",
                                           name);
    uint32_t root = 0;

    if (target->error == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        root = (uint32_t)sqlite3_column_int64(statement, 0);
        *ret_numbers = sqlite3_column_int(statement, 1) > 0;
    }
    (void)sqlite3_finalize(statement);
    return root;
}

static void prepare_inserts(struct copy_target *target, struct copy *copy)
{
    char marks[2 * RECORD_COLUMNS] = "";
    char format[64 + 2 * RECORD_COLUMNS];

    for (int i = 0; i < copy->shape.columns; i++) {
        marks[2 * (size_t)i] = '?';
        marks[2 * (size_t)i + 1] = i + 1 < copy->shape.columns ? ',' : '\0';
    }
    (void)snprintf(format, sizeof format, "INSERT OR IGNORE INTO %%w VALUES (%s)", marks);
    copy->take = copy_prepare(target, format, copy->name);
    (void)snprintf(format, sizeof format, "INSERT OR REPLACE INTO %%w VALUES (%s)", marks);
    copy->prefer = copy_prepare(target, format, copy->name);
}

int copy_init(struct copy *copy, struct copy_target *target, struct pages *pages, const char *name)
{
    *copy = (struct copy){.target = target, .name = name};
    learn_shape(target, copy);
    if (target->error == 0 && copy->shape.columns == 0) {
        return -ENOENT;
    }
    copy->default_root = copy->root = copy_root(target, copy->name, &copy->numbers);
    prepare_inserts(target, copy);
    copy->tree = (struct tree){.pages = pages, .shape = &copy->shape, .row = on_row, .owner = copy};
    return target->error;
}

void copy_finish(struct copy *copy)
{
    (void)sqlite3_finalize(copy->take);
    (void)sqlite3_finalize(copy->prefer);
    tree_finish(&copy->tree);
}

void copy_table(struct copy *copy)
{
    tree_walk(&copy->tree, copy->root);
    if (copy->tree.damaged && copy->tree.rows == 0 && copy->root != copy->default_root) {
        tree_walk(&copy->tree, copy->default_root);
    }
}
