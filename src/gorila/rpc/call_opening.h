// What a client says first on a connection, up to the headers of its first call (RFC 9113, 7541).
// Read here because gRPC 1.51 would already keep kilobytes for each call of a stranger.
#ifndef GORILA_RPC_CALL_OPENING_H_
#define GORILA_RPC_CALL_OPENING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila::rpc {

// A client that has said that much without the headers of a call is a stranger. Twice what the
// metadata of a call may take.
inline constexpr std::size_t kMaxOpeningBytes = std::size_t{8} << 10;

struct CallOpening {
  enum class Kind {
    kIncomplete,  // more has to come
    kForeign,     // nothing that a gRPC client says
    kCall,        // the headers of the first call are complete
  };
  Kind kind = Kind::kIncomplete;
  // Of a call.
  std::uint32_t stream = 0;
  std::string_view token = {};  // in the bytes that were read; empty: none was given
  // Where the frame that acknowledges OpeningSettings() begins; 0: it did not come yet.
  std::size_t acknowledgement = 0;
};

inline constexpr std::size_t kAcknowledgementBytes = 9;

// `bytes`: all that came on the connection so far. Bounded work, and nothing is allocated.
CallOpening ReadCallOpening(std::string_view bytes);

// The frame that clients wait for before they call: settings, all of them the defaults. gRPC sends
// its own once it has the connection.
std::string_view OpeningSettings();

// The frames that refuse call `stream` (`status` is an error) and end the connection.
std::string EncodeRefusal(std::uint32_t stream, const Status& status);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_CALL_OPENING_H_
