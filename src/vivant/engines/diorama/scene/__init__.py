"""A picture becomes a scene: analysis.py finds subject, regions and depth, faces.py the faces. Knows no prompt and
no time.
"""
