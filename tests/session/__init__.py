"""Tests of quickcover.Session: the coverage of each example."""
