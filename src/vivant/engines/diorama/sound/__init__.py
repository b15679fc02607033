"""Timeline -> soundtrack: speech, music and effects are made independently of each other and meet in mix.py.

speech/     a line of dialogue as sound, in a voice
music/      composes a piece and plays it from a SoundFont
effects/    every other sound, synthesised
stems, space, fades, levels, limiter    placing and mixing: rooms, loudness, peaks
"""
