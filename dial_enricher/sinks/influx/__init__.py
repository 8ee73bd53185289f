"""Points to InfluxDB 1, 2 and 3, by ourselves.

- target.py: where to, and how each version is spoken to
- server.py: one request, one answer
- deadline.py: an end for every request
- fates.py: what an answer means: the table from status to fate
- patience.py: how long an outage is waited for
- delivery.py: one package of lines on its way: tried again, halved, its refused lines found
- sink.py: events into packages, two of them under way at once
"""
