#include "gorila/env/pixel/pixel_console.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "gorila/env/pixel/motion.h"
#include "gorila/env/state_fields.h"

namespace gorila {
namespace {

using atari::Joystick;
using minatar::BitGrid;
using minatar::kGridSize;
using pixel::Cabinet;
using pixel::Look;
using pixel::Motion;
using pixel::Shift;

constexpr int kBitPixels = 2;  // a sprite's bit on the screen
constexpr int kCellWidth = kBitPixels * pixel::kSpriteColumns;
constexpr int kCellHeight = kBitPixels * pixel::kSpriteRows;
constexpr int kFieldTop = 24;  // the line above has score and lives
static_assert(kCellWidth * kGridSize == atari::kScreenWidth);
static_assert(kFieldTop + kCellHeight * kGridSize <= atari::kScreenHeight);
constexpr int kStatusTop = 6;
constexpr int kMostDigits = 6;
constexpr std::int32_t kHighestScore = 999999;  // as consoles do, the score stops there

enum Colour : std::uint8_t {
  kBlack,
  kWhite,
  kGrey,
  kAsphalt,
  kSea,
  kRed,
  kOrange,
  kYellow,
  kGreen,
  kCyan,
  kPink,
  kNumColours
};

atari::Palette MakePalette() {
  atari::Palette palette{};
  palette[kBlack] = {0, 0, 0};
  palette[kWhite] = {236, 236, 236};
  palette[kGrey] = {142, 142, 142};
  palette[kAsphalt] = {64, 64, 64};
  palette[kSea] = {0, 28, 88};
  palette[kRed] = {200, 72, 72};
  palette[kOrange] = {198, 108, 58};
  palette[kYellow] = {232, 204, 99};
  palette[kGreen] = {92, 186, 92};
  palette[kCyan] = {84, 184, 200};
  palette[kPink] = {228, 111, 210};
  return palette;
}

// Channels in the order of the games' own tables; those left out are MinAtar's trails.
constexpr std::array<Cabinet, 5> kCabinets = {{
    {.game = "asterix",
     .background = kBlack,
     .lives = 3,
     .looks = {{{&pixel::kManSprite, kWhite},
                {&pixel::kEnemySprite, kRed, true},
                {},
                {&pixel::kGoldSprite, kYellow, true}}}},
    {.game = "breakout",
     .background = kBlack,
     .lives = 5,
     .looks = {{{&pixel::kPaddleSprite, kRed},
                {&pixel::kBallSprite, kWhite, true},
                {},
                {&pixel::kBrickSprite, kOrange}}}},
    {.game = "freeway",
     .background = kAsphalt,
     .lives = 0,
     .looks = {{{&pixel::kChickenSprite, kYellow}, {&pixel::kCarSprite, kCyan, true}}}},
    {.game = "seaquest",
     .background = kSea,
     .lives = 4,
     .looks = {{{&pixel::kSubmarineSprite, kYellow},
                {&pixel::kHullSprite, kYellow},
                {&pixel::kTorpedoSprite, kWhite, true},
                {},
                {&pixel::kTorpedoSprite, kPink, true},
                {&pixel::kFishSprite, kGreen, true},
                {&pixel::kSubmarineSprite, kGrey, true},
                {&pixel::kFullSprite, kCyan},
                {&pixel::kDiverSprite, kWhite},
                {&pixel::kDiverSprite, kCyan, true}}}},
    {.game = "space_invaders",
     .background = kBlack,
     .lives = 3,
     .looks = {{{&pixel::kCannonSprite, kGreen},
                {&pixel::kAlienSprite, kYellow},
                {},
                {},
                {&pixel::kBulletSprite, kWhite, true},
                {&pixel::kBulletSprite, kPink, true}}}},
}};

constexpr std::array kLegalActions = {Joystick::kNoOp,  Joystick::kFire, Joystick::kUp,
                                      Joystick::kRight, Joystick::kLeft, Joystick::kDown};

minatar::Action ActionOf(Joystick position) {
  switch (position) {
    case Joystick::kFire:
      return minatar::kFire;
    case Joystick::kUp:
      return minatar::kUp;
    case Joystick::kRight:
      return minatar::kRight;
    case Joystick::kLeft:
      return minatar::kLeft;
    case Joystick::kDown:
      return minatar::kDown;
    default:
      return minatar::kNoOp;
  }
}

atari::ConsoleSpec MakeSpec(const minatar::GameInfo& info) {
  atari::ConsoleSpec spec;
  spec.name = fmt::format("pixel/{}", info.name);
  spec.palette = MakePalette();
  spec.legal_actions.assign(kLegalActions.begin(), kLegalActions.end());
  const auto has_a_use = [&info](Joystick position) {
    const auto& used = info.minimal_actions;
    return std::find(used.begin(), used.end(), ActionOf(position)) != used.end();
  };
  std::copy_if(kLegalActions.begin(), kLegalActions.end(), std::back_inserter(spec.minimal_actions),
               has_a_use);
  return spec;
}

// Fills width x height pixels from (left, top) on, skipping those outside the screen.
struct Area {
  int left;
  int top;
  int width;
  int height;
};
void Fill(std::span<std::uint8_t> screen, const Area& area, std::uint8_t colour) {
  const int left = std::max(area.left, 0);
  const int right = std::min(area.left + area.width, atari::kScreenWidth);
  const int bottom = std::min(area.top + area.height, atari::kScreenHeight);
  if (left >= right) return;
  for (int y = std::max(area.top, 0); y < bottom; ++y) {
    const auto row = screen.begin() + static_cast<std::ptrdiff_t>(y) * atari::kScreenWidth;
    std::fill(row + left, row + right, colour);
  }
}

// The bits of `rows`, `columns` wide, each kBitPixels squared; what lies outside the screen is left
// out.
template <std::size_t kRows>
void DrawBits(std::span<std::uint8_t> screen, const std::array<std::uint8_t, kRows>& rows,
              int columns, int left, int top, std::uint8_t colour) {
  for (int y = 0; y < static_cast<int>(kRows) * kBitPixels; ++y) {
    if (top + y < 0 || top + y >= atari::kScreenHeight) continue;
    const unsigned bits = rows[static_cast<std::size_t>(y / kBitPixels)];
    std::uint8_t* const row =
        screen.data() + static_cast<std::ptrdiff_t>(top + y) * atari::kScreenWidth;
    for (int x = std::max(0, -left); x < std::min(columns * kBitPixels, atari::kScreenWidth - left);
         ++x) {
      if ((bits >> (columns - 1 - x / kBitPixels) & 1U) != 0) row[left + x] = colour;
    }
  }
}

}  // namespace

const Cabinet& pixel::CabinetOf(std::string_view game) {
  const auto found = std::find_if(kCabinets.begin(), kCabinets.end(),
                                  [&](const Cabinet& cabinet) { return cabinet.game == game; });
  GORILA_CHECK(found != kCabinets.end(), "no cabinet for '{}'", game);
  return *found;
}

PixelConsole::PixelConsole(std::unique_ptr<minatar::Game> game)
    : game_(std::move(game)),
      cabinet_(pixel::CabinetOf(game_->info().name)),
      spec_(MakeSpec(game_->info())),
      channels_(game_->info().channels.size()) {}

void PixelConsole::Reset(DrawSource& draws) {
  frames_in_step_ = 0;
  odd_frame_ = 0;
  lives_ = cabinet_.lives;
  score_ = 0;
  over_ = false;
  BeginRound(draws);
}

void PixelConsole::BeginRound(DrawSource& draws) {
  game_->Reset(draws);
  now_ = Observe();
  before_ = now_;
}

float PixelConsole::Act(Joystick position, DrawSource& draws) {
  if (over_) return 0;
  const float points = frames_in_step_ == 0 ? PlayStep(position, draws) : 0.0F;
  frames_in_step_ = (frames_in_step_ + 1) % kFramesPerStep;
  odd_frame_ = 1 - odd_frame_;
  return points;
}

float PixelConsole::PlayStep(Joystick position, DrawSource& draws) {
  const minatar::Outcome outcome = game_->Act(ActionOf(position), draws);
  score_ = std::min(score_ + static_cast<std::int32_t>(outcome.reward), kHighestScore);
  before_ = std::exchange(now_, Observe());
  if (!outcome.terminal) return outcome.reward;
  lives_ = std::max(lives_ - 1, 0);
  over_ = lives_ == 0;
  if (!over_) BeginRound(draws);
  return outcome.reward;
}

PixelConsole::Grids PixelConsole::Observe() const {
  std::array<std::uint8_t, minatar::kMaxChannels * minatar::kCells> cells;
  game_->Observe(std::span(cells).first(channels_ * minatar::kCells));
  Grids grids{};
  for (std::size_t i = 0; i < channels_ * minatar::kCells; ++i) {
    if (cells[i] == 0) continue;
    const int cell = static_cast<int>(i % minatar::kCells);
    grids[i / minatar::kCells].Set(cell / kGridSize, cell % kGridSize);
  }
  return grids;
}

void PixelConsole::ReadScreen(std::span<std::uint8_t> screen) const {
  GORILA_CHECK(screen.size() == spec_.screen_size(), "screen of {} pixels", screen.size());
  std::fill(screen.begin(), screen.end(), std::uint8_t{kBlack});
  Fill(screen, {0, kFieldTop, atari::kScreenWidth, kCellHeight * kGridSize}, cabinet_.background);
  DrawField(screen);
  DrawStatus(screen);
}

void PixelConsole::DrawStatus(std::span<std::uint8_t> screen) const {
  std::int32_t rest = score_;
  int left = atari::kScreenWidth - 12;
  for (int i = 0; i < kMostDigits && (i == 0 || rest > 0); ++i, rest /= 10) {
    DrawBits(screen, pixel::kDigits[static_cast<std::size_t>(rest % 10)], pixel::kDigitColumns,
             left, kStatusTop, kWhite);
    left -= (pixel::kDigitColumns + 1) * kBitPixels;
  }
  for (int i = 0; i < lives_; ++i) Fill(screen, {8 + 10 * i, kStatusTop + 2, 6, 6}, kPink);
}

// Objects are drawn where they are between the step before and this one; the last frame of a step
// shows them where the game has them.
void PixelConsole::DrawField(std::span<std::uint8_t> screen) const {
  const int left_to_show = frames_in_step_ == 0 ? 0 : kFramesPerStep - frames_in_step_;
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    const Look& look = cabinet_.looks[channel];
    if (look.sprite == nullptr) continue;
    const Motion motion(before_[channel], now_[channel]);
    for (int y = 0; y < kGridSize; ++y) {
      if (look.flickers && (y + odd_frame_) % 2 == 1) continue;
      for (unsigned bits = now_[channel].row(y); bits != 0; bits &= bits - 1) {
        const int x = std::countr_zero(bits);
        const Shift shift = motion.ShiftOf(y, x);
        DrawBits(
            screen, *look.sprite, pixel::kSpriteColumns,
            x * kCellWidth - shift.x * kCellWidth * left_to_show / kFramesPerStep,
            kFieldTop + y * kCellHeight - shift.y * kCellHeight * left_to_show / kFramesPerStep,
            look.colour);
      }
    }
  }
}

