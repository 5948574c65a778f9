// The network seam: outputs from observations, and gradients from the derivative of a loss with
// respect to outputs. What they mean and the loss itself are agent/'s, so a new algorithm does not
// touch a backend.
#ifndef GORILA_NETWORK_Q_NETWORK_H_
#define GORILA_NETWORK_Q_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>

#include "gorila/network/gradient_size.h"
#include "gorila/network/network_spec.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

// One network with its own scratch memory, used by one thread at a time; any number of them may
// compute at once, each only in the thread that calls it. No call blocks (on a GPU: but for
// its results) or, after the first use of a batch size, allocates buffers (but libtorch, which
// always does). The same inputs give the same bits on the same machine. Arguments of the wrong size
// are a broken invariant (GORILA_CHECK).
class QNetwork {
 public:
  virtual ~QNetwork() = default;

  virtual const NetworkSpec& spec() const = 0;
  virtual const ParameterLayout& layout() const = 0;

  // Uses `values` (layout().size floats) from now on. The values are borrowed: they must stay
  // alive, and whoever changes them calls this again before the next computation.
  virtual void SetParameters(std::span<const float> values) = 0;

  // New noise from `random`, if the network has any (noisy_network.h), for what is computed until
  // the next call or SetParameters, after which there is none. What the last Forward kept is lost.
  virtual void Redraw(RandomStream& random) { static_cast<void>(random); }

  // Of a network with a sampled head: where the next computation evaluates it, spec().taus numbers
  // in [0, 1] for each of its observations; borrowed until then. Every other computation takes the
  // midpoints (i + 1/2) / spec().taus.
  virtual void UseTaus(std::span<const float> taus) {
    GORILA_CHECK(taus.empty(), "{} taus for a network without a sampled head", taus.size());
  }

  // Of a network with heads for each game: the game of each observation of the computations that
  // follow, 0 .. spec().num_games() - 1; borrowed until the next call. Others take no notice.
  virtual void UseGames(std::span<const std::int32_t> games) { static_cast<void>(games); }

  // Outputs of `batch` observations, each spec().input.stacked_bytes() long, one after another.
  // `q`: batch x spec().outputs(), row-major. 1 <= batch <= the max_batch it was made with. Leaves
  // what the last Forward kept to Backward.
  virtual void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) = 0;

  // As Predict, for the observations that `other` was last given with Predict, and as many: what it
  // made of them as inputs is used where it computes as this one does. The same bits as Predict.
  // `other` must not compute meanwhile. It may be this network, to evaluate a sampled head at
  // further taus without computing the features again; then SetParameters must not come in between
  // (Redraw may: the features have no noise).
  virtual void PredictSame(QNetwork& other, std::span<const std::byte> observations, int batch,
                           std::span<float> q) {
    static_cast<void>(other);
    Predict(observations, batch, q);
  }

  // As Predict, and keeps what Backward needs.
  virtual void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) = 0;

  // Gradient of a loss for the observations of the last Forward. `dq`: dL/dq, batch x outputs.
  // `gradient` (layout().size floats) is overwritten. SetParameters must not come in between.
  virtual void Backward(std::span<const float> dq, std::span<float> gradient) = 0;

  // Whether SquaresAreFinite() of what the last Backward gave, if it was looked at while it was
  // written.
  virtual std::optional<bool> GradientIsFinite() const { return std::nullopt; }

  // Where other members of a group have parts of the last Backward's gradient (split_network.h):
  // the size of these parts, and a factor by which they are multiplied before they are used.
  virtual GradientSize elsewhere() const { return {}; }
  virtual void ScaleElsewhere(float factor) { static_cast<void>(factor); }

  // The best memory for large arguments of these calls: any will do, but a GPU copies from and
  // to its own kind of memory without a copy in between. Lives as long as the process; thread-safe.
  virtual std::pmr::memory_resource* host_memory() const {
    return std::pmr::get_default_resource();
  }
};

// One way to compute networks. Adding one: a folder, a test, a row in q_network.cc.
struct QNetworkBackend {
  std::string_view name;
  std::string_view summary;
  // `device` is "cpu" unless `elsewhere`.
  StatusOr<std::unique_ptr<QNetwork>> (*make)(const NetworkSpec& spec, int max_batch,
                                              std::string_view device);
  // Whether it can be used here, with `device`. Null: always.
  Status (*check)(std::string_view device) = nullptr;
  bool elsewhere = false;  // whether it computes on other devices than the CPU
};
std::span<const QNetworkBackend> QNetworkBackends();

// InvalidArgument unless `device` is "cpu" or, for a backend that computes elsewhere too, "cuda" or
// "cuda:N". Does not look at this machine. `backend` as for MakeQNetwork.
Status CheckDevice(std::string_view backend, std::string_view device);

// Whether this program can compute so on this machine: InvalidArgument when it is built without the
// backend's library or there is no such device, Unavailable when the library cannot be loaded. The
// first call for the backend torch takes about a second.
Status CheckBackend(std::string_view backend, std::string_view device);

// `backend`: "auto" (the fastest on this CPU for this network) or a name in the table.
// InvalidArgument for an unknown one or a spec that does not fit; fails as CheckBackend does.
StatusOr<std::unique_ptr<QNetwork>> MakeQNetwork(std::string_view backend, const NetworkSpec& spec,
                                                 int max_batch, std::string_view device = "cpu");

}  // namespace gorila

#endif  // GORILA_NETWORK_Q_NETWORK_H_
