/* Attempts through real workers and a broker of the test's, to their outcomes. */
#include "delivery_kit.h"

#include <pthread.h>

#include "base/utf8.h"
#include "model/exchange.h"
#include "model/manifest.h"
#include "outbox/delivery.h"

#define FLIGHTS 16
#define WORKERS 3

struct asked {
    bool used;
    void (*answer)(void *asker, uint32_t ticket, const void *response, size_t len);
    void *asker;
    uint64_t timeout_ms;
    char url[256], body[512];
};

struct world {
    size_t descriptors;
    struct loop *loop;
    struct spawner *spawner;
    struct delivery *delivery;
    struct delivery_sink *sink;
    struct instance *workers[WORKERS];
    size_t nworkers;
    struct settings *settings; /* a copy of the first worker's */
    int64_t timeout_ms;
    int sink_owner;

    /* the broker */
    struct broker broker;
    struct asked asked[FLIGHTS];
    size_t nasked, cancelled;
    int error;      /* that it refuses with */
    int32_t status; /* it answers at once with; 0: it does not */

    /* outcomes, in their order */
    struct outbox_outcome outcomes[64];
    size_t noutcomes;
    void *told_owner;
    struct outbox_outcome tried;
    size_t ntried, ndrained, nstopped;
};

/* ---- the broker ---- */

static void answer(struct world *world, size_t i, tmon_rc rc, int32_t status, const char *body,
                   int64_t retry_after_ms, const char *error)
{
    const struct tmon_response response = {.size = sizeof response,
                                           .status = status,
                                           .retry_after_ms = retry_after_ms,
                                           .body = {body, strlen(body)},
                                           .error = error};
    struct asked *asked = &world->asked[i];
    struct buf buf;

    assert_true(asked->used);
    asked->used = false;
    buf_init(&buf, 100000);
    wire_put_u32(&buf, (uint32_t)rc);
    assert_int_equal(exchange_encode_response(&buf, &response), 0);
    asked->answer(asked->asker, (uint32_t)i, buf.data, buf.len);
    buf_finish(&buf);
}

static void answer_status(struct world *world, size_t i, int32_t status, const char *body)
{
    answer(world, i, TMON_OK, status, body, -1, "");
}

static int submit(void *owner, const void *request, size_t len, const struct settings *settings,
                  void (*answer_fn)(void *asker, uint32_t ticket, const void *response, size_t len),
                  void *asker, uint32_t *ret_ticket)
{
    struct world *world = owner;
    struct asked *asked = &world->asked[world->nasked];
    struct tmon_request decoded;
    struct wire_reader reader;

    if (world->error) {
        return world->error;
    }
    assert_true(world->nasked < FLIGHTS);
    assert_ptr_equal(settings, world->settings);
    wire_reader_init(&reader, request, len);
    asked->timeout_ms = wire_get_u64(&reader);
    assert_int_equal(exchange_decode_request(&reader, &decoded), 0);
    assert_true(wire_done(&reader));
    (void)snprintf(asked->url, sizeof asked->url, "%s", decoded.url);
    (void)snprintf(asked->body, sizeof asked->body, "%.*s", (int)decoded.body.len,
                   (const char *)decoded.body.data);
    exchange_finish_request(&decoded);
    asked->used = true;
    asked->answer = answer_fn;
    asked->asker = asker;
    *ret_ticket = (uint32_t)world->nasked++;
    if (world->status) {
        answer_status(world, *ret_ticket, world->status, "");
    }
    return 0;
}

static void cancel(void *owner, uint32_t ticket)
{
    struct world *world = owner;

    assert_true(world->asked[ticket].used);
    world->asked[ticket].used = false;
    world->cancelled++;
}

/* ---- hooks ---- */

static void on_outcome(void *owner, const struct outbox_outcome *outcome, void *sink_owner)
{
    struct world *world = owner;

    assert_true(world->noutcomes < 64);
    assert_true(utf8_valid(outcome->reason, strlen(outcome->reason)));
    world->told_owner = sink_owner;
    world->outcomes[world->noutcomes++] = *outcome;
}