void PixelConsole::SaveState(StateWriter& writer) const {
  for (std::size_t i = 0; i < channels_; ++i) writer.Write(before_[i]);
  writer.Write<std::int32_t>(frames_in_step_);
  writer.Write<std::int32_t>(odd_frame_);
  writer.Write<std::int32_t>(lives_);
  writer.Write(score_);
  writer.Write<std::uint8_t>(over_ ? 1 : 0);
  game_->SaveState(writer);
}

Status PixelConsole::RestoreState(StateReader& reader) {
  Grids before{};
  for (std::size_t i = 0; i < channels_; ++i) {
    GORILA_RETURN_IF_ERROR(reader.Read(before[i]));
    GORILA_RETURN_IF_ERROR(
        CheckFields({{"columns of objects before", before[i].Columns(), 0, BitGrid::kFullRow}}));
  }
  std::int32_t frames_in_step = 0;
  std::int32_t odd_frame = 0;
  std::int32_t lives = 0;
  std::int32_t score = 0;
  std::uint8_t over = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(frames_in_step));
  GORILA_RETURN_IF_ERROR(reader.Read(odd_frame));
  GORILA_RETURN_IF_ERROR(reader.Read(lives));
  GORILA_RETURN_IF_ERROR(reader.Read(score));
  GORILA_RETURN_IF_ERROR(reader.Read(over));
  GORILA_RETURN_IF_ERROR(CheckFields({{"frames in step", frames_in_step, 0, kFramesPerStep - 1},
                                      {"odd frame", odd_frame, 0, 1},
                                      {"lives", lives, 0, cabinet_.lives},
                                      {"score", score, 0, kHighestScore},
                                      {"over", over, 0, 1}}));
  GORILA_RETURN_IF_ERROR(game_->RestoreState(reader));
  before_ = before;
  now_ = Observe();
  frames_in_step_ = frames_in_step;
  odd_frame_ = odd_frame;
  lives_ = lives;
  score_ = score;
  over_ = over == 1;
  return OkStatus();
}

}  // namespace gorila
