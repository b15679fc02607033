"""Bytes from outside become clean pictures. pictures.py knows the order of the steps: fetch.py (by urls.py, http_get.py
and egress.py, which guards every connection) or datauri.py, then sandbox.py, which drives decoder.py in processes of
their own; decoding/ is what such a process does with a file.
"""
