/* paths.c: the names of the files in the state directory; see file.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "state/file.h"

int paths_init(struct state_paths *paths, const char *directory)
{
    const struct {
        char **path;
        const char *name;
    } all[] = {
        {&paths->directory, ""},          {&paths->db, "/state.db"},
        {&paths->wal, "/state.db-wal"},   {&paths->journal, "/state.db-journal"},
        {&paths->mark, "/state.mark"},    {&paths->reserve, "/state.reserve"},
        {&paths->fresh, "/state.db.new"}, {&paths->salvaged, "/state.db.salvaged"},
    };
    // SQLite would take "file:..." for a URI
    const char *here = *directory == '/' ? "" : "./";

    *paths = (struct state_paths){0};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (asprintf(all[i].path, "%s%s%s", here, directory, all[i].name) < 0) {
            *all[i].path = NULL;
            paths_finish(paths);
            return -ENOMEM;
        }
    }
    return 0;
}

void paths_finish(struct state_paths *paths)
{
    free(paths->directory);
    free(paths->db);
    free(paths->wal);
    free(paths->journal);
    free(paths->mark);
    free(paths->reserve);
    free(paths->fresh);
    free(paths->salvaged);
    *paths = (struct state_paths){0};
}
