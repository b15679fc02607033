"""The embedded engine: a paper theatre. It reads the prompt and the picture, moves layers of the picture under a
camera, and makes speech, effects and music to the same timeline. It is not a diffusion model: it invents no new
content, it brings what is in the picture to life. Runs on two CPU cores.

    script/   prompt and picture facts -> Storyboard          scene/    picture -> Scene (layers, masks, faces)
    timeline  Storyboard resolved to frames, curves, events    motion/   Timeline + Scene -> frames
    engine    setup, plan, render                              sound/    Timeline -> soundtrack
"""
