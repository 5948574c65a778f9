#include "gorila/export/onnx.h"

#include <fmt/format.h>

#include <initializer_list>
#include <string_view>
#include <vector>

#include "gorila/base/protobuf_writer.h"
#include "gorila/base/status.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {
namespace {

// Of onnx.proto.
constexpr int kIrVersion = 7;
constexpr int kOpset = 13;
constexpr int kFloat = 1;  // TensorProto.DataType
constexpr int kUint8 = 2;
enum AttributeType { kIntAttribute = 2, kIntsAttribute = 7 };

ProtobufWriter Tensor(const std::string& name, std::span<const int> shape,
                      std::span<const float> values) {
  ProtobufWriter tensor;
  for (const int size : shape) tensor.Varint(1, size);
  tensor.Varint(2, kFloat);
  tensor.Bytes(8, name);
  tensor.Bytes(9, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  return tensor;
}

// A tensor whose first dimension is the batch, of any size.
ProtobufWriter BatchValue(std::string_view name, int element, std::initializer_list<int> shape) {
  ProtobufWriter dimensions;
  ProtobufWriter batch;
  batch.Bytes(2, "batch");
  dimensions.Message(1, batch);
  for (const int size : shape) {
    ProtobufWriter dimension;
    dimension.Varint(1, size);
    dimensions.Message(1, dimension);
  }
  ProtobufWriter tensor_type;
  tensor_type.Varint(1, element);
  tensor_type.Message(2, dimensions);
  ProtobufWriter type;
  type.Message(1, tensor_type);
  ProtobufWriter value;
  value.Bytes(1, name);
  value.Message(2, type);
  return value;
}

// The graph as it grows: each node takes what the last one gave.
class Graph {
 public:
  explicit Graph(std::string input) : last_(std::move(input)) {}

  // `attributes` is a NodeProto's list of them, already encoded.
  void AddNode(std::string_view type, const std::vector<std::string>& further_inputs,
               std::string output, const std::vector<ProtobufWriter>& attributes = {}) {
    ProtobufWriter node;
    node.Bytes(1, last_);
    for (const std::string& input : further_inputs) node.Bytes(1, input);
    node.Bytes(2, output);
    node.Bytes(3, output);
    node.Bytes(4, type);
    for (const ProtobufWriter& attribute : attributes) node.Message(5, attribute);
    graph_.Message(1, node);
    last_ = std::move(output);
  }
  void AddInitializer(const std::string& name, std::span<const int> shape,
                      std::span<const float> values) {
    graph_.Message(5, Tensor(name, shape, values));
  }

  ProtobufWriter& message() { return graph_; }

 private:
  ProtobufWriter graph_;
  std::string last_;
};

ProtobufWriter IntAttribute(std::string_view name, int value) {
  ProtobufWriter attribute;
  attribute.Bytes(1, name);
  attribute.Varint(3, value);
  attribute.Varint(20, kIntAttribute);
  return attribute;
}

ProtobufWriter IntsAttribute(std::string_view name, std::initializer_list<int> values) {
  ProtobufWriter attribute;
  attribute.Bytes(1, name);
  for (const int value : values) attribute.Varint(8, value);
  attribute.Varint(20, kIntsAttribute);
  return attribute;
}

// What the network sees of an observation: floats, scaled.
void AddInput(const ObservationSpec& input, Graph& graph) {
  if (input.element == ElementType::kUint8) {
    graph.AddNode("Cast", {}, "float", {IntAttribute("to", kFloat)});
  }
  if (input.scale == 1) return;
  graph.AddInitializer("scale", {}, std::span(&input.scale, 1));
  graph.AddNode("Mul", {"scale"}, "scaled");
}

void AddLayers(const NetworkSpec& spec, Graph& graph) {
  for (std::size_t i = 0; i < spec.convolutions.size(); ++i) {
    const ConvolutionSpec& layer = spec.convolutions[i];
    const std::string name = ConvolutionName(i);
    graph.AddNode("Conv", {name + ".weight", name + ".bias"}, name,
                  {IntsAttribute("kernel_shape", {layer.kernel, layer.kernel}),
                   IntsAttribute("strides", {layer.stride, layer.stride})});
    graph.AddNode("Relu", {}, name + ".relu");
  }
  graph.AddNode("Flatten", {}, "features", {IntAttribute("axis", 1)});
  for (std::size_t i = 0; i < spec.hidden.size(); ++i) {
    const std::string name = HiddenName(i);
    graph.AddNode("Gemm", {name + ".weight", name + ".bias"}, name, {IntAttribute("transB", 1)});
    graph.AddNode("Relu", {}, name + ".relu");
  }
  graph.AddNode("Gemm", {"q.weight", "q.bias"}, "q", {IntAttribute("transB", 1)});
}

}  // namespace

std::string EncodeOnnx(const NetworkSpec& spec, std::span<const float> parameters,
                       const std::string& description) {
  const ParameterLayout layout = MakeParameterLayout(spec);
  GORILA_CHECK(parameters.size() == layout.size, "{} {}", parameters.size(), layout.size);
  Graph graph("observation");
  AddInput(spec.input, graph);
  AddLayers(spec, graph);
  graph.message().Bytes(2, "q_network");
  for (const ParameterTensor& tensor : layout.tensors) {
    graph.AddInitializer(tensor.name, tensor.shape, parameters.subspan(tensor.offset, tensor.size));
  }
  const bool bytes = spec.input.element == ElementType::kUint8;
  graph.message().Message(11,
                          BatchValue("observation", bytes ? kUint8 : kFloat,
                                     {spec.input_channels(), spec.input.height, spec.input.width}));
  graph.message().Message(12, BatchValue("q", kFloat, {spec.num_actions}));
  ProtobufWriter opset;
  opset.Bytes(1, "");
  opset.Varint(2, kOpset);
  ProtobufWriter model;
  model.Varint(1, kIrVersion);
  model.Bytes(2, "gorila");
  model.Bytes(6, description);
  model.Message(7, graph.message());
  model.Message(8, opset);
  return model.Take();
}

}  // namespace gorila
