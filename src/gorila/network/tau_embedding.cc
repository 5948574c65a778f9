#include "gorila/network/tau_embedding.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gorila/base/vectorise.h"
#include "gorila/network/gemm/dense_gradient.h"
#include "gorila/network/gemm/sgemm.h"

namespace gorila {
namespace {

// phi = ReLU(phi + bias), row = phi * features. `row` may be `phi`, which then is not kept.
GORILA_VECTORISE
void EmbedRow(const float* bias, const float* features, std::size_t width, float* phi, float* row) {
  for (std::size_t i = 0; i < width; ++i) {
    const float value = std::max(phi[i] + bias[i], 0.0F);
    phi[i] = value;
    row[i] = value * features[i];
  }
}

// `drow` becomes the derivative of what the ReLU read; that of the features is added to.
GORILA_VECTORISE
void EmbedRowBackward(const float* features, const float* phi, std::size_t width, float* drow,
                      float* dfeatures) {
  for (std::size_t i = 0; i < width; ++i) {
    const float derivative = drow[i];
    dfeatures[i] += derivative * phi[i];
    drow[i] = phi[i] > 0 ? derivative * features[i] : 0.0F;
  }
}

}  // namespace

// By cos((k + 1) x) = 2 cos(x) cos(k x) - cos((k - 1) x), whose error in double precision stays far
// below a float's: sixty-four calls of std::cos would take as long as the rest of the embedding.
void WriteCosines(double tau, float* cosines) {
  const double first = std::cos(std::numbers::pi * tau);
  double before = 1;
  double now = first;
  for (std::size_t k = 0; k < kCosines; ++k) {
    cosines[k] = static_cast<float>(now);
    const double next = 2 * first * now - before;
    before = now;
    now = next;
  }
}

TauEmbedding::TauEmbedding(const NetworkShape& shape, std::size_t max_batch)
    : shape_(shape.embedding.value()),
      taus_(shape.rows),
      max_rows_(max_batch * shape.rows),
      weight_(shape.dense_offset() - shape_.parameters()),
      bias_(weight_ + shape_.inputs * shape_.outputs) {}

TauEmbedding::Kept& TauEmbedding::Use(Pass pass) {
  Kept& kept = kept_[static_cast<std::size_t>(pass)];
  if (kept.cosines.size() > 0) return kept;
  kept.cosines = FloatBuffer(max_rows_ * kCosines);
  kept.rows = FloatBuffer(max_rows_ * shape_.outputs);
  if (pass == Pass::kForward) kept.phi = FloatBuffer(max_rows_ * shape_.outputs);
  return kept;
}

const float* TauEmbedding::Forward(const float* features, std::size_t batch, Pass pass,
                                   std::span<const float> taus) {
  Kept& kept = Use(pass);
  const std::size_t rows = batch * taus_;
  const std::size_t width = shape_.outputs;
  for (std::size_t row = 0; row < rows; ++row) {
    const double midpoint = (static_cast<double>(row % taus_) + 0.5) / static_cast<double>(taus_);
    const double tau = taus.empty() ? midpoint : static_cast<double>(taus[row]);
    WriteCosines(tau, kept.cosines.data() + row * kCosines);
  }
  float* const phi = pass == Pass::kForward ? kept.phi.data() : kept.rows.data();
  Sgemm(Transpose::kNo, Transpose::kYes, rows, width, kCosines, {kept.cosines.data(), kCosines},
        {&parameters_[weight_], kCosines}, {phi, width});
  for (std::size_t row = 0; row < rows; ++row) {
    EmbedRow(&parameters_[bias_], features + row / taus_ * width, width, phi + row * width,
             kept.rows.data() + row * width);
  }
  return kept.rows.data();
}

void TauEmbedding::Backward(const float* features, std::size_t batch, float* drows,
                            std::span<float> gradient, float* dfeatures) {
  const Kept& kept = kept_[static_cast<std::size_t>(Pass::kForward)];
  const std::size_t rows = batch * taus_;
  const std::size_t width = shape_.outputs;
  if (dfeatures == nullptr) {
    if (unwanted_.size() == 0) unwanted_ = FloatBuffer(max_rows_ / taus_ * width);
    dfeatures = unwanted_.data();
  }
  std::fill_n(dfeatures, batch * width, 0.0F);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t observation = row / taus_ * width;
    EmbedRowBackward(features + observation, kept.phi.data() + row * width, width,
                     drows + row * width, dfeatures + observation);
  }
  DenseGradient(shape_, rows, drows, kept.cosines.data(), &gradient[weight_], &gradient[bias_]);
}

}  // namespace gorila
