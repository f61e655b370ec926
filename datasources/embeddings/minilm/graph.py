"""The BERT encoder as an ONNX graph: token ids in, one hidden state per token out. Pooling is the caller's.

Shapes: `b` texts of `s` tokens, hidden size `h`. Inputs are int64 [b, s]; the output `last_hidden_state` is float32
[b, s, h]. Source: the published BERT encoder (post-layer-norm, exact GELU), with the weights' own names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from datasources.embeddings.minilm.weights import Weights

_OPSET = 18
_IR_VERSION = 9
_MASKED = -10_000.0  # added to the score of a padding token: its softmax weight becomes 0 in float32


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the encoder as its config.json names them."""

    hidden: int
    heads: int
    layers: int
    epsilon: float

    @property
    def per_head(self) -> int:
        """Width of one attention head."""
        return self.hidden // self.heads


@dataclass(slots=True)
class _Graph:
    """Nodes and constants as they are added. Every method returns the name of its output."""

    weights: Weights
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, value: Any, dtype: Any) -> str:
        array: NDArray[Any] = np.ascontiguousarray(np.asarray(value, dtype))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str, *, transposed: bool = False) -> str:
        return self.constant(name, self.weights[name].T if transposed else self.weights[name], np.float32)

    def linear(self, x: str, name: str) -> str:
        product = self.node("MatMul", x, self.weight(f"{name}.weight", transposed=True))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def layer_norm(self, x: str, name: str, epsilon: float) -> str:
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)


def encoder(weights: Weights, sizes: Sizes) -> onnx.ModelProto:
    """The checked model. The same weights give the same bytes."""
    graph = _Graph(weights)
    graph.constant("zero", [0], np.int64)
    graph.constant("one", 1, np.float32)
    graph.constant("half", 0.5, np.float32)
    graph.constant("root_two", 2**0.5, np.float32)
    graph.constant("scale", sizes.per_head**-0.5, np.float32)
    graph.constant("split", [0, 0, sizes.heads, sizes.per_head], np.int64)
    graph.constant("merged", [0, 0, sizes.hidden], np.int64)

    x = _embeddings(graph, sizes)
    bias = _attention_bias(graph)
    for layer in range(sizes.layers):
        x = _block(graph, sizes, x, bias, f"encoder.layer.{layer}")
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))

    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "s"]) for name in names]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "s", sizes.hidden])
    body = helper.make_graph(graph.nodes, "minilm", inputs, [output], graph.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    return model


def _embeddings(graph: _Graph, sizes: Sizes) -> str:
    words = graph.node("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    types = graph.node("Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    length = graph.node("Shape", "input_ids", start=1, end=2)
    # Slice and not Gather over a Range: onnxruntime's fusion of the latter fails when the model runs.
    positions = graph.node("Slice", graph.weight("embeddings.position_embeddings.weight"), "zero", length, "zero")
    return graph.layer_norm(
        graph.node("Add", graph.node("Add", words, types), positions), "embeddings.LayerNorm", sizes.epsilon
    )


def _attention_bias(graph: _Graph) -> str:
    """[b, 1, 1, s]: 0 at tokens, a large negative number at padding."""
    graph.constant("masked", _MASKED, np.float32)
    graph.constant("head_and_query", [1, 2], np.int64)
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    return graph.node("Unsqueeze", graph.node("Mul", graph.node("Sub", "one", mask), "masked"), "head_and_query")


def _block(graph: _Graph, sizes: Sizes, x: str, bias: str, name: str) -> str:
    """One encoder layer: self-attention, then two linear layers, each with a residual and a layer norm behind it."""

    def heads(part: str, order: list[int]) -> str:
        return graph.node(
            "Transpose",
            graph.node("Reshape", graph.linear(x, f"{name}.attention.self.{part}"), "split"),
            perm=order,
        )

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    scores = graph.node("Add", graph.node("Mul", graph.node("MatMul", query, key), "scale"), bias)
    mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), value)
    mixed = graph.node("Reshape", graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), "merged")
    attended = graph.node("Add", graph.linear(mixed, f"{name}.attention.output.dense"), x)
    x = graph.layer_norm(attended, f"{name}.attention.output.LayerNorm", sizes.epsilon)

    wide = graph.linear(x, f"{name}.intermediate.dense")
    gate = graph.node("Add", graph.node("Erf", graph.node("Div", wide, "root_two")), "one")
    wide = graph.node("Mul", graph.node("Mul", wide, gate), "half")
    return graph.layer_norm(
        graph.node("Add", graph.linear(wide, f"{name}.output.dense"), x), f"{name}.output.LayerNorm", sizes.epsilon
    )
