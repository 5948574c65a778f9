#include "gorila/runtime/episode_film.h"

#include <algorithm>

#include "gorila/actor/frame_stacker.h"
#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"
#include "gorila/runtime/agent_parts.h"
#include "gorila/runtime/cluster.h"

namespace gorila {

StatusOr<EpisodeFilm> FilmEpisode(const Config& config, std::span<const float> parameters,
                                  const FilmRequest& request) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<QNetwork> network,
                          MakeQNetwork(CpuBackend(config), spec, 1));
  EnvironmentOptions options = config.environment.options;
  options.atari.life_loss_ends_episode = false;  // a whole game, as evaluations play
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Environment> environment,
      MakeEnvironment(config.environment.name, options,
                      MakeRandomDraws(RandomStream::Derive(request.seed, "film environment"))));
  RandomStream random = RandomStream::Derive(request.seed, "film actions");
  network->SetParameters(parameters);
  std::vector<std::byte> stacked(spec.input.stacked_bytes());
  std::vector<float> q(static_cast<std::size_t>(spec.num_actions));
  FrameStacker stacker(spec.input, stacked);
  EpisodeFilm film;
  TimeStep step = environment->Reset(stacker.BeginEpisode());
  while (true) {
    environment->Render(film.frames.emplace_back());
    film.finished = step.last();
    if (film.finished || film.frames.size() >= request.most_frames) return film;
    network->Predict(stacked, 1, q);
    int action = static_cast<int>(std::max_element(q.begin(), q.end()) - q.begin());
    if (random.Uniform() < request.epsilon) action = random.Integer(0, spec.num_actions);
    step = environment->Step(action, stacker.Advance());
    film.episode_return += step.reward;
  }
}

}  // namespace gorila
