"""Runs ONNX models: on the CPU with a fixed number of threads, so that the same input gives the same bytes."""

from __future__ import annotations

from typing import Final

import onnxruntime

THREADS: Final = 2


def load_model(model: bytes | str, *, arena: bool = True) -> onnxruntime.InferenceSession:
    """An ONNX model, ready to run.

    model: the bytes of the file, or its path. arena: keep working memory between runs, which is faster; it is given
    back only by `shrink_arena_after_run`.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = arena
    # Threads that spin while they wait take the core from others: on a busy machine 3.9 s of speech took 4.8 s with
    # spinning and 2.4 s without; on a quiet one the difference is small.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def shrink_arena_after_run() -> onnxruntime.RunOptions:
    """Options for a run that gives the memory of the arena back to the system at its end; the result is the same."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options
