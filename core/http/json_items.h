/*
 * json_items.h: a list in JSON, taken apart and handed to jansson item by item, so that the tree of
 * one item is all that is in memory beside the body: a tree takes up to seventy times what its text
 * does, and the scan that finds an item's end counts what will be in it.
 *
 * Pure functions; any thread.
 */
#ifndef HTTP_JSON_ITEMS_H
#define HTTP_JSON_ITEMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct json_items_error {
    char text[256];
    size_t line, column; /* from 1; 0: not in one place */
};

struct json_items {
    const char *what; /* "alert", for what is said about mistakes */
    bool one;         /* an object alone is a list of one */
    /* Takes one, which is borrowed.  Where it was not looked into, because it means ill, the value
     * is NULL and `why` says what is wrong with it.  NULL: they are only counted. */
    int (*take)(void *arg, size_t i, const json_t *value, const char *why);
    void *arg;
};

/* -EINVAL with ret_error (its text is "" before): the body is no such list; -ENOMEM; or what take()
 * returned that is not 0. */
int json_items_walk(const struct json_items *items, const char *body, size_t len, size_t *ret_n,
                    struct json_items_error *ret_error);
/* The one value that the body is, within the same bounds; owned.  -EINVAL with ret_error. */
int json_items_one(const char *body, size_t len, json_t **ret_value,
                   struct json_items_error *ret_error);

#endif
