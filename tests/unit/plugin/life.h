/*
 * life.h: an instance of a fixture in a real worker, and what its hooks were told.
 */
#ifndef TESTS_UNIT_PLUGIN_LIFE_H
#define TESTS_UNIT_PLUGIN_LIFE_H

#include "kit.h"

#include "base/limits.h"
#include "plugin/instance.h"

struct life {
    size_t descriptors; /* before anything was done */
    struct loop *loop;
    struct spawner *spawner;
    struct instance *instance;
    const struct broker *broker;
    const char *url; /* set: the component has this one setting */
    size_t samples_bytes;
    struct instance_times times;
    int64_t interval_ms, timeout_ms;

    /* What was told last, and how often. */
    int done, states, logs, stopped, idle;
    tmon_rc rc;
    bool timeout;
    tmon_verdict verdict;
    struct verdict *kept;
    char message[512];
    char verdict_text[512];
    char reason[1024];
    char log[512];
    uint64_t held_back;
    size_t samples_len;
    struct buf request; /* of a format() */
    int64_t retry_after_ms;
    bool died;
    int64_t duration_ns;
    enum ability again; /* to call from the hook, once */
    int quarantines;
};

static inline void life_done(void *owner, const struct instance_result *result)
{
    struct life *life = owner;
    enum ability again = life->again;

    life->done++;
    life->rc = result->rc;
    life->timeout = result->timeout;
    life->samples_len = result->samples_len;
    life->duration_ns = result->duration_ns;
    life->retry_after_ms = result->retry_after_ms;
    life->died = result->died;
    buf_clear(&life->request);
    buf_append(&life->request, result->request, result->request_len);
    (void)snprintf(life->message, sizeof life->message, "%s", result->message);
    if (result->ability == ABILITY_CHECK) {
        assert_non_null(result->verdict);
        life->verdict = result->verdict->status;
        (void)snprintf(life->verdict_text, sizeof life->verdict_text, "%s",
                       result->verdict->message ? result->verdict->message : "");
        verdict_destroy(life->kept);
        life->kept = result->verdict;
    } else {
        assert_null(result->verdict);
    }
    life->again = 0;
    if (again) {
        assert_int_equal(instance_call(life->instance, again), 0);
    }
}

static inline void life_state(void *owner, enum instance_state from, enum instance_state to,
                              const char *reason)
{
    struct life *life = owner;

    assert_int_not_equal(from, to);
    life->states++;
    life->quarantines += to == INSTANCE_QUARANTINED;
    (void)snprintf(life->reason, sizeof life->reason, "%s", reason);
}

static inline void life_log(void *owner, tmon_level level, const char *text, uint64_t held_back)
{
    struct life *life = owner;

    life->logs++;
    life->held_back = held_back;
    (void)snprintf(life->log, sizeof life->log, "%s", text);
}

static inline void life_idle(void *owner)
{
    ((struct life *)owner)->idle++;
}

static inline void life_stopped(void *owner)
{
    struct life *life = owner;

    life->stopped++;
    instance_destroy(life->instance); // as the agent does
    life->instance = NULL;
}

static const struct instance_hooks life_hooks = {.done = life_done,
                                                 .idle = life_idle,
                                                 .state = life_state,
                                                 .log = life_log,
                                                 .stopped = life_stopped};

static inline int life_setup(void **state)
{
    struct life *life = calloc(1, sizeof *life);

    assert_non_null(life);
    life->descriptors = kit_descriptors();
    life->spawner = kit_spawner();
    assert_int_equal(loop_create(&life->loop), 0);
    buf_init(&life->request, LIMIT_HTTP_REQUEST_BYTES);
    life->interval_ms = 1000;
    life->timeout_ms = 2000;
    life->times = (struct instance_times){.backoff_first_ms = 20,
                                          .quarantine_ms = 300,
                                          .grace_ms = 500,
                                          .stop_grace_ms = 1000,
                                          .kill_ms = 1000};
    *state = life;
    return 0;
}

/* Whatever happened: no process and no descriptor stays. */
static inline int life_teardown(void **state)
{
    struct life *life = *state;

    instance_destroy(life->instance);
    verdict_destroy(life->kept);
    buf_finish(&life->request);
    spawner_destroy(life->spawner);
    loop_destroy(life->loop);
    kit_no_children();
    assert_int_equal(kit_descriptors(), life->descriptors);
    free(life);
    return 0;
}

/* Creates and starts; the abilities are those that the fixture's component has. */
static inline void life_begin(struct life *life, const char *fixture, const char *component,
                              uint32_t abilities)
{
    struct instance_options options = {
        .name = "fixture",
        .component = component,
        .path = kit_fixture(fixture),
        .abilities = abilities,
        .interval_ms = life->interval_ms,
        .timeout_ms = life->timeout_ms,
        .samples_bytes = life->samples_bytes,
        .loop = life->loop,
        .spawner = life->spawner,
        .broker = life->broker,
        .times = life->times,
        .hooks = &life_hooks,
        .owner = life,
    };

    if (life->url) {
        options.settings = settings_create(1);
        assert_non_null(options.settings);
        options.settings->settings[0] = (struct setting){
            .name = strdup("url"), .type = TMON_URL, .set = true, .text = strdup(life->url)};
    }
    assert_int_equal(instance_create(&options, &life->instance), 0);
    instance_start(life->instance);
}

/* NULL: the last verdict has no such detail. */
static inline const struct detail *life_detail(const struct life *life, const char *key)
{
    for (size_t i = 0; life->kept && i < life->kept->ndetails; i++) {
        if (strcmp(life->kept->details[i].key, key) == 0) {
            return &life->kept->details[i];
        }
    }
    return NULL;
}

static inline bool life_is_ready(void *arg)
{
    return instance_state(((struct life *)arg)->instance) == INSTANCE_READY;
}

static inline bool life_is_degraded(void *arg)
{
    return instance_state(((struct life *)arg)->instance) == INSTANCE_DEGRADED;
}

static inline bool life_is_quarantined(void *arg)
{
    return instance_state(((struct life *)arg)->instance) == INSTANCE_QUARANTINED;
}

static inline bool life_is_done(void *arg)
{
    return ((struct life *)arg)->done > 0;
}

static inline bool life_is_idle(void *arg)
{
    return !instance_busy(((struct life *)arg)->instance);
}

static inline bool life_is_stopped(void *arg)
{
    return ((struct life *)arg)->stopped > 0;
}

static inline void life_await(struct life *life, bool (*so)(void *))
{
    if (!kit_until(life->loop, so, life, 20000)) {
        fail_msg("not so: state %s, reason \"%s\", %d done",
                 instance_state_name(instance_state(life->instance)),
                 instance_reason(life->instance), life->done);
    }
}

/* One call from its start until hooks->done. */
static inline void life_call(struct life *life, enum ability ability)
{
    life->done = 0;
    assert_int_equal(instance_call(life->instance, ability), 0);
    assert_int_equal(instance_call(life->instance, ability), -EBUSY);
    life_await(life, life_is_done);
    assert_int_equal(life->done, 1);
}

#endif
