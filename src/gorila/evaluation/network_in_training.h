// A run's network as it was at some frame.
#ifndef GORILA_EVALUATION_NETWORK_IN_TRAINING_H_
#define GORILA_EVALUATION_NETWORK_IN_TRAINING_H_

#include <cstdint>
#include <memory>
#include <vector>

namespace gorila {

struct NetworkInTraining {
  std::int64_t frames = 0;
  std::int64_t updates = 0;
  std::vector<float> parameters;
};
using SharedNetwork = std::shared_ptr<const NetworkInTraining>;

}  // namespace gorila

#endif  // GORILA_EVALUATION_NETWORK_IN_TRAINING_H_
