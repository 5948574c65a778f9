// One copy of the parameters for all replicas of a process.
#ifndef GORILA_PARAMETER_SERVER_PUBLISHED_PARAMETERS_H_
#define GORILA_PARAMETER_SERVER_PUBLISHED_PARAMETERS_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

// Keeps the newest copy behind a pointer. Whoever finds it too old makes the next one, in memory
// that nobody reads any more; what was lent stays as it is until it is given back. Thread-safe.
class PublishedParameters {
 public:
  PublishedParameters(std::size_t size, std::size_t shards) : size_(size), shards_(shards) {}

  struct Rule {
    // Whether a copy of these versions need not be replaced.
    std::function<bool(const ShardVersions&)> is_new;
    // Brings a copy, and its versions, up to date.
    std::function<void(std::span<float>, ShardVersions&)> pull;
    // Whether a copy that is too old will do while another caller makes the next one.
    bool take_old = false;
  };

  // False where `have` are versions that need not be replaced. Otherwise gives back what `values`
  // had, and sets both. Blocks while another caller makes the first copy or, unless
  // rule.take_old, the next.
  bool Borrow(const Rule& rule, SharedParameters& values, ShardVersions& have)
      GORILA_EXCLUDES(mutex_);

  // For one thread that makes all copies: lends it memory to fill, which becomes the newest copy if
  // `fill` gives true. Readers never wait for it.
  using Fill = std::function<StatusOr<bool>(std::span<float>, ShardVersions&)>;
  StatusOr<bool> Replace(const Fill& fill) GORILA_EXCLUDES(mutex_);
  // The newest copy, and its versions; null where there is none yet.
  SharedParameters Newest(ShardVersions& versions) const GORILA_EXCLUDES(mutex_);

  // How many copies there are.
  std::size_t copies() const GORILA_EXCLUDES(mutex_);

 private:
  struct Copy {
    Copy(std::size_t size, std::size_t shards) : values(size), versions(shards, -1) {}

    std::vector<float> values;
    ShardVersions versions;
    std::atomic<int> readers{0};
  };

  static SharedParameters Lend(const std::shared_ptr<Copy>& copy);
  std::shared_ptr<Copy> TakeUnread() GORILA_REQUIRES(mutex_);
  void MakeNext(const Rule& rule) GORILA_REQUIRES(mutex_);

  const std::size_t size_;
  const std::size_t shards_;
  mutable Mutex mutex_;
  CondVar made_;
  bool making_ GORILA_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Copy> newest_ GORILA_GUARDED_BY(mutex_);  // null until the first was made
  std::vector<std::shared_ptr<Copy>> others_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_PUBLISHED_PARAMETERS_H_
