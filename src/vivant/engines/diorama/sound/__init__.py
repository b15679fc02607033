"""Timeline becomes soundtrack: speech, music and effects, each on its own, and one mix.

What a person says, what is played and what is heard around them meet only in mix.py.

    speech, kokoro, voices, manner, vocal      a line as sound, in a voice; g2p and its languages turn text into symbols
    score, harmony, melody, figures, band      a piece of music; font plays it
    effects/                                   every other sound, synthesised
    stems, space, levels, limiter              places, rooms, loudness, peaks
"""
