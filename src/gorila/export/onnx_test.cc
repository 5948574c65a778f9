// The structure of the models; tests/e2e/ computes them with other programs.
#include "gorila/export/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "gorila/export/testing.h"
#include "gorila/foreign/onnx.pb.h"

namespace gorila {
namespace {

namespace onnx = foreign::onnx;

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_export::Agent;
using testing_export::Network;

std::string Encode(const Network& network, std::span<const float> parameters) {
  return EncodeOnnx(network.spec, network.form, parameters, "a test");
}

onnx::GraphProto Graph(const Network& network) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(Encode(network, network.parameters)));
  return model.graph();
}

std::vector<std::string> Operators(const onnx::GraphProto& graph) {
  std::vector<std::string> operators;
  for (const onnx::NodeProto& node : graph.node()) operators.push_back(node.op_type());
  return operators;
}

template <typename T>
std::vector<T> Values(const onnx::TensorProto& tensor) {
  std::vector<T> values(tensor.raw_data().size() / sizeof(T));
  std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  return values;
}

std::map<std::string, onnx::TensorProto> Initializers(const onnx::GraphProto& graph) {
  std::map<std::string, onnx::TensorProto> tensors;
  for (const onnx::TensorProto& tensor : graph.initializer()) tensors[tensor.name()] = tensor;
  return tensors;
}

class OnnxTest : public testing::TestWithParam<Agent> {
 protected:
  const Network network_{GetParam().options};
  const onnx::GraphProto graph_ = Graph(network_);
};

TEST_P(OnnxTest, EachNodeTakesWhatIsThereAndOutputsAreGiven) {
  std::set<std::string> there = {"observation"};
  for (const onnx::TensorProto& tensor : graph_.initializer()) {
    EXPECT_TRUE(there.insert(tensor.name()).second) << tensor.name();
  }
  for (const onnx::NodeProto& node : graph_.node()) {
    for (const std::string& input : node.input()) EXPECT_THAT(there, Contains(input));
    EXPECT_TRUE(there.insert(node.output(0)).second) << node.output(0);
  }
  const bool policy = network_.form.kind == ValueKind::kPolicy;
  EXPECT_EQ(graph_.node().rbegin()->output(0), policy ? "value" : "q");
  ASSERT_EQ(graph_.output_size(), policy ? 2 : 1);
  for (const onnx::ValueInfoProto& output : graph_.output()) {
    EXPECT_THAT(there, Contains(output.name()));
  }
  EXPECT_EQ(graph_.output(0).name(), policy ? "policy" : "q");
  EXPECT_EQ(graph_.output(0).type().tensor_type().shape().dim(1).dim_value(), 3);
  if (!policy) return;
  EXPECT_EQ(graph_.output(1).name(), "value");
  EXPECT_EQ(graph_.output(1).type().tensor_type().shape().dim_size(), 1) << "the batch alone";
}

TEST_P(OnnxTest, HasTheMeansByNameAndNoSigma) {
  const std::map<std::string, onnx::TensorProto> tensors = Initializers(graph_);
  for (const auto& [name, tensor] : tensors) EXPECT_THAT(name, Not(HasSubstr("sigma")));
  for (const ParameterTensor& mean : network_.means.tensors) {
    ASSERT_TRUE(tensors.contains(mean.name)) << mean.name;
    const onnx::TensorProto& tensor = tensors.at(mean.name);
    EXPECT_EQ(std::vector<int>(tensor.dims().begin(), tensor.dims().end()), mean.shape);
    const auto values = std::span(network_.parameters).subspan(mean.offset, mean.size);
    EXPECT_EQ(Values<float>(tensor), std::vector<float>(values.begin(), values.end()));
  }
  EXPECT_EQ(Encode(network_, network_.WithOtherSigmas()), Encode(network_, network_.parameters));
}

INSTANTIATE_TEST_SUITE_P(All, OnnxTest, testing::ValuesIn(testing_export::AllAgents()),
                         testing_export::NameOf);

TEST(OnnxFormsTest, OneValueForAnActionIsTheLastLayer) {
  EXPECT_THAT(Operators(Graph(Network({.algorithm = "dqn"}))),
              ElementsAre("Cast", "Mul", "Conv", "Relu", "Flatten", "Gemm", "Relu", /*q*/ "Gemm"));
}

TEST(OnnxFormsTest, DuelingAtomsAreCombinedBeforeTheSoftmax) {
  const onnx::GraphProto graph = Graph(Network({.algorithm = "c51", .atoms = 5, .dueling = true}));
  EXPECT_THAT(Operators(graph),
              ElementsAre("Cast", "Mul", "Conv", "Relu", "Flatten", "Gemm", "Relu",
                          /*advantage*/ "Gemm", "Reshape", "ReduceMean",
                          /*value*/ "Gemm", "Reshape", "Sub", "Add",
                          /*their expectation*/ "Softmax", "MatMul", "Flatten"));
  const std::map<std::string, onnx::TensorProto> tensors = Initializers(graph);
  EXPECT_THAT(Values<std::int64_t>(tensors.at("advantage.sizes")), ElementsAre(-1, 3, 5));
  EXPECT_THAT(Values<std::int64_t>(tensors.at("value.sizes")), ElementsAre(-1, 1, 5));
  EXPECT_EQ(graph.node(7).input(0), graph.node(10).input(0)) << "both heads read the same layer";
}

TEST(OnnxFormsTest, QuantilesAreAveraged) {
  EXPECT_THAT(Operators(Graph(Network({.algorithm = "qr_dqn", .atoms = 7}))),
              ElementsAre("Cast", "Mul", "Conv", "Relu", "Flatten", "Gemm", "Relu",
                          /*quantiles*/ "Gemm", "Reshape", "ReduceMean", "Flatten"));
}

TEST(OnnxFormsTest, APolicyIsTheSoftmaxOfItsLogitsBesideTheValue) {
  const onnx::GraphProto graph = Graph(Network({.algorithm = "vtrace"}));
  EXPECT_THAT(Operators(graph),
              ElementsAre("Cast", "Mul", "Conv", "Relu", "Flatten", "Gemm", "Relu",
                          /*policy*/ "Gemm", "Softmax",
                          /*value*/ "Gemm", "Reshape"));
  EXPECT_EQ(graph.node(7).input(0), graph.node(9).input(0)) << "both heads read the same layer";
  EXPECT_EQ(graph.node(7).input(1), "policy.weight");
  EXPECT_EQ(graph.node(9).input(1), "value.weight");
}

TEST(OnnxFormsTest, TheSupportGoesFromTheLowestAtomToTheHighest) {
  const Network network({.algorithm = "c51", .atoms = 5, .value_min = -3, .value_max = 7});
  const onnx::TensorProto support = Initializers(Graph(network)).at("support");
  EXPECT_THAT(support.dims(), ElementsAre(5, 1));
  EXPECT_THAT(Values<float>(support), ElementsAre(-3, -0.5, 2, 4.5, 7));
}

TEST(OnnxDeathTest, TheFormOfAnotherNetworkAborts) {
  const Network network({.algorithm = "c51", .atoms = 5});
  const Network other({.algorithm = "c51", .atoms = 6});
  EXPECT_DEATH(EncodeOnnx(network.spec, other.form, network.parameters, ""), "form of another");
}

}  // namespace
}  // namespace gorila
