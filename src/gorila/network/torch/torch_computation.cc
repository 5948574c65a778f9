#include "gorila/network/torch/torch_computation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>

#include <cstring>
#include <new>
#include <numbers>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/network/argument_checks.h"
#include "gorila/network/network_shape.h"
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

// Page-locked, so a GPU copies from it and to it by itself. libtorch keeps what is given back
// for the next request. Thread-safe.
class PinnedMemory final : public std::pmr::memory_resource {
 public:
  // Never destroyed: owners of its memory may outlive any static object.
  static PinnedMemory* Get() {
    static auto* const memory = new PinnedMemory;
    return memory;
  }

 private:
  void* do_allocate(std::size_t bytes, std::size_t) override {
    at::Tensor block;
    try {
      block = at::empty({Signed(bytes)}, at::TensorOptions(at::kByte).pinned_memory(true));
    } catch (const std::exception&) {
      throw std::bad_alloc();
    }
    const MutexLock lock(mutex_);
    return blocks_.emplace(block.data_ptr(), block).first->first;
  }
  void do_deallocate(void* data, std::size_t, std::size_t) override {
    const MutexLock lock(mutex_);
    blocks_.erase(data);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  Mutex mutex_;
  std::unordered_map<void*, at::Tensor> blocks_ GORILA_GUARDED_BY(mutex_);
};

class TorchNetwork final : public QNetwork {
 public:
  // Throws what libtorch throws.
  TorchNetwork(const NetworkSpec& spec, const ParameterLayout& layout, int max_batch,
               at::Device device)
      : spec_(spec),
        layout_(layout),
        max_batch_(max_batch),
        device_(device),
        host_observations_(HostMemory(max_batch * Signed(spec.input.stacked_bytes()), at::kByte)) {
    if (device.is_cuda()) {
      // A separate one, so as not to wait for networks of other threads.
      stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device, false);
      host_parameters_ = HostMemory(Signed(layout.size), at::kFloat);
    }
    if (spec.taus > 0) Run([&] { MakeAngles(); });
    if (device.is_cuda()) Run([&] { Rehearse(); });
  }

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }

  void SetParameters(std::span<const float> values) override {
    CheckParameters(layout_, values);
    MustSucceed([&] { UseParameters(values); });
  }

  void UseTaus(std::span<const float> taus) override { taus_ = taus; }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    CheckTaus(spec_, batch, taus_);
    GORILA_CHECK(!parameters_.empty(), "parameters were not set");
    MustSucceed([&] { Borrow(q).copy_(Compute(observations, batch, nullptr).flatten()); });
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    CheckTaus(spec_, batch, taus_);
    GORILA_CHECK(!parameters_.empty(), "parameters were not set");
    MustSucceed([&] {
      inputs_.clear();
      Borrow(q).copy_(Compute(observations, batch, &inputs_).flatten());
    });
    batch_ = static_cast<std::size_t>(batch);
  }

  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    CheckBackwardArguments(spec_, layout_, batch_, dq, gradient);
    MustSucceed([&] { ComputeGradient(dq, gradient); });
  }

  std::pmr::memory_resource* host_memory() const override {
    return device_.is_cuda() ? PinnedMemory::Get() : QNetwork::host_memory();
  }

 private:
  // In this thread alone or in the network's stream. Throws what libtorch throws.
  template <typename Work>
  void Run(const Work& work) const {
    ComputeInOneThread();
    const SingleThreadScope single_thread;
    const at::NoGradGuard no_graph;
    c10::OptionalStreamGuard in_stream;
    if (stream_) in_stream.reset_stream(*stream_);
    work();
  }

  // libtorch accepted this when the network was made, so a refusal during a run is a broken
  // invariant.
  template <typename Work>
  void MustSucceed(const Work& work) const {
    try {
      Run(work);
    } catch (const std::exception&) {
      GORILA_CHECK(false, "libtorch: {}", TorchErrorText());
    }
  }

  // Pinned where a GPU is to copy from and to it.
  at::Tensor HostMemory(std::int64_t elements, at::ScalarType type) const {
    return at::empty({elements}, at::TensorOptions(type).pinned_memory(device_.is_cuda()));
  }

  // A GPU allocates when it first computes: what it cannot do, it has to say at once.
  void Rehearse() {
    std::vector<float> parameters(layout_.size);
    batch_ = static_cast<std::size_t>(max_batch_);
    const std::vector<std::byte> observations(batch_ * spec_.input.stacked_bytes());
    const std::vector<float> dq(batch_ * static_cast<std::size_t>(spec_.outputs()));
    UseParameters(parameters);
    Compute(observations, max_batch_, &inputs_);
    ComputeGradient(dq, parameters);
    inputs_.clear();
    torso_.reset();
    phi_.reset();
    parameters_.clear();
    batch_ = 0;
  }

  void UseParameters(std::span<const float> values) {
    at::Tensor all = Borrow(values);
    if (device_.is_cuda()) {
      // The copy may still be under way when this returns; the next computation waits for it.
      const bool pinned = all.is_pinned();
      if (!pinned) all = host_parameters_.copy_(all);
      all = all.to(device_, /*non_blocking=*/pinned);
    }
    parameters_.clear();
    for (std::size_t i = 0; i < places_.size(); ++i) parameters_.push_back(Part(all, i));
  }

  // The network's real-valued inputs on the device. Bytes cross over to it as bytes. A copy always:
  // the gradient needs them after a Predict in between.
  at::Tensor Inputs(std::span<const std::byte> observations, int batch) const {
    const ObservationSpec& input = spec_.input;
    at::Tensor values = OnDevice(observations);
    if (input.element == ElementType::kFloat32) values = values.view(at::kFloat);
    values = values.view({batch, spec_.input_channels(), input.height, input.width});
    return at::mul(values, input.scale);
  }

  // May still be under way, as parameters are. On the CPU: where a float may lie.
  at::Tensor OnDevice(std::span<const std::byte> bytes) const {
    at::Tensor all =
        at::from_blob(const_cast<std::byte*>(bytes.data()), {Signed(bytes.size())}, at::kByte);
    const bool pinned = device_.is_cuda() && all.is_pinned();
    if (!pinned) {
      all = host_observations_.narrow(0, 0, Signed(bytes.size()));
      std::memcpy(all.data_ptr(), bytes.data(), bytes.size());
    }
    return all.to(device_, /*non_blocking=*/pinned);
  }

  // Q-values. `inputs` gets what goes into each layer, if asked for: after the first one that is
  // the ReLU of what came out of the layer before.
  at::Tensor Compute(std::span<const std::byte> observations, int batch,
                     std::vector<at::Tensor>* inputs) {
    at::Tensor values = Inputs(observations, batch);
    for (std::size_t i = 0; i < layers(); ++i) {
      if (IsEmbedding(i)) {
        values = Embed(values, batch, inputs);
        continue;
      }
      if (inputs != nullptr) inputs->push_back(values);
      values = Apply(i, values);
      if (i + 1 < layers()) values.relu_();
    }
    return values;
  }

  std::size_t layers() const { return parameters_.size() / 2; }
  bool IsEmbedding(std::size_t layer) const {
    return spec_.taus > 0 && layer == spec_.convolutions.size();
  }

  void MakeAngles() {
    const at::TensorOptions options = at::TensorOptions(at::kDouble).device(device_);
    multiples_ = at::arange(1, Signed(kCosines) + 1, options).mul_(std::numbers::pi);
    midpoints_ = at::arange(spec_.taus, options).add_(0.5).div_(spec_.taus);
  }

  // What the dense layers read for each tau: the features times the embedding of tau. `inputs` as
  // above, and torso_ and phi_ with it. In double precision up to the cosines: a float's error of
  // the largest angle would be too much.
  at::Tensor Embed(const at::Tensor& features, int batch, std::vector<at::Tensor>* inputs) {
    const std::span<const float> taus = std::exchange(taus_, {});
    const at::Tensor points =
        taus.empty() ? midpoints_.repeat({batch}) : Borrow(taus).to(device_).to(at::kDouble);
    const at::Tensor cosines = at::cos(points.view({-1, 1}) * multiples_).to(at::kFloat);
    const at::Tensor phi = Apply(spec_.convolutions.size(), cosines).relu_();
    if (inputs != nullptr) {
      inputs->push_back(cosines);
      torso_ = features;
      phi_ = phi;
    }
    return (PerTau(phi, batch) * features.flatten(1).unsqueeze(1)).view(phi.sizes());
  }

  // A tensor of rows as batch x taus x width.
  at::Tensor PerTau(const at::Tensor& rows, std::int64_t batch) const {
    return rows.view({batch, spec_.taus, -1});
  }

  at::Tensor Apply(std::size_t layer, const at::Tensor& values) const {
    const at::Tensor& weight = parameters_[2 * layer];
    const at::Tensor& bias = parameters_[2 * layer + 1];
    if (layer >= spec_.convolutions.size()) return at::linear(values.flatten(1), weight, bias);
    const std::int64_t stride = spec_.convolutions[layer].stride;
    return at::conv2d(values, weight, bias, {stride, stride});
  }

  // The chain rule from the last layer to the first, without libtorch's graph, whose bookkeeping
  // takes longer than a GPU's arithmetic for a minibatch.
  void ComputeGradient(std::span<const float> dq, std::span<float> gradient) {
    at::Tensor to = Borrow(gradient);
    at::Tensor whole = device_.is_cuda() ? at::empty_like(to, device_) : to;
    const auto batch = Signed(batch_);
    at::Tensor derivative = Borrow(dq).view({-1, spec_.layer_outputs()}).to(device_);
    for (std::size_t i = layers(); i-- > 0;) {
      const bool dense = i >= spec_.convolutions.size();
      if (IsEmbedding(i)) {
        derivative = EmbeddingBackward(i, derivative, batch, whole);
        if (i > 0) derivative = at::threshold_backward(derivative, torso_, 0);
        continue;
      }
      derivative =
          dense ? DenseBackward(i, derivative, whole) : ConvolutionBackward(i, derivative, whole);
      const bool reads_relu = i > 0 && !IsEmbedding(i - 1);
      if (reads_relu) derivative = at::threshold_backward(derivative, inputs_[i], 0);
    }
    if (device_.is_cuda()) to.copy_(to.is_pinned() ? whole : host_parameters_.copy_(whole));
  }

  // `derivative` is that of the layer's outputs; that of its inputs is returned, but for the first
  // layer. Those of its parameters go to their place in `gradient`.
  at::Tensor DenseBackward(std::size_t layer, const at::Tensor& derivative,
                           const at::Tensor& gradient) const {
    DenseParameterGradient(layer, derivative, gradient);
    if (layer == 0) return {};
    return at::mm(derivative, parameters_[2 * layer]).view_as(inputs_[layer]);
  }
  void DenseParameterGradient(std::size_t layer, const at::Tensor& derivative,
                              const at::Tensor& gradient) const {
    at::Tensor weight = Part(gradient, 2 * layer);
    at::Tensor bias = Part(gradient, 2 * layer + 1);
    at::mm_out(weight, derivative.t(), inputs_[layer].flatten(1));
    at::sum_out(bias, derivative, at::IntArrayRef({0}));
  }
  // What is returned is the derivative of the features.
  at::Tensor EmbeddingBackward(std::size_t layer, const at::Tensor& derivative, std::int64_t batch,
                               const at::Tensor& gradient) const {
    const at::Tensor drows = PerTau(derivative, batch);
    const at::Tensor dphi = (drows * torso_.flatten(1).unsqueeze(1)).view(phi_.sizes());
    DenseParameterGradient(layer, at::threshold_backward(dphi, phi_, 0), gradient);
    return (drows * PerTau(phi_, batch)).sum(1).view_as(torso_);
  }
  at::Tensor ConvolutionBackward(std::size_t layer, const at::Tensor& derivative,
                                 const at::Tensor& gradient) const {
    const std::int64_t stride = spec_.convolutions[layer].stride;
    const at::Tensor& weight = parameters_[2 * layer];
    const auto [of_inputs, of_weight, of_bias] = at::convolution_backward(
        derivative, inputs_[layer], weight, weight.sizes().slice(0, 1), {stride, stride}, {0, 0},
        {1, 1}, /*transposed=*/false, {0, 0}, /*groups=*/1, {layer > 0, true, true});
    Part(gradient, 2 * layer).copy_(of_weight);
    Part(gradient, 2 * layer + 1).copy_(of_bias);
    return of_inputs;
  }

  // Of each layer its weight, then its bias: the heads are one layer.
  static std::vector<ParameterTensor> PlacesOf(const NetworkSpec& spec,
                                               const ParameterLayout& layout) {
    const std::size_t embedding = spec.taus > 0 ? 1 : 0;
    const std::size_t before = 2 * (spec.convolutions.size() + embedding + spec.hidden.size());
    const std::size_t heads = (layout.tensors.size() - before) / 2;
    std::vector<ParameterTensor> places(
        layout.tensors.begin(), layout.tensors.begin() + static_cast<std::ptrdiff_t>(before));
    for (const std::size_t first : {before, before + heads}) {
      ParameterTensor& place = places.emplace_back(layout.tensors[first]);
      place.size = place.size / static_cast<std::size_t>(place.shape.front()) *
                   static_cast<std::size_t>(spec.layer_outputs());
      place.shape.front() = spec.layer_outputs();
    }
    return places;
  }

  // Tensor `i` of the layers within a flat vector.
  at::Tensor Part(const at::Tensor& whole, std::size_t i) const {
    const ParameterTensor& tensor = places_[i];
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    return whole.narrow(0, Signed(tensor.offset), Signed(tensor.size)).view(shape);
  }

  NetworkSpec spec_;
  ParameterLayout layout_;
  const std::vector<ParameterTensor> places_ = PlacesOf(spec_, layout_);
  int max_batch_;
  at::Device device_;
  std::optional<c10::Stream> stream_;  // only of a GPU
  at::Tensor host_observations_;
  at::Tensor host_parameters_;          // or a gradient; only for a GPU
  std::vector<at::Tensor> parameters_;  // one for each of `places_`: weight, bias, weight, ...
  std::vector<at::Tensor> inputs_;      // of each layer in the last Forward
  std::size_t batch_ = 0;               // the same
  // With a sampled head.
  std::span<const float> taus_;  // of the next computation; empty: the midpoints
  at::Tensor multiples_;         // of pi
  at::Tensor midpoints_;
  at::Tensor torso_;  // features and embeddings in the last Forward
  at::Tensor phi_;
};

// Products of square matrices, as a limit to measure networks against.
class SquareProduct {
 public:
  SquareProduct(at::Device device, int side)
      : a_(at::full({side, side}, 0.5F, device)), b_(at::full({side, side}, 0.25F, device)) {}

  void operator()() {
    at::mm_out(c_, a_, b_);
    c_[0][0].item();  // waits for it
  }

 private:
  at::Tensor a_, b_, c_ = at::empty_like(a_);
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
  return Unavailable("network.device is {}: libtorch rejected it: {}", device, TorchErrorText());
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

StatusOr<std::function<void()>> MakeTorchProduct(const std::string& device, int side) {
  try {
    return SquareProduct(at::Device(device), side);
  } catch (const std::exception&) {
    return Unavailable("libtorch refuses matrices of {0} x {0} on {1}: {2}", side, device,
                       TorchErrorText());
  }
}

}  // namespace gorila
