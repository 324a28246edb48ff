/*
 * Settings of every type: what is accepted survives encoding, and is shown without its secrets. The
 * same bytes are also decoded as if a frame had brought them.
 */
#include <assert.h>
#include <stdint.h>

#include "../unit/config/every_type.h"
#include "base/limits.h"
#include "fuzz_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct settings *settings)
{
    struct settings *copy = NULL;
    struct wire_reader reader;
    struct buf buf;

    buf_init(&buf, LIMIT_SETTINGS_BYTES);
    settings_encode(settings, &buf);
    assert(!buf.failed);
    wire_reader_init(&reader, buf.data, buf.len);
    assert(settings_decode(&reader, &copy) == 0);
    assert(wire_done(&reader));
    assert(settings_equal(settings, copy));
    settings_destroy(copy);
    buf_finish(&buf);
    buf_init(&buf, 1u << 20);
    config_settings_show(settings, &buf);
    buf_finish(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_errors errors;
    struct config *config = NULL;
    struct settings *settings = NULL;
    struct wire_reader reader;

    config_errors_init(&errors);
    (void)fuzz_load(data, size, &errors, &config);
    for (size_t i = 0; config && i < config->ninstances; i++) {
        settings = NULL;
        if (config_instance_settings(&config->instances[i], &every_component, &errors, &settings) ==
                0 &&
            settings) {
            round_trip(settings);
        }
        settings_destroy(settings);
    }
    config_destroy(config);
    config_errors_finish(&errors);

    settings = NULL;
    wire_reader_init(&reader, data, size);
    if (settings_decode(&reader, &settings) == 0) {
        settings_destroy(settings);
    }
    return 0;
}
