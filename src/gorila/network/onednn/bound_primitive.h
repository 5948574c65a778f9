// A oneDNN primitive with its arguments, ready to run again and again.
#ifndef GORILA_NETWORK_ONEDNN_BOUND_PRIMITIVE_H_
#define GORILA_NETWORK_ONEDNN_BOUND_PRIMITIVE_H_

#include <dnnl.hpp>
#include <initializer_list>
#include <utility>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// Keeps the argument list that dnnl::primitive::execute would build, and allocate, in every call.
class BoundPrimitive {
 public:
  // `arguments`: DNNL_ARG_... and the memory it names.
  BoundPrimitive(dnnl::primitive primitive,
                 std::initializer_list<std::pair<int, dnnl::memory>> arguments)
      : primitive_(std::move(primitive)) {
    for (const auto& [name, memory] : arguments) {
      memories_.push_back(memory);
      arguments_.push_back({name, memory.get()});
    }
  }

  void Run(const dnnl::stream& stream) const {
    const dnnl_status_t status = dnnl_primitive_execute(
        primitive_.get(), stream.get(), static_cast<int>(arguments_.size()), arguments_.data());
    GORILA_CHECK(status == dnnl_success, "oneDNN gave {}", static_cast<int>(status));
  }

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;  // own what arguments_ points to
  std::vector<dnnl_exec_arg_t> arguments_;
};

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_BOUND_PRIMITIVE_H_
