"""What is read: standard input, pipes, files, packed files, files elsewhere.

- sources.py: what a source is
- arguments.py: which ones the arguments of a command line name
- remote.py: those that URLs name
- packing.py: what is packed is unpacked, known by its content
- gzip.py: one format that is done here, because of speed and of what a damaged file still gives
- reader.py: the lines of one source after the other, in batches
"""
