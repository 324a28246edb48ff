/*
 * salvage.c: see salvage.h.
 *
 * The pages are read by ourselves (pages.c, tree.c), not through SQLite: a flipped byte in the
 * header, in the schema or in an inner page of a tree makes SQLite give up on rows that are whole.
 * Pages that nothing leads to any more are tried as leaves of the tables that are damaged.
 */
#include "state/salvage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "state/aside.h"
#include "state/bytes.h"
#include "state/copy.h"
#include "state/schema.h"

#define SEQUENCE "sqlite_sequence"
/* Numbers that are left out behind the last one that is known: more than were given since. */
#define SEQUENCE_GAP 1000000
#define SEQUENCE_MAX (INT64_C(1) << 60)

/* A disk that refuses more than this is gone, not damaged: what can be read is not worth having. */
#define UNREADABLE_MIN 16
#define UNREADABLE_PART 8

#define VERSION_OFFSET 60 /* of PRAGMA user_version in the first page */

struct salvage_run {
    struct pages pages;
    struct copy_target target;
    struct copy copies[SALVAGE_TABLES];
    size_t n;
    int64_t sequence[SALVAGE_TABLES];
    uint32_t sequence_root;
};

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

/* Where the schema cannot be read, the trees are looked for where a new file has them. */
static void learn_tables(struct salvage_run *run)
{
    bool ignored;

    // tables of a later version than the file's come last, and are not there
    while (run->n < state_ntables && run->n < SALVAGE_TABLES &&
           copy_init(&run->copies[run->n], &run->target, &run->pages, state_tables[run->n]) == 0) {
        run->n++;
    }
    run->sequence_root = copy_root(&run->target, SEQUENCE, &ignored);
}

/* ---- copying ---- */

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
    put = copy_prepare(&run->target, "INSERT INTO %w (name, seq) VALUES (?1, ?2)", SEQUENCE);
    copy_note(&run->target,
              sqlite3_exec(run->target.db, "DELETE FROM " SEQUENCE, NULL, NULL, NULL));
    for (size_t i = 0; i < run->n && run->target.error == 0; i++) {
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
        copy_note(&run->target, sqlite3_step(put));
        (void)sqlite3_reset(put);
    }
    (void)sqlite3_finalize(put);
}

static void copy_all(struct salvage_run *run)
{
    pages_find_free(&run->pages);
    read_schema(run);
    read_sequence(run);
    for (size_t i = 0; i < run->n && run->target.error == 0; i++) {
        copy_table(&run->copies[i]);
    }
    copy_orphans(run);
    carry_sequence(run);
    if (run->target.error == 0 && run->pages.unreadable > UNREADABLE_MIN &&
        run->pages.unreadable > run->pages.count / UNREADABLE_PART) {
        run->target.error = -EIO;
    }
}

/* ---- all of it ---- */

static void finish_run(struct salvage_run *run)
{
    for (size_t i = 0; i < SALVAGE_TABLES; i++) {
        copy_finish(&run->copies[i]);
    }
    pages_close(&run->pages);
}

static void report(const struct salvage_run *run, struct salvage *salvage)
{
    const struct wal *wal = &run->pages.wal;

    for (size_t i = 0; i < run->n; i++) {
        const struct tree *tree = &run->copies[i].tree;

        salvage->table[i].name = run->copies[i].name;
        salvage->table[i].rows = tree->rows;
        salvage->table[i].lost = tree->lost;
        salvage->table[i].damaged = tree->damaged;
    }
    salvage->ntables = run->n;
    salvage->log_pages_lost = wal->lost - (wal->usable - wal->good);
}

static size_t version_of(struct salvage_run *run, const struct mark *mark)
{
    unsigned char page[PAGE_BYTES];
    uint32_t version = mark->version;

    if (version == 0 && run->pages.count > 0 && pages_get(&run->pages, 1, page) == 0) {
        version = bytes_get32(page + VERSION_OFFSET);
    }
    return version > 0 && version <= state_schema_version ? version : state_schema_version;
}

static int make_copy(const struct state_paths *paths, const char *vfs, const struct mark *mark,
                     struct salvage *salvage)
{
    struct salvage_run *run = calloc(1, sizeof *run);
    int r;

    if (!run) {
        return -ENOMEM;
    }
    r = pages_open(&run->pages, paths->db, paths->wal, mark);
    if (r == 0) {
        r = file_create(paths->fresh, vfs, version_of(run, mark), &run->target.db);
    }
    if (r == 0) {
        copy_note(&run->target, sqlite3_exec(run->target.db, "BEGIN", NULL, NULL, NULL));
        learn_tables(run);
        if (run->target.error == 0) {
            copy_all(run);
            report(run, salvage);
        }
        if (run->target.error == 0) {
            copy_note(&run->target, sqlite3_exec(run->target.db, "COMMIT", NULL, NULL, NULL));
        }
        r = run->target.error;
    }
    finish_run(run);
    file_close(run->target.db);
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
