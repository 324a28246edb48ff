/*
 * verdict.c: see verdict.h.  What does not fit is counted in `dropped`; a verdict is never lost
 * because its details are too many.
 */
#include "model/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

const char *verdict_name(tmon_verdict status)
{
    return status == TMON_PASS ? "pass" : status == TMON_WARN ? "warn" : "fail";
}

/* A copy that is valid UTF-8 and not too long; NULL for NULL or no memory. */
static char *copy_text(const char *text)
{
    size_t len;
    char *copy;

    if (!text) {
        return NULL;
    }
    len = strnlen(text, LIMIT_TEXT_BYTES);
    copy = malloc(len + 1);
    if (copy) {
        utf8_copy(copy, len + 1, text);
    }
    return copy;
}

struct verdict *verdict_create(tmon_verdict status, const char *message)
{
    struct verdict *verdict = calloc(1, sizeof *verdict);

    if (!verdict) {
        return NULL;
    }
    verdict->status = status;
    verdict->message = copy_text(message);
    return verdict;
}

static void detail_finish(struct detail *detail)
{
    free(detail->key);
    free(detail->text);
    for (size_t i = 0; i < detail->nitems; i++) {
        free(detail->items[i]);
    }
    free(detail->items);
}

void verdict_destroy(struct verdict *verdict)
{
    if (!verdict) {
        return;
    }
    for (size_t i = 0; i < verdict->nsubjects; i++) {
        free(verdict->subjects[i].name);
        free(verdict->subjects[i].text);
    }
    for (size_t i = 0; i < verdict->ndetails; i++) {
        detail_finish(&verdict->details[i]);
    }
    free(verdict->subjects);
    free(verdict->details);
    free(verdict->message);
    free(verdict);
}

/* Makes room for one more of `n` elements; grows by doubling.  NULL when there is none to be had.
 */
static void *room_for_one(void *array, size_t n, size_t element)
{
    if (n > 0 && (n & (n - 1)) != 0) {
        return array;
    }
    return realloc(array, (n ? n * 2 : 1) * element);
}

static void add_subject(struct verdict *verdict, const char *name, tmon_verdict status,
                        const char *text)
{
    struct subject *subjects = NULL;
    char *copy = NULL;

    if (verdict->nsubjects < LIMIT_SUBJECTS) {
        copy = copy_text(name);
        subjects = room_for_one(verdict->subjects, verdict->nsubjects, sizeof *subjects);
    }
    if (subjects) {
        verdict->subjects = subjects;
    }
    if (!subjects || !copy) {
        free(copy);
        verdict->dropped++;
        return;
    }
    subjects[verdict->nsubjects++] =
        (struct subject){.name = copy, .status = status, .text = copy_text(text)};
}

void verdict_report(struct verdict *verdict, const char *subject, tmon_verdict status,
                    const char *text)
{
    if (status < TMON_PASS || status > TMON_FAIL) {
        status = TMON_FAIL;
    }
    if (subject) {
        add_subject(verdict, subject, status, text);
    }
    /* The message is the first text of the worst status; one about the whole beats one about a
     * subject. */
    if (text && (status > verdict->status || !verdict->message ||
                 (!subject && status == verdict->status))) {
        if (status >= verdict->status && (status != TMON_PASS || !subject)) {
            free(verdict->message);
            verdict->message = copy_text(text);
        }
    }
    if (status > verdict->status) {
        verdict->status = status;
    }
}

/* The detail of that key and kind, a new one if need be; NULL when it is dropped. */
static struct detail *detail_get(struct verdict *verdict, const char *key, enum detail_kind kind)
{
    struct detail *details;
    char *copy;

    for (size_t i = 0; i < verdict->ndetails; i++) {
        if (strcmp(verdict->details[i].key, key) == 0) {
            if (verdict->details[i].kind != kind) {
                verdict->dropped++;
                return NULL;
            }
            return &verdict->details[i];
        }
    }
    if (verdict->ndetails >= LIMIT_SUBJECTS || strlen(key) > LIMIT_NAME_BYTES || !*key) {
        verdict->dropped++;
        return NULL;
    }
    copy = copy_text(key);
    details = room_for_one(verdict->details, verdict->ndetails, sizeof *details);
    if (details) {
        verdict->details = details;
    }
    if (!copy || !details) {
        free(copy);
        verdict->dropped++;
        return NULL;
    }
    details[verdict->ndetails] = (struct detail){.key = copy, .kind = kind};
    return &details[verdict->ndetails++];
}

void verdict_detail_number(struct verdict *verdict, const char *key, double number)
{
    struct detail *detail = detail_get(verdict, key, DETAIL_NUMBER);

    if (detail) {
        detail->number = number;
    }
}

