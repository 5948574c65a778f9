// A parameter server as the members of a group see it, each of which has parts of the vector
// (network/split/split_plan.h).
#ifndef GORILA_PARAMETER_SERVER_PIECE_STORE_H_
#define GORILA_PARAMETER_SERVER_PIECE_STORE_H_

#include <cstdint>
#include <span>

#include "gorila/network/split/parameter_pieces.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

// Which part of which gradient.
struct GradientPart {
  std::uint64_t client = 0;   // the group
  std::int64_t sequence = 0;  // of its gradients, from 1
  int member = 0;
  int members = 1;
};

struct CommitOutcome {
  PushOutcome slices;
  // False: some shards lack parts of it (they restarted), and did not decide. Stage them and commit
  // again, with the same sequence: who has decided does not decide again.
  bool complete = true;
};

// Thread-safe. A gradient is applied wholly or not at all by each shard: the members above 0 stage
// their parts, then member 0 commits with its own.
class PieceStore {
 public:
  virtual ~PieceStore() = default;

  virtual int num_shards() const = 0;

  // As ParameterStore::Pull and PullTarget, of the pieces alone, which go to their local places.
  virtual StatusOr<bool> PullPieces(const Pieces& pieces, std::span<float> local,
                                    ShardVersions& versions, bool target) = 0;

  // Leaves member > 0's part, times `factor`, with the shards that it belongs to.
  virtual Status Stage(const GradientPart& part, const Pieces& pieces, std::span<const float> local,
                       float factor) = 0;

  // The last part, member 0's: the shards decide as on ParameterStore::Push. `others`: the pieces
  // of members 1, 2, ...
  virtual StatusOr<CommitOutcome> Commit(const GradientPart& part, const Pieces& pieces,
                                         std::span<const float> local,
                                         const ShardVersions& versions,
                                         std::span<const Pieces> others) = 0;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_PIECE_STORE_H_
