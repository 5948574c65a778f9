#include "gorila/network/torch/torch_computation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>

#include <cstring>
#include <utility>
#include <vector>

#include "gorila/network/argument_checks.h"
#include "gorila/network/single_thread.h"
#include "gorila/network/torch/torch_error.h"

namespace gorila {
namespace {

std::int64_t Signed(std::size_t size) { return static_cast<std::int64_t>(size); }

// A caller's floats as a tensor that borrows them.
at::Tensor Borrow(std::span<const float> values) {
  return at::from_blob(const_cast<float*>(values.data()), {Signed(values.size())}, at::kFloat);
}

// For the calling thread, whatever OpenMP runtime libtorch came with.
void ComputeInOneThread() {
  thread_local const bool done = [] {
    at::set_num_threads(1);
    return true;
  }();
  static_cast<void>(done);
}

// What libtorch refuses in the middle of a run, it did not refuse when the network was made.
template <typename Work>
void MustSucceed(const Work& work) {
  ComputeInOneThread();
  const SingleThreadScope single_thread;
  try {
    work();
  } catch (const std::exception&) {
    GORILA_CHECK(false, "libtorch: {}", TorchErrorText());
  }
}

class TorchNetwork final : public QNetwork {
 public:
  // Throws what libtorch throws.
  TorchNetwork(const NetworkSpec& spec, const ParameterLayout& layout, int max_batch,
               at::Device device)
      : spec_(spec),
        layout_(layout),
        max_batch_(max_batch),
        device_(device),
        host_observations_(
            HostMemory(max_batch * Signed(spec.input.frame_elements()) * spec.input.stack,
                       spec.input.element == ElementType::kUint8 ? at::kByte : at::kFloat)) {
    if (!device.is_cuda()) return;
    host_parameters_ = HostMemory(Signed(layout.size), at::kFloat);
    Rehearse();
  }

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }

  void SetParameters(std::span<const float> values) override {
    CheckParameters(layout_, values);
    MustSucceed([&] { UseParameters(values); });
  }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    GORILA_CHECK(!parameters_.empty(), "parameters were not set");
    MustSucceed([&] {
      const at::NoGradGuard no_gradient;
      Borrow(q).copy_(Compute(observations, batch).flatten());
    });
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    GORILA_CHECK(!parameters_.empty(), "parameters were not set");
    MustSucceed([&] {
      q_ = Compute(observations, batch);
      Borrow(q).copy_(q_.detach().flatten());
    });
    batch_ = static_cast<std::size_t>(batch);
  }

  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    CheckBackwardArguments(spec_, layout_, batch_, dq, gradient);
    MustSucceed([&] { ComputeGradient(dq, gradient); });
  }

 private:
  // Pinned where a GPU is to copy from and to it.
  at::Tensor HostMemory(std::int64_t elements, at::ScalarType type) const {
    return at::empty({elements}, at::TensorOptions(type).pinned_memory(device_.is_cuda()));
  }

  // A GPU allocates when it first computes: what it cannot do, it has to say at once.
  void Rehearse() {
    std::vector<float> parameters(layout_.size);
    const auto batch = static_cast<std::size_t>(max_batch_);
    const std::vector<std::byte> observations(batch * spec_.input.stacked_bytes());
    const std::vector<float> dq(batch * static_cast<std::size_t>(spec_.num_actions));
    UseParameters(parameters);
    q_ = Compute(observations, max_batch_);
    ComputeGradient(dq, parameters);
    parameters_.clear();
  }

  void UseParameters(std::span<const float> values) {
    at::Tensor all = Borrow(values);
    if (device_.is_cuda()) all = host_parameters_.copy_(all).to(device_);
    parameters_.clear();
    for (const ParameterTensor& tensor : layout_.tensors) {
      const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
      parameters_.push_back(all.narrow(0, Signed(tensor.offset), Signed(tensor.size))
                                .view(shape)
                                .detach()
                                .requires_grad_());
    }
  }

  // The network's real-valued inputs on the device. Bytes cross over to it as bytes. A copy always:
  // the gradient needs them after a Predict in between.
  at::Tensor Inputs(std::span<const std::byte> observations, int batch) {
    const ObservationSpec& input = spec_.input;
    std::memcpy(host_observations_.data_ptr(), observations.data(), observations.size());
    const at::Tensor on_device =
        host_observations_.narrow(0, 0, batch * Signed(input.frame_elements()) * input.stack)
            .view({batch, spec_.input_channels(), input.height, input.width})
            .to(device_);
    at::Tensor inputs = on_device.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    if (input.scale != 1) inputs.mul_(input.scale);
    return inputs;
  }

  at::Tensor Compute(std::span<const std::byte> observations, int batch) {
    at::Tensor values = Inputs(observations, batch);
    auto next = parameters_.begin();  // weight, bias, weight, ...
    for (const ConvolutionSpec& layer : spec_.convolutions) {
      values = at::conv2d(values, next[0], next[1], {layer.stride, layer.stride}).relu_();
      next += 2;
    }
    values = values.flatten(1);
    for (std::size_t i = 0; i < spec_.hidden.size(); ++i) {
      values = at::linear(values, next[0], next[1]).relu_();
      next += 2;
    }
    return at::linear(values, next[0], next[1]);
  }

  void ComputeGradient(std::span<const float> dq, std::span<float> gradient) {
    const at::Tensor seed = Borrow(dq).view_as(q_).to(device_);
    std::vector<at::Tensor> parts =
        torch::autograd::grad({q_}, parameters_, {seed}, /*retain_graph=*/true);
    for (at::Tensor& part : parts) part = part.flatten();
    at::Tensor to = Borrow(gradient);
    if (device_.is_cuda()) {
      to.copy_(host_parameters_.copy_(at::cat(parts)));
    } else {
      at::cat_out(to, parts);
    }
  }

  NetworkSpec spec_;
  ParameterLayout layout_;
  int max_batch_;
  at::Device device_;
  at::Tensor host_observations_;
  at::Tensor host_parameters_;          // or a gradient; only for a GPU
  std::vector<at::Tensor> parameters_;  // one for each of the layout's; leaves of the graph
  at::Tensor q_;                        // of the last Forward, with the graph behind it
  std::size_t batch_ = 0;               // the same
};

}  // namespace

Status CheckTorchDevice(const std::string& device) try {
  const at::Device asked(device);
  if (asked.is_cpu()) return OkStatus();
  const auto devices = static_cast<int>(torch::cuda::device_count());
  if (devices == 0) {
    return InvalidArgument(
        "network.device is {}; expected cpu: libtorch finds no CUDA device on this machine",
        device);
  }
  if (asked.index() >= devices) {
    return InvalidArgument("network.device is {}; expected cpu or cuda:0 to cuda:{}", device,
                           devices - 1);
  }
  return OkStatus();
} catch (const std::exception&) {
  return Unavailable("network.device is {}: libtorch refuses it: {}", device, TorchErrorText());
}

StatusOr<std::unique_ptr<QNetwork>> MakeTorchComputation(const NetworkSpec& spec,
                                                         const ParameterLayout& layout,
                                                         int max_batch, const std::string& device) {
  try {
    return std::make_unique<TorchNetwork>(spec, layout, max_batch, at::Device(device));
  } catch (const std::exception&) {
    return Unavailable("network.backend torch: libtorch refuses this network on {}: {}", device,
                       TorchErrorText());
  }
}

}  // namespace gorila
