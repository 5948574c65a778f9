// Draws indices in proportion to their weights.
#ifndef GORILA_REPLAY_SUM_TREE_H_
#define GORILA_REPLAY_SUM_TREE_H_

#include <cstddef>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// A binary tree whose leaves are the weights and whose inner nodes are the sums of their two
// children. Set and Find take O(log size). A sum is computed anew from its children whenever one
// changes, so that rounding errors do not pile up. Not thread-safe.
class SumTree {
 public:
  explicit SumTree(std::size_t size) : size_(size), nodes_(2 * size) {}

  std::size_t size() const { return size_; }
  double Get(std::size_t i) const { return nodes_[size_ + i]; }
  double total() const { return size_ == 0 ? 0 : nodes_[1]; }

  // `weight`: finite, not negative.
  void Set(std::size_t i, double weight) {
    std::size_t node = size_ + i;
    nodes_[node] = weight;
    for (node /= 2; node > 0; node /= 2) nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
  }

  // The index at `position` in [0, total()) when the weights are laid end to end in some order.
  // Never one of weight 0. total() must be above 0.
  std::size_t Find(double position) const {
    std::size_t node = 1;
    while (node < size_) {
      const double left = nodes_[2 * node];
      // A position that rounding left beyond the sum of a subtree belongs to its last leaf.
      if (position < left || nodes_[2 * node + 1] <= 0) {
        node = 2 * node;
      } else {
        position -= left;
        node = 2 * node + 1;
      }
    }
    return node - size_;
  }

  void CheckInvariants() const {
    for (std::size_t node = 1; node < size_; ++node) {
      GORILA_CHECK(nodes_[node] == nodes_[2 * node] + nodes_[2 * node + 1], "node {}", node);
    }
    for (std::size_t i = 0; i < size_; ++i) GORILA_CHECK(Get(i) >= 0, "weight {}", i);
  }

 private:
  std::size_t size_;
  std::vector<double> nodes_;  // [1] the root, [size ...] the leaves; children of n: 2n, 2n + 1
};

}  // namespace gorila

#endif  // GORILA_REPLAY_SUM_TREE_H_
