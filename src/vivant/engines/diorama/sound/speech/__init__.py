"""A line of dialogue as sound, in a voice; text becomes Kokoro's symbols in g2p.py and its languages."""
