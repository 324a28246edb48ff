/*
 * sockets.c: sockets and protocols (`1/net/sockstat`, `snmp`, `netstat` and their IPv6 kin): what
 * node_exporter shows of them by default, no more; the kernel counts some 400 things here.
 */
#include "host.h"

#include <string.h>
#include <unistd.h>

#include "../common/text.h"

/* ---- sockets in use ---- */

struct count {
    const char *protocol, *key, *name;
};

#define COUNT(protocol_, key_)                                                                     \
    {                                                                                              \
#protocol_, #key_, "node_sockstat_" #protocol_ "_" #key_                                   \
    }
static const struct count counts[] = {
    COUNT(sockets, used),  COUNT(TCP, inuse),    COUNT(TCP, orphan),     COUNT(TCP, tw),
    COUNT(TCP, alloc),     COUNT(TCP, mem),      COUNT(UDP, inuse),      COUNT(UDP, mem),
    COUNT(UDPLITE, inuse), COUNT(RAW, inuse),    COUNT(FRAG, inuse),     COUNT(FRAG, memory),
    COUNT(TCP6, inuse),    COUNT(UDP6, inuse),   COUNT(UDPLITE6, inuse), COUNT(RAW6, inuse),
    COUNT(FRAG6, inuse),   COUNT(FRAG6, memory),
};

static void emit_count(struct tmon_call *call, const char *protocol, size_t protocol_len,
                       const char *key, size_t key_len, uint64_t value)
{
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const struct count *count = &counts[i];

        if (!text_is(protocol, protocol_len, count->protocol) ||
            !text_is(key, key_len, count->key)) {
            continue;
        }
        tmon_gauge(call, count->name, "Sockets of the kind, or what they hold (mem: pages).",
                   (double)value, NULL, 0);
        if (strcmp(count->key, "mem") == 0) {
            tmon_gauge(call,
                       *count->protocol == 'T' ? "node_sockstat_TCP_mem_bytes"
                                               : "node_sockstat_UDP_mem_bytes",
                       "Memory that sockets of the kind hold.",
                       (double)value * (double)sysconf(_SC_PAGESIZE), NULL, 0);
        }
    }
}

/* "TCP: inuse 5 orphan 0 tw 1 alloc 6 mem 2" */
static bool sockstat(struct tmon_call *call, struct host *host, enum host_file which)
{
    struct file_lines lines;
    const char *line;
    bool any = false;

    if (!host_lines(host, which, &lines)) {
        return false;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        const char *protocol, *key;
        size_t protocol_len, key_len;
        uint64_t value;

        if (!text_word(&line, &protocol, &protocol_len) || protocol[protocol_len - 1] != ':') {
            continue;
        }
        while (text_word(&line, &key, &key_len) && text_u64(&line, &value)) {
            emit_count(call, protocol, protocol_len - 1, key, key_len, value);
            any = true;
        }
    }
    return host_lines_done(host, which, &lines) && any;
}

bool host_collect_sockstat(struct tmon_call *call, struct host *host)
{
    bool good = sockstat(call, host, HOST_SOCKSTAT);

    (void)sockstat(call, host, HOST_SOCKSTAT6); // without IPv6 there is none
    return good;
}

/* ---- counters of protocols ---- */

struct field {
    const char *protocol, *key, *name;
};

#define FIELD(protocol_, key_)                                                                     \
    {                                                                                              \
#protocol_, #key_, "node_netstat_" #protocol_ "_" #key_                                    \
    }
