#include "gorila/run/cluster.h"

#include <algorithm>

#include "gorila/base/denormals.h"
#include "gorila/base/exhaustion.h"
#include "gorila/base/runtime.h"
#include "gorila/base/thread.h"
#include "gorila/config/resolve.h"
#include "gorila/run/run_cores.h"

namespace gorila {

StatusOr<std::unique_ptr<Cluster>> Cluster::Make(const Config& config,
                                                 std::optional<std::vector<float>> initial) {
  std::unique_ptr<Cluster> cluster(new Cluster(config));
  GORILA_ASSIGN_OR_RETURN(cluster->network_, ResolveNetwork(config));
  cluster->layout_ = MakeParameterLayout(cluster->network_);
  if (!initial.has_value()) initial = RunInitialParameters(config, cluster->layout_);
  GORILA_ASSIGN_OR_RETURN(cluster->store_, InProcessParameterStore::Make(
                                               ResolveShardOptions(config),
                                               NumberOfShardsInProcess(config, initial->size()),
                                               *initial, config.parameter_server.publish_every));
  cluster->pieces_ = std::make_unique<InProcessPieceStore>(*cluster->store_);
  for (int i = 0; i < config.run.bundles; ++i) {
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<NetworkGroup> group, cluster->MakeGroup(i));
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Bundle> bundle,
                            Bundle::Make(config, cluster->network_, i, *cluster->store_,
                                         cluster->clock_, std::move(group)));
    cluster->bundles_.push_back(std::move(bundle));
  }
  cluster->gate_ = std::make_unique<RunGate>(config.run.bundles);
  return cluster;
}

StatusOr<std::unique_ptr<NetworkGroup>> Cluster::MakeGroup(int bundle) {
  if (config_.learner.members == 1) return std::unique_ptr<NetworkGroup>();
  const auto client = static_cast<std::uint64_t>(bundle);
  return NetworkGroup::OfThreads(GroupOptionsOf(config_, client), network_, *store_, *pieces_);
}

Cluster::~Cluster() {
  if (gate_ != nullptr) gate_->Stop();
  for (Thread& thread : threads_) thread.join();
}

Status Cluster::StepAll() {
  for (const std::unique_ptr<Bundle>& bundle : bundles_) {
    if (!bundle->WaitsForWarmStart()) GORILA_RETURN_IF_ERROR(bundle->Iterate());
  }
  return OkStatus();
}

void Cluster::EndRecord() {
  for (const std::unique_ptr<Bundle>& bundle : bundles_) bundle->EndRecord();
}

Status Cluster::RefreshReplicas() {
  for (const std::unique_ptr<Bundle>& bundle : bundles_) {
    GORILA_RETURN_IF_ERROR(bundle->RefreshReplicas());
  }
  return OkStatus();
}

Status Cluster::BeginWithFurtherGames(int added) {
  const int games = network_.num_games();
  std::vector<std::int64_t> frames(static_cast<std::size_t>(games), 0);
  for (int g = 0; g < games - added; ++g) {
    frames[static_cast<std::size_t>(g)] = clock_.frames() / (games - added);
  }
  bundles_.front()->CountEarlierFrames(frames);
  return RefreshReplicas();
}

// A bundle whose thread cannot start fails, which stops the others.
void Cluster::Start() {
  GORILA_CHECK(threads_.empty(), "started twice");
  threads_.reserve(bundles_.size());
  cores_ = CoreOfEachBundle(config_);
  for (std::size_t i = 0; i < bundles_.size(); ++i) {
    StatusOr<Thread> started =
        StartThread(fmt::format("bundle {}", i), [this, i] { RunBundle(i); });
    if (started.ok()) {
      threads_.push_back(*std::move(started));
    } else {
      gate_->Leave(started.status());
    }
  }
}

void Cluster::RunBundle(std::size_t index) {
  FlushDenormalsInThisThread();
  Status status;
  if (!cores_.empty()) status = PinThisThread(std::span(&cores_[index], 1));
  Bundle& bundle = *bundles_[index];
  while (status.ok() && !finished() && gate_->Pass()) {
    if (bundle.WaitsForWarmStart()) {
      SleepFor(kWarmStartLook);
      continue;
    }
    status = WithoutThrowing([&bundle] { return bundle.Iterate(); });
  }
  gate_->Leave(status);
}

}  // namespace gorila
