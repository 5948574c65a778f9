#include "gorila/network/q_network.h"

#include <array>
#include <utility>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/network/game_heads.h"
#include "gorila/network/gemm/gemm_network.h"
#include "gorila/network/gemm/sgemm.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/noisy_network.h"
#include "gorila/network/onednn/onednn_network.h"
#include "gorila/network/reference/reference_network.h"
#include "gorila/network/simulated_backend.h"
#include "gorila/network/torch/torch_network.h"

namespace gorila {
namespace {

template <auto kMake>
StatusOr<std::unique_ptr<QNetwork>> OnCpu(const NetworkSpec& spec, int max_batch,
                                          std::string_view) {
  return kMake(spec, max_batch);
}

constexpr std::array kBackends = {
    QNetworkBackend{"bfloat16", "as onednn, rounding to bfloat16; fast where a processor has AMX",
                    &OnCpu<&MakeBfloat16Network>, &CheckBfloat16},
    QNetworkBackend{"gemm", "im2col and SGEMM, for small networks", &OnCpu<&MakeGemmNetwork>},
    QNetworkBackend{"onednn", "oneDNN's convolutions in its own layouts, for large networks",
                    &OnCpu<&MakeOneDnnNetwork>},
    QNetworkBackend{"reference", "plain loops in double precision; slow, for checking",
                    &OnCpu<&MakeReferenceNetwork>},
    QNetworkBackend{"torch", "libtorch, where the program is built with it; the CPU or a GPU",
                    &MakeTorchNetwork, &CheckTorch, true},
};

std::string_view FastestFor(const NetworkSpec& spec) {
  return MakeNetworkShape(spec).IsSmall() ? "gemm" : "onednn";
}

// Null for "auto", which takes one of those that compute on the CPU.
StatusOr<const QNetworkBackend*> FindBackend(std::string_view name) {
  std::vector<std::string_view> names = {"auto"};
  if (name == names.front()) return nullptr;
  if (simulated_backend != nullptr && name == simulated_backend->name) return simulated_backend;
  for (const QNetworkBackend& row : QNetworkBackends()) {
    if (row.name == name) return &row;
    names.push_back(row.name);
  }
  return InvalidArgument("network.backend is '{}'; expected {} (did you mean '{}'?)", name,
                         fmt::join(names, ", "), NearestName(name, names));
}

// "cuda" or "cuda:N", N as libtorch reads it: in 8 bits, without leading zeros.
bool IsCuda(std::string_view device) {
  constexpr std::string_view kNumbered = "cuda:";
  if (device == "cuda") return true;
  if (!device.starts_with(kNumbered)) return false;
  const std::string_view number = device.substr(kNumbered.size());
  const bool digits = number.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && (number.size() == 1 || (number.size() == 2 && number.front() != '0'));
}

}  // namespace

std::span<const QNetworkBackend> QNetworkBackends() { return kBackends; }

Status CheckDevice(std::string_view backend, std::string_view device) {
  GORILA_ASSIGN_OR_RETURN(const QNetworkBackend* const row, FindBackend(backend));
  if (device == "cpu") return OkStatus();
  if (!IsCuda(device)) {
    return InvalidArgument(
        "network.device is '{}'; expected cpu, cuda or cuda:N with N from 0 to 99", device);
  }
  if (row != nullptr && row->elsewhere) return OkStatus();
  return InvalidArgument(
      "network.device is {} with network.backend {}; expected cpu, or network.backend torch",
      device, backend);
}

Status CheckBackend(std::string_view backend, std::string_view device) {
  GORILA_RETURN_IF_ERROR(CheckDevice(backend, device));
  GORILA_ASSIGN_OR_RETURN(const QNetworkBackend* const row, FindBackend(backend));
  return row == nullptr || row->check == nullptr ? OkStatus() : row->check(device);
}

StatusOr<std::unique_ptr<QNetwork>> MakeQNetwork(std::string_view backend, const NetworkSpec& spec,
                                                 int max_batch, std::string_view device) {
  GORILA_RETURN_IF_ERROR(CheckNetworkSpec(spec));
  if (max_batch < 1) {
    return InvalidArgument("max_batch is {}; expected at least 1", max_batch);
  }
  GORILA_RETURN_IF_ERROR(CheckBackend(backend, device));
  if (spec.game_heads) {
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<QNetwork> all,
                            MakeQNetwork(backend, WithHeadsOfAllGames(spec), max_batch, device));
    return MakeGameHeads(spec, std::move(all));
  }
  const std::string_view wanted = backend == "auto" ? FastestFor(spec) : backend;
  GORILA_ASSIGN_OR_RETURN(const QNetworkBackend* const row, FindBackend(wanted));
  if (!row->elsewhere) GORILA_RETURN_IF_ERROR(PrepareSgemm());
  if (spec.noise <= 0) return row->make(spec, max_batch, device);
  NetworkSpec quiet = spec;
  quiet.noise = 0;
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<QNetwork> means, row->make(quiet, max_batch, device));
  return MakeNoisyNetwork(spec, std::move(means));
}

}  // namespace gorila
