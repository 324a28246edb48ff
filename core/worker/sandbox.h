/*
 * sandbox.h: the layers that take rights away from a worker for good.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Applies every layer that the kernel has; before the .so is loaded, since its constructors run
 * then. Returns those in force, of enum frame_layer. */
uint32_t sandbox_apply(bool spawns);

#endif
