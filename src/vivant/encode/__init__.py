"""A clip becomes a file: encode (mp4), the visible mark (mark), and what a finished file says of itself (probe)."""
