#include "gorila/replay/prioritized_selector.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace gorila {
namespace {

bool IsPriority(double value) { return std::isfinite(value) && value > 0; }

}  // namespace

void PrioritizedSelector::Insert(std::uint32_t id) {
  GORILA_CHECK(!Contains(id), "id {}", id);
  tree_.Set(id, largest_);
  ++count_;
}

void PrioritizedSelector::Remove(std::uint32_t id) {
  GORILA_CHECK(Contains(id), "id {}", id);
  tree_.Set(id, 0);
  --count_;
}

void PrioritizedSelector::Update(std::uint32_t id, double priority) {
  GORILA_CHECK(Contains(id) && IsPriority(priority), "id {} priority {}", id, priority);
  tree_.Set(id, priority);
  largest_ = std::max(largest_, priority);
}

void PrioritizedSelector::RaiseLargestPriority(int, double priority) {
  GORILA_CHECK(IsPriority(priority), "priority {}", priority);
  largest_ = std::max(largest_, priority);
}

void PrioritizedSelector::Sample(RandomStream& random, std::span<Drawn> drawn) {
  const double total = tree_.total();
  for (Drawn& draw : drawn) {
    draw.id = static_cast<std::uint32_t>(tree_.Find(random.Uniform() * total));
    draw.probability = tree_.Get(draw.id) / total;
  }
}

void PrioritizedSelector::SaveState(StateWriter& writer) const {
  writer.Write(largest_);
  writer.Write<std::uint64_t>(tree_.size());
  for (std::size_t id = 0; id < tree_.size(); ++id) writer.Write(tree_.Get(id));
}

Status PrioritizedSelector::RestoreState(StateReader& reader) {
  double largest = 0;
  std::vector<double> priorities;
  GORILA_RETURN_IF_ERROR(reader.Read(largest));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(priorities));
  if (priorities.size() != tree_.size() || !IsPriority(largest)) {
    return DataLoss("replay selector: {} priorities up to {}, expected {}", priorities.size(),
                    largest, tree_.size());
  }
  SumTree tree(tree_.size());
  std::size_t count = 0;
  for (std::size_t id = 0; id < priorities.size(); ++id) {
    if (priorities[id] == 0) continue;
    if (!IsPriority(priorities[id]) || priorities[id] > largest) {
      return DataLoss("replay selector: id {} has priority {}, expected 0 to {}", id,
                      priorities[id], largest);
    }
    tree.Set(id, priorities[id]);
    ++count;
  }
  std::swap(tree_, tree);
  count_ = count;
  largest_ = largest;
  return OkStatus();
}

void PrioritizedSelector::CheckInvariants() const {
  tree_.CheckInvariants();
  std::size_t present = 0;
  for (std::uint32_t id = 0; id < tree_.size(); ++id) {
    if (!Contains(id)) continue;
    ++present;
    GORILA_CHECK(tree_.Get(id) <= largest_, "id {}", id);
  }
  GORILA_CHECK(present == count_, "{} {}", present, count_);
}

}  // namespace gorila
