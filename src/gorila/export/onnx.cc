#include "gorila/export/onnx.h"

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/export/quiet_network.h"
#include "gorila/foreign/onnx.pb.h"
#include "gorila/network/network_shape.h"

namespace gorila {
namespace {

namespace onnx = foreign::onnx;

constexpr int kIrVersion = 7;
constexpr int kOpset = 13;

// A tensor whose first dimension is the batch, of any size.
void DescribeBatch(const std::string& name, onnx::DataType element,
                   std::initializer_list<int> shape, onnx::ValueInfoProto& value) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(element);
  type.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const int size : shape) type.mutable_shape()->add_dim()->set_dim_value(size);
}

// The graph as it grows: each node takes the output of the last one before.
class Graph {
 public:
  Graph(std::string input, onnx::GraphProto& graph) : graph_(graph), last_(std::move(input)) {}

  onnx::NodeProto& AddNode(std::string_view type, std::initializer_list<std::string> further_inputs,
                           std::string output) {
    onnx::NodeProto& node = *graph_.add_node();
    node.add_input(last_);
    for (const std::string& input : further_inputs) node.add_input(input);
    node.add_output(output);
    node.set_name(output);
    node.set_op_type(std::string(type));
    last_ = std::move(output);
    return node;
  }
  void AddInitializer(const std::string& name, std::span<const int> shape,
                      std::span<const float> values) {
    onnx::TensorProto& tensor = *graph_.add_initializer();
    for (const int size : shape) tensor.add_dims(size);
    tensor.set_data_type(onnx::FLOAT);
    tensor.set_name(name);
    tensor.set_raw_data(values.data(), values.size_bytes());
  }
  // Sizes, as Reshape takes them; -1 is that which follows from the others.
  void AddSizes(const std::string& name, std::initializer_list<std::int64_t> sizes) {
    onnx::TensorProto& tensor = *graph_.add_initializer();
    tensor.add_dims(static_cast<std::int64_t>(sizes.size()));
    tensor.set_data_type(onnx::INT64);
    tensor.set_name(name);
    tensor.set_raw_data(std::data(sizes), sizes.size() * sizeof(std::int64_t));
  }

  const std::string& last() const { return last_; }
  void ContinueFrom(const std::string& output) { last_ = output; }

 private:
  onnx::GraphProto& graph_;
  std::string last_;
};

void AddAttribute(const std::string& name, int value, onnx::NodeProto& node) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_i(value);
  attribute.set_type(onnx::AttributeProto::INT);
}

void AddAttribute(const std::string& name, std::initializer_list<int> values,
                  onnx::NodeProto& node) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  for (const int value : values) attribute.add_ints(value);
  attribute.set_type(onnx::AttributeProto::INTS);
}

// The observation as the network takes it: floats, scaled.
void AddInput(const ObservationSpec& input, Graph& graph) {
  if (input.element == ElementType::kUint8) {
    AddAttribute("to", onnx::FLOAT, graph.AddNode("Cast", {}, "float"));
  }
  if (input.scale == 1) return;
  graph.AddInitializer("scale", {}, std::span(&input.scale, 1));
  graph.AddNode("Mul", {"scale"}, "scaled");
}

void AddDense(const std::string& name, const std::string& output, Graph& graph) {
  AddAttribute("transB", 1, graph.AddNode("Gemm", {name + ".weight", name + ".bias"}, output));
}
void AddDense(const std::string& name, Graph& graph) { AddDense(name, name, graph); }

void AddLayers(const NetworkSpec& spec, Graph& graph) {
  for (std::size_t i = 0; i < spec.convolutions.size(); ++i) {
    const ConvolutionSpec& layer = spec.convolutions[i];
    const std::string name = ConvolutionName(i);
    onnx::NodeProto& node = graph.AddNode("Conv", {name + ".weight", name + ".bias"}, name);
    AddAttribute("kernel_shape", {layer.kernel, layer.kernel}, node);
    AddAttribute("strides", {layer.stride, layer.stride}, node);
    graph.AddNode("Relu", {}, name + ".relu");
  }
  AddAttribute("axis", 1, graph.AddNode("Flatten", {}, "features"));
  for (std::size_t i = 0; i < spec.hidden.size(); ++i) {
    AddDense(HiddenName(i), graph);
    graph.AddNode("Relu", {}, HiddenName(i) + ".relu");
  }
}

