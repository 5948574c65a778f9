#include "gorila/network/q_network.h"

#include <array>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/network/gemm/gemm_network.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/onednn/onednn_network.h"
#include "gorila/network/reference/reference_network.h"

namespace gorila {
namespace {

constexpr std::array<QNetworkBackend, 3> kBackends = {{
    {"gemm", "im2col and SGEMM, for small networks", &MakeGemmNetwork},
    {"onednn", "oneDNN's convolutions in its own layouts, for large networks", &MakeOneDnnNetwork},
    {"reference", "plain loops in double precision; slow, for checking", &MakeReferenceNetwork},
}};

// The flat vectors as they lie, or layouts of their own: where the second begins to pay, measured
// over networks between minatar_dqn (0.3 MFLOP an observation) and nature_dqn (19 MFLOP).
std::string_view FastestFor(const NetworkSpec& spec) {
  constexpr double kLargeNetwork = 1e6;
  return MakeNetworkShape(spec).forward_flops() < kLargeNetwork ? "gemm" : "onednn";
}

}  // namespace

std::span<const QNetworkBackend> QNetworkBackends() { return kBackends; }

StatusOr<std::unique_ptr<QNetwork>> MakeQNetwork(std::string_view backend, const NetworkSpec& spec,
                                                 int max_batch) {
  GORILA_RETURN_IF_ERROR(CheckNetworkSpec(spec));
  if (max_batch < 1) {
    return InvalidArgument("max_batch is {}; expected at least 1", max_batch);
  }
  const std::string_view wanted = backend == "auto" ? FastestFor(spec) : backend;
  std::vector<std::string_view> names = {"auto"};
  for (const QNetworkBackend& row : QNetworkBackends()) {
    if (row.name == wanted) return row.make(spec, max_batch);
    names.push_back(row.name);
  }
  return InvalidArgument("network backend is '{}'; expected {} (did you mean '{}'?)", backend,
                         fmt::join(names, ", "), NearestName(backend, names));
}

}  // namespace gorila
