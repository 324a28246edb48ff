/*
 * tickets.c: attempts that were handed out.
 *
 * Items are read anew after a commit that failed; tickets stay.  So what is under way is not
 * started a second time, and an outcome whose commit failed finds its attempt when it is said
 * again.
 */
#include <errno.h>
#include <stdlib.h>

#include "outbox/private.h"

int ticket_issue(struct outbox *outbox, const struct item *item)
{
    struct ticket *ticket = malloc(sizeof *ticket);

    if (!ticket) {
        return -ENOMEM;
    }
    *ticket = (struct ticket){.id = item->id, .sink = item->sink, .state = TICKET_NEW};
    if (map_put(&outbox->tickets, (const char *)&ticket->id, sizeof ticket->id, ticket) < 0) {
        free(ticket);
        return -ENOMEM;
    }
    ticket->next_changed = outbox->changed;
    outbox->changed = ticket;
    return 0;
}

struct ticket *ticket_take(struct outbox *outbox, int64_t id)
{
    struct ticket *ticket = map_get(&outbox->tickets, (const char *)&id, sizeof id);

    if (!ticket || ticket->state != TICKET_OUT) {
        return NULL;
    }
    ticket->state = TICKET_BACK;
    ticket->next_changed = outbox->changed;
    outbox->changed = ticket;
    return ticket;
}

static void settle(struct outbox *outbox, bool committed)
{
    struct ticket *ticket = outbox->changed;

    outbox->changed = NULL;
    while (ticket) {
        struct ticket *next = ticket->next_changed;

        if ((ticket->state == TICKET_NEW) == committed) {
            ticket->state = TICKET_OUT;
        } else {
            (void)map_remove(&outbox->tickets, (const char *)&ticket->id, sizeof ticket->id);
            free(ticket);
        }
        ticket = next;
    }
}

void tickets_committed(struct outbox *outbox)
{
    settle(outbox, true);
}

void tickets_undo(struct outbox *outbox)
{
    settle(outbox, false);
}

void tickets_finish(struct outbox *outbox)
{
    struct ticket *ticket;
    size_t pos = 0;

    while ((ticket = map_next(&outbox->tickets, &pos))) {
        free(ticket);
    }
    map_finish(&outbox->tickets);
}
