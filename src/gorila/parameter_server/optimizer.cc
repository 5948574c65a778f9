#include "gorila/parameter_server/optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gorila/base/nearest.h"
#include "gorila/base/vectorise.h"

namespace gorila {
namespace {

GORILA_VECTORISE
void ApplySgd(float* values, const float* gradient, std::size_t size, float rate) {
  for (std::size_t i = 0; i < size; ++i) values[i] -= rate * gradient[i];
}

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions&, std::size_t) {}

  void Apply(std::span<float> values, std::span<const float> gradient, float learning_rate,
             std::int64_t) override {
    ApplySgd(values.data(), gradient.data(), values.size(), learning_rate);
  }
};

// Duchi et al. 2011, as in DistBelief: the rate of a parameter is rate0 / sqrt(sum of its squared
// gradients). epsilon is added inside the root.
GORILA_VECTORISE
void ApplyAdaGrad(float* values, float* sum, const float* gradient, std::size_t size, float rate,
                  float epsilon) {
  for (std::size_t i = 0; i < size; ++i) {
    const float g = gradient[i];
    sum[i] += g * g;
    values[i] -= rate * g / std::sqrt(sum[i] + epsilon);
  }
}

class AdaGrad final : public Optimizer {
 public:
  AdaGrad(const OptimizerOptions& options, std::size_t size)
      : epsilon_(static_cast<float>(options.epsilon)) {
    slots_.push_back({"sum_of_squares",
                      std::vector<float>(size, static_cast<float>(options.initial_accumulator))});
  }

  void Apply(std::span<float> values, std::span<const float> gradient, float learning_rate,
             std::int64_t) override {
    ApplyAdaGrad(values.data(), slots_[0].values.data(), gradient.data(), values.size(),
                 learning_rate, epsilon_);
  }

 private:
  const float epsilon_;
};

// DQN's RMSProp (Mnih et al. 2015, released code): the gradient's running mean is subtracted from
// its running mean square; epsilon is added inside the root; no momentum.
GORILA_VECTORISE
void ApplyCentredRmsProp(float* values, float* mean, float* mean_square, const float* gradient,
                         std::size_t size, float rate, float decay, float epsilon) {
  for (std::size_t i = 0; i < size; ++i) {
    const float g = gradient[i];
    mean[i] = decay * mean[i] + (1 - decay) * g;
    mean_square[i] = decay * mean_square[i] + (1 - decay) * g * g;
    // Rounding can make the variance of a constant gradient slightly negative.
    const float variance = std::max(mean_square[i] - mean[i] * mean[i], 0.0f);
    values[i] -= rate * g / std::sqrt(variance + epsilon);
  }
}

class CentredRmsProp final : public Optimizer {
 public:
  CentredRmsProp(const OptimizerOptions& options, std::size_t size)
      : decay_(static_cast<float>(options.decay)), epsilon_(static_cast<float>(options.epsilon)) {
    slots_.push_back({"mean", std::vector<float>(size)});
    slots_.push_back({"mean_square", std::vector<float>(size)});
  }

  void Apply(std::span<float> values, std::span<const float> gradient, float learning_rate,
             std::int64_t) override {
    ApplyCentredRmsProp(values.data(), slots_[0].values.data(), slots_[1].values.data(),
                        gradient.data(), values.size(), learning_rate, decay_, epsilon_);
  }

 private:
  const float decay_;
  const float epsilon_;
};

// IMPALA's RMSProp (Espeholt et al. 2018, TensorFlow's optimizer): not centred, epsilon is added
// inside the root, no momentum. The mean square starts at one, so the first steps are about
// rate * g instead of rate / sqrt(1 - decay).
GORILA_VECTORISE
void ApplyUncentredRmsProp(float* values, float* mean_square, const float* gradient,
                           std::size_t size, float rate, float decay, float epsilon) {
  for (std::size_t i = 0; i < size; ++i) {
    const float g = gradient[i];
    mean_square[i] = decay * mean_square[i] + (1 - decay) * g * g;
    values[i] -= rate * g / std::sqrt(mean_square[i] + epsilon);
  }
}

class UncentredRmsProp final : public Optimizer {
 public:
  UncentredRmsProp(const OptimizerOptions& options, std::size_t size)
      : decay_(static_cast<float>(options.decay)), epsilon_(static_cast<float>(options.epsilon)) {
    slots_.push_back({"mean_square", std::vector<float>(size, 1.0F)});
  }

  void Apply(std::span<float> values, std::span<const float> gradient, float learning_rate,
             std::int64_t) override {
    ApplyUncentredRmsProp(values.data(), slots_[0].values.data(), gradient.data(), values.size(),
                          learning_rate, decay_, epsilon_);
  }

 private:
  const float decay_;
  const float epsilon_;
};

// The RMSProp of MinAtar's DQN (Young & Tian 2019, released code), which is PyTorch's: centred,
// with momentum; epsilon is added to the root.
struct MomentumStep {
  float rate;
  float decay;
  float momentum;
  float epsilon;
};

