/* plugins/environment: own variables, env files of all sorts, processes. */
#include "kit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct mock_host *with_file(void **state, const char *text, const char *required)
{
    char settings[1024];

    kit_write(*state, "app.env", text);
    (void)snprintf(settings, sizeof settings, "required: %s\nenv_file: %s/app.env\n", required,
                   (const char *)*state);
    return kit_start("environment", settings);
}

static void own_variables(void **state)
{
    struct mock_host *mock;

    assert_int_equal(setenv("KIT_SET", "value-of-kit", 1), 0);
    assert_int_equal(setenv("KIT_EMPTY", "", 1), 0);
    mock = kit_start("environment", "required: [KIT_SET, KIT_EMPTY, KIT_UNSET]\n");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_string_equal(mock_detail_text(mock, "missing"), "KIT_EMPTY,KIT_UNSET");
    assert_string_equal(mock_report_on(mock, NULL)->text, "missing or empty: KIT_EMPTY, KIT_UNSET");
    assert_false(mock_said(mock, "value-of-kit"));
    kit_stop(mock);

    mock = kit_start("environment", "required: [KIT_SET]\n");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    assert_null(mock_detail_text(mock, "missing"));
    kit_stop(mock);
}

static void an_env_file(void **state)
{
    static const char text[] = "# a comment with X=1\n"
                               "PLAIN=one\n"
                               "export EXPORTED=two\n"
                               "  INDENTED = three # with a comment\n"
                               "DOUBLE=\"four five\"\n"
                               "SINGLE='six'\n"
                               "LINES=\"first\n"
                               "INSIDE=not a variable\n"
                               "last\"\n"
                               "ESCAPED=\"quote \\\"\nFAKE=inside\"\n"
                               "CRLF=seven\r\n"
                               "TWICE=first\n"
                               "TWICE=\n"
                               "EMPTY=\n"
                               "QUOTED_EMPTY=\"\"\n"
                               "BLANK=   \n"
                               "ONLY_COMMENT= # nothing\n"
                               "CR_EMPTY=\r\n"
                               "NO_EQUALS\n"
                               "=NO_NAME\n"
                               "LAST=without newline";
    struct mock_host *mock = with_file(
        state, text, "[PLAIN, EXPORTED, INDENTED, DOUBLE, SINGLE, LINES, ESCAPED, CRLF, LAST]");

    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_stop(mock);
    mock = with_file(
        state, text,
        "[X, INSIDE, FAKE, TWICE, EMPTY, QUOTED_EMPTY, BLANK, ONLY_COMMENT, CR_EMPTY, NO_EQUALS, "
        "NO_NAME, PLAI, PLAIN_]");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_string_equal(
        mock_detail_text(mock, "missing"),
        "X,INSIDE,FAKE,TWICE,EMPTY,QUOTED_EMPTY,BLANK,ONLY_COMMENT,CR_EMPTY,NO_EQUALS,"
        "NO_NAME,PLAI,PLAIN_");
    kit_stop(mock);
}

static void a_file_that_changes_is_read_again(void **state)
{
    struct mock_host *mock = with_file(state, "A=\n", "[A]");

    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    kit_write(*state, "app.env", "A=1\n");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_stop(mock);
}

static void files_that_are_none(void **state)
{
    char path[512], settings[1024];
    struct mock_host *mock;

    mock = kit_start("environment", "required: [A]\nenv_file: /nonexistent/app.env\n");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "/nonexistent/app.env: No such file"));
    kit_stop(mock);

    (void)snprintf(path, sizeof path, "%s/fifo", (const char *)*state);
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)snprintf(settings, sizeof settings, "required: [A]\nenv_file: %s\n", path);
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK); // and it returned at all
    assert_true(mock_said(mock, "not a regular file"));
    kit_stop(mock);

    (void)snprintf(path, sizeof path, "%s/large", (const char *)*state);
    kit_write(*state, "large", "A=1\n");
    assert_int_equal(truncate(path, 3 << 20), 0);
    (void)snprintf(settings, sizeof settings, "required: [A]\nenv_file: %s\n", path);
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_true(mock_said(mock, "larger than 1 MiB"));
    kit_stop(mock);
}

static void odd_bytes_do_no_harm(void **state)
{
    char text[4096];
    struct mock_host *mock;
    size_t i;

    memset(text, 'N', sizeof text - 1); // a name that is longer than any
    text[sizeof text - 1] = '\0';
    text[2000] = '=';
    text[2001] = '\n';
    memcpy(text + 2002, "A=1\n\"'\\= =\n", 11);
    mock = with_file(state, text, "[A, NNN]");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_string_equal(mock_detail_text(mock, "missing"), "NNN");
    kit_stop(mock);
    for (i = 0; i < sizeof text - 1; i++) {
        text[i] = (char)(1 + (i * 7919 + i / 13) % 255);
    }
    mock = with_file(state, text, "[A]");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    kit_stop(mock);
}

/* A child that reads `in` for ever, with one variable set and one empty. */
static pid_t child(int in, const char *variable)
{
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        char *argv[] = {(char *)(uintptr_t) "cat", NULL};
        char *envp[] = {(char *)(uintptr_t)variable, (char *)(uintptr_t) "TMON_KIT_EMPTY=", NULL};

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(in, STDIN_FILENO);
        (void)execve("/bin/cat", argv, envp);
        _exit(127);
    }
    return pid;
}

