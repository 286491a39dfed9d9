"""Tests of the probe engine: one for each pitfall that crashed or failed its first drafts."""
