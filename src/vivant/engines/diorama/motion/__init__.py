"""Scene and timeline become frames. render.py makes one frame and warp.py is its only sampler.

What moves writes into fields.py's forms, all in source space, so that every pixel is resampled once.

    camera, rig, layers, morph         where the camera is, how far this scene lets it go, cut-outs, first to last
    ambient, places, fields, sum       what moves by itself, where it may, and how it tells the renderer
    face, life, head, mouth, eyes      what faces do; visemes turns phonemes into mouths
    rain, snow, water, fire, fog ...   one file for each thing that moves, named after it
    capsules, blades, rings, soft ...  how single shapes are drawn and planes are read
"""
