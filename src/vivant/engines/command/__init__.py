"""One program of the operator's for each clip; ending it is cancelling.

card        what is known before it is loaded, and the settings
template    the command line: placeholders, optional groups
process     the program while it runs: its output, its progress, its end and that of its children
generator   one order: pictures and prompt as files, the program, its film
engine      the engine
check       for `vivant engines check`
"""
