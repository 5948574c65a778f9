#include "gorila/parameter_server/remote/staged_gradients.h"

#include <algorithm>

namespace gorila {
namespace {

constexpr int kMostPieces = 4096;

bool IsWithin(const v1::Piece& piece, std::size_t parameters) {
  const std::uint64_t width = piece.width();
  const std::uint64_t rows = piece.rows();
  if (width == 0 || rows == 0 || width > parameters || piece.begin() > parameters - width) {
    return false;
  }
  if (rows == 1) return true;
  const std::uint64_t room = parameters - width - piece.begin();
  return piece.stride() >= width && piece.stride() <= room / (rows - 1);
}

}  // namespace

StatusOr<Pieces> ReadPieces(const google::protobuf::RepeatedPtrField<v1::Piece>& pieces,
                            std::size_t parameters) {
  if (pieces.size() > kMostPieces) {
    return InvalidArgument("{} pieces; expected at most {}", pieces.size(), kMostPieces);
  }
  Pieces read;
  std::size_t local = 0;
  for (const v1::Piece& piece : pieces) {
    if (!IsWithin(piece, parameters)) {
      return InvalidArgument(
          "a piece of {} x {} parameters from {} on, every {}; expected it within {}", piece.rows(),
          piece.width(), piece.begin(), piece.stride(), parameters);
    }
    read.push_back({.begin = piece.begin(),
                    .width = piece.width(),
                    .rows = piece.rows(),
                    .stride = piece.stride(),
                    .local = local});
    local += read.back().size();
    if (local > parameters) {
      return InvalidArgument("pieces of {} parameters or more; expected no more than all {}", local,
                             parameters);
    }
  }
  return read;
}

void WritePieces(std::span<const Piece> pieces,
                 google::protobuf::RepeatedPtrField<v1::Piece>& written) {
  for (const Piece& piece : pieces) {
    v1::Piece& added = *written.Add();
    added.set_begin(piece.begin);
    added.set_width(piece.width);
    added.set_rows(piece.rows);
    added.set_stride(piece.stride);
  }
}

std::vector<float> Gather(std::span<const Piece> pieces, const Slice& slice,
                          std::span<const float> values) {
  std::vector<float> gathered;
  gathered.reserve(SizeWithin(pieces, slice.begin, slice.end));
  ForEachRun(pieces, slice.begin, slice.end, [&](std::size_t flat, std::size_t, std::size_t count) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(flat - slice.begin);
    gathered.insert(gathered.end(), from, from + static_cast<std::ptrdiff_t>(count));
  });
  return gathered;
}

StagedGradients::Staged& StagedGradients::Of(std::uint64_t client) {
  if (clients_.size() >= kMostClients && !clients_.contains(client)) {
    clients_.erase(std::min_element(
        clients_.begin(), clients_.end(),
        [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
  }
  Staged& staged = clients_[client];
  staged.last_use = ++uses_;
  return staged;
}

Status StagedGradients::Stage(std::uint64_t client, std::int64_t sequence, int member,
                              std::span<const Piece> pieces, std::span<const float> values) {
  const std::size_t expected = SizeWithin(pieces, slice_.begin, slice_.end);
  if (values.size() != expected) {
    return InvalidArgument("a part of {} floats; expected {}", values.size(), expected);
  }
  Staged& staged = Of(client);
  if (staged.sequence > sequence) return OkStatus();
  if (staged.sequence < sequence) {
    staged.sequence = sequence;
    staged.members.clear();
    staged.gradient.assign(slice_.size(), 0.0F);
  }
  staged.members.insert(member);
  std::size_t from = 0;
  ForEachRun(pieces, slice_.begin, slice_.end,
             [&](std::size_t flat, std::size_t, std::size_t count) {
               std::copy_n(&values[from], count, &staged.gradient[flat - slice_.begin]);
               from += count;
             });
  return OkStatus();
}

bool StagedGradients::Has(std::uint64_t client, std::int64_t sequence,
                          std::span<const int> members) const {
  if (members.empty()) return true;
  const auto found = clients_.find(client);
  if (found == clients_.end() || found->second.sequence != sequence) return false;
  return std::all_of(members.begin(), members.end(),
                     [&](int member) { return found->second.members.contains(member); });
}

std::vector<float> StagedGradients::Take(std::uint64_t client, std::int64_t sequence) {
  const auto found = clients_.find(client);
  if (found == clients_.end() || found->second.sequence != sequence) {
    return std::vector<float>(slice_.size(), 0.0F);
  }
  std::vector<float> gradient = std::move(found->second.gradient);
  clients_.erase(found);
  return gradient;
}

}  // namespace gorila
