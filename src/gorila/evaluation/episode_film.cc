#include "gorila/evaluation/episode_film.h"

#include <algorithm>
#include <iterator>

#include "gorila/agent/frame_stacker.h"
#include "gorila/config/games.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/playing_agent.h"

namespace gorila {
namespace {

// `image` in the top left corner of a larger one.
RgbImage Padded(const RgbImage& image, int width, int height) {
  RgbImage padded{.width = width, .height = height, .pixels = {}};
  const auto line = [](int pixels) { return static_cast<std::ptrdiff_t>(3) * pixels; };
  padded.pixels.resize(static_cast<std::size_t>(line(width) * height));
  for (int y = 0; y < image.height; ++y) {
    std::copy_n(image.pixels.begin() + y * line(image.width), line(image.width),
                padded.pixels.begin() + y * line(width));
  }
  return padded;
}

// Games may have pictures of different sizes.
void PadToLargest(std::vector<RgbImage>& frames) {
  int width = 0;
  int height = 0;
  for (const RgbImage& frame : frames) {
    width = std::max(width, frame.width);
    height = std::max(height, frame.height);
  }
  for (RgbImage& frame : frames) {
    if (frame.width != width || frame.height != height) frame = Padded(frame, width, height);
  }
}

}  // namespace

StatusOr<EpisodeFilm> FilmEpisode(const Config& config, std::span<const float> parameters,
                                  const FilmRequest& request) {
  GORILA_ASSIGN_OR_RETURN(const PlayingAgent agent, MakePlayingAgent(config, 1));
  EnvironmentOptions options = config.environment.options;
  options.atari.life_loss_ends_episode = false;  // a whole game, as evaluations play
  options.external.pictures = true;
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Environment> environment,
      MakeEnvironment(config.environment.name, options,
                      MakeRandomDraws(RandomStream::Derive(request.seed, "film environment"))));
  RandomStream random = RandomStream::Derive(request.seed, "film actions");
  agent.network->SetParameters(parameters);
  FrameStacks stacks(agent.network->spec().input, 1);
  FrameStacker stacker = stacks.stacker(0);
  const ActingEnvironment acting{
      .epsilon = request.epsilon, .random = &random, .game = environment->spec().game};
  ActOutput chosen;
  EpisodeFilm film;
  GORILA_ASSIGN_OR_RETURN(TimeStep step, environment->Reset(stacker.BeginEpisode()));
  while (true) {
    GORILA_RETURN_IF_ERROR(environment->Render(film.frames.emplace_back()));
    film.finished = step.last();
    if (film.finished || film.frames.size() >= request.most_frames) return film;
    agent.policy->Act({.observations = stacks.all(), .environments = {&acting, 1}}, chosen);
    GORILA_ASSIGN_OR_RETURN(step, environment->Step(chosen.actions[0], stacker.Advance()));
    film.episode_return += step.reward;
  }
}

StatusOr<std::vector<RgbImage>> FilmGames(const Config& config, std::span<const float> parameters,
                                          const FilmRequest& request) {
  constexpr std::size_t kLeastFrames = 30;  // of a game, however many there are
  const int games = NumGames(config);
  FilmRequest of_one = request;
  of_one.most_frames =
      games == 1 ? request.most_frames
                 : std::max(kLeastFrames, request.most_frames / static_cast<std::size_t>(games));
  std::vector<RgbImage> frames;
  for (int game = 0; game < games; ++game) {
    GORILA_ASSIGN_OR_RETURN(EpisodeFilm film,
                            FilmEpisode(OneGame(config, game), parameters, of_one));
    std::move(film.frames.begin(), film.frames.end(), std::back_inserter(frames));
  }
  PadToLargest(frames);
  return frames;
}

}  // namespace gorila