static void on_tried(void *owner, const struct outbox_outcome *outcome)
{
    struct world *world = owner;

    world->tried = *outcome;
    world->ntried++;
}

static void on_drained(void *owner)
{
    struct world *world = owner;

    world->ndrained++;
    world->sink = NULL;
}

struct slot {
    struct world *world;
    size_t i;
};

static void on_done(void *owner, const struct instance_result *result)
{
    struct slot *slot = owner;

    if (slot->world->sink) {
        delivery_done(slot->world->sink, slot->world->workers[slot->i], result);
    }
}

static void look(void *owner)
{
    struct slot *slot = owner;

    if (slot->world->sink) {
        delivery_look(slot->world->sink);
    }
}

static void on_state(void *owner, enum instance_state from, enum instance_state to,
                     const char *reason)
{
    look(owner);
}

static void on_stopped(void *owner)
{
    struct slot *slot = owner;

    instance_destroy(slot->world->workers[slot->i]);
    slot->world->workers[slot->i] = NULL;
    slot->world->nstopped++;
    free(slot);
}

static const struct instance_hooks instance_hooks = {
    .done = on_done, .state = on_state, .idle = look, .stopped = on_stopped};

/* ---- a sink ---- */

static struct settings *make_settings(void)
{
    struct settings *settings = settings_create(2);

    assert_non_null(settings);
    settings->settings[0] = (struct setting){.name = strdup("url"),
                                             .type = TMON_URL,
                                             .set = true,
                                             .text = strdup("https://hooks.example.org/XXXXtoken")};
    settings->settings[1] = (struct setting){.name = strdup("token"),
                                             .type = TMON_STRING,
                                             .secret = true,
                                             .set = true,
                                             .text = strdup("canary-of-a-token")};
    return settings;
}

static void begin(struct world *world, const char *fixture, const char *component,
                  uint32_t abilities, size_t nworkers)
{
    struct delivery_options options = {.name = "sink",
                                       .abilities = abilities,
                                       .timeout_ms = world->timeout_ms,
                                       .nworkers = nworkers,
                                       .workers = world->workers,
                                       .owner = &world->sink_owner};

    world->nworkers = nworkers;
    for (size_t i = 0; i < nworkers; i++) {
        struct slot *slot = calloc(1, sizeof *slot);
        struct instance_options of = {
            .name = "sink",
            .component = component,
            .path = kit_fixture(fixture),
            .abilities = abilities,
            .settings = strcmp(fixture, "bad_sink") == 0 ? make_settings() : settings_create(0),
            .interval_ms = 1000,
            .timeout_ms = world->timeout_ms,
            .loop = world->loop,
            .spawner = world->spawner,
            .times = {.backoff_first_ms = 20,
                      .grace_ms = 3000,
                      .stop_grace_ms = 500,
                      .kill_ms = 500},
            .hooks = &instance_hooks,
            .owner = slot,
        };

        assert_non_null(slot);
        *slot = (struct slot){world, i};
        assert_int_equal(instance_create(&of, &world->workers[i]), 0);
    }
    world->settings = (struct settings *)(uintptr_t)instance_settings(world->workers[0]);
    options.settings = world->settings;
    assert_int_equal(delivery_add(world->delivery, &options, &world->sink), 0);
    for (size_t i = 0; i < nworkers; i++) {
        instance_start(world->workers[i]);
    }
}

static bool is_ready(void *arg)
{
    struct world *world = arg;

    for (size_t i = 0; i < world->nworkers; i++) {
        if (!instance_callable(world->workers[i])) {
            return false;
        }
    }
    return true;
}

static bool was_told(void *arg)
{
    return ((struct world *)arg)->noutcomes > 0;
}

static bool was_asked(void *arg)
{
    return ((struct world *)arg)->nasked > 0;
}

static bool all_stopped(void *arg)
{
    struct world *world = arg;

    return world->nstopped == world->nworkers;
}

static void await(struct world *world, bool (*so)(void *))
{
    if (!kit_until(world->loop, so, world, 20000)) {
        fail_msg("not so: %zu asked, %zu outcomes", world->nasked, world->noutcomes);
    }
}

