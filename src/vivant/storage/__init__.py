"""Files: artifacts.py stores them, links.py signs the URLs at which callers fetch them."""
