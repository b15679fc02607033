"""The embedded engine. It reads the prompt and the picture, moves layers of the picture under a virtual camera, and
makes speech, effects and music to the same timeline. It is not a diffusion model: it moves what is in the picture and
invents no new content. Runs on two CPU cores.

    engine      setup, plan, render: read it first
    storyboard  what is intended, as plain data; explain.py tells it in words
    script/     prompt and picture facts -> Storyboard
    scene/      picture -> Scene (layers, masks, faces)
    timing/     Storyboard, picture facts, spoken lines -> Timeline (frames, curves, events)
    motion/     Timeline and Scene -> frames
    sound/      Timeline -> soundtrack

Imports point one way: script and scene know no timing, timing no motion and no sound, motion and sound not each other.
"""
