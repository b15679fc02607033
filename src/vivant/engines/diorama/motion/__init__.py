"""Scene and timeline become frames. What moves writes into the forms of fields.py, all in source space, so that every
pixel is resampled once; frame/, faces/ and ambient/ meet only there.

    frame/      one frame: how far this scene lets the camera go, cut-outs, first to last, light
    faces/      what faces do: head, mouth, eyes
    ambient/    what moves by itself, one file for each thing, and where it may
    warm_up     compiles every kernel before the first job
"""