GORILA_VECTORISE
void ApplyMomentumRmsProp(float* values, float* mean, float* mean_square, float* steps,
                          const float* gradient, std::size_t size, MomentumStep step) {
  for (std::size_t i = 0; i < size; ++i) {
    const float g = gradient[i];
    mean[i] = step.decay * mean[i] + (1 - step.decay) * g;
    mean_square[i] = step.decay * mean_square[i] + (1 - step.decay) * g * g;
    const float variance = std::max(mean_square[i] - mean[i] * mean[i], 0.0f);
    steps[i] = step.momentum * steps[i] + g / (std::sqrt(variance) + step.epsilon);
    values[i] -= step.rate * steps[i];
  }
}

class MomentumRmsProp final : public Optimizer {
 public:
  MomentumRmsProp(const OptimizerOptions& options, std::size_t size)
      : step_{.rate = 0,
              .decay = static_cast<float>(options.decay),
              .momentum = static_cast<float>(options.momentum),
              .epsilon = static_cast<float>(options.epsilon)} {
    for (const char* const name : {"mean", "mean_square", "steps"}) {
      slots_.push_back({name, std::vector<float>(size)});
    }
  }

  void Apply(std::span<float> values, std::span<const float> gradient, float learning_rate,
             std::int64_t) override {
    MomentumStep step = step_;
    step.rate = learning_rate;
    ApplyMomentumRmsProp(values.data(), slots_[0].values.data(), slots_[1].values.data(),
                         slots_[2].values.data(), gradient.data(), values.size(), step);
  }

 private:
  const MomentumStep step_;
};

// Kingma & Ba 2015; epsilon is added to the root.
struct AdamStep {
  float rate;
  float epsilon;
  float beta1;
  float beta2;
};

GORILA_VECTORISE
void ApplyAdam(float* values, float* mean, float* mean_square, const float* gradient,
               std::size_t size, AdamStep step) {
  for (std::size_t i = 0; i < size; ++i) {
    const float g = gradient[i];
    mean[i] = step.beta1 * mean[i] + (1 - step.beta1) * g;
    mean_square[i] = step.beta2 * mean_square[i] + (1 - step.beta2) * g * g;
    values[i] -= step.rate * mean[i] / (std::sqrt(mean_square[i]) + step.epsilon);
  }
}

class Adam final : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, std::size_t size)
      : beta1_(options.beta1), beta2_(options.beta2), epsilon_(options.epsilon) {
    slots_.push_back({"mean", std::vector<float>(size)});
    slots_.push_back({"mean_square", std::vector<float>(size)});
  }

  void Apply(std::span<float> values, std::span<const float> gradient, float learning_rate,
             std::int64_t update) override {
    const auto t = static_cast<double>(update);
    const double correction1 = 1 - std::pow(beta1_, t);
    const double correction2 = 1 - std::pow(beta2_, t);
    // Both corrections folded into one rate and one epsilon, so that the loop stays short.
    const AdamStep step{
        .rate = static_cast<float>(learning_rate * std::sqrt(correction2) / correction1),
        .epsilon = static_cast<float>(epsilon_ * std::sqrt(correction2)),
        .beta1 = static_cast<float>(beta1_),
        .beta2 = static_cast<float>(beta2_)};
    ApplyAdam(values.data(), slots_[0].values.data(), slots_[1].values.data(), gradient.data(),
              values.size(), step);
  }

 private:
  const double beta1_;
  const double beta2_;
  const double epsilon_;
};

template <typename T>
std::unique_ptr<Optimizer> Make(const OptimizerOptions& options, std::size_t size) {
  return std::make_unique<T>(options, size);
}

constexpr std::array kOptimizers = {
    OptimizerRow{"adagrad", "AdaGrad (Gorila's)", &Make<AdaGrad>},
    OptimizerRow{"rmsprop", "centred RMSProp (DQN's)", &Make<CentredRmsProp>},
    OptimizerRow{"rmsprop_uncentred", "RMSProp not centred, mean square from one (IMPALA's)",
                 &Make<UncentredRmsProp>},
    OptimizerRow{"rmsprop_momentum", "centred RMSProp with momentum (MinAtar's DQN)",
                 &Make<MomentumRmsProp>},
    OptimizerRow{"adam", "Adam", &Make<Adam>},
    OptimizerRow{"sgd", "plain stochastic gradient descent", &Make<Sgd>},
};

}  // namespace

double LearningRate(const OptimizerOptions& options, std::int64_t version) {
  if (options.learning_rate_end < 0 || options.decay_updates <= 0) return options.learning_rate;
  const double done =
      std::min(1.0, static_cast<double>(version - 1) / static_cast<double>(options.decay_updates));
  return options.learning_rate + done * (options.learning_rate_end - options.learning_rate);
}

std::span<const OptimizerRow> OptimizerTable() { return kOptimizers; }

StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const OptimizerOptions& options,
                                                   std::size_t size) {
  std::vector<std::string_view> names;
  for (const OptimizerRow& row : kOptimizers) {
    if (row.name == options.name) return row.make(options, size);
    names.push_back(row.name);
  }
  return InvalidArgument("optimizer.name is '{}'; expected one of {}; did you mean '{}'?",
                         options.name, fmt::join(names, ", "), NearestName(options.name, names));
}

}  // namespace gorila
