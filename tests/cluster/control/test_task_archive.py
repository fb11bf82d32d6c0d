"""Archives from outside: what is no saved task's is refused, and nothing is written where it does not belong."""

from __future__ import annotations

import io
import random
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autoglm.errors import UnprocessableEntityError
from cluster.control import task_archive
from tests.cluster.control.saved_task import members, saved, zipped

Unpack = Callable[..., Path]


@pytest.fixture
def unpack(tmp_path: Path) -> Unpack:
    """Unpacks bytes into a new folder; `tmp_path` holds nothing else."""

    def unpack(archive: bytes, **bounds: int) -> Path:
        (tmp_path / "archive.zip").write_bytes(archive)
        (tmp_path / "into").mkdir()
        task_archive.unpack(tmp_path / "archive.zip", tmp_path / "into", **bounds)
        return tmp_path / "into"

    return unpack


def entry(name: str, *, mode: int = 0, flags: int = 0, data: bytes = b"{}") -> bytes:
    """An archive of one member, made as no honest program would."""
    file = io.BytesIO()
    info = zipfile.ZipInfo("x" * len(name))  # ZipInfo itself would tidy the name
    info.filename = info.orig_filename = name
    info.external_attr = mode << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, data)
    packed = bytearray(file.getvalue())
    place = packed.rindex(b"PK\x01\x02")
    packed[place + 8] |= flags
    return bytes(packed)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_saved_task_comes_out_as_it_was(unpack: Unpack, tmp_path: Path, compression: int) -> None:
    """Packed or stored, folders' own entries included."""
    task = members(saved(tmp_path / "task")) | {"model/config.json": b"{}", "model/templates/a.jinja": b"x"}
    assert members(unpack(zipped({"model/": b"", **task}, compression))) == task


@pytest.mark.parametrize(
    "name",
    [
        "../task.json",
        "model/../../task.json",
        "model/./task.json",
        "/etc/cron.d/task.json",
        "//host/task.json",
        "C:\\task.json",
        "model\\..\\..\\task.json",
        "model//a.json",
        "~/task.json",
        "model/.hidden.json",
        "model/a/b/c/d.json",
        "",
        "task.json/",
        "../",
        "task.json\n",
        "model/a\u0000.json",
        "model/\u2025/a.json",
        "other.json",
        "head.bin",
        "model/pytorch_model.bin",
        "model/model.pt",
        "model/model.pkl",
        "model/modeling.py",
        "model/a.json.py",
        "model/a.so",
        "model/a",
        "model/" + "a" * 300 + ".json",
    ],
)
def test_a_name_that_is_no_saved_tasks_is_refused(unpack: Unpack, tmp_path: Path, name: str) -> None:
    """Paths out of the folder, pickles, code: there is a list of what is taken, and nothing is written."""
    with pytest.raises(UnprocessableEntityError) as caught:
        unpack(entry(name))
    assert caught.value.param == "archive"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive.zip", "into"]
    assert list((tmp_path / "into").iterdir()) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_are_refused(unpack: Unpack, kind: int) -> None:
    """Under whatever good name."""
    with pytest.raises(UnprocessableEntityError, match=r"'task.json' is a link or a device"):
        unpack(entry("task.json", mode=kind | 0o777, data=b"/etc/passwd"))


def test_what_is_encrypted_is_refused(unpack: Unpack) -> None:
    """By name, not by the exception of a missing password."""
    with pytest.raises(UnprocessableEntityError, match="is encrypted"):
        unpack(entry("task.json", flags=1))


