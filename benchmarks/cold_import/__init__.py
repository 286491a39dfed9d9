"""Code that runs once: the import of a large package, compiled beforehand."""
