"""The parts of the engine in pure Python."""
