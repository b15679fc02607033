"""Files: artifacts.py keeps them, links.py signs the addresses under which callers fetch them."""