static void begin_ready(struct world *world, const char *fixture, const char *component,
                        uint32_t abilities, size_t nworkers)
{
    begin(world, fixture, component, abilities, nworkers);
    await(world, is_ready);
}

static struct outbox_attempt *make_attempt(int64_t id, const char *how)
{
    const struct tmon_pair labels[] = {{"alertname", "Fire"}};
    const struct tmon_alert alert = {.size = sizeof alert,
                                     .firing = true,
                                     .key = "1",
                                     .name = "Fire",
                                     .summary = "It burns",
                                     .labels = labels,
                                     .nlabels = 1};
    const struct tmon_alert *const alerts[] = {&alert};
    const struct tmon_notification notification = {
        .size = sizeof notification, .id = how, .alerts = alerts, .nalerts = 1};

    return kit_attempt("sink", id, &notification);
}

static void put(struct world *world, int64_t id, const char *how)
{
    delivery_put(world->delivery, make_attempt(id, how));
}

static const struct outbox_outcome *expect(const struct world *world, size_t i, int64_t id,
                                           enum outbox_result result, const char *reason)
{
    const struct outbox_outcome *outcome = &world->outcomes[i];

    assert_true(i < world->noutcomes);
    assert_int_equal(outcome->id, id);
    assert_string_equal(outcome->sink, "sink");
    assert_string_equal(outcome->reason, reason);
    assert_int_equal(outcome->result, result);
    return outcome;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct delivery_hooks hooks;

    assert_non_null(world);
    hooks = (struct delivery_hooks){world, on_outcome};
    world->descriptors = kit_descriptors();
    world->spawner = kit_spawner();
    world->timeout_ms = 5000;
    world->broker = (struct broker){world, submit, cancel};
    assert_int_equal(loop_create(&world->loop), 0);
    assert_int_equal(delivery_create(world->loop, NULL, &world->broker, &hooks, &world->delivery),
                     0);
    assert_int_equal(delivery_set_external_url(world->delivery, "http://agent/"), 0);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    delivery_destroy(world->delivery);
    world->sink = NULL;
    world->nstopped = 0;
    for (size_t i = 0; i < world->nworkers; i++) {
        if (world->workers[i]) {
            instance_stop(world->workers[i]);
        } else {
            world->nstopped++;
        }
    }
    assert_true(kit_until(world->loop, all_stopped, world, 20000));
    spawner_destroy(world->spawner);
    loop_destroy(world->loop);
    kit_no_children();
    assert_int_equal(kit_descriptors(), world->descriptors);
    free(world);
    return 0;
}

/* ---- over HTTP ---- */

static void delivers(void **state)
{
    struct world *world = *state;
    const struct outbox_outcome *outcome;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    put(world, 7, "well");
    await(world, was_asked);
    assert_string_equal(world->asked[0].url, "https://hooks.example.org/XXXXtoken");
    assert_string_equal(world->asked[0].body, "[FIRING:1] Fire|sink");
    assert_int_equal(world->asked[0].timeout_ms, 5000);
    assert_int_equal(delivery_under_way(world->sink), 1);
    assert_false(delivery_is_stuck(world->delivery, clock_mono_ns() + 60 * NS_PER_S));
    assert_true(delivery_is_stuck(world->delivery, clock_mono_ns() + 71 * NS_PER_S));
    answer_status(world, 0, 200, "ok");
    outcome = expect(world, 0, 7, OUTBOX_DELIVERED, "");
    assert_int_equal(outcome->status, 200);
    assert_int_equal(outcome->retry_after_ms, -1);
    assert_ptr_equal(world->told_owner, &world->sink_owner);
    assert_int_equal(delivery_under_way(world->sink), 0);
}

static bool asked_eight(void *arg)
{
    return ((struct world *)arg)->nasked == 8;
}