static void a_process_by_number(void **state)
{
    char settings[512], path[64], comm[64] = "";
    struct mock_host *mock;
    int in[2], tries;
    pid_t pid;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    pid = child(in[0], "TMON_KIT_SECRET=canary-of-the-child");
    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    for (tries = 0; tries < 5000 && strcmp(comm, "cat\n") != 0; tries++) { // until it has executed
        FILE *file = fopen(path, "r");

        if (file != NULL) {
            (void)(fgets(comm, sizeof comm, file) == NULL);
            (void)fclose(file);
        }
        (void)usleep(1000);
    }
    assert_string_equal(comm, "cat\n");
    (void)snprintf(settings, sizeof settings,
                   "required: [TMON_KIT_SECRET, TMON_KIT_EMPTY, PATH]\nprocess: \"%d\"\n",
                   (int)pid);
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_string_equal(mock_detail_text(mock, "missing"), "TMON_KIT_EMPTY,PATH");
    kit_near(mock_detail(mock, "pid"), pid);
    assert_false(mock_said(mock, "canary"));
    assert_int_equal(mock_check(mock, 1000), TMON_OK); // from what is remembered
    assert_string_equal(mock_detail_text(mock, "missing"), "TMON_KIT_EMPTY,PATH");

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "there is no process"));
    kit_stop(mock);
    (void)close(in[0]);
    (void)close(in[1]);
}

static void a_process_by_name(void **state)
{
    char settings[512];
    struct mock_host *mock;

    (void)snprintf(settings, sizeof settings, "required: [A]\nprocess: web\nprocfs: %s/none\n",
                   (const char *)*state);
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_true(mock_said(mock, "none: No such file"));
    kit_stop(mock);
    kit_write(*state, "77/comm", "web\n");
    kit_write(*state, "77/stat",
              "77 (web) S 1 1 1 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 1 0 500 1 1\n");
    kit_write(*state, "9/comm", "web\n");
    kit_write(*state, "9/stat",
              "9 (we) b) S 1 1 1 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 1 0 400 1 1\n");
    kit_write(*state, "9/environ", "A=1");
    kit_write(*state, "self/comm", "web\n");
    (void)snprintf(settings, sizeof settings, "required: [A]\nprocess: web\nprocfs: %s\n",
                   (const char *)*state);
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_near(mock_detail(mock, "pid"), 9);

    kit_write(*state, "9/environ", ""); // not read again...
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_write(*state, "9/stat", "9 (web) S 1 1 1 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 1 0 900 1 1\n");
    assert_int_equal(mock_check(mock, 1000), TMON_OK); // ... until it is another process
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    kit_stop(mock);

    (void)snprintf(settings, sizeof settings,
                   "required: [A]\nprocess: nobody-runs-this\nprocfs: %s\n", (const char *)*state);
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_true(mock_said(mock, "there is no process nobody-runs-this"));
    kit_stop(mock);
}

static void missing_permission_is_told(void **state)
{
    char settings[512];
    struct mock_host *mock;

    if (geteuid() != 0) {
        skip();
    }
    (void)snprintf(settings, sizeof settings, "required: [A]\nprocess: \"%d\"\n", (int)getppid());
    assert_int_equal(seteuid(65534), 0); // nobody may read a process of root
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "not allowed to read the environment"));
    assert_true(mock_said(mock, "CAP_SYS_PTRACE"));
    kit_stop(mock);
}

static void many_missing_names_fit(void **state)
{
    char settings[16384] = "required: [";
    struct mock_host *mock;
    size_t len = strlen(settings);
    int i;

    for (i = 0; i < 300; i++) {
        len += (size_t)snprintf(settings + len, sizeof settings - len,
                                "KIT_A_RATHER_LONG_NAME_%d, ", i);
    }
    (void)snprintf(settings + len, sizeof settings - len, "LAST]\n");
    mock = kit_start("environment", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_true(mock_said(mock, "NAME_0, KIT_A"));
    assert_true(strlen(mock_report_on(mock, NULL)->text) < 1024);
    assert_non_null(strstr(mock_report_on(mock, NULL)->text, ", ..."));
    assert_non_null(strstr(mock_detail_text(mock, "missing"), "LAST"));
    kit_stop(mock);
}

static void wrong_settings(void **state)
{
    static const char *const wrong[][2] = {
        {"required: []\n", "is empty"},
        {"required: [A, \"B=secret\"]\n", "entry 2 is no name of a variable (\"B...\")"},
        {"required: [A]\nenv_file: /a\nprocess: b\n", "both set"},
    };
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct mock_host *mock = mock_open(kit_plugin("environment"), "environment", wrong[i][0]);

        assert_string_equal(mock_error(mock), "");
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        assert_true(mock_said(mock, wrong[i][1]));
        assert_false(mock_said(mock, "secret"));
        kit_stop(mock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_variables),
        cmocka_unit_test_setup_teardown(an_env_file, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(a_file_that_changes_is_read_again, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(files_that_are_none, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(odd_bytes_do_no_harm, kit_scratch, kit_remove),
        cmocka_unit_test(a_process_by_number),
        cmocka_unit_test_setup_teardown(a_process_by_name, kit_scratch, kit_remove),
        cmocka_unit_test(missing_permission_is_told),
        cmocka_unit_test(many_missing_names_fit),
        cmocka_unit_test(wrong_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
