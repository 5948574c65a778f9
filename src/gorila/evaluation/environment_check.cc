#include "gorila/evaluation/environment_check.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gorila/env/external/external_factory.h"
#include "gorila/env/external/external_name.h"
#include "gorila/env/external/observation_picture.h"
#include "gorila/env/random_play.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

constexpr std::uint64_t kSeed = 20150715;
constexpr int kRepeatedSteps = 200;
constexpr int kStepsBeforeSave = 50;
constexpr int kPictureSteps = 30;
constexpr double kLargestValue = 10;  // of what a network sees without trouble
constexpr double kLargestReward = 10;
constexpr std::size_t kMostNamed = 6;  // actions

// What one check came to.
struct Finding {
  Verdict verdict = Verdict::kOk;
  std::string text;
};

Finding Ok(std::string text) { return {Verdict::kOk, std::move(text)}; }
Finding Warning(std::string text) { return {Verdict::kWarning, std::move(text)}; }
Finding Failed(std::string text) { return {Verdict::kFailed, std::move(text)}; }

// The first step, from 1, at which they differ.
std::ptrdiff_t FirstDifference(const Digests& one, const Digests& other) {
  return std::mismatch(one.begin(), one.end(), other.begin()).first - one.begin() + 1;
}

std::string ShapeText(const ObservationSpec& spec) {
  return fmt::format("{}x{}x{}{}{}{}", spec.channels, spec.height, spec.width,
                     spec.stack > 1 ? fmt::format(", {} of them", spec.stack) : "",
                     spec.element == ElementType::kFloat32 ? ", floats" : ", bytes",
                     spec.scale < 1 ? " / 255" : "");
}

std::string ActionsText(const std::vector<std::string>& names) {
  const std::size_t named = std::min(names.size(), kMostNamed);
  return fmt::format(
      "{} action{} ({}{})", names.size(), names.size() == 1 ? "" : "s",
      fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(named), ", "),
      named < names.size() ? ", ..." : "");
}

// Whether all its values become floats without a loss.
bool LosesDigits(const std::string& dtype) {
  constexpr std::array kWide = {"int32", "uint32", "int64", "uint64"};
  return std::find(kWide.begin(), kWide.end(), dtype) != kWide.end();
}

// The checks of one environment, in their order.
class Check {
 public:
  Check(const CheckRequest& request, const std::function<void(const CheckLine&)>& report)
      : request_(request), report_(report) {}

  StatusOr<Verdict> Run();

 private:
  Status MakeFirst();
  // Whether the next check makes sense.
  bool Do(std::string_view name, StatusOr<Finding> (Check::*check)());
  void Report(std::string_view name, const Finding& finding);

  StatusOr<Finding> Describe();
  StatusOr<Finding> Repeat();
  StatusOr<Finding> Play();
  StatusOr<Finding> Episodes();
  StatusOr<Finding> Rewards();
  StatusOr<Finding> Observations();
  StatusOr<Finding> SaveAndRestore();
  StatusOr<Finding> Pictures();
  StatusOr<Finding> Speed();
  void ReportProcess();

  const CheckRequest& request_;
  const std::function<void(const CheckLine&)>& report_;
  const WorkerCounters before_ = request_.count_failures();
  std::unique_ptr<EnvironmentFactory> factory_;
  EnvironmentSpec spec_;
  Verdict worst_ = Verdict::kOk;
  bool external_ = false;
  bool repeats_ = true;
  PlayStatistics seen_;
};

void Check::Report(std::string_view name, const Finding& finding) {
  worst_ = std::max(worst_, finding.verdict);
  report_({.check = name, .verdict = finding.verdict, .text = finding.text});
}

bool Check::Do(std::string_view name, StatusOr<Finding> (Check::*check)()) {
  const StatusOr<Finding> finding = (this->*check)();
  Report(name, finding.ok() ? *finding : Failed(std::string(finding.status().message())));
  return finding.ok();
}

Status Check::MakeFirst() {
  GORILA_ASSIGN_OR_RETURN(factory_, request_.make(false));
  GORILA_ASSIGN_OR_RETURN(const auto first, factory_->Make(MakeRandomDraws(RandomStream(kSeed))));
  spec_ = first->spec();
  return OkStatus();
}

StatusOr<Verdict> Check::Run() {
  GORILA_RETURN_IF_ERROR(MakeFirst());
  const bool whole = Do("what it is", &Check::Describe) && Do("repeats itself", &Check::Repeat) &&
                     Do("random steps", &Check::Play) && Do("episodes", &Check::Episodes) &&
                     Do("rewards", &Check::Rewards) && Do("observations", &Check::Observations) &&
                     Do("save and restore", &Check::SaveAndRestore) &&
                     Do("pictures", &Check::Pictures) && Do("speed", &Check::Speed);
  static_cast<void>(whole);  // the verdict says it
  ReportProcess();
  return worst_;
}

