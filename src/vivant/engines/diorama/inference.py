"""How every model of this engine runs: on the CPU, with fixed threads, so that the same input gives the same bytes."""

from __future__ import annotations

from typing import Final

import onnxruntime

THREADS: Final = 2


def load_model(model: bytes, *, arena: bool = True) -> onnxruntime.InferenceSession:
    """An ONNX model ready to run. `arena` keeps its working memory between runs: quicker, but held for good."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = arena
    # Threads that spin while they wait take the core from whoever works on it: on a busy machine speech took
    # twice as long with spinning (4.8 s against 2.4 s for 3.9 s of it), on a quiet one the difference is small.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def shrink_arena_after_run() -> onnxruntime.RunOptions:
    """Options for one run after which the arena's working memory goes back to the system: same bytes, same time."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options