static const struct field fields[] = {
    FIELD(Ip, Forwarding),
    FIELD(IpExt, InOctets),
    FIELD(IpExt, OutOctets),
    FIELD(Icmp, InErrors),
    FIELD(Icmp, InMsgs),
    FIELD(Icmp, OutMsgs),
    FIELD(Tcp, ActiveOpens),
    FIELD(Tcp, CurrEstab),
    FIELD(Tcp, InErrs),
    FIELD(Tcp, InSegs),
    FIELD(Tcp, OutRsts),
    FIELD(Tcp, OutSegs),
    FIELD(Tcp, PassiveOpens),
    FIELD(Tcp, RetransSegs),
    FIELD(TcpExt, ListenDrops),
    FIELD(TcpExt, ListenOverflows),
    FIELD(TcpExt, SyncookiesFailed),
    FIELD(TcpExt, SyncookiesRecv),
    FIELD(TcpExt, SyncookiesSent),
    FIELD(TcpExt, TCPSynRetrans),
    FIELD(TcpExt, TCPTimeouts),
    FIELD(Udp, InDatagrams),
    FIELD(Udp, InErrors),
    FIELD(Udp, NoPorts),
    FIELD(Udp, OutDatagrams),
    FIELD(Udp, RcvbufErrors),
    FIELD(Udp, SndbufErrors),
    FIELD(UdpLite, InErrors),
    FIELD(Ip6, InOctets),
    FIELD(Ip6, OutOctets),
    FIELD(Icmp6, InErrors),
    FIELD(Icmp6, InMsgs),
    FIELD(Icmp6, OutMsgs),
    FIELD(Udp6, InDatagrams),
    FIELD(Udp6, InErrors),
    FIELD(Udp6, NoPorts),
    FIELD(Udp6, OutDatagrams),
    FIELD(Udp6, RcvbufErrors),
    FIELD(Udp6, SndbufErrors),
    FIELD(UdpLite6, InErrors),
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static void emit_field(struct tmon_call *call, const struct field *field, int64_t value)
{
    tmon_emit_simple(call, TMON_UNTYPED, field->name,
                     "A statistic of the kernel's network protocols.", (double)value, NULL, 0);
}

/* In which column of a head ("Tcp: RtoAlgorithm RtoMin ...") each field stands; 0: in none. */
static void find_columns(const char *head, uint16_t columns[FIELDS])
{
    const char *protocol, *key;
    size_t protocol_len, key_len;

    memset(columns, 0, FIELDS * sizeof columns[0]);
    if (!text_word(&head, &protocol, &protocol_len)) {
        return;
    }
    for (uint16_t column = 1; text_word(&head, &key, &key_len) && column < UINT16_MAX; column++) {
        for (size_t i = 0; i < FIELDS; i++) {
            if (text_is(key, key_len, fields[i].key) &&
                text_is(protocol, protocol_len - 1, fields[i].protocol)) {
                columns[i] = column;
            }
        }
    }
}

static void emit_columns(struct tmon_call *call, const char *line, const uint16_t columns[FIELDS])
{
    const char *word;
    size_t len;

    (void)text_word(&line, &word, &len); // the protocol
    for (uint16_t column = 1; text_word(&line, &word, &len) && column < UINT16_MAX; column++) {
        for (size_t i = 0; i < FIELDS; i++) {
            const char *at = word;
            int64_t value;

            if (columns[i] == column && text_i64(&at, &value)) {
                emit_field(call, &fields[i], value);
            }
        }
    }
}

/* Lines come in pairs: what the columns are, and what stands in them. */
static bool paired(struct tmon_call *call, struct host *host, enum host_file which)
{
    uint16_t columns[FIELDS] = {0};
    struct file_lines lines;
    const char *line;
    bool any = false;

    if (!host_lines(host, which, &lines)) {
        return false;
    }
    for (size_t n = 0; (line = file_lines_next(&lines)) != NULL; n++) {
        if (n % 2 == 0) {
            find_columns(line, columns);
        } else {
            emit_columns(call, line, columns);
            any = true;
        }
    }
    return host_lines_done(host, which, &lines) && any;
}

/* "Udp6InDatagrams                  12" */
static void snmp6(struct tmon_call *call, struct host *host)
{
    struct file_lines lines;
    const char *line;

    if (!host_lines(host, HOST_SNMP6, &lines)) {
        return;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        for (size_t i = 0; i < FIELDS; i++) {
            const char *at = line, *word;
            size_t len;
            int64_t value;

            if (text_prefix(&at, fields[i].protocol) && text_word(&at, &word, &len) &&
                word == line + strlen(fields[i].protocol) && text_is(word, len, fields[i].key) &&
                text_i64(&at, &value)) {
                emit_field(call, &fields[i], value);
            }
        }
    }
    (void)host_lines_done(host, HOST_SNMP6, &lines);
}

bool host_collect_netstat(struct tmon_call *call, struct host *host)
{
    bool snmp = paired(call, host, HOST_SNMP);
    bool netstat = paired(call, host, HOST_NETSTAT);

    snmp6(call, host); // without IPv6 there is none
    return snmp && netstat;
}