/* One worker, many requests in flight; they may end in any order. */
static void has_many_in_flight(void **state)
{
    struct world *world = *state;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    for (int64_t i = 0; i < 8; i++) {
        put(world, i, "well");
    }
    await(world, asked_eight);
    assert_int_equal(delivery_under_way(world->sink), 8);
    for (size_t i = 8; i-- > 0;) {
        answer_status(world, i, 204, "");
    }
    assert_int_equal(world->noutcomes, 8);
    for (size_t i = 0; i < 8; i++) {
        (void)expect(world, i, 7 - (int64_t)i, OUTBOX_DELIVERED, "");
    }
}

static void takes_the_usual_verdict(void **state)
{
    struct world *world = *state;
    const struct outbox_outcome *outcome;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    for (int64_t i = 0; i < 8; i++) {
        put(world, i, "well");
    }
    await(world, asked_eight);
    answer(world, 0, TMON_OK, 429, "slow down\nplease", 2500, "");
    outcome = expect(world, 0, 0, OUTBOX_RETRY, "HTTP 429 slow down");
    assert_int_equal(outcome->status, 429);
    assert_int_equal(outcome->retry_after_ms, 2500);
    answer_status(world, 1, 500, "<html>");
    (void)expect(world, 1, 1, OUTBOX_AMBIGUOUS, "HTTP 500");
    answer_status(world, 2, 400, "invalid_payload");
    (void)expect(world, 2, 2, OUTBOX_REJECTED, "HTTP 400 invalid_payload");
    answer_status(world, 3, 404, "no hook at /XXXXtoken for canary-of-a-token");
    (void)expect(world, 3, 3, OUTBOX_PAUSE, "HTTP 404 no hook at <secret> for <secret>");
    answer(world, 4, TMON_RETRY, 0, "", -1,
           "cannot connect to hooks.example.org port 443: refused");
    (void)expect(world, 4, 4, OUTBOX_RETRY,
                 "cannot connect to hooks.example.org port 443: refused");
    answer(world, 5, TMON_AMBIGUOUS, 0, "", -1, "hooks.example.org did not answer");
    (void)expect(world, 5, 5, OUTBOX_AMBIGUOUS, "hooks.example.org did not answer");
    answer(world, 6, TMON_REJECTED, 0, "", -1, "the host is refused");
    outcome = expect(world, 6, 6, OUTBOX_PAUSE, "the host is refused");
    assert_int_equal(outcome->status, 0);
    answer(world, 7, TMON_OK, 503, "", INT64_C(99) * 86400000, "");
    outcome = expect(world, 7, 7, OUTBOX_RETRY, "HTTP 503");
    assert_int_equal(outcome->retry_after_ms, LIMIT_HTTP_RETRY_AFTER_MS);
}

static void judges(void **state)
{
    struct world *world = *state;
    const struct outbox_outcome *outcome;

    begin_ready(world, "bad_sink", "bad_judge", ABILITY_FORMAT | ABILITY_JUDGE, 1);
    for (int64_t i = 0; i < 8; i++) {
        put(world, i, "well");
    }
    await(world, asked_eight);
    /* All at once: they wait for the one worker. */
    answer_status(world, 0, 200, "well");
    answer_status(world, 1, 200, "reject");
    answer_status(world, 2, 500, "retry");
    answer_status(world, 3, 404, "reject");
    answer_status(world, 4, 404, "well");
    answer(world, 5, TMON_RETRY, 0, "", -1, "refused");
    assert_int_equal(world->noutcomes, 1); // only what needs no judge
    (void)expect(world, 0, 5, OUTBOX_RETRY, "refused");
    while (world->noutcomes < 6) {
        (void)kit_until(world->loop, was_told, world, 1);
        if (world->noutcomes < 6) {
            (void)kit_until(world->loop, asked_eight, world, 5);
        }
    }
    (void)expect(world, 1, 0, OUTBOX_DELIVERED, "");
    (void)expect(world, 2, 1, OUTBOX_REJECTED, "HTTP 200 never");
    outcome = expect(world, 3, 2, OUTBOX_RETRY, "HTTP 500 not now");
    assert_int_equal(outcome->retry_after_ms, 1500);
    (void)expect(world, 4, 3, OUTBOX_PAUSE, "HTTP 404 never");
    (void)expect(world, 5, 4, OUTBOX_DELIVERED, "");
}

