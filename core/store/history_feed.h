/*
 * history_feed.h: what the store tells its history; private to core/store.
 *
 * With the store's lock held for writing, unless it says otherwise.
 */
#ifndef STORE_HISTORY_FEED_H
#define STORE_HISTORY_FEED_H

#include <stdint.h>

#include "store/series.h"

/* The record is new, or its bounds are.  What it cost, in samples. */
uint32_t history_born(struct history *history, struct record *record);
/* A sample came to a record that is watched; how many tracks of its owner got it. */
uint32_t history_feed(struct history *history, struct store_owner *owner, struct record *record,
                      int64_t time_ms);
/* A record that is watched goes, or its bounds do. */
void history_record_gone(struct history *history, struct record *record);
void history_owner_gone(struct history *history, struct store_owner *owner);

/* A collection begins: the time that its samples get. */
int64_t history_begin(struct history *history, struct store_owner *owner, int64_t time_ms);
/* It ended well, and so many tracks were fed; the others of the owner get their mark.  Takes the
 * lock itself. */
void history_end(struct history *history, struct store_owner *owner, int64_t time_ms, uint32_t fed);

#endif
