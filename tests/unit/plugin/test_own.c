/* Instances on the component thread: the same life, without a worker. */
#include "kit.h"

#include <unistd.h>

#include "base/limits.h"
#include "model/notification.h"
#include "plugin/instance.h"

struct own {
    int creates, destroys, checks;
};

struct owner {
    struct loop *loop;
    struct local *local;
    struct instance *instances[3];
    int done, states, stopped;
    tmon_rc rc;
    tmon_verdict verdict;
    size_t samples_len;
    int64_t retry_after_ms;
    char reason[512];
    char message[256];
    bool chain; /* collect after the check, from the hook */
};

/* ---- components of this test ---- */

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct own *own = self;

    own->creates++;
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    struct own *own = self;

    own->checks++;
    tmon_detail(call, "checks", own->checks);
    if (own->checks == 2) {
        tmon_log(call, TMON_ERROR, "the second one fails in %s", tmon_instance(call));
        return TMON_REJECTED;
    }
    tmon_report(call, NULL, TMON_WARN, "odd");
    return TMON_OK;
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    tmon_gauge(call, "own_gauge", NULL, 1, NULL, 0);
    return TMON_OK;
}

static tmon_rc deliver(struct tmon_call *call, void *self,
                       const struct tmon_notification *notification)
{
    tmon_log(call, TMON_INFO, "%s: %zu alerts", notification->id, notification->nalerts);
    if (notification->attempt == 1) {
        tmon_retry_after(call, 250);
        tmon_log(call, TMON_ERROR, "not yet");
        return TMON_RETRY;
    }
    return TMON_OK;
}

static tmon_rc hang(struct tmon_call *call, void *self)
{
    for (;;) {
        (void)pause();
    }
    return TMON_OK;
}

static const struct tmon_component hanging = {.size = sizeof hanging,
                                              .name = "hanging",
                                              .summary = "",
                                              .state_size = sizeof(struct own),
                                              .check = hang};

static tmon_rc create_later(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    /* `self` is zeroed for each try, so this one fails for ever. */
    if (((struct own *)self)->creates++ == 0) {
        tmon_log(call, TMON_ERROR, "not yet");
        return TMON_RETRY;
    }
    return TMON_OK;
}

static const struct tmon_component good = {.size = sizeof good,
                                           .name = "good",
                                           .summary = "",
                                           .state_size = sizeof(struct own),
                                           .create = create,
                                           .destroy = destroy,
                                           .check = check,
                                           .collect = collect};
static const struct tmon_component sink = {.size = sizeof sink,
                                           .name = "sink",
                                           .summary = "",
                                           .state_size = sizeof(struct own),
                                           .create = create,
                                           .deliver = deliver};
static const struct tmon_component bad = {.size = sizeof bad,
                                          .name = "bad",
                                          .summary = "",
                                          .state_size = sizeof(struct own),
                                          .create = create_later,
                                          .destroy = destroy,
                                          .check = check};

/* ---- hooks ---- */

static void on_done(void *arg, const struct instance_result *result)
{
    struct owner *owner = arg;

    owner->done++;
    owner->rc = result->rc;
    owner->retry_after_ms = result->retry_after_ms;
    (void)snprintf(owner->message, sizeof owner->message, "%s", result->message);
    if (result->ability == ABILITY_CHECK) {
        owner->verdict = result->verdict->status;
        verdict_destroy(result->verdict);
        if (owner->chain) {
            assert_int_equal(instance_call(owner->instances[0], ABILITY_COLLECT), 0);
            local_flush(owner->local);
        }
    } else {
        owner->samples_len = result->samples_len;
    }
}

static void on_state(void *arg, enum instance_state from, enum instance_state to,
                     const char *reason)
{
    struct owner *owner = arg;

    owner->states++;
    (void)snprintf(owner->reason, sizeof owner->reason, "%s", reason);
}

static void on_stopped(void *arg)
{
    ((struct owner *)arg)->stopped++;
}

static const struct instance_hooks hooks = {
    .done = on_done, .state = on_state, .stopped = on_stopped};