/* A broker may answer from within submit(). */
static void takes_an_answer_at_once(void **state)
{
    struct world *world = *state;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    world->status = 200;
    put(world, 1, "well");
    await(world, was_told);
    (void)expect(world, 0, 1, OUTBOX_DELIVERED, "");
}

static void tells_what_format_said(void **state)
{
    struct world *world = *state;
    const struct outbox_outcome *outcome;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    put(world, 1, "retry");
    await(world, was_told);
    outcome = expect(world, 0, 1, OUTBOX_RETRY, "not now");
    assert_int_equal(outcome->status, 0);
    world->noutcomes = 0;
    put(world, 2, "reject");
    await(world, was_told);
    (void)expect(world, 0, 2, OUTBOX_REJECTED, "never");
    assert_int_equal(world->nasked, 0);
}

static bool told_twice(void *arg)
{
    return ((struct world *)arg)->noutcomes >= 2;
}

/* Nothing left us: it is tried again; what waited behind it was not tried at all. */
static void survives_a_crash_in_format(void **state)
{
    struct world *world = *state;
    const struct outbox_outcome *crashed, *behind;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    put(world, 1, "crash");
    put(world, 2, "well");
    await(world, told_twice);
    /* The second may be refused by a worker that is dying already: then it is told first. */
    crashed = world->outcomes[0].id == 1 ? &world->outcomes[0] : &world->outcomes[1];
    behind = crashed == &world->outcomes[0] ? &world->outcomes[1] : &world->outcomes[0];
    assert_int_equal(crashed->result, OUTBOX_RETRY);
    assert_non_null(strstr(crashed->reason, "signal 6"));
    assert_int_equal(behind->result, OUTBOX_UNREADY);
    assert_non_null(strstr(behind->reason, "its plugin is not ready"));
    await(world, is_ready);
    put(world, 3, "well");
    await(world, was_asked);
}

/* Somebody has answered, and the plugin died over it: 2xx is not known to be a yes. */
static void survives_a_crash_in_judge(void **state)
{
    struct world *world = *state;

    begin_ready(world, "bad_sink", "bad_judge", ABILITY_FORMAT | ABILITY_JUDGE, 1);
    for (int64_t i = 0; i < 8; i++) {
        put(world, i, "well");
    }
    await(world, asked_eight);
    answer_status(world, 0, 200, "crash");
    answer_status(world, 1, 200, "well");
    answer_status(world, 2, 400, "well");
    for (int i = 0; i < 1000 && world->noutcomes < 3; i++) {
        (void)kit_until(world->loop, all_stopped, world, 5);
    }
    assert_int_equal(world->noutcomes, 3);
    /* Who had not been asked yet when it crashed may be told before who crashed it. */
    for (size_t i = 0; i < 3; i++) {
        const struct outbox_outcome *outcome = &world->outcomes[i];

        assert_int_equal(outcome->result, outcome->id == 2 ? OUTBOX_REJECTED : OUTBOX_AMBIGUOUS);
        if (outcome->id == 0) {
            assert_non_null(strstr(outcome->reason, "HTTP 200 its worker crashed"));
        }
    }
}

static void is_refused_by_the_broker(void **state)
{
    struct world *world = *state;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    world->error = -ENOBUFS;
    put(world, 1, "well");
    await(world, was_told);
    (void)expect(world, 0, 1, OUTBOX_UNREADY, "too many HTTP requests are under way");
    world->noutcomes = 0;
    world->error = -EPROTO;
    put(world, 2, "well");
    await(world, was_told);
    (void)expect(world, 0, 2, OUTBOX_RETRY, "its plugin made a malformed request");
    assert_false(instance_callable(world->workers[0]));
}

/* ---- in a blocking call ---- */

