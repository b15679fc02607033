"""What a decoder process does with one picture file. Nothing here knows of processes, pipes or limits."""
