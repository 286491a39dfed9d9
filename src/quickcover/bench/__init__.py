"""The commands `quickcover bench` and `quickcover profile`: what measuring costs, and where.

Nothing here imports coverage.py: what is measured runs in processes of its own, under the command
lines of the tools.  Nobody else imports this package, so it costs nothing until it is asked for.
"""
