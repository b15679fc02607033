"""A picture becomes a scene: look.py finds subject, faces, regions and depth and writes them down. Knows no prompt and
no time.
"""