StatusOr<Finding> Check::Describe() {
  std::string text;
  bool narrowed = false;
  if (const auto* const external = dynamic_cast<const ExternalFactory*>(factory_.get())) {
    external_ = true;
    const EnvironmentDetails details = external->details();
    const RawObservation& raw = external->record().observation;
    narrowed = raw.element == ElementType::kFloat32 && LosesDigits(details.dtype);
    const std::string dtype = !details.dtype.empty()               ? details.dtype
                              : raw.element == ElementType::kUint8 ? "uint8"
                                                                   : "float32";
    text = fmt::format("observations ({}) of {}, ", fmt::join(raw.shape, ", "), dtype);
    if (!details.versions.empty()) text = details.versions + "; " + text;
  }
  text += fmt::format("{}; the network sees {}", ActionsText(spec_.action_names),
                      ShapeText(spec_.observation));
  if (!narrowed) return Ok(std::move(text));
  return Warning(text + "; its integers become floats, which are exact up to 16,777,216");
}

// A seed and actions twice, then with another environment between the steps.
StatusOr<Finding> Check::Repeat() {
  Digests once;
  Digests again;
  for (Digests* const digests : {&once, &again}) {
    GORILA_ASSIGN_OR_RETURN(RandomPlay play, RandomPlay::Make(*factory_, kSeed));
    GORILA_ASSIGN_OR_RETURN(*digests, PlaySteps(play, kRepeatedSteps));
  }
  constexpr std::string_view kConsequence =
      "a resumed run begins new episodes, and --deterministic is refused";
  if (once != again) {
    repeats_ = false;
    return Warning(fmt::format(
        "step {} differed, from the same seed and actions: draws that reset(seed) does not decide, "
        "or time; {}",
        FirstDifference(once, again), kConsequence));
  }
  GORILA_ASSIGN_OR_RETURN(RandomPlay beside, RandomPlay::Make(*factory_, kSeed + 1));
  GORILA_ASSIGN_OR_RETURN(RandomPlay play, RandomPlay::Make(*factory_, kSeed));
  GORILA_ASSIGN_OR_RETURN(again, PlaySteps(play, kRepeatedSteps, &beside));
  if (once != again) {
    repeats_ = false;
    return Warning(fmt::format(
        "step {} differed beside another environment of its process: they share something, like a "
        "random generator of their module; {}. With environment.per_worker=1 they do not",
        FirstDifference(once, again), kConsequence));
  }
  return Ok(fmt::format("{} steps, three times the same, once beside another environment",
                        kRepeatedSteps));
}

StatusOr<Finding> Check::Play() {
  GORILA_ASSIGN_OR_RETURN(seen_, PlayRandomly(*factory_, request_.at_once, request_.limits));
  return Ok(fmt::format("{} in {:.1f} s, {} environments at once", seen_.steps, seen_.seconds,
                        request_.at_once));
}

StatusOr<Finding> Check::Episodes() {
  if (seen_.episodes() == 0) {
    return Warning(
        fmt::format("none ended in {} steps: set environment.max_episode_steps", seen_.steps));
  }
  const std::string text = fmt::format(
      "{} terminated, {} truncated; of {} to {} steps (mean {:.1f}), returns {:.4g} to {:.4g} "
      "(mean "
      "{:.4g})",
      seen_.terminated, seen_.truncated, seen_.length.low(), seen_.length.high(),
      seen_.length.mean(), seen_.returns.low(), seen_.returns.high(), seen_.returns.mean());
  if (seen_.terminated == 0) {
    return Warning(text + "; if a game can be lost or won, its end should be `terminated`");
  }
  if (seen_.truncated == 0) {
    return Warning(text + "; if it has a time limit, random actions did not reach it");
  }
  return Ok(text);
}

StatusOr<Finding> Check::Rewards() {
  if (seen_.reward.count() == 0) return Warning("none was seen");
  const std::string text = fmt::format("{:.4g} to {:.4g}, mean {:.4g}", seen_.reward.low(),
                                       seen_.reward.high(), seen_.reward.mean());
  if (seen_.reward.low() == seen_.reward.high()) {
    if (seen_.reward.low() != 0) return Ok(text);
    return Warning("all 0: random actions earn nothing, which is hard to learn from");
  }
  if (seen_.reward.largest() <= kLargestReward) return Ok(text);
  return Warning(text +
                 "; large ones make learning unsteady: scale them, or set "
                 "learner.reward_clip=1");
}

StatusOr<Finding> Check::Observations() {
  if (!seen_.observations_change) return Warning("all the same: there is nothing to learn from");
  if (seen_.value.count() == 0) {
    if (seen_.scaled_byte.largest() <= kLargestValue) return Ok("they change");
    return Warning(
        fmt::format("they change; the network reads bytes as numbers up to {:.4g}, and networks "
                    "learn best from about -10 to 10: scale a vector in the environment or by a "
                    "wrapper; a picture is scaled with environment.picture_size, such as its side",
                    seen_.scaled_byte.high()));
  }
  const std::string text = fmt::format("they change; {:.4g} to {:.4g}, mean {:.4g}",
                                       seen_.value.low(), seen_.value.high(), seen_.value.mean());
  if (seen_.value.largest() <= kLargestValue) return Ok(text);
  return Warning(text +
                 "; networks learn best from about -10 to 10: scale them in the environment "
                 "or by a wrapper");
}

