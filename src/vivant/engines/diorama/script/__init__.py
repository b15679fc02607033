"""Words become a storyboard. script.py is the story, one step a file; what single words mean is in `lexicon/*.toml`.
Knows the facts of a picture, never its pixels.
"""
