/*
 * command.c: finds the command, reads its options, prints its help.  The main thread, before
 * anything else is there.
 *
 * Our own parser instead of getopt_long(): it has to know the whole table for the help and for "did
 * you mean" anyway.
 */
#include "cli/command.h"

#include <stdarg.h>
#include <string.h>

#include "base/suggest.h"
#include "cli/table.h"

static const struct cli_option help_option = {"help", 'h', NULL, "this text", false};

int cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "toiletmon: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nSee: toiletmon %s%s--help\n", cli->path, *cli->path ? " " : "");
    return CLI_USAGE;
}

int cli_failed(const char *format, ...)
{
    char text[8192]; /* it may hold what others wrote */
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "toiletmon: %s\n", table_clean(text));
    return CLI_FAILED;
}

const char *cli_value_at(const struct cli *cli, const char *name, size_t i)
{
    for (size_t j = 0; j < cli->nvalues; j++) {
        if (strcmp(cli->values[j].option->name, name) == 0 && i-- == 0) {
            return cli->values[j].value;
        }
    }
    return NULL;
}

const char *cli_value(const struct cli *cli, const char *name)
{
    const char *value = NULL;

    for (size_t j = 0; j < cli->nvalues; j++) {
        if (strcmp(cli->values[j].option->name, name) == 0) {
            value = cli->values[j].value;
        }
    }
    return value;
}

bool cli_flag(const struct cli *cli, const char *name)
{
    return cli_value(cli, name) != NULL;
}

/* ---- help */

static void print_commands(const struct cli_command *commands, const char *prefix)
{
    for (; commands->name; commands++) {
        if (commands->run) {
            printf("  %s%-*s  %s\n", prefix, (int)(16 - strlen(prefix)), commands->name,
                   commands->summary);
        }
        if (commands->commands) {
            char longer[64];

            snprintf(longer, sizeof longer, "%s%s ", prefix, commands->name);
            print_commands(commands->commands, longer);
        }
    }
}

static void print_option(const struct cli_option *option)
{
    char name[64];
    int len = option->letter
                  ? snprintf(name, sizeof name, "-%c, --%s", option->letter, option->name)
                  : snprintf(name, sizeof name, "    --%s", option->name);

    if (option->argument) {
        snprintf(name + len, sizeof name - (size_t)len, " %s", option->argument);
    }
    printf("  %-28s  %s\n", name, option->help);
}

static int print_overview(void)
{
    printf("toiletmon watches a facility's systems.\n\nUsage: toiletmon COMMAND [OPTIONS] "
           "[ARGUMENTS]\n\n");
    print_commands(cli_commands, "");
    printf("\ntoiletmon COMMAND --help says more.\n\n"
           "Exit codes: 0 well; 1 failed, or what was asked is not well; 2 wrong usage; 3 no agent "
           "answers;\n"
           "4 the agent wants another token.\n");
    return CLI_OK;
}

static int print_help(const struct cli *cli)
{
    const struct cli_command *command = cli->command;

    if (command->commands && !command->run) {
        printf("Usage: toiletmon %s COMMAND [OPTIONS] [ARGUMENTS]\n\n%s\n\n", cli->path,
               command->summary);
        print_commands(command->commands, "");
        printf("\ntoiletmon %s COMMAND --help says more.\n", cli->path);
        return CLI_OK;
    }
    printf("Usage: toiletmon %s [OPTIONS]%s%s\n\n%s.\n", cli->path, *command->arguments ? " " : "",
           command->arguments, command->summary);
    if (command->details) {
        printf("\n%s\n", command->details);
    }
    printf("\nOptions:\n");
    for (const struct cli_option *option = command->options; option && option->name; option++) {
        print_option(option);
    }
    print_option(&help_option);
    if (command->commands) {
        printf("\nCommands:\n");
        print_commands(command->commands, "");
        printf("\ntoiletmon %s COMMAND --help says more.\n", cli->path);
    }
    return CLI_OK;
}

/* ---- parsing */

static const struct cli_option *find_option(const struct cli_command *command, const char *name,
                                            size_t len, char letter)
{
    for (const struct cli_option *option = command->options; option && option->name; option++) {
        if (letter ? option->letter == letter
                   : strlen(option->name) == len && strncmp(option->name, name, len) == 0) {
            return option;
        }
    }
    if (letter ? letter == 'h' : len == 4 && strncmp(name, "help", 4) == 0) {
        return &help_option;
    }
    return NULL;
}

static int unknown_option(const struct cli *cli, const char *text)
{
    const char *names[CLI_OPTIONS + 1];
    char suggestion[SUGGESTION_SIZE], word[64];
    size_t n = 0, len = strcspn(text, "=");
    const char *found;

    for (const struct cli_option *option = cli->command->options;
         option && option->name && n < CLI_OPTIONS; option++) {
        names[n++] = option->name;
    }
    names[n++] = "help";
    snprintf(word, sizeof word, "%.*s", (int)(len - 2 < 60 ? len - 2 : 60), text + 2);
    found = text[1] == '-' ? suggest(word, names, n) : NULL;
    suggestion[0] = '\0';
    if (found) {
        snprintf(suggestion, sizeof suggestion, "; did you mean '--%s'?", found);
    }
    return cli_usage(cli, "%s has no option '%.*s'%s", cli->path, (int)len, text, suggestion);
}

