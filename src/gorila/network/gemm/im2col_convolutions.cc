#include "gorila/network/gemm/im2col_convolutions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gorila/network/elementwise.h"
#include "gorila/network/float_buffer.h"
#include "gorila/network/gemm/im2col.h"
#include "gorila/network/gemm/sgemm.h"
#include "gorila/network/observation_reader.h"

namespace gorila {
namespace {

// Between layers a batch is stored channel by channel (filters x batch x positions): what one
// product of the weights with all columns gives.
PictureStrides ChannelMajor(const ConvolutionShape& reader, std::size_t batch) {
  const std::size_t plane = reader.height * reader.width;
  return {.per_picture = plane, .per_channel = batch * plane};
}

// Observations are stored picture by picture.
PictureStrides PictureMajor(const ConvolutionShape& reader) {
  return {.per_picture = reader.inputs(), .per_channel = reader.height * reader.width};
}

struct Layer {
  ConvolutionShape shape;
  std::size_t weight;  // offsets in the flat vector
  std::size_t bias;
};

// The results of one pass, layer by layer. The last entry of `outputs` is before bias and ReLU.
struct Intermediates {
  FloatBuffer inputs;
  std::vector<FloatBuffer> columns;
  std::vector<FloatBuffer> outputs;
};

class Im2ColConvolutions final : public ConvolutionStack {
 public:
  Im2ColConvolutions(const ObservationSpec& input, const std::vector<ConvolutionShape>& layers,
                     std::size_t max_batch)
      : input_(input), max_batch_(max_batch) {
    std::size_t offset = 0;
    for (const ConvolutionShape& shape : layers) {
      layers_.push_back(
          {.shape = shape, .weight = offset, .bias = offset + shape.filters * shape.fan_in()});
      offset += shape.parameters();
    }
  }

  void SetParameters(std::span<const float> values) override { parameters_ = values; }

  void Forward(std::span<const std::byte> observations, std::size_t batch, Pass pass,
               float* features) override {
    Intermediates& kept = UseIntermediates(pass);
    if (pass == Pass::kForward) batch_ = batch;
    ReadObservations(input_, observations, batch, kept.inputs.data());
    const ConvolutionShape& first = layers_.front().shape;
    Im2Col(first, PictureMajor(first), batch, kept.inputs.data(), kept.columns.front().data());
    Compute(kept.columns.front().data(), batch, kept, features);
  }

  void ForwardSame(ConvolutionStack& other, std::span<const std::byte> observations,
                   std::size_t batch, float* features) override {
    auto* const twin = dynamic_cast<Im2ColConvolutions*>(&other);
    if (twin == nullptr || twin->input_ != input_ ||
        twin->layers_.front().shape != layers_.front().shape) {
      return Forward(observations, batch, Pass::kPredict, features);
    }
    const Intermediates& made = twin->UseIntermediates(Pass::kPredict);
    Compute(made.columns.front().data(), batch, UseIntermediates(Pass::kPredict), features);
  }

  void Backward(const float* features, float* dfeatures, std::span<float> gradient) override {
    const Intermediates& kept = UseIntermediates(Pass::kForward);
    MakeDerivatives();
    SplitFeatures(features, dfeatures);
    for (std::size_t i = layers_.size(); i-- > 0;) {
      LayerGradient(layers_[i], kept.columns[i].data(), derivatives_[i].data(), gradient);
      if (i > 0) InputDerivative(i, kept.outputs[i - 1].data());
    }
  }

 private:
  // From the first layer's columns on.
  void Compute(const float* columns, std::size_t batch, Intermediates& kept, float* features) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const ConvolutionShape& s = layers_[i].shape;
      if (i > 0) {
        Im2Col(s, ChannelMajor(s, batch), batch, kept.outputs[i - 1].data(),
               kept.columns[i].data());
        columns = kept.columns[i].data();
      }
      const std::size_t row = batch * s.positions();
      Sgemm(Transpose::kNo, Transpose::kNo, s.filters, row, s.fan_in(),
            {&parameters_[layers_[i].weight], s.fan_in()}, {columns, row},
            {kept.outputs[i].data(), row});
      if (i + 1 < layers_.size()) Activate(layers_[i], batch, kept.outputs[i].data());
    }
    ActivateFeatures(layers_.back(), batch, kept.outputs.back().data(), features);
  }

