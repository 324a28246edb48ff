/*
 * manifest_check.h: whether a decoded manifest keeps the rules of plugin_api.h.
 */
#ifndef MODEL_MANIFEST_CHECK_H
#define MODEL_MANIFEST_CHECK_H

#include "model/manifest.h"

/* 0; -EPROTONOSUPPORT (version) or -EPROTO, with a sentence for the operator and the plugin's
 * author. */
int manifest_check(const struct manifest *manifest, char *ret_why, size_t size);

#endif
