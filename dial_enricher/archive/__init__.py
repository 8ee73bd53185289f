"""An archive: every input gets an output of its own in a directory, and what is done is not done again.

- place.py: where the output of each input goes
- marker.py: what tells that an output is done, and of which input
- draft.py: the files of a place while they are being written
- work.py: what a child process does: one input from its beginning to its end
- messages.py: what it tells its parent on the way
- run.py: the parent: so many children at a time, one account of all
"""
