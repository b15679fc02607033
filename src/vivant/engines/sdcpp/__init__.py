"""stable-diffusion.cpp's server, `sd-server`: one program for CUDA, ROCm, Vulkan, Metal, SYCL and CPU.

card        what is known before it is loaded, and the settings
jobs        the jobs of one server
estimate    how far a job probably is: the server does not tell
answer_file a finished job's answer, which holds the whole film
engine      the engine
check       for `vivant engines check`
"""