static void delivers_in_a_call(void **state)
{
    struct world *world = *state;
    const struct outbox_outcome *outcome;

    begin_ready(world, "bad_sink", "bad_deliver", ABILITY_DELIVER, 1);
    put(world, 1, "well");
    await(world, was_told);
    (void)expect(world, 0, 1, OUTBOX_DELIVERED, "");
    world->noutcomes = 0;
    put(world, 2, "retry");
    await(world, was_told);
    outcome = expect(world, 0, 2, OUTBOX_RETRY, "not now");
    assert_int_equal(outcome->retry_after_ms, 1500);
    world->noutcomes = 0;
    put(world, 3, "crash");
    await(world, was_told);
    assert_int_equal(world->outcomes[0].result, OUTBOX_AMBIGUOUS);
}

/* At the deadline nobody knows; and the worker is busy until it is back. */
static void waits_for_what_is_slow(void **state)
{
    struct world *world = *state;

    world->timeout_ms = 100;
    begin_ready(world, "bad_sink", "bad_deliver", ABILITY_DELIVER, 1);
    put(world, 1, "slow");
    put(world, 2, "well");
    await(world, was_told);
    (void)expect(world, 0, 1, OUTBOX_AMBIGUOUS, "timed out after 0.1 s");
    await(world, told_twice);
    (void)expect(world, 1, 2, OUTBOX_DELIVERED, "");
}

static bool told_six(void *arg)
{
    return ((struct world *)arg)->noutcomes == 6;
}

static void uses_all_workers(void **state)
{
    struct world *world = *state;
    int64_t begun;

    world->timeout_ms = 300;
    begin_ready(world, "bad_sink", "bad_deliver", ABILITY_DELIVER, WORKERS);
    begun = clock_mono_ns();
    for (int64_t i = 0; i < 3; i++) {
        put(world, i, "slow"); // each 400 ms
    }
    for (int64_t i = 3; i < 6; i++) {
        put(world, i, "well");
    }
    await(world, told_six);
    assert_true(clock_mono_ns() - begun < 1000 * NS_PER_MS);
    for (size_t i = 3; i < 6; i++) {
        assert_int_equal(world->outcomes[i].result, OUTBOX_DELIVERED);
    }
}

/* ---- without a worker, without a sink ---- */

static void waits_for_the_first_start(void **state)
{
    struct world *world = *state;

    begin(world, "bad_sink", "bad_deliver", ABILITY_DELIVER, 1);
    put(world, 1, "well");
    await(world, was_told);
    (void)expect(world, 0, 1, OUTBOX_DELIVERED, "");
}

static void does_not_wait_for_what_failed(void **state)
{
    struct world *world = *state;

    begin(world, "hang_create", "no_such_component", ABILITY_DELIVER, 1);
    put(world, 1, "well");
    await(world, was_told);
    assert_int_equal(world->outcomes[0].result, OUTBOX_UNREADY);
}

static void tells_when_there_is_no_sink(void **state)
{
    struct world *world = *state;

    put(world, 1, "well");
    await(world, was_told);
    (void)expect(world, 0, 1, OUTBOX_UNREADY, "there is no such sink");
    assert_null(world->told_owner);
}

static void tries_out_of_turn(void **state)
{
    struct world *world = *state;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    delivery_try(world->delivery, make_attempt(0, "well"), on_tried, world);
    await(world, was_asked);
    answer_status(world, 0, 200, "");
    assert_int_equal(world->ntried, 1);
    assert_int_equal(world->tried.result, OUTBOX_DELIVERED);
    assert_int_equal(world->noutcomes, 0);
    delivery_drop(world->sink);
    world->sink = NULL;
    delivery_try(world->delivery, make_attempt(0, "well"), on_tried, world);
    assert_int_equal(world->ntried, 2);
    assert_int_equal(world->tried.result, OUTBOX_UNREADY);
}

/* ---- the end ---- */

static bool drained(void *arg)
{
    return ((struct world *)arg)->ndrained > 0;
}

