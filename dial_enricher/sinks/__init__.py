"""Sinks: where points go.

A sink is handed whole batches with `write(events)` and marks each live event as written or gives it a fault.
It returns the events that are settled by then, in input order: those of this batch, of earlier ones, or none
yet. `flush()` settles and returns the rest. A sink raises SinkClosed when the reader has left and SinkDown
when it cannot write at all.
"""
