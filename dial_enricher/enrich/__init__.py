"""Enrichers: parts that add a column to a whole batch at once.

An enricher (`work.Enricher`) says which events it `concerns`, and has a `fill(events) -> None`. That must not
raise for one event: in trouble it leaves the column None (`undefined`) and adds a note to `event.log.notes`.
"""
