#!/usr/bin/env python3
"""Makes src/test/resources/oracle/t5gemma-widths: a checkpoint of T5Gemma whose stacks differ in width, heads, layers and
windows, and its results for a text of several blocks of queries, in float64 and plain steps, since the official case has
two equal stacks and a short text. Checks itself against the official results first. Needs numpy.

    src/test/python/encoder_widths.py src/test/resources/oracle/t5gemma src/test/resources/oracle/t5gemma-widths
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np

TEXT = [2, *((i * i * 7 + i * 13) % 199 for i in range(298)), 1]
CONTINUATION = 28
COMMON = dict(rms_norm_eps=1e-6, rope_theta=10000.0, vocab_size=200, max_position_embeddings=512,
              hidden_activation="gelu_pytorch_tanh", bos_token_id=2, eos_token_id=1, model_type="t5_gemma_module")
LOCAL, GLOBAL = "sliding_attention", "full_attention"
ENCODER = dict(COMMON, hidden_size=48, num_attention_heads=4, num_key_value_heads=2, head_dim=16, intermediate_size=64,
               num_hidden_layers=3, layer_types=[LOCAL, GLOBAL, LOCAL], sliding_window=100, query_pre_attn_scalar=24,
               attn_logit_softcapping=50.0)
DECODER = dict(COMMON, hidden_size=32, num_attention_heads=3, num_key_value_heads=1, head_dim=32, intermediate_size=96,
               num_hidden_layers=2, layer_types=[LOCAL, GLOBAL], sliding_window=6, query_pre_attn_scalar=40,
               attn_logit_softcapping=20.0, final_logit_softcapping=30.0, cross_attention_hidden_size=48)


def read(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + at for at in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(data[begin:end], "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(data[begin:end], {"F32": "<f4", "I64": "<i8"}[entry["dtype"]])
        found[name] = values.reshape(entry["shape"]).astype(np.float64)
    return found


def write(path, tensors, dtype):
    header, body = {}, b""
    for name, values in tensors.items():
        values = values.astype(np.float32)
        data = (values.view(np.uint32) >> 16).astype("<u2") if dtype == "BF16" else values.astype("<f4")
        offsets = [len(body), len(body) + data.nbytes]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": offsets}
        body += data.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def norm(x, weight, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * (1 + weight)


def rotate(x, theta):
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[0])[:, None, None] * theta ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)], axis=-1)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def attention(x, source, weight, config, seen, rotated):
    heads, kv_heads, dim = (config[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim"))
    q = (x @ weight("q_proj").T).reshape(-1, heads, dim)
    k = (source @ weight("k_proj").T).reshape(-1, kv_heads, dim)
    v = (source @ weight("v_proj").T).reshape(-1, kv_heads, dim)
    if rotated:
        q, k = rotate(q, config["rope_theta"]), rotate(k, config["rope_theta"])
    out = []
    for head in range(heads):
        kv = head // (heads // kv_heads)
        scores = q[:, head] @ k[:, kv].T * config["query_pre_attn_scalar"] ** -0.5
        scores = config["attn_logit_softcapping"] * np.tanh(scores / config["attn_logit_softcapping"])
        exp = np.where(seen, np.exp(scores), 0)
        out.append(exp / exp.sum(axis=-1, keepdims=True) @ v[:, kv])
    return np.concatenate(out, axis=-1) @ weight("o_proj").T


def stack(tensors, config, half, ids, encoded=None):
    epsilon, prefix = config["rms_norm_eps"], f"model.{half}."
    x = tensors[prefix + "embed_tokens.weight"][ids] * np.sqrt(config["hidden_size"])
    back = np.arange(len(ids))[:, None] - np.arange(len(ids))[None, :]
    for i, kind in enumerate(config["layer_types"]):
        def weight(name):
            return tensors[f"{prefix}layers.{i}.{name}.weight"]

        window = config["sliding_window"] if kind == LOCAL else len(ids)
        seen = np.abs(back) < window if encoded is None else (back >= 0) & (back < window)
        h = norm(x, weight("pre_self_attn_layernorm"), epsilon)
        h = attention(h, h, lambda name: weight("self_attn." + name), config, seen, True)
        x = x + norm(h, weight("post_self_attn_layernorm"), epsilon)
        if encoded is not None:
            h = norm(x, weight("pre_cross_attn_layernorm"), epsilon)
            h = attention(h, encoded, lambda name: weight("cross_attn." + name), config, True, False)
            x = x + norm(h, weight("post_cross_attn_layernorm"), epsilon)
        h = norm(x, weight("pre_feedforward_layernorm"), epsilon)
        h = (gelu(h @ weight("mlp.gate_proj").T) * (h @ weight("mlp.up_proj").T)) @ weight("mlp.down_proj").T
        x = x + norm(h, weight("post_feedforward_layernorm"), epsilon)
    return norm(x, tensors[prefix + "norm.weight"], epsilon)


def logits(tensors, config, ids, encoded):
    states = stack(tensors, config, "decoder", ids, encoded)
    cap = config["final_logit_softcapping"]
    return cap * np.tanh(states @ tensors["model.decoder.embed_tokens.weight"].T / cap)


def check(folder):
    tensors, golden = read(folder / "model.safetensors"), read(folder / "golden.safetensors")
    config, known = (json.loads((folder / name).read_text()) for name in ("config.json", "golden.json"))
    encoded = stack(tensors, config["encoder"], "encoder", known["encoder_ids"])
    ids = known["decoder_start"] + known["continuation"][:-1]
    got = logits(tensors, config["decoder"], ids, encoded)
    worst = np.max(np.abs(got - golden["decode_logits"])) / np.max(np.abs(golden["decode_logits"]))
    if not worst < 5e-5:
        raise SystemExit(f"differs from the official results by {worst}")


def random_tensors():
    random, tensors = np.random.default_rng(7), {}

    def draw(name, *shape):
        deviation = 0.06 if "embed" in name else 0.3 if len(shape) == 1 else shape[1] ** -0.5
        values = random.standard_normal(shape) * deviation
        bits = values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
        tensors[name + ".weight"] = bits.view(np.float32).astype(np.float64)

    for half, config in (("encoder", ENCODER), ("decoder", DECODER)):
        width, neurons = config["hidden_size"], config["intermediate_size"]
        q, kv = (config[k] * config["head_dim"] for k in ("num_attention_heads", "num_key_value_heads"))
        draw(f"model.{half}.embed_tokens", config["vocab_size"], width)
        draw(f"model.{half}.norm", width)
        for i in range(config["num_hidden_layers"]):
            parts = ["self_attn"] + (["cross_attn"] if half == "decoder" else [])
            for part in parts:
                source = ENCODER["hidden_size"] if part == "cross_attn" else width
                for name, rows, cols in (("q", q, width), ("k", kv, source), ("v", kv, source), ("o", width, q)):
                    draw(f"model.{half}.layers.{i}.{part}.{name}_proj", rows, cols)
            for part in parts + ["feedforward"]:
                for place in ("pre", "post"):
                    draw(f"model.{half}.layers.{i}.{place}_{part}_layernorm", width)
            for name, rows, cols in (("gate", neurons, width), ("up", neurons, width), ("down", width, neurons)):
                draw(f"model.{half}.layers.{i}.mlp.{name}_proj", rows, cols)
    return tensors


def main():
    check(Path(sys.argv[1]))
    out, tensors = Path(sys.argv[2]), random_tensors()
    encoded = stack(tensors, ENCODER, "encoder", TEXT)
    ids, margin = [2], np.inf
    for _ in range(CONTINUATION):
        last = logits(tensors, DECODER, ids, encoded)[-1]
        second, first = np.sort(last)[-2:]
        margin = min(margin, first - second)
        ids.append(int(np.argmax(last)))
    out.mkdir(exist_ok=True)
    config = dict(model_type="t5gemma", is_encoder_decoder=True, encoder=ENCODER, decoder=DECODER)
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write(out / "model.safetensors", tensors, "BF16")
    golden = dict(encoder_ids=TEXT, decoder_start=[2], continuation=ids[1:], min_argmax_margin=margin,
                  oracle="src/test/python/encoder_widths.py", compute_dtype="float64")
    (out / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    write(out / "golden.safetensors", {
        "decode_logits": logits(tensors, DECODER, ids[:-1], encoded), "encoder_last_hidden": encoded}, "F32")
    print(f"margin {margin}, continuation {ids[1:]}")


main()
