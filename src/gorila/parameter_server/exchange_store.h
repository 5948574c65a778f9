// A parameter server that answers a gradient with the parameters after it.
#ifndef GORILA_PARAMETER_SERVER_EXCHANGE_STORE_H_
#define GORILA_PARAMETER_SERVER_EXCHANGE_STORE_H_

#include <span>

#include "gorila/base/status.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

struct ExchangeOutcome {
  PushOutcome slices;
  bool changed = false;  // as ParameterStore::Pull says
};

// Thread-safe.
class ExchangeStore {
 public:
  virtual ~ExchangeStore() = default;

  // ParameterStore::Push(gradient, computed_from), and of each shard Pull(values, versions) once it
  // has decided, in one call: half the calls, but nothing arrives while the gradient travels. After
  // an error some shards may have decided, and `values` may be half new.
  virtual StatusOr<ExchangeOutcome> Exchange(std::span<const float> gradient,
                                             const ShardVersions& computed_from,
                                             std::span<float> values, ShardVersions& versions) = 0;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_EXCHANGE_STORE_H_
