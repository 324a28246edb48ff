/*
 * Everything that crosses between agent and workers: the first byte chooses a decoder, the rest is
 * what it gets.  What decodes must encode again, and mean the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/exchange.h"
#include "model/manifest.h"
#include "model/notification.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/verdict.h"
#include "plugin/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Packets of which each begins with its length in two bytes, through parser and assembly. */
static void fuzz_packets(const uint8_t *data, size_t size)
{
    struct frame_assembly assembly;

    frame_assembly_init(&assembly, 1 << 20);
    while (size >= 2) {
        size_t len = data[0] | (size_t)data[1] << 8;
        struct frame frame;
        const void *message;
        size_t message_len;

        data += 2;
        size -= 2;
        len = len < size ? len : size;
        if (frame_parse(data, len, &frame) < 0 ||
            frame_assembly_add(&assembly, &frame, &message, &message_len) < 0) {
            break;
        }
        data += len;
        size -= len;
    }
    frame_assembly_finish(&assembly);
}

static void fuzz_manifest(const uint8_t *data, size_t size)
{
    struct manifest *manifest;
    char why[256] = "";

    if (manifest_decode(data, size, &manifest, why, sizeof why) == 0) {
        must(manifest->ncomponents > 0);
        must(manifest_find(manifest, manifest->components[0].name) == &manifest->components[0]);
        manifest_destroy(manifest);
    } else {
        must(*why != '\0');
    }
}

static void fuzz_settings(struct wire_reader *reader)
{
    struct settings *settings, *again;
    struct buf buf;

    if (settings_decode(reader, &settings) < 0) {
        return;
    }
    buf_init(&buf, 1 << 20);
    settings_encode(settings, &buf);
    if (!buf.failed) {
        wire_reader_init(reader, buf.data, buf.len);
        must(settings_decode(reader, &again) == 0);
        must(wire_done(reader));
        settings_destroy(again);
    }
    buf_finish(&buf);
    settings_destroy(settings);
}

static void fuzz_samples(struct wire_reader *reader)
{
    static struct sample sample;

    while (sample_decode(reader, &sample) > 0) {
        struct tmon_metric metric = {
            .size = sizeof metric,
            .kind = sample.kind,
            .name = sample.name,
            .help = sample.help,
            .value = sample.value,
            .labels = sample.labels,
            .nlabels = sample.nlabels,
            .bounds = sample.bounds,
            .points = sample.points,
            .npoints = sample.npoints,
            .count = sample.count,
            .time_ms = sample.time_ms,
        };
        const char *why;
        struct buf buf;

        buf_init(&buf, 1 << 20);
        must(sample_encode(&buf, &metric, &why) == 0);
        buf_finish(&buf);
    }
}

static void fuzz_verdict(struct wire_reader *reader)
{
    struct verdict *verdict, *again;
    struct buf buf;

    if (verdict_decode(reader, &verdict) < 0) {
        return;
    }
    buf_init(&buf, 8 << 20);
    verdict_encode(verdict, &buf);
    wire_reader_init(reader, buf.data, buf.len);
    must(verdict_decode(reader, &again) == 0);
    must(again->status == verdict->status && again->ndetails == verdict->ndetails);
    verdict_destroy(again);
    buf_finish(&buf);
    verdict_destroy(verdict);
}

static void fuzz_request(struct wire_reader *reader)
{
    struct tmon_request request, again;
    const char *why;
    struct buf buf;

    if (exchange_decode_request(reader, &request) < 0) {
        return;
    }
    buf_init(&buf, LIMIT_HTTP_REQUEST_BYTES);
    must(exchange_encode_request(&buf, &request, &why) == 0);
    wire_reader_init(reader, buf.data, buf.len);
    must(exchange_decode_request(reader, &again) == 0);
    must(strcmp(request.url, again.url) == 0 && request.nheaders == again.nheaders);
    exchange_finish_request(&again);
    buf_finish(&buf);
    exchange_finish_request(&request);
}

static void fuzz_response(struct wire_reader *reader)
{
    struct tmon_response response, again;
    struct buf buf;

    if (exchange_decode_response(reader, &response) < 0) {
        return;
    }
    buf_init(&buf, LIMIT_HTTP_CLIENT_BYTES);
    must(exchange_encode_response(&buf, &response) == 0);
    wire_reader_init(reader, buf.data, buf.len);
    must(exchange_decode_response(reader, &again) == 0);
    must(response.status == again.status && response.body.len == again.body.len);
    exchange_finish_response(&again);
    buf_finish(&buf);
    exchange_finish_response(&response);
}

static void fuzz_notification(struct wire_reader *reader)
{
    struct tmon_notification *notification, *again;
    struct buf buf;

    if (notification_decode(reader, &notification) < 0) {
        return;
    }
    buf_init(&buf, 8 << 20);
    must(notification_encode(&buf, notification) == 0);
    wire_reader_init(reader, buf.data, buf.len);
    must(notification_decode(reader, &again) == 0);
    must(notification->nalerts == again->nalerts);
    notification_destroy(again);
    buf_finish(&buf);
    notification_destroy(notification);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_reader reader;

    if (size == 0) {
        return 0;
    }
    wire_reader_init(&reader, data + 1, size - 1);
    switch (data[0] % 8) {
    case 0:
        fuzz_packets(data + 1, size - 1);
        break;
    case 1:
        fuzz_manifest(data + 1, size - 1);
        break;
    case 2:
        fuzz_settings(&reader);
        break;
    case 3:
        fuzz_samples(&reader);
        break;
    case 4:
        fuzz_verdict(&reader);
        break;
    case 5:
        fuzz_request(&reader);
        break;
    case 6:
        fuzz_response(&reader);
        break;
    default:
        fuzz_notification(&reader);
        break;
    }
    return 0;
}
