"""Scene and timeline become frames. Faces and ambient motions hand the values of fields.py to the renderer in frame/;
the three know each other only through these.

    frame/      one frame: the camera in this scene, cut-outs, the morph to a last picture, light
    faces/      what faces do: head, mouth, eyes
    ambient/    what moves by itself, one file for each thing, and where it may
    warm_up     compiles every kernel before the first job
"""
