/*
 * mail_settings.c: see mail_settings.h.  Linked into several plugins; keeps no state of its own.
 */
#include "mail_settings.h"

#define ITEM_BYTES (MIME_NAME_BYTES + MIME_ADDRESS_BYTES + 8)

static bool add_one(struct tmon_call *call, struct mail_settings *settings, const char *text,
                    size_t len)
{
    char item[ITEM_BYTES];
    const char *problem = "is too long";

    if (settings->nto == MAIL_TO_MAX) {
        tmon_log(call, TMON_ERROR, "to: %d addresses are allowed", MAIL_TO_MAX);
        return false;
    }
    if (len < sizeof item) {
        memcpy(item, text, len);
        item[len] = '\0';
        problem = mime_address_read(&settings->to[settings->nto], item);
    }
    if (problem != NULL) {
        tmon_log(call, TMON_ERROR, "to: the one at place %zu %s", settings->nto + 1, problem);
        return false;
    }
    settings->nto++;
    return true;
}

/* A name with a comma in it would have to be in quotes, and is split all the same: nobody has
 * that in a variable. */
static bool add_item(struct tmon_call *call, struct mail_settings *settings, const char *text)
{
    for (;;) {
        const size_t len = strcspn(text, ",");

        if (!add_one(call, settings, text, len)) {
            return false;
        }
        if (text[len] == '\0') {
            return true;
        }
        text += len + 1;
    }
}

tmon_rc mail_settings_read(struct tmon_call *call, const struct tmon_config *config,
                           struct mail_settings *ret_settings)
{
    const size_t count = tmon_config_count(call, config, "to");
    const char *problem;

    ret_settings->nto = 0;
    ret_settings->from_text = tmon_config_string(call, config, "from");
    problem = mime_address_read(&ret_settings->from, ret_settings->from_text);
    if (problem != NULL) {
        tmon_log(call, TMON_ERROR, "from: it %s", problem);
        return TMON_REJECTED;
    }
    if (count == 0) {
        tmon_log(call, TMON_ERROR, "to: nobody is named");
        return TMON_REJECTED;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_item(call, ret_settings, tmon_config_item(call, config, "to", i))) {
            return TMON_REJECTED;
        }
    }
    return TMON_OK;
}
