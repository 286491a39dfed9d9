"""Code objects by the hundred thousand, and how much memory each of them costs."""
