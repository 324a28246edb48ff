/* YAML, variables and the sections of a configuration: any bytes give a config or errors, never
 * both or neither. */
#include <assert.h>
#include <stdint.h>

#include "fuzz_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_errors errors;
    struct config *config = NULL;
    int r;

    config_errors_init(&errors);
    r = fuzz_load(data, size, &errors, &config);
    assert((r == 0) == (config != NULL));
    assert((r == 0) == (errors.errors == 0));
    for (size_t i = 0; i < errors.count; i++) {
        assert(!strchr(errors.entries[i].text, '\n'));
    }
    for (size_t i = 0; config && i < config->ninstances; i++) {
        const struct config_instance *instance = &config->instances[i];

        assert(config_find(config, instance->name) == instance);
        assert(instance->timeout_ms > 0 && instance->timeout_ms <= instance->interval_ms);
        assert(instance->enabled == !instance->disabled_reason);
        assert(config_instance_equal(instance, instance));
    }
    config_destroy(config);
    config_errors_finish(&errors);
    return 0;
}