// A head's outputs as batch x rows x atoms.
void AddHead(const HeadSpec& head, int atoms, Graph& graph) {
  AddDense(head.name, graph);
  graph.AddSizes(head.name + ".sizes", {-1, head.width / atoms, atoms});
  graph.AddNode("Reshape", {head.name + ".sizes"}, head.name + ".atoms");
}

// The x of ValueForm: batch x actions x atoms.
void AddAtoms(const ValueForm& form, Graph& graph) {
  const std::vector<HeadSpec> heads = HeadsOf(form);
  const std::string features = graph.last();
  AddHead(heads.front(), form.atoms, graph);
  if (!form.dueling) return;
  const std::string advantages = graph.last();
  AddAttribute("axes", {1}, graph.AddNode("ReduceMean", {}, "advantage.mean"));
  graph.ContinueFrom(features);
  AddHead(heads.back(), form.atoms, graph);
  graph.AddNode("Sub", {"advantage.mean"}, "baseline");
  graph.AddNode("Add", {advantages}, "dueling");
}

// The mean of the atoms, which have these values, under the softmax of their logits.
void AddExpectation(const ValueForm& form, Graph& graph) {
  std::vector<float> support;
  support.reserve(static_cast<std::size_t>(form.atoms));
  for (int i = 0; i < form.atoms; ++i) support.push_back(static_cast<float>(form.atom(i)));
  const int shape[] = {form.atoms, 1};
  graph.AddInitializer("support", shape, support);
  AddAttribute("axis", 2, graph.AddNode("Softmax", {}, "probabilities"));
  graph.AddNode("MatMul", {"support"}, "expectation");
}

// From the last hidden layer to "policy", each action's probability, and "value", the state's.
void AddPolicy(Graph& graph) {
  const std::string features = graph.last();
  AddDense("policy", "policy.logits", graph);
  AddAttribute("axis", 1, graph.AddNode("Softmax", {}, "policy"));
  graph.ContinueFrom(features);
  AddDense("value", "value.column", graph);
  graph.AddSizes("value.sizes", {-1});
  graph.AddNode("Reshape", {"value.sizes"}, "value");
}

// From the last hidden layer to the outputs.
void AddValues(const ValueForm& form, Graph& graph) {
  if (form.kind == ValueKind::kPolicy) return AddPolicy(graph);
  if (HeadsOf(form).empty()) return AddDense("q", graph);
  AddAtoms(form, graph);
  switch (form.kind) {
    case ValueKind::kExpectation:
    case ValueKind::kSampled:  // not written: WithoutNoise
    case ValueKind::kPolicy:
      break;
    case ValueKind::kCategorical:
      AddExpectation(form, graph);
      break;
    case ValueKind::kQuantiles:
      AddAttribute("axes", {2}, graph.AddNode("ReduceMean", {}, "mean"));
      break;
  }
  AddAttribute("axis", 1, graph.AddNode("Flatten", {}, "q"));
}

void BuildGraph(const QuietNetwork& network, const ValueForm& form, onnx::GraphProto& message) {
  const NetworkSpec& spec = network.spec;
  Graph graph("observation", message);
  AddInput(spec.input, graph);
  AddLayers(spec, graph);
  AddValues(form, graph);
  const bool policy = form.kind == ValueKind::kPolicy;
  message.set_name(policy ? "policy_network" : "q_network");
  for (const ParameterTensor& tensor : network.layout.tensors) {
    graph.AddInitializer(tensor.name, tensor.shape,
                         network.parameters.subspan(tensor.offset, tensor.size));
  }
  const bool bytes = spec.input.element == ElementType::kUint8;
  DescribeBatch("observation", bytes ? onnx::UINT8 : onnx::FLOAT,
                {spec.input_channels(), spec.input.height, spec.input.width}, *message.add_input());
  DescribeBatch(policy ? "policy" : "q", onnx::FLOAT, {spec.num_actions}, *message.add_output());
  if (policy) DescribeBatch("value", onnx::FLOAT, {}, *message.add_output());
}

}  // namespace

std::string EncodeOnnx(const NetworkSpec& spec, const ValueForm& form,
                       std::span<const float> parameters, const std::string& description) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("gorila");
  model.set_doc_string(description);
  BuildGraph(WithoutNoise(spec, form, parameters), form, *model.mutable_graph());
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  return model.SerializeAsString();
}

}  // namespace gorila
