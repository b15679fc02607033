"""Models of diffusers in this process, on this machine's card: LTX-2.x with sound, Wan 2.2 without.

card          settings, and what the configured model can do; imports nothing heavy
generator     loads the model and makes clips; read it first
engine        the generator as an engine
model_folder  what lies in a model's folder: family, parts, sizes; refuses what could run code
recipes       steps and guidance: distilled or full
memory        which parts lie where and how exact they are, chosen from what is free: a pure function
device        the card, and what is free on it
loading       the folder becomes a pipeline, as the plan of memory says
ltx2, wan     how each family is asked
last_frame    LTX-2 with its last picture exactly on the last frame
frames_as_bytes   decoded frames without a copy in float32
checkpoints   the watch is asked inside every step
attention, caches   how attention is computed, what is kept from step to step
out_of_memory every way in which memory runs out, as one error in words
offline       nothing is fetched
weights       the models that we know: repository, licence, size, memory
"""
