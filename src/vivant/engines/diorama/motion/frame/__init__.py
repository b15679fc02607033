"""One frame: camera, layers, first to last, light. renderer.py makes a frame and warp.py is its only sampler."""
