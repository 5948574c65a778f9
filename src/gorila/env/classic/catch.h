// Catch (Mnih et al. 2014; the board of bsuite, Osband et al. 2020): a ball falls down a board of
// 10 rows and 5 columns onto the paddle, or beside it.
#ifndef GORILA_ENV_CLASSIC_CATCH_H_
#define GORILA_ENV_CLASSIC_CATCH_H_

#include <cstdint>
#include <memory>
#include <span>

#include "gorila/env/environment.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/episode.h"

namespace gorila {

// Actions left, stay, right. Observation uint8 1 x 10 x 5: 1 at the ball and at the paddle (bottom
// row). An episode takes 9 steps; its last gives reward +1 (caught) or -1 (missed) and discount 0.
// Draws Integer(0, 5), the ball's column, at Reset. Not thread-safe.
class Catch final : public Environment {
 public:
  Catch(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws);

  const EnvironmentSpec& spec() const override { return spec_; }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override;
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override;
  Status Render(RgbImage& image) override;  // 80 x 160
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

 private:
  struct State {
    std::int32_t ball_x = 0;
    std::int32_t ball_y = 0;
    std::int32_t paddle_x = 0;
  };

  void Observe(std::span<std::byte> observation) const;

  const std::unique_ptr<DrawSource> draws_;
  const EnvironmentSpec spec_;
  Episode episode_;
  State state_;
};

}  // namespace gorila

#endif  // GORILA_ENV_CLASSIC_CATCH_H_
