"""The engine `ark`: Seedance as BytePlus ModelArk and Volcengine Ark host it, for money. The operator's key, our queue.

card      what is known before it is loaded, and the settings
orders    an order as Ark takes it, and how it is recognised in Ark's list
tasks     Ark's tasks: submit, list, look, delete, fetch
check     what `vivant engines check` looks at
engine    the engine: read it first
"""
