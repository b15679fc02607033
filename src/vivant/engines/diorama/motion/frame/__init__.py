"""One frame: camera, layers, morph, light. renderer.py makes a frame; warp.py alone reads the picture."""
