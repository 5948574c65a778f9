// The memory that a run takes in one process, estimated before anything is allocated.
#ifndef GORILA_RUN_TRAINING_MEMORY_H_
#define GORILA_RUN_TRAINING_MEMORY_H_

#include <cstdint>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/network/network_spec.h"

namespace gorila {

// Bytes at most at a time: replay memories, the copy that a checkpoint takes of them, networks,
// minibatches, and a reserve for what is not counted.
std::int64_t ExpectedTrainingBytes(const Config& config, const NetworkSpec& network);

// InvalidArgument or ResourceExhausted for a run that would not fit here, naming the keys.
Status CheckTrainingMemory(const Config& config, const NetworkSpec& network);

}  // namespace gorila

#endif  // GORILA_RUN_TRAINING_MEMORY_H_
