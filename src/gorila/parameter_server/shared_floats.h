// Numbers that change while others still read how they were.
#ifndef GORILA_PARAMETER_SERVER_SHARED_FLOATS_H_
#define GORILA_PARAMETER_SERVER_SHARED_FLOATS_H_

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

namespace gorila {

// Changed in place as long as nobody reads them, otherwise in a copy. A fixed number of floats. All
// calls under the owner's lock; what Share() gave is read and dropped without it, in any thread.
class SharedFloats {
 public:
  explicit SharedFloats(std::span<const float> values)
      : buffer_(std::make_shared<Buffer>(values)) {}

  const std::vector<float>& values() const { return buffer_->values; }

  // These values, for as long as the pointer is held. No copy.
  std::shared_ptr<const std::vector<float>> Share() const {
    buffer_->readers.fetch_add(1, std::memory_order_relaxed);
    return {&buffer_->values, [buffer = buffer_](const std::vector<float>*) {
              buffer->readers.fetch_sub(1, std::memory_order_release);
            }};
  }

  // The values, to be changed. Copies them while the present ones are shared.
  std::span<float> Mutable() {
    if (IsRead()) buffer_ = std::make_shared<Buffer>(buffer_->values);
    return buffer_->values;
  }

  // `values` has size() values.
  void Assign(std::span<const float> values) {
    if (IsRead()) {
      buffer_ = std::make_shared<Buffer>(values);
    } else {
      std::copy(values.begin(), values.end(), buffer_->values.begin());
    }
  }

 private:
  struct Buffer {
    explicit Buffer(std::span<const float> from) : values(from.begin(), from.end()) {}

    std::vector<float> values;
    std::atomic<int> readers{0};
  };

  // Acquire: what readers did comes before what is written next. New ones come under the lock only.
  bool IsRead() const { return buffer_->readers.load(std::memory_order_acquire) > 0; }

  std::shared_ptr<Buffer> buffer_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_SHARED_FLOATS_H_
