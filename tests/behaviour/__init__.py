"""Small programs, run under every engine, and what must come out of it."""
