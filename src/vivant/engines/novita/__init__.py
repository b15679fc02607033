"""The engine `novita`: Seedance 1.5 Pro as Novita hosts it, for money; or another Vivant, which speaks as Novita does.

card      what is known before it is loaded, and the settings
tasks     Novita's tasks: submit, look, fetch
check     what `vivant engines check` looks at
engine    the engine: read it first
"""
