"""Programs and tools from PyPI that quickcover has to get on with: `make test-contract`."""
