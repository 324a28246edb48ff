/*
 * rules.c: `toiletmon rules`: what rules are there and how they are, what an expression gives, and
 * unit tests.
 */
#include <errno.h>

#include "cli/command.h"
#include "rules/unit_test.h"

int cli_rules_test(struct cli *cli)
{
    bool failed = false;

    for (size_t i = 0; i < cli->narguments; i++) {
        int r = unit_test_file(cli->arguments[i], stdout, stderr);

        if (r == -ENOMEM) {
            return cli_failed("there is not enough memory");
        }
        failed = failed || r != 0;
    }
    return failed ? CLI_FAILED : CLI_OK;
}
