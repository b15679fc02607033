"""A line of dialogue as sound: text -> phonemes (g2p*.py, pinyin.py, …) -> waveform (kokoro.py) -> tone (vocal.py)."""
