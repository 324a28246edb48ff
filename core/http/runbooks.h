/*
 * runbooks.h: what to do about the alerts of the shipped rules, where their links lead.
 *
 * The texts are docs/runbooks/, in the program itself: on the night when they are wanted nobody has
 * to know where documentation was installed.  Constants; any thread.
 */
#ifndef HTTP_RUNBOOKS_H
#define HTTP_RUNBOOKS_H

struct runbook {
    const char *name; /* the last part of /runbooks/NAME */
    const char *text; /* Markdown */
};

/* NULL: there is none of that name. */
const struct runbook *runbook_find(const char *name);

#endif
