/* error.c: SQLite's results as negative errnos; see state.h and file.h. */
#include <errno.h>

#include "state/file.h"
#include "state/state.h"

int state_error(int sqlite_result)
{
    if (sqlite_result == SQLITE_IOERR_NOMEM) {
        return -ENOMEM;
    }
    switch (sqlite_result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_TOOBIG:
        return -EMSGSIZE;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return -EINVAL; /* mistakes of ours */
    default:
        return -EIO;
    }
}

int file_error(sqlite3 *db, int sqlite_result)
{
    int kind = sqlite_result & 0xff;
    int error = sqlite3_system_errno(db);

    if ((kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) && (error == ENOSPC || error == EDQUOT)) {
        return -ENOSPC;
    }
    return state_error(sqlite_result);
}