/* What is in flight ends; what waits is given back; the name is free for a successor. */
static void drains(void **state)
{
    struct world *world = *state;
    struct delivery_sink *other;
    struct delivery_options options = {.name = "sink", .owner = &world->ndrained};

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    put(world, 1, "well");
    await(world, was_asked);
    delivery_drain(world->sink, on_drained, world);
    assert_int_equal(delivery_add(world->delivery, &options, &other), 0);
    assert_int_equal(world->ndrained, 0);
    put(world, 2, "well");
    await(world, was_told);
    (void)expect(world, 0, 2, OUTBOX_UNREADY, "its plugin is not ready"); // the other's word
    assert_ptr_equal(world->told_owner, &world->ndrained);
    answer_status(world, 0, 200, "");
    (void)expect(world, 1, 1, OUTBOX_DELIVERED, "");
    assert_ptr_equal(world->told_owner, &world->sink_owner);
    assert_int_equal(world->ndrained, 0); // from the loop, not from a hook
    await(world, drained);
    delivery_drop(other);
}

static void drains_at_once_when_idle(void **state)
{
    struct world *world = *state;

    begin(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    put(world, 1, "well");
    (void)kit_until(world->loop, was_told, world, 0);
    delivery_drain(world->sink, on_drained, world);
    await(world, drained);
}

static void holds(void **state)
{
    struct world *world = *state;

    begin_ready(world, "bad_sink", "bad_deliver", ABILITY_DELIVER, 1);
    delivery_hold(world->delivery);
    put(world, 1, "well");
    await(world, was_told);
    (void)expect(world, 0, 1, OUTBOX_UNREADY, "the agent stops");
}

static void drops(void **state)
{
    struct world *world = *state;

    begin_ready(world, "bad_sink", "bad_format", ABILITY_FORMAT, 1);
    put(world, 1, "well");
    await(world, was_asked);
    put(world, 2, "well");
    delivery_drop(world->sink);
    world->sink = NULL;
    assert_int_equal(world->cancelled, 1);
    assert_int_equal(world->noutcomes, 0);
    await(world, was_told);
    (void)expect(world, 0, 2, OUTBOX_UNREADY, "there is no such sink");
}

/* ---- threads ---- */

#define PUTS 2000

static void *put_many(void *arg)
{
    struct world *world = arg;

    for (int64_t i = 0; i < PUTS; i++) {
        struct outbox_attempt *attempt = calloc(1, sizeof *attempt);

        if (attempt) {
            (void)snprintf(attempt->sink, sizeof attempt->sink, "nobody");
            attempt->id = i;
            delivery_put(world->delivery, attempt);
        }
    }
    return NULL;
}

struct counted {
    int64_t next;
};

static void count(void *owner, const struct outbox_outcome *outcome, void *sink_owner)
{
    struct counted *counted = owner;

    assert_int_equal(outcome->id, counted->next);
    counted->next++;
}

static bool counted_all(void *arg)
{
    return ((struct counted *)arg)->next == PUTS;
}

/* From another thread, in order, none lost. */
static void takes_from_any_thread(void **state)
{
    struct world *world = *state;
    struct counted counted = {0};
    const struct delivery_hooks hooks = {&counted, count};
    pthread_t thread;

    delivery_destroy(world->delivery);
    assert_int_equal(delivery_create(world->loop, NULL, &world->broker, &hooks, &world->delivery),
                     0);
    assert_int_equal(pthread_create(&thread, NULL, put_many, world), 0);
    assert_true(kit_until(world->loop, counted_all, &counted, 20000));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

#define CASE(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(delivers),
        CASE(has_many_in_flight),
        CASE(takes_the_usual_verdict),
        CASE(judges),
        CASE(takes_an_answer_at_once),
        CASE(tells_what_format_said),
        CASE(survives_a_crash_in_format),
        CASE(survives_a_crash_in_judge),
        CASE(is_refused_by_the_broker),
        CASE(delivers_in_a_call),
        CASE(waits_for_what_is_slow),
        CASE(uses_all_workers),
        CASE(waits_for_the_first_start),
        CASE(does_not_wait_for_what_failed),
        CASE(tells_when_there_is_no_sink),
        CASE(tries_out_of_turn),
        CASE(drains),
        CASE(drains_at_once_when_idle),
        CASE(holds),
        CASE(drops),
        CASE(takes_from_any_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