  Intermediates& UseIntermediates(Pass pass) {
    Intermediates& kept = intermediates_[static_cast<std::size_t>(pass)];
    if (!kept.columns.empty()) return kept;
    kept.inputs = FloatBuffer(max_batch_ * layers_.front().shape.inputs() + kIm2ColSlack);
    for (const Layer& layer : layers_) {
      kept.columns.emplace_back(max_batch_ * layer.shape.fan_in() * layer.shape.positions() +
                                kIm2ColSlack);
      kept.outputs.emplace_back(max_batch_ * layer.shape.outputs() + kIm2ColSlack);
    }
    return kept;
  }

  void MakeDerivatives() {
    if (!derivatives_.empty()) return;
    std::size_t columns = 0;
    std::size_t weights = 0;
    for (const Layer& layer : layers_) {
      derivatives_.emplace_back(max_batch_ * layer.shape.outputs());
      weights = std::max(weights, layer.shape.filters * layer.shape.fan_in());
      if (&layer == &layers_.front()) continue;  // the inputs have no derivative
      columns = std::max(columns, layer.shape.fan_in() * layer.shape.positions());
    }
    dcolumns_ = FloatBuffer(max_batch_ * columns);
    dweights_ = FloatBuffer(weights);
  }

  void Activate(const Layer& layer, std::size_t batch, float* outputs) const {
    const std::size_t row = batch * layer.shape.positions();
    for (std::size_t f = 0; f < layer.shape.filters; ++f) {
      AddAndRelu(outputs + f * row, parameters_[layer.bias + f], row, outputs + f * row);
    }
  }

  // Activates the last layer, and reorders it picture by picture for the dense layers.
  void ActivateFeatures(const Layer& layer, std::size_t batch, const float* outputs,
                        float* features) const {
    const std::size_t positions = layer.shape.positions();
    for (std::size_t f = 0; f < layer.shape.filters; ++f) {
      for (std::size_t n = 0; n < batch; ++n) {
        AddAndRelu(outputs + (f * batch + n) * positions, parameters_[layer.bias + f], positions,
                   features + (n * layer.shape.filters + f) * positions);
      }
    }
  }

  // The reverse of ActivateFeatures, for derivatives.
  void SplitFeatures(const float* features, float* dfeatures) {
    const ConvolutionShape& s = layers_.back().shape;
    MaskByRelu(features, batch_ * s.outputs(), dfeatures);
    for (std::size_t f = 0; f < s.filters; ++f) {
      for (std::size_t n = 0; n < batch_; ++n) {
        std::copy_n(dfeatures + (n * s.filters + f) * s.positions(), s.positions(),
                    derivatives_.back().data() + (f * batch_ + n) * s.positions());
      }
    }
  }

  void LayerGradient(const Layer& layer, const float* columns, const float* doutputs,
                     std::span<float> gradient) {
    const ConvolutionShape& s = layer.shape;
    const std::size_t row = batch_ * s.positions();
    for (std::size_t f = 0; f < s.filters; ++f) {
      gradient[layer.bias + f] = Sum(doutputs + f * row, row);
    }
    // SGEMM is twice as fast with the long side first.
    Sgemm(Transpose::kNo, Transpose::kYes, s.fan_in(), s.filters, row, {columns, row},
          {doutputs, row}, {dweights_.data(), s.filters});
    TransposeMatrix(dweights_.data(), s.fan_in(), s.filters, &gradient[layer.weight]);
  }

  // Derivatives of layer i's inputs, the outputs of the layer before.
  void InputDerivative(std::size_t i, const float* inputs) {
    const ConvolutionShape& s = layers_[i].shape;
    const std::size_t row = batch_ * s.positions();
    Sgemm(Transpose::kYes, Transpose::kNo, s.fan_in(), row, s.filters,
          {&parameters_[layers_[i].weight], s.fan_in()}, {derivatives_[i].data(), row},
          {dcolumns_.data(), row});
    float* dinputs = derivatives_[i - 1].data();
    Col2Im(s, ChannelMajor(s, batch_), batch_, dcolumns_.data(), dinputs);
    MaskByRelu(inputs, batch_ * s.inputs(), dinputs);
  }

  ObservationSpec input_;
  std::size_t max_batch_;
  std::vector<Layer> layers_;
  std::span<const float> parameters_;
  std::size_t batch_ = 0;                       // of the last Forward with Pass::kForward
  std::array<Intermediates, 2> intermediates_;  // by Pass; empty until used
  // For Backward; empty until used.
  std::vector<FloatBuffer> derivatives_;
  FloatBuffer dcolumns_;
  FloatBuffer dweights_;
};

}  // namespace

std::unique_ptr<ConvolutionStack> MakeIm2ColConvolutions(
    const ObservationSpec& input, const std::vector<ConvolutionShape>& layers,
    std::size_t max_batch) {
  return std::make_unique<Im2ColConvolutions>(input, layers, max_batch);
}

}  // namespace gorila
