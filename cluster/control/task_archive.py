"""The archive that brings a saved task: a zip from outside, of which known names and a bounded size are unpacked."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoglm.contract.registration import MAX_ARCHIVE_BYTES
from autoglm.errors import UnprocessableEntityError

MAX_MEMBERS = 256  # the largest model in shards, its tokenizer and the manifest are some dozens
MAX_DIRECTORY_BYTES = 1024 * 1024  # zipfile holds an archive's directory in memory
MAX_DESCRIPTION_BYTES = 1024 * 1024  # of task.json and manifest.json
MAX_TEXT_BYTES = 64 * 1024 * 1024  # of what else is read whole: the largest vocabularies' tokenizer.json has half of it
MAX_NAME = 200  # characters
CHUNK_BYTES = 1024 * 1024

# What `autoglm.tasks.saved` writes. Names begin with no dot, so none leads out of the folder; what can run code
# when it is loaded (pickles, Python) has no place.
DESCRIPTIONS = ("manifest.json", "task.json")
PART = r"[\w-][\w.-]*"
MEMBER = re.compile(
    rf"manifest\.json|task\.json|head\.safetensors|model/(?:{PART}/){{0,2}}{PART}\.(?:json|safetensors|txt|model|jinja)",
    re.ASCII,
)
FOLDER = re.compile(rf"model/(?:{PART}/){{0,2}}", re.ASCII)
KNOWN = (
    "manifest.json, task.json, head.safetensors, and .json, .safetensors, .txt, .model and .jinja files below model/"
)


READ_ERRORS = (  # zipfile's own, and what it lets through of the modules below it
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    ValueError,
)


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_ARCHIVE_BYTES) -> None:
    """Unpack a saved task into the empty `folder`, at most `max_bytes`; where it is refused, some files may be there.

    Raises:
        UnprocessableEntityError: it is no zip archive, damaged, too large, or holds what is no part of a saved task.
    """
    with read_errors(), DirectoryBound(archive) as file, zipfile.ZipFile(file) as packed:
        members = checked(packed.infolist(), archive.stat().st_size)
        left = max_bytes
        for member in members:
            left -= extract(packed, member, folder / member.filename, min(left, limit_of(member)))


def checked(members: list[zipfile.ZipInfo], archive_bytes: int) -> list[zipfile.ZipInfo]:
    """The files among them, once all are known to be harmless."""
    if len(members) > MAX_MEMBERS:
        raise refused(f"holds {len(members)} entries; at most {MAX_MEMBERS} are taken")
    for member in members:
        check_member(member)
        if not 0 <= member.header_offset < archive_bytes:
            raise refused(f"the entry {member.filename!r} lies outside of it; send it again")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise refused("holds an entry twice, so that it is not told which is meant")
    return [member for member in members if not member.is_dir()]


def check_member(member: zipfile.ZipInfo) -> None:
    """Raises UnprocessableEntityError for a name that is no saved task's, a link, a device or what is encrypted."""
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    if len(name) > MAX_NAME or not (MEMBER.fullmatch(name) or FOLDER.fullmatch(name)):
        raise refused(f"the entry {name[:MAX_NAME]!r} is no part of a saved task, which is {KNOWN}")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refused(f"the entry {name!r} is a link or a device; only files are taken")
    if member.flag_bits & 1:
        raise refused(f"the entry {name!r} is encrypted; send it plain")


def extract(packed: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, max_bytes: int) -> int:
    """Write one file; its size, which is counted as it comes, whatever the archive says of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with packed.open(member) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise refused(f"{member.filename} has more than the {max_bytes:,} bytes that may still be unpacked")
            file.write(chunk)
    return size


def limit_of(member: zipfile.ZipInfo) -> int:
    """The most bytes of one file: weights are mapped, not read, and what is not weights is never large."""
    if member.filename in DESCRIPTIONS:
        return MAX_DESCRIPTION_BYTES
    return MAX_ARCHIVE_BYTES if member.filename.endswith(".safetensors") else MAX_TEXT_BYTES


class DirectoryBound(io.FileIO):
    """A file of which no more than a sane directory is read at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As a file's own; raises BadZipFile for a directory that would fill the memory."""
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"its directory has {size:,} bytes; at most {MAX_DIRECTORY_BYTES:,} are taken")
        return super().read(size)


@contextmanager
def read_errors() -> Iterator[None]:
    """What zipfile raises for an archive that is damaged or of another making, as the documented error."""
    try:
        yield
    except READ_ERRORS as error:
        raise refused(f"cannot be unpacked ({error}); send the folder that AutoTask.save wrote, as a zip") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise refused("names a file and a folder alike; send the folder that AutoTask.save wrote, as a zip") from error


def refused(why: str) -> UnprocessableEntityError:
    """The refusal of an archive."""
    return UnprocessableEntityError(f"archive: {why}", param="archive")
