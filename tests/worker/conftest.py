"""A real worker process, spoken to as a host does."""

import sys

import pytest

from efficienttam.client import WorkerClient, clean_environment, engine_command
from efficienttam.contract.messages import OpenPlate


class Host:
    """Keeps every message it hears, by request."""

    def __init__(self, command=None):
        self.client = WorkerClient(command or engine_command(sys.executable), clean_environment())
        self.heard = {}

    def send(self, request):
        messages = []
        number = self.client.send(request, messages.append)
        self.heard[number] = messages
        return number

    def ask(self, request, seconds=60):
        """The reply to a request."""
        number = self.send(request)
        return self.answer(number, seconds)

    def answer(self, number, seconds=60):
        assert self.client.wait(number, seconds, 0.002), f"No answer in {seconds} s: {self.client.log}"
        return self.heard[number][-1]

    def poll_until(self, condition, seconds=60):
        import time

        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, self.client.log
            self.client.poll()
            time.sleep(0.002)


@pytest.fixture
def start():
    """Starts hosts with a worker of their own; all are ended with the test."""
    hosts = []

    def started(command=None):
        hosts.append(Host(command))
        return hosts[-1]

    yield started
    for host in hosts:
        host.client.close()


@pytest.fixture(scope="session")
def shared_host():
    """One worker for all tests that leave it alive: starting one takes seconds."""
    host = Host()
    yield host
    host.client.close()


@pytest.fixture
def host(shared_host):
    return shared_host


@pytest.fixture
def opened(host, job, tiny_plate):
    """A host with the tiny plate open as ``shot``."""
    return opened_by(host, job, tiny_plate)


@pytest.fixture
def opened_alone(start, job, tiny_plate):
    """The same with a worker of its own, to be ended."""
    return opened_by(start(), job, tiny_plate)


def opened_by(host, job, folder):
    reply = host.ask(OpenPlate(0, "shot", job.plate, model=job.model, folder=str(folder)))
    assert type(reply).__name__ == "PlateOpened", reply
    return host
