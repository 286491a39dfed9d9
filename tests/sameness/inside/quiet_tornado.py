"""A pytest plugin: what tornado's own test runner does to its loggers."""

import logging

logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
