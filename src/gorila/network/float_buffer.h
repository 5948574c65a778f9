// Scratch memory of the backends.
#ifndef GORILA_NETWORK_FLOAT_BUFFER_H_
#define GORILA_NETWORK_FLOAT_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace gorila {

// `size` floats, zero at first, on a cache line's boundary so that no vector load straddles two.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  explicit FloatBuffer(std::size_t size)
      : data_(new (kAlignment) float[std::max<std::size_t>(size, 1)]()), size_(size) {}

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Delete {
    void operator()(float* data) const { ::operator delete[](data, kAlignment); }
  };
  std::unique_ptr<float[], Delete> data_;
  std::size_t size_ = 0;
};

}  // namespace gorila

#endif  // GORILA_NETWORK_FLOAT_BUFFER_H_
