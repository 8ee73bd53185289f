"""Where to begin with a file that is opened: it may have been read before, or its original."""

from collections import deque
from collections.abc import Iterable

from dial_enricher.files.held import Former, HeldFile
from dial_enricher.files.mark import Mark, Marks

_MOST_FORMER = 100
Key = tuple[int, int]
"""Device and inode: what a file is known by while it is there."""


class NotYet(Exception):
    """A file may be a copy that is being made, or its original may be ahead of what was read of it."""


class Places:
    """How far files were read that are not open now, in the last run or in this one."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._known = Marks(marks)
        self._former: deque[Former] = deque(maxlen=_MOST_FORMER)
        """Files that were cut: copies of them may appear."""
        self._same: dict[tuple[Key, Key], int] = {}
        """How many bytes of a file were found to stand in another one as well."""

    def remember(self, file: HeldFile) -> None:
        """A file is left: if it comes again, or a copy of it, it is read from where it was left."""
        if mark := file.reached():
            self._known.add(mark)

    def cut(self, file: HeldFile) -> None:
        """A file is read from its beginning, because it was cut."""
        self.remember(file)
        self._former.append(file.begin_again())
        self._same = {pair: size for pair, size in self._same.items() if file.key not in pair}

    def of(self, file: HeldFile, held: Iterable[HeldFile] = ()) -> Mark | None:
        """The mark to begin at; None: at the beginning. Of several the furthest: each fits the content.

        `held` are the files that are open already. Raises NotYet, and OSError.
        """
        marks = list(filter(None, [file.find(self._known)]))
        for other in held:
            if file.begins_like(other.origin.head) and (mark := self._shared(file, other)):
                marks.append(mark)
        if any(file.was_read_with(former) for former in self._former) and (mark := file.at_end()):
            marks.append(mark)
        return max(marks, key=lambda mark: mark.offset, default=None)

    def _shared(self, file: HeldFile, other: HeldFile) -> Mark | None:
        """How far a file was read as a part of another one."""
        if self._is_part_of(file, other):
            if file.size <= other.offset and (mark := file.at_end()):
                self._known.add(mark)  # the other one may go before this one may be read
            raise NotYet
        mark = other.reached()
        if mark is None or not mark.fits(file.fd):
            return None
        if other.offset < other.size:  # what it has more may stand in both
            raise NotYet
        return mark

    def _is_part_of(self, file: HeldFile, other: HeldFile) -> bool:
        """Whether all of a file stands in another one, so that it may be a copy that is being made.

        Byte by byte, and each of them once: two logs may begin and end with the same question. Raises NotYet
        when the other one is cut meanwhile.
        """
        size, pair = file.size, (file.key, other.key)
        same = self._same.pop(pair, 0)
        if size > other.size or same > size or not file.same_until(other, same, size):
            if other.was_cut():
                raise NotYet
            return False
        self._same[pair] = size
        return True
