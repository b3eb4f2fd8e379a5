"""all-MiniLM-L6-v2 by ONNX Runtime: the model is put together here, from its weights, in f32.

Fifty lines instead of PyTorch, which would be needed for nothing else; and several times as quick as `glosses.py`, whose
numpy is enough for the sixty thousand rows of a benchmark.
"""

from itertools import groupby

import numpy as np
import onnxruntime
from glosses import EPSILON, HEADS, LAYERS, read_weights
from onnx import TensorProto, helper, numpy_helper

WIDTH = 384
# Tokens that are computed together.
BATCH = 4096


class Model:
    """Means of the model's last layer over all tokens of a text, without its final length of one."""

    def __init__(self, folder, threads):
        weights = read_weights(folder / "model.safetensors")
        self.positions = weights["embeddings.position_embeddings.weight"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(Graph(weights).bytes(), options, providers=["CPUExecutionProvider"])

    def rows(self, lists, said):
        """The rows of lists of tokens. Those of equally many are computed together: no token stands for nothing."""
        order = sorted(range(len(lists)), key=lambda i: len(lists[i]))
        rows = np.empty((len(lists), WIDTH), dtype=np.float32)
        done, told, total = 0, 0, sum(map(len, lists))
        for length, group in groupby(order, key=lambda i: len(lists[i])):
            group = list(group)
            step = max(1, BATCH // length)
            for batch in (group[at : at + step] for at in range(0, len(group), step)):
                ids = np.array([lists[i] for i in batch], dtype=np.int64)
                rows[batch] = self.session.run(None, {"ids": ids, "positions": self.positions[:length]})[0]
                done += ids.size
                if done * 10 // total > told:
                    told = done * 10 // total
                    print(f"  {said}: {told}0 % of {total:,} tokens", flush=True)
        return rows


class Graph:
    """The model as ONNX has it, node by node."""

    def __init__(self, weights):
        self.weights, self.nodes, self.tensors = weights, [], []
        table = lambda name: weights[f"embeddings.{name}_embeddings.weight"]
        words = self.tensor(table("word") + table("token_type")[0])
        self.heads = self.tensor(np.array([0, 0, HEADS, WIDTH // HEADS]))
        self.whole = self.tensor(np.array([0, 0, WIDTH]))
        x = self.node("Add", self.node("Gather", words, "ids"), "positions")
        x = self.norm("embeddings.LayerNorm", x)
        for name in (f"encoder.layer.{i}" for i in range(LAYERS)):
            x = self.norm(f"{name}.attention.output.LayerNorm", self.node("Add", x, self.attention(f"{name}.attention", x)))
            wide = self.node("Gelu", self.linear(f"{name}.intermediate.dense", x))
            x = self.norm(f"{name}.output.LayerNorm", self.node("Add", x, self.linear(f"{name}.output.dense", wide)))
        self.out = self.node("ReduceMean", x, self.tensor(np.array([1])), keepdims=0)

    def tensor(self, numbers):
        name = f"t{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(numbers), name))
        return name

    def node(self, kind, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def linear(self, name, x):
        weight, bias = self.tensor(self.weights[f"{name}.weight"].T), self.tensor(self.weights[f"{name}.bias"])
        return self.node("Add", self.node("MatMul", x, weight), bias)

    def norm(self, name, x):
        weight, bias = self.tensor(self.weights[f"{name}.weight"]), self.tensor(self.weights[f"{name}.bias"])
        return self.node("LayerNormalization", x, weight, bias, axis=-1, epsilon=EPSILON)

    def attention(self, name, x):
        def part(of, order):
            split = self.node("Reshape", self.linear(f"{name}.self.{of}", x), self.heads)
            return self.node("Transpose", split, perm=order)

        query, key, value = part("query", [0, 2, 1, 3]), part("key", [0, 2, 3, 1]), part("value", [0, 2, 1, 3])
        scale = self.tensor(np.float32((WIDTH // HEADS) ** -0.5))
        scores = self.node("Softmax", self.node("Mul", self.node("MatMul", query, key), scale), axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", scores, value), perm=[0, 2, 1, 3])
        return self.linear(f"{name}.output.dense", self.node("Reshape", mixed, self.whole))

    def bytes(self):
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])
        positions = helper.make_tensor_value_info("positions", TensorProto.FLOAT, ["tokens", WIDTH])
        rows = helper.make_tensor_value_info(self.out, TensorProto.FLOAT, ["texts", WIDTH])
        graph = helper.make_graph(self.nodes, "MiniLM", [ids, positions], [rows], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        return model.SerializeToString()
