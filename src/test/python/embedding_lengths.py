#!/usr/bin/env python3
"""Makes src/test/resources/oracle/embeddinggemma/lengths.json: embeddings of texts of one to four tokens and of several
blocks of queries by the checkpoint beside it, in float64 and plain steps, since the official results have none so short
or so long. Checks itself against the official results first. Needs numpy.

    src/test/python/embedding_lengths.py src/test/resources/oracle/embeddinggemma
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np

SHORT = [[2], [2, 1], [2, 200, 1], [2, 17, 99, 1]]
LONG = [[2, *((i * i * 7 + i * 13) % 251 for i in range(length - 2)), 1] for length in (64, 65, 129, 300)]


def tensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + at for at in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            bits = np.frombuffer(data[begin:end], "<u2").astype(np.uint32) << 16
            values = bits.view(np.float32)
        else:
            values = np.frombuffer(data[begin:end], {"F32": "<f4", "I64": "<i8"}[entry["dtype"]])
        found[name] = values.reshape(entry["shape"]).astype(np.float64)
    return found


def norm(x, weight, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * (1 + weight)


def rotate(x, theta):
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[0])[:, None, None] * theta ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)], axis=-1)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def attention(x, w, config, is_global):
    heads, kv_heads, dim = (config[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim"))
    theta = config["rope_theta"] if is_global else config["rope_local_base_freq"]
    q = norm((x @ w["self_attn.q_proj"].T).reshape(-1, heads, dim), w["self_attn.q_norm"], config["rms_norm_eps"])
    k = norm((x @ w["self_attn.k_proj"].T).reshape(-1, kv_heads, dim), w["self_attn.k_norm"], config["rms_norm_eps"])
    v = (x @ w["self_attn.v_proj"].T).reshape(-1, kv_heads, dim)
    q, k = rotate(q, theta), rotate(k, theta)
    apart = np.abs(np.arange(len(x))[:, None] - np.arange(len(x))[None, :])
    seen = apart >= 0 if is_global else apart < config["sliding_window"] // 2 + 1
    out = []
    for head in range(heads):
        kv = head // (heads // kv_heads)
        scores = q[:, head] @ k[:, kv].T * config["query_pre_attn_scalar"] ** -0.5
        scores = np.where(seen, np.exp(scores - scores.max(axis=-1, keepdims=True)), 0)
        out.append(scores / scores.sum(axis=-1, keepdims=True) @ v[:, kv])
    return np.concatenate(out, axis=-1) @ w["self_attn.o_proj"].T


def embed(folder, ids):
    config = json.loads((folder / "config.json").read_text())
    weights = tensors(folder / "model.safetensors")
    epsilon = config["rms_norm_eps"]
    x = weights["embed_tokens.weight"][ids] * np.sqrt(config["hidden_size"])
    for i in range(config["num_hidden_layers"]):
        prefix = f"layers.{i}."
        w = {n[len(prefix) : -len(".weight")]: t for n, t in weights.items() if n.startswith(prefix)}
        is_global = (i + 1) % config["sliding_window_pattern"] == 0
        branch = attention(norm(x, w["input_layernorm"], epsilon), w, config, is_global)
        x = x + norm(branch, w["post_attention_layernorm"], epsilon)
        h = norm(x, w["pre_feedforward_layernorm"], epsilon)
        branch = (gelu(h @ w["mlp.gate_proj"].T) * (h @ w["mlp.up_proj"].T)) @ w["mlp.down_proj"].T
        x = x + norm(branch, w["post_feedforward_layernorm"], epsilon)
    pooled = norm(x, weights["norm.weight"], epsilon).mean(axis=0)
    for dense in ("2_Dense", "3_Dense"):
        pooled = pooled @ tensors(folder / dense / "model.safetensors")["linear.weight"].T
    return pooled / np.linalg.norm(pooled)


def main():
    folder = Path(sys.argv[1])
    official = tensors(folder / "golden.safetensors")
    for i, ids in enumerate(json.loads((folder / "golden.json").read_text())["inputs"]):
        worst = np.abs(embed(folder, ids) - official[f"embedding_{i}"]).max()
        assert worst < 1e-5, f"input {i}: differs by {worst}"
    texts = SHORT + LONG
    embeddings = [[float(np.float32(x)) for x in embed(folder, ids)] for ids in texts]
    rows = ",\n".join(
        json.dumps({"ids": ids, "embedding": embedding}) for ids, embedding in zip(texts, embeddings, strict=True))
    (folder / "lengths.json").write_text(f"[\n{rows}\n]\n")


main()