static int setup(void **state)
{
    struct owner *owner = calloc(1, sizeof *owner);

    assert_non_null(owner);
    assert_int_equal(loop_create(&owner->loop), 0);
    assert_int_equal(local_create(owner->loop, &owner->local), 0);
    *state = owner;
    return 0;
}

static int teardown(void **state)
{
    struct owner *owner = *state;

    local_destroy(owner->local);
    for (int i = 0; i < 3; i++) {
        instance_destroy(owner->instances[i]);
    }
    loop_destroy(owner->loop);
    free(owner);
    return 0;
}

static void begin(struct owner *owner, int i, const struct tmon_component *component)
{
    struct instance_options options = {
        .name = "mine",
        .component = component->name,
        .path = "/own.so",
        .abilities = (component->check ? ABILITY_CHECK : 0u) |
                     (component->collect ? ABILITY_COLLECT : 0u) |
                     (component->deliver ? ABILITY_DELIVER : 0u),
        .own = component,
        .interval_ms = 1000,
        .timeout_ms = 1000,
        .loop = owner->loop,
        .local = owner->local,
        .times = {.backoff_first_ms = 5},
        .hooks = &hooks,
        .owner = owner,
    };

    assert_int_equal(instance_create(&options, &owner->instances[i]), 0);
    instance_start(owner->instances[i]);
}

static bool is_ready(void *arg)
{
    return instance_state(((struct owner *)arg)->instances[0]) == INSTANCE_READY;
}

static bool is_degraded(void *arg)
{
    return instance_state(((struct owner *)arg)->instances[0]) == INSTANCE_DEGRADED;
}

static bool done_thrice(void *arg)
{
    return ((struct owner *)arg)->done >= 3;
}

static bool done_once(void *arg)
{
    return ((struct owner *)arg)->done >= 1;
}

static bool is_stopped(void *arg)
{
    return ((struct owner *)arg)->stopped > 0;
}

static bool retried(void *arg)
{
    return instance_counters(((struct owner *)arg)->instances[0])->create_failures >= 3;
}

static void call(struct owner *owner, enum ability ability)
{
    owner->done = 0;
    assert_int_equal(instance_call(owner->instances[0], ability), 0);
    assert_int_equal(instance_call(owner->instances[0], ability), -EBUSY);
    local_flush(owner->local);
    assert_true(kit_until(owner->loop, done_once, owner, 5000));
}

static void checks_and_collects(void **state)
{
    struct owner *owner = *state;

    begin(owner, 0, &good);
    assert_int_equal(instance_call(owner->instances[0], ABILITY_CHECK), -EAGAIN);
    assert_true(kit_until(owner->loop, is_ready, owner, 5000));
    call(owner, ABILITY_CHECK);
    assert_int_equal(owner->verdict, TMON_WARN);
    call(owner, ABILITY_CHECK);
    assert_int_equal(owner->verdict, TMON_FAIL);
    assert_string_equal(owner->message, "the second one fails in mine");
    call(owner, ABILITY_COLLECT);
    assert_int_equal(owner->rc, TMON_OK);
    assert_true(owner->samples_len > 0);
    owner->chain = true;
    owner->samples_len = 0;
    call(owner, ABILITY_CHECK);
    owner->done = 0;
    assert_true(owner->samples_len > 0 || kit_until(owner->loop, done_once, owner, 5000));
    assert_true(owner->samples_len > 0);
    assert_int_equal(instance_pid(owner->instances[0]), 0);
}

static void put_notification(struct buf *args, uint32_t attempt)
{
    const struct tmon_notification notification = {
        .size = sizeof notification, .attempt = attempt, .id = "n-1"};

    buf_init(args, LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(args, &notification), 0);
}

static void deliver_once(struct owner *owner, uint32_t attempt)
{
    struct buf args;

    put_notification(&args, attempt);
    owner->done = 0;
    assert_int_equal(instance_call_sink(owner->instances[0], ABILITY_DELIVER, args.data, args.len),
                     0);
    assert_int_equal(instance_call_sink(owner->instances[0], ABILITY_DELIVER, args.data, args.len),
                     -EBUSY);
    buf_finish(&args); // it has a copy
    local_flush(owner->local);
    assert_true(kit_until(owner->loop, done_once, owner, 5000));
}

