// For tests of environments in worker processes.
#ifndef GORILA_ENV_WORKER_TESTING_H_
#define GORILA_ENV_WORKER_TESTING_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/env/registry.h"

namespace gorila::testing_worker {

// One step as an agent sees it.
struct Seen {
  TimeStep step;
  std::vector<float> observation;

  bool operator==(const Seen& other) const {
    return std::memcmp(&step, &other.step, sizeof step) == 0 && observation == other.observation;
  }
};

class WorkerEnvironmentTest : public ::testing::Test {
 protected:
  static EnvironmentOptions Options(const std::string& kwargs = "{}") {
    EnvironmentOptions options;
    options.external.python = GORILA_TEST_PYTHON;
    options.external.python_path = GORILA_SOURCE_DIR "/tests/python";
    options.external.kwargs = kwargs;
    options.external.per_worker = 3;
    return options;
  }

  static std::unique_ptr<EnvironmentFactory> Factory(std::string_view name,
                                                     const EnvironmentOptions& options) {
    auto factory = MakeEnvironmentFactory(name, options);
    EXPECT_TRUE(factory.ok()) << factory.status();
    return std::move(factory).value();
  }

  static std::string Refused(std::string_view name, const EnvironmentOptions& options) {
    const auto factory = MakeEnvironmentFactory(name, options);
    EXPECT_FALSE(factory.ok());
    return std::string(factory.status().message());
  }

  static std::unique_ptr<Environment> Make(EnvironmentFactory& factory, std::uint64_t seed) {
    return factory.Make(MakeRandomDraws(RandomStream(seed))).value();
  }

  std::string Path(std::string_view name) const {
    return fmt::format("{}/{}.{}", ::testing::TempDir(), name, ::getpid());
  }
  std::string Marker() const { return Path("once"); }
  // Keyword arguments of a Walk that fails at a step of its life.
  std::string Fault(std::string_view fault, int at, bool once) {
    if (once) std::ofstream(Marker()) << "there";
    return fmt::format(R"({{"fault":"{}","at":{}{}}})", fault, at,
                       once ? fmt::format(R"(,"once":"{}")", Marker()) : "");
  }
};

// One environment under random actions.
class Walker {
 public:
  explicit Walker(std::unique_ptr<Environment> environment, std::uint64_t seed = 7)
      : environment_(std::move(environment)),
        random_(seed),
        observation_(environment_->spec().observation.frame_elements()) {}

  void Submit() {
    action_ = random_.Integer(0, environment_->spec().num_actions());
    if (!over_) environment_->Submit(action_);
  }
  StatusOr<Seen> Step() {
    const auto bytes = std::as_writable_bytes(std::span(observation_));
    if (!over_) GORILA_RETURN_IF_ERROR(environment_->Await());
    GORILA_ASSIGN_OR_RETURN(const TimeStep step, over_ ? environment_->Reset(bytes)
                                                       : environment_->Step(action_, bytes));
    over_ = step.last();
    return Seen{step, observation_};
  }
  std::vector<Seen> Play(int steps) {
    std::vector<Seen> seen;
    for (int i = 0; i < steps; ++i) {
      Submit();
      auto one = Step();
      EXPECT_TRUE(one.ok()) << one.status() << " at " << i;
      if (!one.ok()) break;
      seen.push_back(*one);
    }
    return seen;
  }
  // After EpisodeLost.
  void BeginAnew() { over_ = true; }
  Environment& environment() { return *environment_; }

  // As a checkpoint does.
  void CopyStateTo(Walker& other) const {
    StateWriter writer;
    environment_->SaveState(writer);
    StateReader reader(writer.bytes());
    const Status status = other.environment_->RestoreState(reader);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(reader.Finish().ok());
    other.random_ = random_;
    other.over_ = over_;
  }

 private:
  std::unique_ptr<Environment> environment_;
  RandomStream random_;
  std::vector<float> observation_;
  int action_ = 0;
  bool over_ = true;
};

}  // namespace gorila::testing_worker

#endif  // GORILA_ENV_WORKER_TESTING_H_
