"""No test needs a network: a connection to another machine fails the test that makes it."""

import socket

import pytest


def test_a_connection_to_another_machine_fails_the_test():
    with pytest.raises(AssertionError, match=r"a test connects to 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_connection_to_this_machine_is_made(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1]), timeout=10).close()
