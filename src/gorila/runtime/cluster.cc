#include "gorila/runtime/cluster.h"

#include <algorithm>

#include "gorila/base/denormals.h"
#include "gorila/base/exhaustion.h"
#include "gorila/base/thread.h"
#include "gorila/env/registry.h"

namespace gorila {

StatusOr<NetworkSpec> ResolveNetwork(const Config& config) {
  // Only its spec is wanted; the draws are never used.
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Environment> environment,
                          MakeEnvironment(config.environment.name, config.environment.options,
                                          MakeRandomDraws(RandomStream(0))));
  if (config.network.preset != "custom") {
    return MakeNetworkSpec(config.network.preset, environment->spec());
  }
  NetworkSpec spec;
  spec.input = environment->spec().observation;
  spec.num_actions = environment->spec().num_actions();
  spec.convolutions = config.network.convolutions;
  spec.hidden.assign(config.network.hidden.begin(), config.network.hidden.end());
  GORILA_RETURN_IF_ERROR(CheckNetworkSpec(spec));
  return spec;
}

// A learning rate that falls without a given length falls over the run: what its frames will pay
// for.
ShardOptions ResolveShardOptions(const Config& config) {
  ShardOptions options = config.parameter_server.options;
  OptimizerOptions& optimizer = options.optimizer;
  if (optimizer.learning_rate_end < 0 || optimizer.decay_updates > 0) return options;
  const RateLimiter::Options& rate = config.replay.options.rate;
  const std::int64_t memories = config.run.bundles + config.cluster.replays;
  const std::int64_t learning_frames = config.run.frames - memories * rate.min_size;
  optimizer.decay_updates = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(static_cast<double>(learning_frames) * rate.updates_per_step));
  return options;
}

std::vector<float> RunInitialParameters(const Config& config, const ParameterLayout& layout) {
  RandomStream random = RandomStream::Derive(config.run.seed, "parameters");
  return InitialParameters(layout, random);
}

StatusOr<std::unique_ptr<Cluster>> Cluster::Make(const Config& config) {
  std::unique_ptr<Cluster> cluster(new Cluster(config));
  GORILA_ASSIGN_OR_RETURN(cluster->network_, ResolveNetwork(config));
  cluster->layout_ = MakeParameterLayout(cluster->network_);
  GORILA_ASSIGN_OR_RETURN(cluster->store_, InProcessParameterStore::Make(
                                               ResolveShardOptions(config), NumberOfShards(config),
                                               RunInitialParameters(config, cluster->layout_)));
  for (int i = 0; i < config.run.bundles; ++i) {
    GORILA_ASSIGN_OR_RETURN(
        std::unique_ptr<Bundle> bundle,
        Bundle::Make(config, cluster->network_, i, *cluster->store_, cluster->clock_));
    cluster->bundles_.push_back(std::move(bundle));
  }
  cluster->gate_ = std::make_unique<RunGate>(config.run.bundles);
  return cluster;
}

Cluster::~Cluster() {
  if (gate_ != nullptr) gate_->Stop();
  for (std::thread& thread : threads_) thread.join();
}

Status Cluster::StepAll() {
  for (const std::unique_ptr<Bundle>& bundle : bundles_) {
    GORILA_RETURN_IF_ERROR(bundle->Iterate());
  }
  return OkStatus();
}

void Cluster::EndRow() {
  for (const std::unique_ptr<Bundle>& bundle : bundles_) bundle->EndRow();
}

Status Cluster::RefreshReplicas() {
  for (const std::unique_ptr<Bundle>& bundle : bundles_) {
    GORILA_RETURN_IF_ERROR(bundle->RefreshReplicas());
  }
  return OkStatus();
}

// A bundle without a thread ends with that as its failure, which stops the others.
void Cluster::Start() {
  GORILA_CHECK(threads_.empty(), "started twice");
  threads_.reserve(bundles_.size());
  for (std::size_t i = 0; i < bundles_.size(); ++i) {
    StatusOr<std::thread> started =
        StartThread(fmt::format("bundle {}", i), [this, i] { RunBundle(*bundles_[i]); });
    if (started.ok()) {
      threads_.push_back(*std::move(started));
    } else {
      gate_->Leave(started.status());
    }
  }
}

void Cluster::RunBundle(Bundle& bundle) {
  FlushDenormalsInThisThread();
  Status status;
  while (status.ok() && !finished() && gate_->Pass()) {
    status = WithoutThrowing([&bundle] { return bundle.Iterate(); });
  }
  gate_->Leave(status);
}

}  // namespace gorila
