/*
 * mend.h: a log with damage in it, of which is known what was committed: puts right which pages its
 * frames hold.
 */
#ifndef STATE_MEND_H
#define STATE_MEND_H

#include "state/pages.h"

/* -ENOMEM. */
int mend_log(struct pages *pages);

#endif
