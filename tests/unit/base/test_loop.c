/* core/base/loop.c: timers in order and never early, posts from other threads, removal inside a
 * callback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

struct order {
    struct loop *loop;
    int fired[4];
    int n;
    int64_t set_at;
    int64_t late_by;
};

struct numbered {
    struct loop_timer timer;
    struct order *order;
    int number;
};

static void on_numbered(struct loop_timer *timer, int64_t now_ns)
{
    struct numbered *numbered = timer->owner;

    assert_true(now_ns >= numbered->order->set_at);
    numbered->order->fired[numbered->order->n++] = numbered->number;
    if (numbered->order->n == 3) {
        loop_stop(numbered->order->loop);
    }
}

static void test_timers_fire_in_order(void **state)
{
    struct order order = {0};
    struct numbered timers[4];

    assert_int_equal(loop_create(&order.loop), 0);
    order.set_at = clock_mono_ns();
    for (int i = 0; i < 4; i++) {
        timers[i] = (struct numbered){.order = &order, .number = i};
        loop_timer_init(&timers[i].timer, on_numbered, &timers[i]);
    }
    (void)loop_timer_set(order.loop, &timers[0].timer, order.set_at + 3 * NS_PER_MS);
    (void)loop_timer_set(order.loop, &timers[1].timer, order.set_at + 1 * NS_PER_MS);
    (void)loop_timer_set(order.loop, &timers[2].timer, order.set_at + 60 * NS_PER_S);
    (void)loop_timer_set(order.loop, &timers[2].timer, order.set_at + 2 * NS_PER_MS); /* moved */
    (void)loop_timer_set(order.loop, &timers[3].timer, order.set_at);
    loop_timer_stop(order.loop, &timers[3].timer);
    assert_int_equal(loop_run(order.loop), 0);
    assert_int_equal(order.fired[0], 1);
    assert_int_equal(order.fired[1], 2);
    assert_int_equal(order.fired[2], 0);
    assert_true(clock_mono_ns() >= order.set_at + 3 * NS_PER_MS);
    loop_destroy(order.loop);
}

struct poster {
    struct loop *loop;
    int seen;
    int next[2];
};

struct message {
    struct poster *poster;
    int thread;
    int number;
};

#define POSTS 2000

static void on_message(void *arg)
{
    struct message *message = arg;
    struct poster *poster = message->poster;

    assert_int_equal(message->number, poster->next[message->thread]++);
    if (++poster->seen == 2 * POSTS) {
        loop_stop(poster->loop);
    }
}

static struct message messages[2][POSTS];

static void *post_all(void *arg)
{
    struct message *mine = arg;

    for (int i = 0; i < POSTS; i++) {
        (void)loop_post(mine[i].poster->loop, on_message, &mine[i]);
    }
    return NULL;
}

static void test_posts_keep_their_order(void **state)
{
    struct poster poster = {0};
    pthread_t threads[2];

    assert_int_equal(loop_create(&poster.loop), 0);
    for (int t = 0; t < 2; t++) {
        for (int i = 0; i < POSTS; i++) {
            messages[t][i] = (struct message){&poster, t, i};
        }
        assert_int_equal(pthread_create(&threads[t], NULL, post_all, messages[t]), 0);
    }
    assert_int_equal(loop_run(poster.loop), 0);
    for (int t = 0; t < 2; t++) {
        (void)pthread_join(threads[t], NULL);
    }
    assert_int_equal(poster.seen, 2 * POSTS);
    loop_destroy(poster.loop);
}

struct pair {
    struct loop *loop;
    struct loop_fd a, b;
    int calls;
};

static void on_ready(struct loop_fd *watch, uint32_t events)
{
    struct pair *pair = watch->owner;

    /* Both are ready in this turn; whoever comes first removes the other. */
    pair->calls++;
    loop_fd_remove(pair->loop, watch == &pair->a ? &pair->b : &pair->a);
    loop_stop(pair->loop);
}

static void test_removed_watch_is_not_called(void **state)
{
    struct pair pair = {0};
    int p[2], q[2];

    assert_int_equal(pipe(p), 0);
    assert_int_equal(pipe(q), 0);
    assert_int_equal(write(p[1], "x", 1), 1);
    assert_int_equal(write(q[1], "x", 1), 1);
    assert_int_equal(loop_create(&pair.loop), 0);
    assert_int_equal(loop_fd_add(pair.loop, &pair.a, p[0], EPOLLIN, on_ready, &pair), 0);
    assert_int_equal(loop_fd_add(pair.loop, &pair.b, q[0], EPOLLIN, on_ready, &pair), 0);
    assert_int_equal(loop_run(pair.loop), 0);
    assert_int_equal(pair.calls, 1);
    loop_destroy(pair.loop);
    for (int i = 0; i < 2; i++) {
        (void)close(p[i]);
        (void)close(q[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_order),
        cmocka_unit_test(test_posts_keep_their_order),
        cmocka_unit_test(test_removed_watch_is_not_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
