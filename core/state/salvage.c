/*
 * salvage.c: see salvage.h.
 *
 * The pages are read by ourselves (pages.c, tree.c), not through SQLite: a flipped byte in the
 * header, in the schema or in an inner page of a tree makes SQLite give up on rows that are whole.
 * Pages that nothing leads to any more are tried as leaves of the tables that are damaged.  Whether
 * a row is right is decided by the rooms when they load it; here its checksum only decides which of
 * two rows with the same number is taken.
 */
#include "state/salvage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "state/aside.h"
#include "state/schema.h"
#include "state/state.h"
#include "state/tree.h"

#define SEQUENCE "sqlite_sequence"
/* Numbers that are left out behind the last one that is known: more than were given since. */
#define SEQUENCE_GAP 1000000
#define SEQUENCE_MAX (INT64_C(1) << 60)

/* A disk that refuses more than this is gone, not damaged: what can be read is not worth having. */
#define UNREADABLE_MIN 16
#define UNREADABLE_PART 8

/* A table on its way from the old file into the new one. */
struct copy {
    struct salvage_run *run;
    const char *name;
    struct shape shape;
    struct tree tree;
    uint32_t root, default_root;
    sqlite3_stmt *take, *prefer; /* INSERT OR IGNORE, INSERT OR REPLACE; all columns */
    int64_t last;                /* the largest number */
    bool numbers;                /* AUTOINCREMENT */
};

struct salvage_run {
    struct pages pages;
    sqlite3 *db; /* the new file */
    struct copy copies[SALVAGE_TABLES];
    size_t n;
    int64_t sequence[SALVAGE_TABLES];
    uint32_t sequence_root;
    int error;
};

static void note(struct salvage_run *run, int rc)
{
    if (run->error == 0 && rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
        run->error = file_error(run->db, rc);
    }
}

static sqlite3_stmt *prepare(struct salvage_run *run, const char *format, const char *name)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf(format, name);

    note(run, sql ? sqlite3_prepare_v2(run->db, sql, -1, &statement, NULL) : SQLITE_NOMEM);
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

    if (copy->run->error < 0) {
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
    note(copy->run, rc);
    if (rowid > copy->last) {
        copy->last = rowid;
    }
}

/* ---- what the old file says of itself ---- */

static bool text_is(const struct value *value, const char *text)
{
    return value->type == VALUE_TEXT && value->len == strlen(text) &&
           memcmp(value->data, text, value->len) == 0;
}

/* type, name, tbl_name, rootpage, sql */
static void on_schema_row(void *owner, int64_t rowid, const struct value *values)
{
    struct salvage_run *run = owner;

    if (!text_is(&values[0], "table") || values[3].type != VALUE_INT || values[3].number < 2 ||
        values[3].number > run->pages.count) {
        return;
    }
    for (size_t i = 0; i < run->n; i++) {
        if (text_is(&values[1], run->copies[i].name)) {
            run->copies[i].root = (uint32_t)values[3].number;
        }
    }
    if (text_is(&values[1], SEQUENCE)) {
        run->sequence_root = (uint32_t)values[3].number;
    }
}

/* name, seq */
static void on_sequence_row(void *owner, int64_t rowid, const struct value *values)
{
    struct salvage_run *run = owner;

    for (size_t i = 0; i < run->n; i++) {
        if (text_is(&values[0], run->copies[i].name) && values[1].number > run->sequence[i] &&
            values[1].number < SEQUENCE_MAX) {
            run->sequence[i] = values[1].number;
        }
    }
}

static void read_schema(struct salvage_run *run)
{
    static const struct shape shape = {
        .columns = 5,
        .key = -1,
        .column = {{VALUE_TEXT, false},
                   {VALUE_TEXT, false},
                   {VALUE_TEXT, false},
                   {VALUE_INT, true},
                   {VALUE_TEXT, true}},
    };
    struct tree tree = {.pages = &run->pages, .shape = &shape, .row = on_schema_row, .owner = run};

    tree_walk(&tree, 1);
    tree_finish(&tree);
}