StatusOr<Finding> Check::SaveAndRestore() {
  if (!repeats_) return Warning("not tried, as it does not repeat itself");
  GORILA_ASSIGN_OR_RETURN(RandomPlay play, RandomPlay::Make(*factory_, kSeed));
  GORILA_RETURN_IF_ERROR(PlaySteps(play, kStepsBeforeSave).status());
  if (play.over()) GORILA_RETURN_IF_ERROR(play.Step().status());  // into an episode
  GORILA_ASSIGN_OR_RETURN(RandomPlay copy, play.Copy(*factory_));
  GORILA_ASSIGN_OR_RETURN(const Digests expected, PlaySteps(play, kRepeatedSteps));
  GORILA_ASSIGN_OR_RETURN(const Digests got, PlaySteps(copy, kRepeatedSteps));
  if (got == expected) {
    return Ok(fmt::format("restored in the middle of an episode, the same next {} steps",
                          kRepeatedSteps));
  }
  return Failed(fmt::format("step {} after it was restored in the middle of an episode differed",
                            FirstDifference(expected, got)));
}

// Draws after every step.
StatusOr<Finding> Check::Pictures() {
  GORILA_ASSIGN_OR_RETURN(const auto factory, request_.make(true));
  GORILA_ASSIGN_OR_RETURN(RandomPlay drawn, RandomPlay::Make(*factory, kSeed));
  GORILA_ASSIGN_OR_RETURN(RandomPlay plain, RandomPlay::Make(*factory_, kSeed));
  RgbImage image;
  RgbImage of_observation;
  bool own = false;
  for (int i = 0; i < kPictureSteps; ++i) {
    GORILA_ASSIGN_OR_RETURN(const Digests expected, PlaySteps(plain, 1));
    GORILA_ASSIGN_OR_RETURN(const Digests got, PlaySteps(drawn, 1));
    if (repeats_ && got != expected) {
      return Warning(fmt::format("step {} differed from one that was not drawn", i + 1));
    }
    const Status status = drawn.environment().Render(image);
    if (absl::IsUnimplemented(status)) return Ok("none");
    GORILA_RETURN_IF_ERROR(status);
    DrawObservation(spec_.observation, drawn.observation(), of_observation);
    own = own || image.pixels != of_observation.pixels;
  }
  const std::string size = fmt::format("{}x{}", image.width, image.height);
  return Ok(own ? size + ", its own" : size + ", drawn of the observations: it gives none");
}

StatusOr<Finding> Check::Speed() {
  constexpr auto kSteps = std::int64_t{1} << 40;
  const PlayLimits limits{.steps = kSteps, .seconds = request_.speed_seconds};
  GORILA_ASSIGN_OR_RETURN(const PlayStatistics alone, PlayRandomly(*factory_, 1, limits));
  GORILA_ASSIGN_OR_RETURN(const PlayStatistics together,
                          PlayRandomly(*factory_, request_.at_once, limits));
  const auto rate = [](const PlayStatistics& seen) {
    return static_cast<double>(seen.steps) / std::max(seen.seconds, 1e-9);
  };
  return Ok(fmt::format("{:.0f} steps/s alone, {:.0f} with {} at once, by one thread", rate(alone),
                        rate(together), request_.at_once));
}

void Check::ReportProcess() {
  const WorkerCounters now = request_.count_failures();
  const auto restarts = now.restarts - before_.restarts;
  const auto exceptions = now.exceptions - before_.exceptions;
  const auto lost = now.lost_episodes - before_.lost_episodes;
  if (restarts + exceptions + lost == 0) {
    if (!external_) return;
    return Report("its process", Ok("no deaths, hangs or exceptions"));
  }
  Report("its process", Failed(fmt::format("{} deaths or hangs, {} exceptions, {} episodes lost",
                                           restarts, exceptions, lost)));
}

}  // namespace

CheckRequest MakeCheckRequest(std::string_view name, const EnvironmentOptions& options) {
  std::string hosted(name);
  const std::optional<ExternalName> external = ParseExternalName(name);
  if (external.has_value() && external->kind == ExternalKind::kPlugin) {
    hosted = fmt::format("plugin-process:{}", external->target);
  }
  CheckRequest request;
  request.make = [hosted, options](bool pictures) {
    EnvironmentOptions chosen = options;
    chosen.external.pictures = pictures;
    chosen.external.exact = true;
    return MakeEnvironmentFactory(hosted, chosen);
  };
  request.at_once = options.external.per_worker;
  return request;
}

StatusOr<Verdict> CheckEnvironment(const CheckRequest& request,
                                   const std::function<void(const CheckLine&)>& report) {
  return Check(request, report).Run();
}

}  // namespace gorila
