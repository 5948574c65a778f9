// Building blocks of this project's oneDNN primitives, and the plans that hold them.
#ifndef GORILA_NETWORK_ONEDNN_PRIMITIVES_H_
#define GORILA_NETWORK_ONEDNN_PRIMITIVES_H_

#include <array>
#include <cstddef>
#include <dnnl.hpp>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "gorila/network/convolution_stack.h"
#include "gorila/network/onednn/bound_primitive.h"
#include "gorila/network/onednn/onednn_compat.h"

namespace gorila {

inline dnnl::memory::dim Dim(std::size_t size) { return static_cast<dnnl::memory::dim>(size); }

inline float* Floats(const dnnl::memory& memory) {
  return static_cast<float*>(memory.get_data_handle());
}

// oneDNN's own scratch memory belongs to the thread that made the primitive; a network may be made
// in one thread and used in another.
inline dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

inline dnnl::primitive_attr AttributesWithRelu() {
  dnnl::post_ops relu;
  AppendRelu(relu);
  dnnl::primitive_attr attributes = Attributes();
  attributes.set_post_ops(relu);
  return attributes;
}

// The same values in another layout or type.
inline BoundPrimitive Reorder(const dnnl::engine& engine, const dnnl::memory& from,
                              const dnnl::memory& to) {
  const dnnl::reorder::primitive_desc desc(from, to, Attributes());
  return {dnnl::reorder(desc),
          {{DNNL_ARG_FROM, from},
           {DNNL_ARG_TO, to},
           {DNNL_ARG_SCRATCHPAD, dnnl::memory(desc.scratchpad_desc(), engine)}}};
}

// Plans by pass and batch size, made on first use.
template <typename Plan>
class PlanTable {
 public:
  // `make` gives a plan or throws dnnl::error. It is tried with the largest batch at once: whatever
  // oneDNN has to refuse, it refuses then and not in the middle of a run.
  PlanTable(std::size_t max_batch, std::function<Plan(std::size_t batch, Pass pass)> make)
      : make_(std::move(make)) {
    for (auto& plans : plans_) plans.resize(max_batch + 1);
    At(max_batch, Pass::kForward).emplace(make_(max_batch, Pass::kForward));
  }

  // The reference stays valid.
  Plan& Use(std::size_t batch, Pass pass) {
    std::optional<Plan>& plan = At(batch, pass);
    if (plan.has_value()) return *plan;
    try {
      return plan.emplace(make_(batch, pass));
    } catch (const dnnl::error& error) {
      GORILA_CHECK(false, "oneDNN refuses a batch of {}: {}", batch, error.what());
    }
  }

 private:
  std::optional<Plan>& At(std::size_t batch, Pass pass) {
    return plans_[static_cast<std::size_t>(pass)][batch];
  }

  std::function<Plan(std::size_t, Pass)> make_;
  std::array<std::vector<std::optional<Plan>>, 2> plans_;
};

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_PRIMITIVES_H_
