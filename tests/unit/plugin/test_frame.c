/* core/plugin/frame.c: frames over a real socket pair; cutting, assembling, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "plugin/frame.h"

struct pair {
    int a, b;
    uint8_t *packet;
};

static int setup(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    int ends[2];

    if (!pair || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        free(pair);
        return -1;
    }
    pair->a = ends[0];
    pair->b = ends[1];
    pair->packet = malloc(LIMIT_FRAME_BYTES);
    *state = pair;
    return pair->packet ? 0 : -1;
}

static int teardown(void **state)
{
    struct pair *pair = *state;

    (void)close(pair->a);
    (void)close(pair->b);
    free(pair->packet);
    free(pair);
    return 0;
}

static void test_one_frame(void **state)
{
    struct pair *pair = *state;
    struct frame frame;

    assert_int_equal(frame_send(pair->a, FRAME_LOG, 0x01020304, "abc", 3, 0), 0);
    assert_int_equal(frame_send(pair->a, FRAME_STOP, 0, NULL, 0, 0), 0);
    assert_int_equal(frame_recv(pair->b, pair->packet, &frame), 1);
    assert_int_equal(frame.type, FRAME_LOG);
    assert_int_equal(frame.flags, 0);
    assert_int_equal(frame.call, 0x01020304);
    assert_int_equal(frame.len, 3);
    assert_memory_equal(frame.payload, "abc", 3);
    assert_int_equal(frame_recv(pair->b, pair->packet, &frame), 1);
    assert_int_equal(frame.type, FRAME_STOP);
    assert_int_equal(frame.len, 0);
    assert_int_equal(shutdown(pair->a, SHUT_RDWR), 0);
    assert_int_equal(frame_recv(pair->b, pair->packet, &frame), 0);
    assert_int_equal(frame_send(pair->b, FRAME_LOG, 0, "x", 1, 0), -EPIPE);
}

/* A message of `len` bytes through a socket that takes a few frames at a time. */
static void send_long(struct pair *pair, size_t len)
{
    char *message = malloc(len);
    struct frame_assembly assembly;
    const void *data = NULL;
    size_t got = 0, pos = 0;
    int sent = -EAGAIN, r = 0;

    for (size_t i = 0; i < len; i++) {
        message[i] = (char)(i * 31 >> 3);
    }
    frame_assembly_init(&assembly, len);
    while (r == 0) {
        struct frame frame;

        if (sent == -EAGAIN) {
            sent = frame_send_some(pair->a, FRAME_CALL, 7, message, len, &pos);
        }
        assert_true(sent == 0 || sent == -EAGAIN);
        assert_int_equal(frame_recv(pair->b, pair->packet, &frame), 1);
        r = frame_assembly_add(&assembly, &frame, &data, &got);
    }
    assert_int_equal(r, 1);
    assert_int_equal(sent, 0);
    assert_int_equal(got, len);
    assert_memory_equal(data, message, len);
    frame_assembly_finish(&assembly);
    free(message);
}

static void test_long_messages(void **state)
{
    send_long(*state, FRAME_PAYLOAD_BYTES);
    send_long(*state, FRAME_PAYLOAD_BYTES + 1);
    send_long(*state, 2 * FRAME_PAYLOAD_BYTES);
    send_long(*state, 3000000);
}

static void test_a_full_socket(void **state)
{
    struct pair *pair = *state;
    char *message = calloc(1, 10 * LIMIT_FRAME_BYTES);

    assert_int_equal(frame_send(pair->a, FRAME_CALL, 1, message, 10 * LIMIT_FRAME_BYTES,
                                clock_mono_ns() + 20 * NS_PER_MS),
                     -ETIMEDOUT);
    free(message);
}

static int parse(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    return frame_parse(bytes, len, &frame);
}

static void test_malformed(void **state)
{
    struct pair *pair = *state;
    const uint8_t good[9] = {1, FRAME_MORE, 0, 0, 1, 0, 0, 0, 'x'};
    uint8_t bad[9], *large = calloc(1, LIMIT_FRAME_BYTES + 1);
    struct frame frame;

    assert_int_equal(parse(good, sizeof good), 0);
    for (size_t len = 0; len < FRAME_HEADER_BYTES; len++) {
        assert_int_equal(parse(good, len), -EPROTO);
    }
    for (int i = 1; i < 4; i++) {
        memcpy(bad, good, sizeof good);
        bad[i] |= 2;
        assert_int_equal(parse(bad, sizeof bad), -EPROTO);
    }
    assert_int_equal(send(pair->a, large, LIMIT_FRAME_BYTES + 1, 0), LIMIT_FRAME_BYTES + 1);
    assert_int_equal(frame_recv(pair->b, pair->packet, &frame), -EPROTO);
    free(large);
}

static void test_assembly_refuses(void **state)
{
    static uint8_t payload[FRAME_PAYLOAD_BYTES];
    const struct frame first = {FRAME_CALL, FRAME_MORE, 1, payload, sizeof payload};
    const struct frame last = {FRAME_CALL, 0, 1, payload, 5};
    const struct frame bad[] = {
        {FRAME_LOAD, 0, 1, payload, 5},          // another type in between
        {FRAME_CALL, 0, 2, payload, 5},          // another call
        {FRAME_CALL, FRAME_MORE, 1, payload, 5}, // not full, though not the last
    };
    struct frame_assembly assembly;
    const void *data;
    size_t len;

    frame_assembly_init(&assembly, sizeof payload + 5);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(frame_assembly_add(&assembly, &first, &data, &len), 0);
        assert_int_equal(frame_assembly_add(&assembly, &bad[i], &data, &len), -EPROTO);
        frame_assembly_finish(&assembly);
    }
    assert_int_equal(frame_assembly_add(&assembly, &first, &data, &len), 0);
    assert_int_equal(frame_assembly_add(&assembly, &last, &data, &len), 1);
    assert_int_equal(len, sizeof payload + 5);
    assert_int_equal(frame_assembly_add(&assembly, &first, &data, &len), 0);
    assert_int_equal(frame_assembly_add(&assembly, &first, &data, &len), -EMSGSIZE);
    frame_assembly_finish(&assembly);
    frame_assembly_init(&assembly, 4);
    assert_int_equal(frame_assembly_add(&assembly, &last, &data, &len), -EMSGSIZE);
    frame_assembly_finish(&assembly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test(test_assembly_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
