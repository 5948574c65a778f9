// What a member above 0 of a group computes of the network.
#ifndef GORILA_NETWORK_SPLIT_MEMBER_NETWORK_H_
#define GORILA_NETWORK_SPLIT_MEMBER_NETWORK_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gorila/network/dense_stack.h"
#include "gorila/network/factored_noise.h"
#include "gorila/network/gradient_size.h"
#include "gorila/network/split/split_plan.h"

namespace gorila {

// Its units of every divided stage. Used by one thread at a time; no call blocks. Sizes are checked
// by the caller.
class MemberNetwork {
 public:
  // `member` >= 1; `max_rows`: the most rows of a computation.
  MemberNetwork(const SplitPlan& plan, int member, std::size_t max_rows);

  const Pieces& pieces() const { return pieces_; }
  std::size_t local_size() const { return local_size_; }  // of its parameter vector
  std::size_t max_rows() const { return max_rows_; }
  int stages() const { return static_cast<int>(stages_.size()); }
  // Whether the stage is divided: of others it has nothing.
  bool Has(int stage) const { return At(stage).dense != nullptr; }
  std::size_t inputs(int stage) const { return At(stage).inputs; }
  std::size_t outputs(int stage) const { return At(stage).outputs; }

  // Uses these parameters, local_size() of them, from now on; borrowed.
  void SetParameters(std::span<const float> local);
  bool has_parameters() const { return has_parameters_; }

  // Numbers in the factors of its layers' noise (TakeFactors); 0: they are not noisy.
  std::size_t noise_size() const;
  // Computes with this noise from now on, until SetParameters. What Forward kept is lost.
  void SetNoise(std::span<const float> factors);

  // Its summand of the stage's outputs (rows x outputs) for the inputs (rows x inputs). With
  // Pass::kForward the inputs are borrowed until Backward.
  void Forward(int stage, std::size_t rows, Pass pass, std::span<const float> inputs,
               std::span<float> outputs);

  // Whether the stage's last Forward with Pass::kForward was of so many rows, with the parameters
  // of now: what Backward needs.
  bool CanGoBack(int stage, std::size_t rows) const { return At(stage).rows == rows; }

  // From the derivative with respect to the stage's outputs: the stage's part of `gradient`
  // (local_size()) and, unless it is empty, the member's summand of the derivative with respect to
  // the inputs. Gives the size of that part of the gradient.
  GradientSize Backward(int stage, std::span<const float> doutputs, std::span<float> gradient,
                        std::span<float> dinputs);

 private:
  struct Stage {
    std::unique_ptr<DenseStack> dense = {};  // null: not divided
    std::optional<FactoredNoise> noise = {};
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    std::size_t offset = 0;  // in the local vector
    std::size_t size = 0;    // without the second layer's biases
    std::size_t rows = 0;    // of the last Forward with Pass::kForward; 0: none
    const float* kept = nullptr;

    std::size_t all() const { return size + outputs; }  // with these biases
  };

  GradientSize SigmaGradient(const Stage& stage, std::span<float> gradient) const;
  std::size_t SigmasOf(const Stage& stage) const { return offsets_.back() + stage.offset; }

  Stage& At(int stage) { return stages_[static_cast<std::size_t>(stage)]; }
  const Stage& At(int stage) const { return stages_[static_cast<std::size_t>(stage)]; }

  const Pieces pieces_;
  const std::vector<std::size_t> offsets_;
  const std::size_t local_size_;
  const std::size_t max_rows_;
  std::vector<Stage> stages_;
  bool has_parameters_ = false;
  bool has_noise_ = false;
  std::span<const float> given_;  // parameters
  std::vector<float> values_;     // of noisy layers: what they compute with
};

}  // namespace gorila

#endif  // GORILA_NETWORK_SPLIT_MEMBER_NETWORK_H_
