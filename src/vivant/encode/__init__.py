"""From clip to file: encoding (mp4.py), the visible mark (mark.py), reading a file's facts (probe.py)."""
