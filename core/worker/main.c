/*
 * main.c: toiletmon-worker, the process that runs one instance of a plugin's component.
 *
 * Started by the agent's spawning thread as `toiletmon-worker PID`, the agent's, with an empty
 * environment, /dev/null as descriptors 0 to 2 and its end of a socket pair as 3.  Whatever it is
 * told comes through that socket (plugin/frame.h).  It trusts the agent, and nothing that it loads.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugin/frame.h"
#include "worker/confine.h"
#include "worker/worker.h"

static pid_t read_pid(const char *text)
{
    char *end;
    long pid;

    errno = 0;
    pid = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && pid > 0 && pid == (pid_t)pid ? (pid_t)pid : -1;
}

static bool is_socket(int fd)
{
    int type = 0;
    socklen_t len = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

int main(int argc, char **argv)
{
    pid_t agent = argc == 2 ? read_pid(argv[1]) : -1;
    struct worker worker;

    if (agent < 0 || !is_socket(FRAME_WORKER_FD)) {
        (void)fprintf(stderr, "toiletmon-worker: it is started by toiletmon, not by hand\n");
        return 64;
    }
    confine_start(agent);
    if (worker_init(&worker) < 0) {
        return 71;
    }
    worker_run(&worker);
    worker_finish(&worker);
#ifdef TMON_SANITIZED
    return 0; // exit handlers look for leaks
#else
    _exit(0); // those of a plugin have no say any more
#endif
}
