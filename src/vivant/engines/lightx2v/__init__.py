"""LightX2V's server and its task API, /v1/tasks/video.

card        what is known before it is loaded, and the settings
jobs        the tasks of one server
engine      the engine
check       for `vivant engines check`
"""
