#include "gorila/env/atari/atari_environment.h"

#include <algorithm>
#include <utility>

#include "gorila/env/state_fields.h"

namespace gorila {
namespace {

using atari::ConsoleSpec;
using atari::FrameSource;
using atari::Joystick;

constexpr std::int64_t kManyFrames = std::int64_t{1} << 48;
constexpr int kManyLives = 255;
constexpr int kRenderedColumns = 2;  // of the picture, for one of the console

EnvironmentSpec MakeSpec(const ConsoleSpec& console, const std::vector<Joystick>& actions,
                         const AtariOptions& options) {
  EnvironmentSpec spec;
  spec.name = console.name;
  spec.observation = {.channels = 1,
                      .height = options.screen_size,
                      .width = options.screen_size,
                      .element = ElementType::kUint8,
                      .scale = 1.0F / 255,
                      .stack = options.stack};
  for (const Joystick action : actions) spec.action_names.emplace_back(JoystickName(action));
  return spec;
}

}  // namespace

AtariEnvironment::AtariEnvironment(std::unique_ptr<FrameSource> source,
                                   const EnvironmentOptions& options,
                                   std::unique_ptr<DrawSource> draws)
    : options_(options.atari),
      source_(std::move(source)),
      draws_(std::move(draws)),
      actions_(options.minimal_actions ? source_->spec().minimal_actions
                                       : source_->spec().legal_actions),
      spec_(MakeSpec(source_->spec(), actions_, options_)),
      luminance_(source_->spec().palette, options_.maximum),
      resizer_(source_->spec().height, atari::kScreenWidth, options_.screen_size, options_.resize),
      episode_(options.max_episode_steps),
      grey_(source_->spec().screen_size()) {
  for (auto& screen : screens_) screen.resize(source_->spec().screen_size());
}

StatusOr<TimeStep> AtariEnvironment::Reset(std::span<std::byte> observation) {
  if (!life_lost_) StartGame();
  life_lost_ = false;
  PlayNoOps();
  lives_ = source_->lives();
  Capture();
  screens_[1 - newest_] = screens_[newest_];
  Observe(observation);
  return episode_.Begin();
}

void AtariEnvironment::StartGame() {
  source_->Reset(*draws_);
  frames_ = 0;
  previous_ = Joystick::kNoOp;
}

// A game that ends in them is started again.
void AtariEnvironment::PlayNoOps() {
  if (options_.noop_max == 0) return;
  const int noops = draws_->Integer(0, options_.noop_max + 1);
  for (int i = 0; i < noops; ++i) {
    source_->Act(Joystick::kNoOp, *draws_);
    ++frames_;
    if (source_->game_over()) StartGame();
  }
  previous_ = Joystick::kNoOp;
}

float AtariEnvironment::Frame(Joystick position) {
  const double sticky = options_.repeat_action_probability;
  const bool sticks = sticky > 0 && draws_->Uniform() < sticky;
  if (!sticks) previous_ = position;
  ++frames_;
  return source_->Act(previous_, *draws_);
}

bool AtariEnvironment::LosesLife() {
  const int before = std::exchange(lives_, source_->lives());
  return options_.life_loss_ends_episode && lives_ < before;
}

// How many frames the next step runs: fewer than its action is repeated for at the time limit.
int AtariEnvironment::FramesOfStep() const {
  if (options_.max_frames == 0) return options_.action_repeat;
  const std::int64_t left = std::max<std::int64_t>(1, options_.max_frames - frames_);
  return static_cast<int>(std::min<std::int64_t>(options_.action_repeat, left));
}

StatusOr<TimeStep> AtariEnvironment::Step(int action, std::span<std::byte> observation) {
  GORILA_CHECK(action >= 0 && action < spec_.num_actions(), "action {} of {}", action,
               spec_.num_actions());
  GORILA_CHECK(episode_.running(), "Step without Reset");
  const Joystick position = actions_[static_cast<std::size_t>(action)];
  const int frames = FramesOfStep();
  float reward = 0;
  bool over = false;
  for (int i = 0; i < frames && !over && !life_lost_; ++i) {
    reward += Frame(position);
    over = source_->game_over();
    life_lost_ = LosesLife() && !over;
    // There is no telling when a life is lost, so that a step that ends early may have captured its
    // last frame only.
    if (i + options_.pooled_frames >= frames || over || life_lost_) Capture();
  }
  Observe(observation);
  const bool time_is_up = options_.max_frames > 0 && frames_ >= options_.max_frames;
  return episode_.Advance(reward, over || life_lost_, time_is_up);
}

void AtariEnvironment::Capture() {
  newest_ = 1 - newest_;
  source_->ReadScreen(screens_[newest_]);
}

void AtariEnvironment::Observe(std::span<std::byte> observation) {
  const std::vector<std::uint8_t>& newest = screens_[newest_];
  luminance_.Convert(newest, options_.pooled_frames > 1 ? screens_[1 - newest_] : newest, grey_);
  resizer_.Resize(grey_, {reinterpret_cast<std::uint8_t*>(observation.data()), observation.size()});
}

Status AtariEnvironment::Render(RgbImage& image) {
  const ConsoleSpec& console = source_->spec();
  std::vector<std::uint8_t> screen(console.screen_size());
  source_->ReadScreen(screen);
  image.width = kRenderedColumns * atari::kScreenWidth;
  image.height = console.height;
  image.pixels.resize(3 * kRenderedColumns * screen.size());
  auto pixel = image.pixels.begin();
  for (const std::uint8_t index : screen) {
    const Rgb colour = console.palette[index % atari::kColours];
    for (int i = 0; i < kRenderedColumns; ++i) {
      *pixel++ = colour.red;
      *pixel++ = colour.green;
      *pixel++ = colour.blue;
    }
  }
  return OkStatus();
}

void AtariEnvironment::SaveState(StateWriter& writer) const {
  WriteEnvironmentName(writer, spec_.name);
  episode_.SaveState(writer);
  writer.Write(frames_);
  writer.Write<std::int32_t>(lives_);
  writer.Write<std::uint8_t>(life_lost_ ? 1 : 0);
  writer.Write<std::uint8_t>(static_cast<std::uint8_t>(previous_));
  source_->SaveState(writer);
  draws_->SaveState(writer);
}

Status AtariEnvironment::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(ReadEnvironmentName(reader, spec_.name));
  GORILA_RETURN_IF_ERROR(episode_.RestoreState(reader));
  std::int64_t frames = 0;
  std::int32_t lives = 0;
  std::uint8_t life_lost = 0;
  std::uint8_t previous = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(frames));
  GORILA_RETURN_IF_ERROR(reader.Read(lives));
  GORILA_RETURN_IF_ERROR(reader.Read(life_lost));
  GORILA_RETURN_IF_ERROR(reader.Read(previous));
  GORILA_RETURN_IF_ERROR(CheckFields(
      {{"frames", frames, 0, kManyFrames},
       {"lives", lives, 0, kManyLives},
       {"life_lost", life_lost, 0, 1},
       {"previous action", previous, 0, static_cast<int>(atari::kJoystickNames.size()) - 1}}));
  const auto position = static_cast<Joystick>(previous);
  const std::vector<Joystick>& legal = source_->spec().legal_actions;
  if (std::find(legal.begin(), legal.end(), position) == legal.end()) {
    return DataLoss("state has the previous action '{}', which {} does not have",
                    JoystickName(position), spec_.name);
  }
  GORILA_RETURN_IF_ERROR(source_->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(draws_->RestoreState(reader));
  frames_ = frames;
  lives_ = lives;
  life_lost_ = life_lost == 1;
  previous_ = position;
  // Frames that the next step's maximum may need.
  Capture();
  return OkStatus();
}

}  // namespace gorila
