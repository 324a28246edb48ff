/*
 * match.c: regular expressions over what strangers send.
 *
 * A pattern and a body that do not suit each other can keep PCRE2 busy for years.  Its match limit
 * counts anew at each position of the text, so patterns are compiled with a callout before every
 * item, and the callout looks at the call's deadline now and then.
 */
#include "http.h"

#define CALLOUTS_PER_LOOK 4096
#define HEAP_KIB 4096
#define RESERVE_MS 50 /* what is left of the deadline to report in */

struct watch {
    struct tmon_call *call;
    unsigned count;
};

static int on_item(pcre2_callout_block *block, void *arg)
{
    struct watch *watch = arg;

    if (++watch->count % CALLOUTS_PER_LOOK == 0 && tmon_remaining_ms(watch->call) <= RESERVE_MS) {
        return PCRE2_ERROR_CALLOUT;
    }
    return 0;
}

enum http_match http_match(struct tmon_call *call, const pcre2_code *pattern, const char *text,
                           size_t len)
{
    struct watch watch = {call, 0};
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int r = PCRE2_ERROR_NOMEMORY;

    if (context != NULL && data != NULL) {
        pcre2_set_heap_limit(context, HEAP_KIB);
        pcre2_set_callout(context, on_item, &watch);
        r = pcre2_match(pattern, (PCRE2_SPTR)text, len, 0, 0, data, context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return r >= 0 ? HTTP_MATCHES : r == PCRE2_ERROR_NOMATCH ? HTTP_DIFFERS : HTTP_UNDECIDED;
}
