"""HTTP: translate, nothing else. Start with app.py (the order of the gates); serve.py runs it; `dialects/` holds what
each provider's callers expect to say and to hear.
"""
