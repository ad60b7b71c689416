"""The host's end of the pipe to a worker: starting it, speaking with it, outliving it.

Standard library only, Python 3.7 or newer.
"""

from .engine_process import EngineProcess, clean_environment, engine_command
from .worker_client import WorkerClient, WorkerState

__all__ = ["EngineProcess", "WorkerClient", "WorkerState", "clean_environment", "engine_command"]
