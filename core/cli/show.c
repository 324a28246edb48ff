/*
 * show.c: the API's documents as people read them.
 */
#include "cli/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/client.h"
#include "cli/table.h"

const char *show_age(double seconds, char *space, size_t size)
{
    int64_t s = seconds > 0 ? (int64_t)seconds : 0;

    if (s >= 86400) {
        snprintf(space, size, "%" PRId64 "d%" PRId64 "h", s / 86400, s % 86400 / 3600);
    } else if (s >= 3600) {
        snprintf(space, size, "%" PRId64 "h%" PRId64 "m", s / 3600, s % 3600 / 60);
    } else if (s >= 60) {
        snprintf(space, size, "%" PRId64 "m%" PRId64 "s", s / 60, s % 60);
    } else {
        snprintf(space, size, "%" PRId64 "s", s);
    }
    return space;
}

const char *show_since(const json_t *time, char *space, size_t size)
{
    const char *text = json_string_value(time);
    int64_t ms;

    space[0] = '\0';
    if (text && clock_parse_rfc3339(text, &ms) == 0) {
        show_age((double)(clock_real_ms() - ms) / 1e3, space, size);
    }
    return space;
}

const char *show_held(const json_t *alert, const char *status)
{
    static const char *const reasons[][2] = {{"silenced_by", "silenced"},
                                             {"inhibited_by", "inhibited"},
                                             {"muted", "maintenance"},
                                             {"flapping", "flapping"},
                                             {"acknowledged", "acked"}};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        const json_t *member = json_object_get(alert, reasons[i][0]);

        if (json_array_size(member) > 0 || json_is_true(member) || json_is_object(member)) {
            return reasons[i][1];
        }
    }
    return status;
}

const char *show_delivery(const json_t *sink)
{
    const char *delivery = client_text(sink, "delivery");

    return strcmp(delivery, "delivered") == 0                                 ? "told"
           : strcmp(delivery, "none") == 0                                    ? "waiting"
           : *delivery                                                        ? delivery
           : json_is_true(json_object_get(sink, "told")) /* an older agent */ ? "told"
                                                                              : "waiting";
}

static void add_check(struct table *table, const char *name, const json_t *check)
{
    const json_t *age = json_object_get(check, "age");
    char space[32] = "";
    const char *cells[4];

    if (age) {
        show_age(json_number_value(age), space, sizeof space);
    }
    cells[0] = name;
    cells[1] = client_text(check, "status");
    cells[2] = space;
    cells[3] = client_text(check, "message");
    table_row(table, cells);
}

void show_checks(const json_t *checks)
{
    static const char *const headings[] = {"CHECK", "STATUS", ">AGE", "MESSAGE", NULL};
    struct table table;
    const char *name;
    json_t *check;
    size_t i;

    table_init(&table, headings);
    json_object_foreach((json_t *)checks, name, check)
    {
        add_check(&table, name, check);
    }
    json_array_foreach(checks, i, check)
    {
        add_check(&table, client_text(check, "name"), check);
    }
    if (table.nrows > 0) {
        table_print(&table, stdout, table_colour());
    } else {
        puts("There are no checks.");
    }
    table_finish(&table);
}

/* Text of others must not move the cursor. */
void show_text(const char *text)
{
    char *copy = strdup(text);

    if (copy) {
        fputs(table_clean(copy), stdout);
    }
    free(copy);
}

static void put_value(const json_t *value)
{
    const json_t *item;
    size_t i;

    if (json_is_string(value)) {
        show_text(json_string_value(value));
    } else if (json_is_integer(value)) {
        printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_number(value)) {
        printf("%.6g", json_number_value(value));
    } else if (json_is_boolean(value)) {
        printf(json_is_true(value) ? "true" : "false");
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            printf(i ? ", " : "");
            put_value(item);
        }
    }
}

void show_details(const json_t *object, const char *prefix)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        char name[256];

        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_is_object(value)) {
            show_details(value, name);
            continue;
        }
        show_text(name);
        printf(": ");
        put_value(value);
        putchar('\n');
    }
}
