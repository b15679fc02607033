"""Timeline becomes soundtrack: speech, music and effects, each on its own, and one mix.

What a person says, what is played and what is heard around them meet only in mix.py.

    speech/     a line as sound, in a voice
    music/      a composed piece, and the player of its instruments
    effects/    every other sound, synthesised
    stems, space, levels, limiter    places, rooms, loudness, peaks
"""
