// That libtorch accepts the modules; tests/e2e/export_test.py computes them.
#include "gorila/export/torchscript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/export/testing.h"
#include "gorila/network/torch/torch_module.h"

namespace gorila {
namespace {

using testing_export::Network;

class TorchScriptTest : public testing::TestWithParam<testing_export::Agent> {
 protected:
  void SetUp() override {
    if (!TorchIsBuiltIn()) GTEST_SKIP() << "built without libtorch";
  }
};

TEST_P(TorchScriptTest, EveryNetworkIsWrittenWithItsMeansOnly) {
  const Network network(GetParam().options);
  const auto bytes = EncodeTorchScript(network.spec, network.form, network.parameters);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(bytes->find("sigma"), std::string::npos);
  for (const ParameterTensor& mean : network.means.tensors) {
    const auto values = std::span(network.parameters).subspan(mean.offset, mean.size);
    const std::string_view stored(reinterpret_cast<const char*>(values.data()),
                                  values.size_bytes());
    EXPECT_NE(bytes->find(stored), std::string::npos) << mean.name;
  }
  const auto other = EncodeTorchScript(network.spec, network.form, network.WithOtherSigmas());
  EXPECT_EQ(*bytes, other.value());
}

INSTANTIATE_TEST_SUITE_P(All, TorchScriptTest, testing::ValuesIn(testing_export::AllAgents()),
                         testing_export::NameOf);

TEST(TorchScriptWithoutLibtorchTest, SaysWhatToInstall) {
  if (TorchIsBuiltIn()) GTEST_SKIP() << "built with libtorch";
  const Network network({.algorithm = "dqn"});
  const Status status = EncodeTorchScript(network.spec, network.form, network.parameters).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("libtorch-dev"));
}

}  // namespace
}  // namespace gorila
