// Parts of gradients that groups of members are still sending.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_STAGED_GRADIENTS_H_
#define GORILA_PARAMETER_SERVER_REMOTE_STAGED_GRADIENTS_H_

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/network/split/parameter_pieces.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/v1/parameter_server.pb.h"

namespace gorila {

// Members that a group can have.
inline constexpr int kMostMembers = 64;

// InvalidArgument when a piece is empty or not within `parameters` floats, when there are too many,
// or when they have more floats together.
StatusOr<Pieces> ReadPieces(const google::protobuf::RepeatedPtrField<v1::Piece>& pieces,
                            std::size_t parameters);
void WritePieces(std::span<const Piece> pieces,
                 google::protobuf::RepeatedPtrField<v1::Piece>& written);

// What is in `slice` of the pieces, one after another; `values` is the slice.
std::vector<float> Gather(std::span<const Piece> pieces, const Slice& slice,
                          std::span<const float> values);

// For a slice. Keeps one gradient a client, the newest, of the last kMostClients clients. Not
// thread-safe: used under its owner's lock.
class StagedGradients {
 public:
  static constexpr std::size_t kMostClients = 256;

  explicit StagedGradients(const Slice& slice) : slice_(slice) {}

  // Keeps a part: `values`, the pieces' floats that are in the slice. InvalidArgument for another
  // number of floats. A gradient older than the client's newest is left alone.
  Status Stage(std::uint64_t client, std::int64_t sequence, int member,
               std::span<const Piece> pieces, std::span<const float> values);

  // Whether the parts of all these members are there.
  bool Has(std::uint64_t client, std::int64_t sequence, std::span<const int> members) const;

  // The gradient; 0 where no part is. It is kept no longer.
  std::vector<float> Take(std::uint64_t client, std::int64_t sequence);

 private:
  struct Staged {
    std::int64_t sequence = 0;
    std::int64_t last_use = 0;
    std::set<int> members;
    std::vector<float> gradient;
  };

  Staged& Of(std::uint64_t client);

  const Slice slice_;
  std::map<std::uint64_t, Staged> clients_;
  std::int64_t uses_ = 0;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_STAGED_GRADIENTS_H_
