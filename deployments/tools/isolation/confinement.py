"""What a process takes from itself before it runs a tool: time, memory, files, and other processes.

RLIMIT_NPROC would not hold a fork bomb: it counts all processes of a user, and root's not at all. A seccomp filter
(Linux, seccomp(2)) refuses the calls that make a process instead, so that there is one, and killing it ends all.
Threads are made by the same call with another flag, and are bounded by the address space.

This contains faults. It is no wall against hostile code, which still reads what the server's user may read.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from autoglm.errors import ConfigError
from deployments.tools.isolation.config import IsolationConfig

MIB = 1024 * 1024
OPEN_FILES = 64  # what importing takes, and some

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38  # linux/prctl.h
SECCOMP_MODE_FILTER = 2
CLONE_THREAD = 0x10000  # linux/sched.h

# linux/bpf_common.h: load a word, jump if equal, if at least, if a bit is set; return.
LOAD, EQUAL, AT_LEAST, SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000  # linux/seccomp.h; an errno is added to REFUSE
# struct seccomp_data: the call's number, the architecture, the address, and six arguments of two words each.
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
X32 = 0x40000000  # numbers from here on are x86's third table, and none of ours

Instruction = tuple[int, int, int, int]  # code, how many to skip if true, if false, constant


@dataclass(frozen=True, slots=True)
class Calls:
    """The numbers of an architecture (its asm/unistd.h): what makes processes, and what reaches others."""

    architecture: int  # linux/audit.h
    clone: int
    clone3: int
    tgkill: int
    prlimit: int
    refused: tuple[int, ...]


ARCHITECTURES = {
    "x86_64": Calls(
        architecture=0xC000003E,
        clone=56,
        clone3=435,
        tgkill=234,
        prlimit=302,
        # fork, vfork, kill, ptrace, rt_sigqueueinfo, setrlimit, tkill, rt_tgsigqueueinfo, process_vm_readv and
        # _writev, pidfd_send_signal
        refused=(57, 58, 62, 101, 129, 160, 200, 297, 310, 311, 424),
    ),
    "aarch64": Calls(
        architecture=0xC00000B7,
        clone=220,
        clone3=435,
        tgkill=131,
        prlimit=261,
        # ptrace, kill, tkill, rt_sigqueueinfo, setrlimit, rt_tgsigqueueinfo, process_vm_readv and _writev,
        # pidfd_send_signal
        refused=(117, 129, 130, 138, 164, 240, 270, 271, 424),
    ),
}


def check_supported() -> Calls:
    """The calls of this machine.

    Raises:
        ConfigError: there is no filter for it; nothing is run without one.
    """
    calls = ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or calls is None:
        raise ConfigError(
            f"isolated: tools can be isolated on Linux on {' or '.join(ARCHITECTURES)}; "
            f"this is {sys.platform} on {platform.machine()}"
        )
    return calls


def confine(config: IsolationConfig) -> None:
    """Bind the calling process for the rest of its life; it has one thread yet.

    Raises:
        ConfigError: as `check_supported`.
        OSError: the kernel refuses.
    """
    calls = check_supported()
    os.umask(0o077)
    _limit(config)
    libc = ctypes.CDLL(None, use_errno=True)
    _control(libc, PR_SET_PDEATHSIG, signal.SIGKILL)
    _control(libc, PR_SET_NO_NEW_PRIVS, 1)
    _filter(libc, program(calls, os.getpid()))


def _limit(config: IsolationConfig) -> None:
    """After `cpu_s` comes SIGXCPU, which can be ignored, and a second later SIGKILL, which cannot."""
    limits = {
        resource.RLIMIT_CPU: (config.cpu_s, config.cpu_s + 1),
        resource.RLIMIT_AS: (config.memory_mb * MIB,) * 2,
        resource.RLIMIT_FSIZE: (config.file_mb * MIB,) * 2,
        resource.RLIMIT_NOFILE: (OPEN_FILES,) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    for what, bounds in limits.items():
        resource.setrlimit(what, bounds)


def program(calls: Calls, own: int) -> list[Instruction]:
    """The filter, in classic BPF; `own` is the process that may signal itself and its threads."""
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, calls.architecture),
        (RETURN, 0, 0, KILL),  # 32-bit calls have other numbers
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL),
        *(instruction for number in calls.refused for instruction in _refused(number, errno.EPERM)),
        *_refused(calls.clone3, errno.ENOSYS),  # its flags lie in memory; the C library takes clone instead
        *_allowed_if(calls.clone, 0, (SET, CLONE_THREAD)),
        *_allowed_if(calls.tgkill, 0, (EQUAL, own)),
        *_allowed_if(calls.prlimit, 2, (EQUAL, 0)),  # without new limits it tells those that are
        (RETURN, 0, 0, ALLOW),
    ]


def _refused(number: int, error: int) -> Iterator[Instruction]:
    yield (EQUAL, 0, 1, number)
    yield (RETURN, 0, 0, REFUSE | error)


def _allowed_if(number: int, argument: int, test: tuple[int, int]) -> Iterator[Instruction]:
    """By the low word of an argument; a pointer whose low word is 0 is none that a process is given."""
    code, value = test
    yield (EQUAL, 0, 4, number)
    yield (LOAD, 0, 0, ARGUMENTS + 8 * argument)
    yield (code, 1, 0, value)
    yield (RETURN, 0, 0, REFUSE | errno.EPERM)
    yield (RETURN, 0, 0, ALLOW)


class SockFilter(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class SockProgram(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(SockFilter)))


def _filter(libc: ctypes.CDLL, instructions: list[Instruction]) -> None:
    block = (SockFilter * len(instructions))(*(SockFilter(*each) for each in instructions))
    _control(libc, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(SockProgram(len(instructions), block)))


def _control(libc: ctypes.CDLL, option: int, *arguments: object) -> None:
    given = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments]
    given += [ctypes.c_ulong(0)] * (4 - len(given))  # prctl wants the unused ones to be 0
    if libc.prctl(option, *given) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
