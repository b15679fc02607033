"""Vivant turns a picture into a short film with sound. Importing this package loads no engine."""

__version__ = "0.1.0"
