"""The process around the engine: a host's requests in, replies and events out.

Started as ``python -m efficienttam.worker``; what is said is in ``contract.messages``.
"""
