// Whether a shard's state can be trained from.
#ifndef GORILA_PARAMETER_SERVER_SNAPSHOT_CHECK_H_
#define GORILA_PARAMETER_SERVER_SNAPSHOT_CHECK_H_

#include "gorila/base/status.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {

// DataLoss when a parameter, a target or a value of the optimizer is NaN or infinite: it would
// spread over the network.
Status CheckFinite(const ShardSnapshot& snapshot);
// Unavailable instead: whoever writes snapshots keeps the one before, and says why.
Status CheckWritable(const ShardSnapshot& snapshot);

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_SNAPSHOT_CHECK_H_