void verdict_detail_text(struct verdict *verdict, const char *key, const char *text)
{
    struct detail *detail = detail_get(verdict, key, DETAIL_TEXT);

    if (detail) {
        free(detail->text);
        detail->text = copy_text(text ? text : "");
    }
}

void verdict_detail_item(struct verdict *verdict, const char *key, const char *text)
{
    struct detail *detail = detail_get(verdict, key, DETAIL_LIST);
    char **items;
    char *copy;

    if (!detail) {
        return;
    }
    if (detail->nitems >= LIMIT_SUBJECTS) {
        verdict->dropped++;
        return;
    }
    copy = copy_text(text ? text : "");
    items = room_for_one(detail->items, detail->nitems, sizeof *items);
    if (items) {
        detail->items = items;
    }
    if (!copy || !items) {
        free(copy);
        verdict->dropped++;
        return;
    }
    items[detail->nitems++] = copy;
}

void verdict_encode(const struct verdict *verdict, struct buf *buf)
{
    wire_put_u8(buf, (uint8_t)verdict->status);
    wire_put_str(buf, verdict->message);
    wire_put_u32(buf, verdict->dropped);
    wire_put_u32(buf, (uint32_t)verdict->nsubjects);
    for (size_t i = 0; i < verdict->nsubjects; i++) {
        wire_put_u8(buf, (uint8_t)verdict->subjects[i].status);
        wire_put_str(buf, verdict->subjects[i].name);
        wire_put_str(buf, verdict->subjects[i].text);
    }
    wire_put_u32(buf, (uint32_t)verdict->ndetails);
    for (size_t i = 0; i < verdict->ndetails; i++) {
        const struct detail *detail = &verdict->details[i];

        wire_put_u8(buf, (uint8_t)detail->kind);
        wire_put_str(buf, detail->key);
        wire_put_f64(buf, detail->number);
        wire_put_str(buf, detail->text);
        wire_put_u32(buf, (uint32_t)detail->nitems);
        for (size_t j = 0; j < detail->nitems; j++) {
            wire_put_str(buf, detail->items[j]);
        }
    }
}

static void decode_subjects(struct wire_reader *reader, struct verdict *verdict)
{
    uint32_t n = wire_get_count(reader, LIMIT_SUBJECTS, 11);

    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        tmon_verdict status = wire_get_u8(reader);
        const char *name = wire_get_str(reader, LIMIT_TEXT_BYTES);
        const char *text = wire_get_str(reader, LIMIT_TEXT_BYTES);

        if (status > TMON_FAIL) {
            reader->bad = true;
        }
        if (!reader->bad) {
            add_subject(verdict, name, status, *text ? text : NULL);
        }
    }
}

static void decode_details(struct wire_reader *reader, struct verdict *verdict)
{
    uint32_t n = wire_get_count(reader, LIMIT_SUBJECTS, 23);

    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        uint8_t kind = wire_get_u8(reader);
        const char *key = wire_get_str(reader, LIMIT_NAME_BYTES);
        double number = wire_get_f64(reader);
        const char *text = wire_get_str(reader, LIMIT_TEXT_BYTES);
        uint32_t nitems = wire_get_count(reader, LIMIT_SUBJECTS, 5);

        if (kind > DETAIL_LIST || !*key || (kind != DETAIL_LIST && nitems > 0)) {
            reader->bad = true;
        }
        if (reader->bad) {
            return;
        }
        if (kind == DETAIL_NUMBER) {
            verdict_detail_number(verdict, key, number);
        } else if (kind == DETAIL_TEXT) {
            verdict_detail_text(verdict, key, text);
        }
        for (uint32_t j = 0; j < nitems && !reader->bad; j++) {
            verdict_detail_item(verdict, key, wire_get_str(reader, LIMIT_TEXT_BYTES));
        }
    }
}

int verdict_decode(struct wire_reader *reader, struct verdict **ret_verdict)
{
    tmon_verdict status = wire_get_u8(reader);
    const char *message = wire_get_str(reader, LIMIT_TEXT_BYTES);
    uint32_t dropped = wire_get_u32(reader);
    struct verdict *verdict;

    if (reader->bad || status > TMON_FAIL) {
        return -EPROTO;
    }
    verdict = verdict_create(status, *message ? message : NULL);
    if (!verdict) {
        return -ENOMEM;
    }
    decode_subjects(reader, verdict);
    decode_details(reader, verdict);
    if (reader->bad) {
        verdict_destroy(verdict);
        return -EPROTO;
    }
    if (dropped > UINT32_MAX - verdict->dropped) {
        dropped = UINT32_MAX - verdict->dropped;
    }
    verdict->dropped += dropped;
    *ret_verdict = verdict;
    return 0;
}
