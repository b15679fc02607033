"""Timeline becomes soundtrack. mix.py puts together what the others make.

    speech, kokoro, voices, manner, vocal      a line as sound, in a voice; g2p and its languages turn text into symbols
    score, harmony, melody, figures, band      a piece of music; font plays it
    effects/                                   every other sound, synthesised
    stems, space, levels, limiter              places, rooms, loudness, peaks
"""