def test_a_name_that_comes_twice_is_refused(unpack: Unpack) -> None:
    """What is checked must be what is used."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for data in (b"1", b"2"):
            archive.writestr("task.json", data)
    with pytest.raises(UnprocessableEntityError, match="an entry twice"):
        unpack(file.getvalue())


@pytest.mark.parametrize(
    "names",
    [
        ("model/a.json", "model/a.json/b.json"),
        ("model/a.json/b.json", "model/a.json"),
        ("model/a.json", "model/a.json/b/c.json"),
    ],
)
def test_a_file_that_is_a_folder_too_is_refused(unpack: Unpack, names: tuple[str, str]) -> None:
    """In either order."""
    with pytest.raises(UnprocessableEntityError, match="a file and a folder alike"):
        unpack(zipped(dict.fromkeys(names, b"{}")))


def test_a_bomb_is_stopped_at_the_limit(unpack: Unpack, tmp_path: Path) -> None:
    """All files together, whatever is said of their sizes; no more than the limit is on disk."""
    bomb = zipped({f"model/{i}.safetensors": bytes(3_000_000) for i in range(3)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    with pytest.raises(UnprocessableEntityError, match=r"model/2\.safetensors has more than the 1,000,000 bytes"):
        unpack(bomb, max_bytes=7_000_000)
    assert sum(path.stat().st_size for path in (tmp_path / "into").rglob("*.safetensors")) <= 7_000_000


@pytest.mark.parametrize("name", ["task.json", "manifest.json"])
def test_what_is_parsed_is_small(unpack: Unpack, name: str) -> None:
    """A declaration of gigabytes would fill the memory."""
    with pytest.raises(UnprocessableEntityError, match=f"{name} has more than the 1,048,576 bytes"):
        unpack(zipped({name: bytes(1_048_577)}, zipfile.ZIP_DEFLATED))


def test_a_text_of_a_model_is_bounded_too(unpack: Unpack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's config.json is read whole; weights are not."""
    monkeypatch.setattr(task_archive, "MAX_TEXT_BYTES", 100)
    with pytest.raises(UnprocessableEntityError, match=r"config\.json has more than the 100 bytes"):
        unpack(zipped({"model/a.safetensors": bytes(101), "model/config.json": bytes(101)}))


def test_too_many_entries_are_refused(unpack: Unpack) -> None:
    """Before one is written."""
    with pytest.raises(UnprocessableEntityError, match="257 entries; at most 256"):
        unpack(zipped({f"model/{i}.json": b"" for i in range(257)}))


def test_a_directory_that_would_fill_the_memory_is_not_read(unpack: Unpack) -> None:
    """Its size is looked at before it is."""
    names = zipped({f"model/{'a' * 100}{i}.json": b"" for i in range(10_000)})
    with pytest.raises(UnprocessableEntityError, match=r"its directory has .* bytes; at most 1,048,576"):
        unpack(names)


def test_a_size_that_is_a_lie_is_noticed(unpack: Unpack) -> None:
    """An entry that says it has other bytes than it has is no entry."""
    packed = bytearray(zipped({"task.json": b"{}" * 100}))
    place = packed.rindex(b"PK\x01\x02")
    packed[place + 20 : place + 28] = struct.pack("<II", 10, 10)
    with pytest.raises(UnprocessableEntityError, match="cannot be unpacked"):
        unpack(bytes(packed))


def test_an_entry_outside_of_the_file_is_refused(unpack: Unpack) -> None:
    """As far as no file can be."""
    packed = bytearray(zipped({"task.json": b"{}"}))
    place = packed.rindex(b"PK\x01\x02")
    packed[place + 42 : place + 46] = struct.pack("<I", 2**32 - 2)
    with pytest.raises(UnprocessableEntityError, match="lies outside of it"):
        unpack(bytes(packed))


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", b"PK\x05\x06" + bytes(17), zipped({"task.json": b"{}"})[:-10]])
def test_what_is_no_archive_is_refused(unpack: Unpack, content: bytes) -> None:
    """With what would do."""
    with pytest.raises(UnprocessableEntityError, match="send the folder that AutoTask"):
        unpack(content)


def test_damage_anywhere_ends_in_the_documented_error(tmp_path: Path) -> None:
    """2,000 archives with bytes changed or cut off: each is unpacked inside the folder, or refused as a 422."""
    chance = random.Random(0)
    whole = zipped({"model/": b"", **members(saved(tmp_path / "task"))}, zipfile.ZIP_DEFLATED)
    refusals = 0
    for number in range(2_000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            # The directory at the end is where most can be made wrong.
            damaged[-chance.randint(1, 400)] = chance.choice((0, 1, 47, 46, 127, 255, chance.randrange(256)))
        (tmp_path / "archive.zip").write_bytes(
            damaged[: len(damaged) - chance.choice((0, 0, 0, chance.randint(1, 99)))]
        )
        into = tmp_path / f"into{number}"
        into.mkdir()
        try:
            task_archive.unpack(tmp_path / "archive.zip", into)
        except UnprocessableEntityError:
            refusals += 1
    assert refusals > 1_000
    assert {path.name[:4] for path in tmp_path.iterdir()} == {"arch", "task", "into"}
