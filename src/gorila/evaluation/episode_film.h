// An episode of a trained network as pictures.
#ifndef GORILA_EVALUATION_EPISODE_FILM_H_
#define GORILA_EVALUATION_EPISODE_FILM_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

inline constexpr std::size_t kMostFilmFrames = 300;

struct FilmRequest {
  double epsilon = 0;  // of the agent
  std::uint64_t seed = 1;
  std::size_t most_frames = kMostFilmFrames;  // a longer episode is cut off
};

struct EpisodeFilm {
  std::vector<RgbImage> frames;
  double episode_return = 0;  // as far as the film goes
  bool finished = false;      // whether the episode ended in it
};

constexpr int kFilmDelayMilliseconds = 60;

// Plays the configured environment, which is one game, with the given parameters. The same request
// gives the same film. Blocks for the time that the episode takes to compute.
StatusOr<EpisodeFilm> FilmEpisode(const Config& config, std::span<const float> parameters,
                                  const FilmRequest& request);

// Of a run with several games an episode of each, one after another in pictures of one size;
// `request.most_frames` is shared out among them, though each has a few. Of one game its
// FilmEpisode.
StatusOr<std::vector<RgbImage>> FilmGames(const Config& config, std::span<const float> parameters,
                                          const FilmRequest& request);

}  // namespace gorila

#endif  // GORILA_EVALUATION_EPISODE_FILM_H_
