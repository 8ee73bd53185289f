"""Sinks: where points go.

A sink has `write(events)`, which marks each event as written or gives it a fault; it raises SinkClosed when
the reader has left and SinkDown when it cannot write at all.
"""
