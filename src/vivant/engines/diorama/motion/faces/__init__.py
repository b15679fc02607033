"""What faces do: heads turn, mouths speak, eyes blink."""
