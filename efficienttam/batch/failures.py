"""What goes wrong below us, said in one sentence with a remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..contract.errors import DeviceError, OutputError

_NO_MEMORY = ("DefaultCPUAllocator", "not enough memory", "out of memory")


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turns memory that ran out and a full disk into errors meant for a user.

    Raises DeviceError or OutputError instead of what came; anything else passes.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            "The GPU ran out of memory.",
            "Close other programs that use it, choose a smaller or 512x512 model, or set the device to cpu.",
        ) from error
    except MemoryError as error:
        raise _no_memory() from error
    except RuntimeError as error:
        if any(sign in str(error) for sign in _NO_MEMORY):
            raise _no_memory() from error
        if _of_the_compiler(error):
            raise DeviceError(
                f"The image encoder cannot be compiled here: {str(error).strip().splitlines()[0]}",
                "Install a C++ compiler, or take `compile` out of the job's model.",
            ) from error
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            place = error.filename or "the disk for temporary files"
            raise OutputError(f"There is no room left on {place}.", "Make room and run again.") from error
        raise


def _of_the_compiler(error: RuntimeError) -> bool:
    """True for what ``torch.compile`` raises; told by the module, which takes seconds to import."""
    return any(
        base.__module__.startswith(("torch._dynamo", "torch._inductor")) for base in type(error).__mro__
    )


def _no_memory() -> DeviceError:
    return DeviceError(
        "This machine ran out of memory.", "Close other programs, or choose a smaller or 512x512 model."
    )
