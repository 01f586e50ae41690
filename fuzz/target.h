/* fuzz/target.h - what every target defines: one input, no answer. A promise
 * that does not hold ends the process with must(). */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "base/must.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
