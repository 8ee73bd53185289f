"""Files with a memory: read to where they end, gone on with after a restart, followed while they grow.

- mark.py: how far a file was dealt with, and how to know it again
- statefile.py: marks on the disk
- checkpoint.py: marks that move as records are settled
- held.py: a file that is open
- reader.py: files become batches of lines
"""
