// Where the dashboard's games get their network from.
#ifndef GORILA_DASHBOARD_PARAMETER_SOURCE_H_
#define GORILA_DASHBOARD_PARAMETER_SOURCE_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/network/parameter_layout.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

// For one thread.
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;

  // Copies newer parameters to `values` (of the layout's size); false when there are none. NotFound
  // while a run has no network yet.
  virtual StatusOr<bool> Refresh(std::vector<float>& values) = 0;

  // Where the present ones are from: "live", "checkpoint at 50000 frames", "final network".
  virtual std::string Describe() const = 0;
};

// A pull from a run that trains in this process, which must outlive the source.
std::unique_ptr<ParameterSource> WatchStore(ParameterStore& store);

// A run's final network, else its newest checkpoint, else the best network of its evaluations.
// Reads only.
std::unique_ptr<ParameterSource> WatchRunDirectory(const std::filesystem::path& directory,
                                                   const ParameterLayout& layout);

// The same of a launched run; while it has no final network, what its parameter servers have now,
// or had in their newest snapshots when they do not answer. A refresh may take seconds then.
std::unique_ptr<ParameterSource> WatchLaunchedRun(const std::filesystem::path& directory,
                                                  const Config& config,
                                                  const ParameterLayout& layout);

// Whether the folder belongs to a launched run.
bool IsLaunchedRun(const std::filesystem::path& directory);

}  // namespace gorila

#endif  // GORILA_DASHBOARD_PARAMETER_SOURCE_H_
