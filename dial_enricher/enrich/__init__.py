"""Enrichers: parts that add a column to a whole batch at once.

An enricher is a `fill(events) -> None`. It must not raise for one event: in trouble it leaves the
column None (`undefined`) and adds a note to `event.log.notes`.
"""
