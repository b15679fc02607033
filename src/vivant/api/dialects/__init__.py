"""One file per language that callers speak: routes, field names, answers, error bodies. novita.py is the contract we
follow, native.py our own tree under /v1.
"""
