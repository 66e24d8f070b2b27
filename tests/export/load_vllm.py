"""Exported folders in vLLM: `python tests/export/load_vllm.py FOLDER…`, with vllm installed; no GPU is needed.

Reads each folder's configuration as vLLM does, builds vLLM's own model class on the CPU, and gives it our tensors: every
parameter must have been filled. What the model computes is not looked at: vLLM's usual wheel has no kernels for a CPU.
"""

import os
import pathlib
import sys

os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
os.environ.setdefault("MASTER_PORT", "29555")

import vllm.platforms
from vllm.platforms.cpu import CpuPlatform

# before anything asks for a GPU
vllm.platforms._current_platform = CpuPlatform()

from safetensors.torch import load_file
from torch.distributed import is_initialized
from vllm.config import DeviceConfig, ModelConfig, VllmConfig, set_current_vllm_config
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.model_executor.models.registry import ModelRegistry


def load(folder):
    model = ModelConfig(model=folder, tokenizer=folder, dtype="float32", max_model_len=64)
    whole = VllmConfig(model_config=model, device_config=DeviceConfig(device="cpu"))
    with set_current_vllm_config(whole):
        if not is_initialized():
            init_distributed_environment(1, 0, "env://", 0, "gloo")
            initialize_model_parallel(1, 1)
        kind, _ = ModelRegistry.resolve_model_cls(model.architectures, model)
        built = kind(vllm_config=whole, prefix="")
        tensors = {}
        for file in sorted(pathlib.Path(folder).glob("*.safetensors")):
            tensors |= load_file(file)
        filled = built.load_weights(tensors.items())
    empty = {name for name, _ in built.named_parameters()} - set(filled)
    assert tensors and not empty, sorted(empty)
    print(f"{folder}: {kind.__name__}, {len(tensors)} tensors fill {len(filled)} parameters")


for folder in sys.argv[1:]:
    load(folder)
