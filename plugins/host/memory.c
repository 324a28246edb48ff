/*
 * memory.c: memory and paging (`meminfo` and `vmstat` of procfs).
 *
 * Every field of meminfo becomes a metric, as node_exporter has it: what a newer kernel adds is
 * there without a change of ours.
 */
#include "host.h"

#include <string.h>

#include "../common/text.h"

/* "Active(anon)" becomes node_memory_Active_anon, "_bytes" is added where the unit is kB.  False
 * when the field is too long or has characters that no metric may have. */
static bool metric_name(char *to, size_t size, const char *field, size_t len, bool bytes)
{
    static const char prefix[] = "node_memory_";
    static const char suffix[] = "_bytes";
    size_t n = sizeof prefix - 1, i;

    if (len == 0 || n + len + sizeof suffix > size) {
        return false;
    }
    memcpy(to, prefix, n);
    for (i = 0; i < len; i++) {
        const char c = field[i];
        const bool word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';

        if (word) {
            to[n++] = c;
        } else if (c == '(') {
            to[n++] = '_';
        } else if (c != ')' || i + 1 != len) {
            return false;
        }
    }
    memcpy(to + n, suffix, bytes ? sizeof suffix : 1);
    to[n] = bytes ? '_' : '\0';
    return true;
}

bool host_collect_meminfo(struct tmon_call *call, struct host *host)
{
    struct file_lines lines;
    const char *line;
    bool any = false;

    if (!host_lines(host, HOST_MEMINFO, &lines)) {
        return false;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        const char *colon = strchr(line, ':');
        const char *at = colon == NULL ? NULL : colon + 1;
        char name[128];
        uint64_t value;
        bool kilobytes;

        if (at == NULL || !text_u64(&at, &value)) {
            continue;
        }
        at = text_skip_blank(at);
        kilobytes = text_prefix(&at, "kB");
        if (metric_name(name, sizeof name, line, (size_t)(colon - line), kilobytes)) {
            any = true;
            tmon_gauge(call, name, "A field of the kernel's meminfo.",
                       kilobytes ? (double)value * 1024 : (double)value, NULL, 0);
        }
    }
    return host_lines_done(host, HOST_MEMINFO, &lines) && any;
}

bool host_collect_vmstat(struct tmon_call *call, struct host *host)
{
    static const char *const wanted[] = {"oom_kill", "pgfault", "pgmajfault", "pgpgin",
                                         "pgpgout",  "pswpin",  "pswpout"};
    struct file_lines lines;
    const char *line;
    bool any = false;
    size_t i;

    if (!host_lines(host, HOST_VMSTAT, &lines)) {
        return false;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        const size_t len = strcspn(line, " ");

        if (line[0] != 'p' && line[0] != 'o') {
            continue;
        }
        for (i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
            const char *at = line + len;
            char name[64];
            uint64_t value;

            if (text_is(line, len, wanted[i]) && text_u64(&at, &value)) {
                any = true;
                (void)snprintf(name, sizeof name, "node_vmstat_%s", wanted[i]);
                tmon_emit_simple(call, TMON_UNTYPED, name, "A field of the kernel's vmstat.",
                                 (double)value, NULL, 0);
            }
        }
    }
    return host_lines_done(host, HOST_VMSTAT, &lines) && any;
}
