/*
 * ack_page.h: the page behind the link by which an alert is acknowledged.
 *
 * No script and no style: it works in whatever a phone opens from a mail, under the strictest
 * policy.  Everything in it is escaped.  Pure functions, any thread.
 */
#ifndef AGENT_ACK_PAGE_H
#define AGENT_ACK_PAGE_H

#include <stdbool.h>

#include "alert/alerts.h"
#include "base/buf.h"

/* The alert, and a button unless it is acknowledged or over.  `done`: it was acknowledged just now.
 */
void ack_page_alert(struct buf *buf, const struct alerts_view *view, bool done);
/* A page that says one thing. */
void ack_page_say(struct buf *buf, const char *title, const char *text);

#endif