static void read_sequence(struct salvage_run *run)
{
    static const struct shape shape = {
        .columns = 2,
        .key = -1,
        .column = {{VALUE_TEXT, false}, {VALUE_INT, false}},
    };
    struct tree tree = {
        .pages = &run->pages, .shape = &shape, .row = on_sequence_row, .owner = run};

    tree_walk(&tree, run->sequence_root);
    tree_finish(&tree);
}

/* ---- what the new file is like ---- */

static enum value_type declared(const char *type)
{
    return strcmp(type, "INTEGER") == 0 ? VALUE_INT
           : strcmp(type, "TEXT") == 0  ? VALUE_TEXT
                                        : VALUE_BLOB;
}

static void learn_shape(struct salvage_run *run, struct copy *copy)
{
    sqlite3_stmt *statement =
        prepare(run, "SELECT type, \"notnull\", pk FROM pragma_table_info(%Q)", copy->name);
    struct shape *shape = &copy->shape;

    shape->key = -1;
    while (run->error == 0 && sqlite3_step(statement) == SQLITE_ROW &&
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

static uint32_t learn_root(struct salvage_run *run, const char *name, bool *ret_numbers)
{
    sqlite3_stmt *statement = prepare(run,
                                      "SELECT rootpage, instr(sql, 'AUTOINCREMENT') FROM"
                                      " sqlite_schema WHERE type = 'table' AND name = %Q",
                                      name);
    uint32_t root = 0;

    if (run->error == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        root = (uint32_t)sqlite3_column_int64(statement, 0);
        *ret_numbers = sqlite3_column_int(statement, 1) > 0;
    }
    (void)sqlite3_finalize(statement);
    return root;
}

static void prepare_inserts(struct salvage_run *run, struct copy *copy)
{
    char marks[2 * RECORD_COLUMNS];
    char format[64 + 2 * RECORD_COLUMNS];

    for (int i = 0; i < copy->shape.columns; i++) {
        marks[2 * (size_t)i] = '?';
        marks[2 * (size_t)i + 1] = i + 1 < copy->shape.columns ? ',' : '\0';
    }
    (void)snprintf(format, sizeof format, "INSERT OR IGNORE INTO %%w VALUES (%s)", marks);
    copy->take = prepare(run, format, copy->name);
    (void)snprintf(format, sizeof format, "INSERT OR REPLACE INTO %%w VALUES (%s)", marks);
    copy->prefer = prepare(run, format, copy->name);
}

/* Where the schema cannot be read, the trees are looked for where a new file has them. */
static void learn_tables(struct salvage_run *run)
{
    bool ignored;

    for (size_t i = 0; i < state_ntables && i < SALVAGE_TABLES; i++) {
        struct copy *copy = &run->copies[i];

        *copy = (struct copy){.run = run, .name = state_tables[i]};
        learn_shape(run, copy);
        if (run->error == 0 && copy->shape.columns == 0) {
            continue; // a table of a later version than the file's
        }
        copy->default_root = copy->root = learn_root(run, copy->name, &copy->numbers);
        prepare_inserts(run, copy);
        copy->tree = (struct tree){
            .pages = &run->pages, .shape = &copy->shape, .row = on_row, .owner = copy};
        run->n = i + 1;
    }
    run->sequence_root = learn_root(run, SEQUENCE, &ignored);
}

/* ---- copying ---- */

static void copy_table(struct copy *copy)
{
    tree_walk(&copy->tree, copy->root);
    if (copy->tree.damaged && copy->tree.rows == 0 && copy->root != copy->default_root) {
        tree_walk(&copy->tree, copy->default_root);
    }
}

/* Leaves whose way down to them was damaged. */
static void copy_orphans(struct salvage_run *run)
{
    bool any = false;

    for (size_t i = 0; i < run->n; i++) {
        any |= run->copies[i].tree.damaged;
    }
    for (uint32_t page = 2; any && page <= run->pages.count; page++) {
        bool taken = run->pages.use[page] != PAGE_UNKNOWN;

        for (size_t i = 0; i < run->n && !taken; i++) {
            taken = run->copies[i].tree.damaged && tree_try_leaf(&run->copies[i].tree, page);
        }
    }
}

/* Numbers are not given twice, also not those of rows that are gone. */
static void carry_sequence(struct salvage_run *run)
{
    sqlite3_stmt *put;

    if (run->sequence_root == 0) {
        return;
    }
    put = prepare(run, "INSERT INTO %w (name, seq) VALUES (?1, ?2)", SEQUENCE);
    note(run, sqlite3_exec(run->db, "DELETE FROM " SEQUENCE, NULL, NULL, NULL));
    for (size_t i = 0; i < run->n && run->error == 0; i++) {
        int64_t last = run->copies[i].last;

        if (!run->copies[i].numbers) {
            continue;
        }
        if (run->sequence[i] > last) {
            last = run->sequence[i];
        }
        if (last > SEQUENCE_MAX) {
            last = SEQUENCE_MAX;
        }
        (void)sqlite3_bind_text(put, 1, run->copies[i].name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(put, 2, last + SEQUENCE_GAP);
        note(run, sqlite3_step(put));
        (void)sqlite3_reset(put);
    }
    (void)sqlite3_finalize(put);
}

static void copy_all(struct salvage_run *run)
{
    pages_find_free(&run->pages);
    read_schema(run);
    read_sequence(run);
    for (size_t i = 0; i < run->n && run->error == 0; i++) {
        copy_table(&run->copies[i]);
    }
    copy_orphans(run);
    carry_sequence(run);
    if (run->error == 0 && run->pages.unreadable > UNREADABLE_MIN &&
        run->pages.unreadable > run->pages.count / UNREADABLE_PART) {
        run->error = -EIO;
    }
}

/* ---- all of it ---- */

static void finish_run(struct salvage_run *run)
{
    for (size_t i = 0; i < SALVAGE_TABLES; i++) {
        (void)sqlite3_finalize(run->copies[i].take);
        (void)sqlite3_finalize(run->copies[i].prefer);
        tree_finish(&run->copies[i].tree);
    }
    pages_close(&run->pages);
}

static void report(const struct salvage_run *run, struct salvage *salvage)
{
    for (size_t i = 0; i < run->n; i++) {
        const struct tree *tree = &run->copies[i].tree;

        salvage->table[i].name = run->copies[i].name;
        salvage->table[i].rows = tree->rows;
        salvage->table[i].lost = tree->lost;
        salvage->table[i].damaged = tree->damaged;
    }
    salvage->ntables = run->n;
    salvage->log_pages_lost = run->pages.wal.lost;
}

static int make_copy(const struct state_paths *paths, const char *vfs, const struct mark *mark,
                     struct salvage *salvage)
{
    struct salvage_run *run = calloc(1, sizeof *run);
    size_t version = mark->valid && mark->version > 0 && mark->version <= state_schema_version
                         ? mark->version
                         : state_schema_version;
    int r;

    if (!run) {
        return -ENOMEM;
    }
    r = pages_open(&run->pages, paths->db, paths->wal, mark);
    if (r == 0) {
        r = file_create(paths->fresh, vfs, version, &run->db);
    }
    if (r == 0) {
        note(run, sqlite3_exec(run->db, "BEGIN", NULL, NULL, NULL));
        learn_tables(run);
        if (run->error == 0) {
            copy_all(run);
            report(run, salvage);
        }
        if (run->error == 0) {
            note(run, sqlite3_exec(run->db, "COMMIT", NULL, NULL, NULL));
        }
        r = run->error;
    }
    finish_run(run);
    file_close(run->db);
    free(run);
    return r;
}

int salvage_run(const struct state_paths *paths, const char *vfs, const struct mark *mark,
                struct buf *why, struct salvage *ret_salvage)
{
    struct salvage salvage = {.ntables = 0};
    int r = make_copy(paths, vfs, mark, &salvage);

    if (r < 0) {
        buf_printf(why, "%s is damaged, and what can be read of it cannot be copied: %s", paths->db,
                   log_errno(r));
        (void)unlink(paths->fresh);
        return r;
    }
    // the log is not needed any more, and must not be missed
    r = mark_reset(paths->mark, mark);
    if (r == 0) {
        r = aside_swap(paths, salvage.kept, sizeof salvage.kept);
    }
    if (r < 0) {
        buf_printf(why, "%s is damaged, and %s cannot take its place: %s", paths->db, paths->fresh,
                   log_errno(r));
        return r;
    }
    *ret_salvage = salvage;
    return 0;
}
