"""Bytes from outside become clean pictures. pictures.py knows the order of the steps: fetch.py or datauri.py, then
sandbox.py, which drives decoder.py in processes of their own; decoding/ is what such a process does with a file.
"""
