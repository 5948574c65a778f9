#include "gorila/env/external/external_factory.h"

#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/random.h"

namespace gorila {
namespace {

constexpr int kProbeSteps = 64;
constexpr std::uint64_t kSeed = 20150715;

// Draws that are the same every time.
class ProbeDraws final : public DrawSource {
 public:
  explicit ProbeDraws(std::uint64_t seed) : stream_(seed) {}

  double Uniform() override { return stream_.Uniform(); }
  int Integer(int low, int high) override { return stream_.Integer(low, high); }
  void SaveState(StateWriter& writer) const override { stream_.SaveState(writer); }
  Status RestoreState(StateReader& reader) override { return stream_.RestoreState(reader); }

 private:
  RandomStream stream_;
};

// An environment under random actions.
class Played {
 public:
  static StatusOr<Played> Make(ExternalFactory& factory, std::uint64_t seed) {
    GORILA_ASSIGN_OR_RETURN(auto environment, factory.Make(std::make_unique<ProbeDraws>(seed)));
    return Played(std::move(environment), seed);
  }

  Status Step() {
    GORILA_ASSIGN_OR_RETURN(
        const TimeStep step,
        over_ ? environment_->Reset(frame_)
              : environment_->Step(random_.Integer(0, environment_->spec().num_actions()), frame_));
    over_ = step.last();
    StateWriter writer;
    writer.Write(checksum_);
    writer.Write(step);
    writer.WriteBytes(frame_);
    checksum_ = Crc32(writer.bytes());
    return OkStatus();
  }

  std::uint32_t checksum() const { return checksum_; }  // of all that was seen

 private:
  Played(std::unique_ptr<Environment> environment, std::uint64_t seed)
      : environment_(std::move(environment)),
        random_(seed),
        frame_(environment_->spec().observation.frame_bytes()) {}

  std::unique_ptr<Environment> environment_;
  RandomStream random_;
  std::vector<std::byte> frame_;
  bool over_ = true;
  std::uint32_t checksum_ = 0;
};

}  // namespace

StatusOr<EnvironmentRecord> Probe(ExternalFactory& factory) {
  EnvironmentRecord record = factory.record();
  std::uint32_t alone = 0;
  {
    GORILA_ASSIGN_OR_RETURN(Played played, Played::Make(factory, kSeed));
    for (int i = 0; i < kProbeSteps; ++i) GORILA_RETURN_IF_ERROR(played.Step());
    alone = played.checksum();
  }
  GORILA_ASSIGN_OR_RETURN(Played beside, Played::Make(factory, kSeed + 1));
  GORILA_ASSIGN_OR_RETURN(Played again, Played::Make(factory, kSeed));
  for (int i = 0; i < kProbeSteps; ++i) {
    GORILA_RETURN_IF_ERROR(again.Step());
    GORILA_RETURN_IF_ERROR(beside.Step());
  }
  record.repeats = record.repeats && again.checksum() == alone;
  return record;
}

}  // namespace gorila
