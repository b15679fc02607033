"""Servers with OpenAI's shape of video jobs, /v1/videos: SGLang Diffusion, vLLM-Omni and Rapid-MLX.

card        what is known before it is loaded, and the settings
families    what each family of models takes: frames a second, last pictures, sizes
submits     the request that each server is sent for an order
jobs        the jobs of one server
engine      the engine: read it first
"""
