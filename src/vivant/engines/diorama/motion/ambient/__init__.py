"""What moves by itself, one file for each thing. compose.py gathers what a storyboard asks for."""
