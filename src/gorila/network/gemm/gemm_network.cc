#include "gorila/network/gemm/gemm_network.h"

#include <utility>

#include "gorila/network/gemm/im2col_convolutions.h"
#include "gorila/network/gemm/sgemm_dense.h"
#include "gorila/network/layered_network.h"
#include "gorila/network/network_shape.h"

namespace gorila {

StatusOr<std::unique_ptr<QNetwork>> MakeGemmNetwork(const NetworkSpec& spec, int max_batch) {
  const NetworkShape shape = MakeNetworkShape(spec);
  const auto batch = static_cast<std::size_t>(max_batch);
  std::unique_ptr<ConvolutionStack> convolutions;
  if (!shape.convolutions.empty()) {
    convolutions = MakeIm2ColConvolutions(spec.input, shape.convolutions, batch);
  }
  return MakeLayeredNetwork(spec, max_batch, std::move(convolutions),
                            MakeSgemmDense(shape, batch * shape.rows));
}

}  // namespace gorila
