"""The test suite; a package, so that its parts can import each other."""
