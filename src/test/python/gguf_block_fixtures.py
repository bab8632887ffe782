#!/usr/bin/env python3
"""Makes src/test/resources/gguf: for each block type a file that llama.cpp's llama-quantize wrote, and beside it what the
same program makes of it in F32. Needs numpy and llama-quantize.

    src/test/python/gguf_block_fixtures.py src/test/resources/gguf [COMMAND THAT RUNS llama-quantize ...]
"""
import pathlib
import struct
import subprocess
import sys

import numpy as np

ROWS, COLS = 12, 512
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL"]
# llama-quantize names mixes; --pure makes each of them the one type
MIXES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}


def string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def keys():
    """The least that llama-quantize wants to see of a model."""
    for key, value in {"block_count": 1, "context_length": 128, "embedding_length": COLS, "feed_forward_length": 64,
                       "attention.head_count": 1}.items():
        yield string("gemma." + key) + struct.pack("<II", 4, value)
    yield string("gemma.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-6)
    yield string("general.architecture") + struct.pack("<I", 8) + string("gemma")
    yield string("tokenizer.ggml.model") + struct.pack("<I", 8) + string("no_vocab")


def write(file):
    random = np.random.default_rng(7)
    # rows of different sizes, some blocks one-sided, some of zeros
    values = random.normal(size=(ROWS, COLS)) * 2.0 ** random.integers(-12, 4, size=(ROWS, 1))
    values[3] = np.abs(values[3])
    values[5, 256:] = 0
    metadata = list(keys())
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, len(metadata)) + b"".join(metadata)
    header += string("token_embd.weight") + struct.pack("<IQQIQ", 2, COLS, ROWS, 0, 0)
    file.write_bytes(header + bytes(-len(header) % 32) + values.astype("<f4").tobytes())


def main():
    folder, quantize = pathlib.Path(sys.argv[1]), sys.argv[2:] or ["llama-quantize"]
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "source.gguf"
    write(source)
    for name in TYPES:
        made, wide = folder / f"{name.lower()}.gguf", folder / f"{name.lower()}-f32.gguf"
        run = dict(check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run([*quantize, "--pure", "--token-embedding-type", name.lower(), source, made,
                        MIXES.get(name, name), "1"], **run)
        subprocess.run([*quantize, "--allow-requantize", "--token-embedding-type", "f32", made, wide, "F32", "1"], **run)
    source.unlink()


main()