static int unknown_command(const struct cli *cli, const struct cli_command *commands,
                           const char *word)
{
    const char *names[32];
    char suggestion[SUGGESTION_SIZE];
    size_t n = 0;

    for (; commands->name && n < 32; commands++) {
        names[n++] = commands->name;
    }
    return cli_usage(cli, "there is no command '%s%s%.64s'%s", cli->path, *cli->path ? " " : "",
                     word, suggest_ending(word, names, n, suggestion));
}

/* Takes one option, at argv[*at]; its value may be the next argument. */
static int take_option(struct cli *cli, int argc, char **argv, int *at)
{
    const char *text = argv[*at], *value = NULL;
    const struct cli_option *option;

    if (text[1] == '-') {
        size_t len = strcspn(text + 2, "=");

        option = find_option(cli->command, text + 2, len, 0);
        value = text[2 + len] == '=' ? text + 3 + len : NULL;
    } else {
        option = find_option(cli->command, NULL, 0, text[1]);
        value = text[2] ? text + 2 : NULL;
    }
    if (!option || (!option->argument && value && text[1] != '-')) {
        return unknown_option(cli, text);
    }
    if (!option->argument && value) {
        return cli_usage(cli, "the option '--%s' takes no value", option->name);
    }
    if (option->argument && !value) {
        if (*at + 1 >= argc) {
            return cli_usage(cli, "the option '--%s' needs a value: --%s %s", option->name,
                             option->name, option->argument);
        }
        value = argv[++*at];
    }
    if (cli->nvalues == CLI_VALUES) {
        return cli_usage(cli, "there are too many options");
    }
    if (option->argument && !option->repeats && cli_value(cli, option->name)) {
        return cli_usage(cli, "the option '--%s' is given twice", option->name);
    }
    cli->values[cli->nvalues].option = option;
    cli->values[cli->nvalues++].value = value ? value : "";
    return CLI_OK;
}

static int take_arguments(struct cli *cli, int argc, char **argv, int at)
{
    bool options = true;

    for (; at < argc; at++) {
        int r = CLI_OK;

        if (options && strcmp(argv[at], "--") == 0) {
            options = false;
        } else if (options && argv[at][0] == '-' && argv[at][1]) {
            r = take_option(cli, argc, argv, &at);
        } else if (cli->narguments == CLI_VALUES) {
            r = cli_usage(cli, "there are too many arguments");
        } else {
            cli->arguments[cli->narguments++] = argv[at];
        }
        if (r) {
            return r;
        }
    }
    return CLI_OK;
}

static bool is_help(const char *text)
{
    return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0 || strcmp(text, "help") == 0;
}

int cli_main(int argc, char **argv, const struct cli_hooks *hooks)
{
    struct cli cli = {.hooks = hooks};
    const struct cli_command *commands = cli_commands;
    int at = 1, r;

    if (at < argc && strcmp(argv[at], "--version") == 0) {
        argv[at] = (char *)"version";
    }
    while (commands) {
        const struct cli_command *command = commands;

        if (at >= argc || is_help(argv[at])) {
            if (at < argc) { // asked for
                return cli.command ? print_help(&cli) : print_overview();
            }
            return cli_usage(&cli, "say what to do");
        }
        while (command->name && strcmp(command->name, argv[at]) != 0) {
            command++;
        }
        if (!command->name) {
            return argv[at][0] == '-' ? cli_usage(&cli, "the command comes before its options")
                                      : unknown_command(&cli, commands, argv[at]);
        }
        snprintf(cli.path + strlen(cli.path), sizeof cli.path - strlen(cli.path), "%s%s",
                 *cli.path ? " " : "", command->name);
        cli.command = command;
        commands = command->commands;
        at++;
        if (command->run && (at >= argc || argv[at][0] == '-')) {
            break; /* it is a command itself */
        }
    }
    for (int i = at; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return print_help(&cli);
        }
    }
    r = take_arguments(&cli, argc, argv, at);
    if (r) {
        return r;
    }
    if (cli.narguments < cli.command->least) {
        return cli_usage(&cli, "%s needs %s", cli.path, cli.command->arguments);
    }
    if (cli.narguments > cli.command->most) {
        return cli_usage(&cli, "%s has no use for '%.64s'", cli.path,
                         cli.arguments[cli.command->most]);
    }
    r = cli.command->run(&cli);
    if (fflush(stdout) != 0 && r == CLI_OK) { // a full disk must not look like success
        r = cli_failed("the output could not be written");
    }
    return r;
}
