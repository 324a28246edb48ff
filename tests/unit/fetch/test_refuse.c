/* The agent's own listeners are refused, by whatever address they would be reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "fetch/refuse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct sockaddr_storage address_of(const char *ip, uint16_t port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;

    if (inet_pton(AF_INET, ip, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, ip, &six->sin6_addr), 1);
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
    }
    return address;
}

static void knows_our_listeners(void **state)
{
    static const struct {
        const char *listener, *ip;
        uint16_t port;
        bool refused;
    } cases[] = {
        {"127.0.0.1:9909", "127.0.0.1", 9909, true},
        {"127.0.0.1:9909", "127.0.0.1", 9910, false},
        {"127.0.0.1:9909", "127.0.0.2", 9909, false},
        {"127.0.0.1:9909", "0.0.0.0", 9909, true},
        {"127.0.0.1:9909", "::ffff:127.0.0.1", 9909, true},
        {"localhost:9909", "127.0.0.1", 9909, true},
        {"[::1]:9909", "::1", 9909, true},
        {"[::1]:9909", "::", 9909, true},
        {"[::1]:9909", "127.0.0.1", 9909, false},
        {"0.0.0.0:9909", "127.0.0.1", 9909, true},
        {"0.0.0.0:9909", "127.3.2.1", 9909, true},
        {"0.0.0.0:9909", "192.0.2.1", 9909, false}, // nobody's
        {"[::]:9909", "127.0.0.1", 9909, true},
        {":9909", "127.0.0.1", 9909, true},
        {"*:9909", "127.0.0.1", 9909, true},
        {"192.0.2.1:9909", "192.0.2.1", 9909, true},
        {"unix:/run/toiletmon.sock", "127.0.0.1", 9909, false},
        {"127.0.0.1:", "127.0.0.1", 9909, false},
        {"", "127.0.0.1", 9909, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sockaddr_storage address = address_of(cases[i].ip, cases[i].port);

        if (refuse_matches(cases[i].listener, (const struct sockaddr *)&address) !=
            cases[i].refused) {
            fail_msg("%s against %s", cases[i].listener, cases[i].ip);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_our_listeners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
