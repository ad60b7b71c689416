"""A Cuebot that only takes launches: real gRPC on this machine, for the real client."""

from __future__ import annotations

import re
from concurrent import futures
from typing import Any
from xml.etree import ElementTree

import grpc
from opencue_proto import cue_pb2, cue_pb2_grpc, job_pb2, job_pb2_grpc

_NAME = re.compile(r"[A-Za-z0-9_.]{3,}\Z")


class LoopbackCuebot(job_pb2_grpc.JobInterfaceServicer, cue_pb2_grpc.CueInterfaceServicer):
    """Serves at ``host`` until ``close``; ``specifications`` are the texts it took."""

    def __init__(self) -> None:
        self.specifications: list[str] = []
        self._names: set[str] = set()
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        job_pb2_grpc.add_JobInterfaceServicer_to_server(self, self._server)
        cue_pb2_grpc.add_CueInterfaceServicer_to_server(self, self._server)
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        """Ends the server."""
        self._server.stop(0).wait()

    def GetSystemStats(self, request: Any, context: Any) -> Any:
        """What the client asks to see whether a Cuebot is there."""
        return cue_pb2.CueGetSystemStatsResponse()

    def LaunchSpecAndWait(self, request: Any, context: Any) -> Any:
        """Takes a specification that holds to the rules of names, users and ranges."""
        fault, name = self._read(request.spec)
        if fault:
            context.abort(grpc.StatusCode.INTERNAL, fault)
        self.specifications.append(request.spec)
        self._names.add(name)
        answer = job_pb2.JobLaunchSpecAndWaitResponse()
        answer.jobs.jobs.add(id=str(len(self._names)), name=name, state=job_pb2.PENDING)
        return answer

    def _read(self, text: str) -> tuple[str, str]:
        """What is wrong with a specification, empty for nothing, and the full name of its job."""
        root = ElementTree.fromstring(text)
        user = root.findtext("user")
        if user == "root" or root.findtext("uid") == "0":
            return "Cannot launch jobs as root.", ""
        (job,) = root.findall("job")
        full = f"{root.findtext('show')}-{root.findtext('shot')}-{user}_{job.get('name')}".lower()
        if full in self._names:
            return f"The job {full} is already pending", ""
        layers = [layer.get("name") or "" for layer in root.iter("layer")]
        tags = [
            tag.strip() for layer in root.iter("layer") for tag in (layer.findtext("tags") or "").split("|")
        ]
        for name in (job.get("name") or "", root.findtext("shot") or "", *layers, *tags):
            if not _NAME.match(name):
                return f"The name {name} is not in the proper format.", ""
        if len(set(layers)) != len(layers):
            return "a layer was already defined", ""
        for depend in root.iter("depend"):
            ours = depend.findtext("depjob") == depend.findtext("onjob") == job.get("name")
            if not ours or not {depend.findtext("deplayer"), depend.findtext("onlayer")} <= set(layers):
                return "a dependency on what is not there", ""
        return "", full