static void delivers(void **state)
{
    struct owner *owner = *state;

    begin(owner, 0, &sink);
    assert_true(kit_until(owner->loop, is_ready, owner, 5000));
    assert_int_equal(instance_call_sink(owner->instances[0], ABILITY_DELIVER, "x", 1), -EPROTO);
    assert_int_equal(instance_call_sink(owner->instances[0], ABILITY_FORMAT, "x", 1), -EAGAIN);
    deliver_once(owner, 1);
    assert_int_equal(owner->rc, TMON_RETRY);
    assert_int_equal(owner->retry_after_ms, 250);
    assert_string_equal(owner->message, "not yet");
    deliver_once(owner, 2);
    assert_int_equal(owner->rc, TMON_OK);
    assert_int_equal(owner->retry_after_ms, -1);
    assert_string_equal(owner->message, "");
}

/* What is due together is handed over together. */
static void runs_several_on_one_flush(void **state)
{
    struct owner *owner = *state;

    for (int i = 0; i < 3; i++) {
        begin(owner, i, &good);
    }
    assert_true(kit_until(owner->loop, is_ready, owner, 5000));
    (void)kit_until(owner->loop, done_once, owner, 20);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(instance_call(owner->instances[i], ABILITY_COLLECT), 0);
    }
    (void)kit_until(owner->loop, done_once, owner, 20);
    assert_int_equal(owner->done, 0);
    local_flush(owner->local);
    assert_true(kit_until(owner->loop, done_thrice, owner, 5000));
}

static void tries_to_create_again(void **state)
{
    struct owner *owner = *state;

    begin(owner, 0, &bad);
    assert_true(kit_until(owner->loop, is_degraded, owner, 5000));
    assert_string_equal(owner->reason, "create failed: not yet");
    assert_true(kit_until(owner->loop, retried, owner, 5000));
    assert_int_equal(owner->states, 1);
    instance_stop(owner->instances[0]); // what the component's thread still has would stay with it
    assert_true(kit_until(owner->loop, is_stopped, owner, 5000));
}

static void stops(void **state)
{
    struct owner *owner = *state;

    begin(owner, 0, &good);
    assert_true(kit_until(owner->loop, is_ready, owner, 5000));
    instance_stop(owner->instances[0]);
    assert_int_equal(owner->stopped, 0);
    assert_true(kit_until(owner->loop, is_stopped, owner, 5000));
}

/* While it is made, while a call runs, while it rests. */
static void stops_at_any_moment(void **state)
{
    struct owner *owner = *state;

    begin(owner, 0, &good);
    instance_stop(owner->instances[0]);
    assert_true(kit_until(owner->loop, is_stopped, owner, 5000));
    instance_destroy(owner->instances[0]);

    owner->stopped = 0;
    begin(owner, 0, &good);
    assert_true(kit_until(owner->loop, is_ready, owner, 5000));
    assert_int_equal(instance_call(owner->instances[0], ABILITY_CHECK), 0);
    instance_stop(owner->instances[0]);
    assert_true(kit_until(owner->loop, is_stopped, owner, 5000));
    assert_int_equal(owner->done, 0);
    instance_destroy(owner->instances[0]);

    owner->stopped = 0;
    begin(owner, 0, &bad);
    assert_true(kit_until(owner->loop, is_degraded, owner, 5000));
    instance_stop(owner->instances[0]);
    assert_true(kit_until(owner->loop, is_stopped, owner, 5000));
}

/* The agent ends all the same. */
static void one_that_hangs_is_left_behind(void **state)
{
    struct owner *owner = *state;

    begin(owner, 0, &hanging);
    assert_true(kit_until(owner->loop, is_ready, owner, 5000));
    assert_int_equal(instance_call(owner->instances[0], ABILITY_CHECK), 0);
    instance_stop(owner->instances[0]);
    local_destroy(owner->local);
    owner->local = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(checks_and_collects, setup, teardown),
        cmocka_unit_test_setup_teardown(delivers, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_several_on_one_flush, setup, teardown),
        cmocka_unit_test_setup_teardown(tries_to_create_again, setup, teardown),
        cmocka_unit_test_setup_teardown(stops, setup, teardown),
        cmocka_unit_test_setup_teardown(stops_at_any_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_hangs_is_left_behind, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
