"""An optional planner: a language model behind an OpenAI-compatible endpoint reads the prompt in the script's place."""
