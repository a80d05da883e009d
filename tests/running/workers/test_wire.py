"""Messages between processes: whole ones only, in order, however the bytes arrive."""

import json
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbench.running.workers.wire import Reader, send

Pair = tuple[socket.socket, socket.socket]
MESSAGES = st.lists(
    st.dictionaries(
        st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        max_size=4,
    ),
    max_size=6,
)


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@settings(derandomize=True, max_examples=80, deadline=None)
@given(messages=MESSAGES, data=st.data())
def test_messages_arrive_whole_and_in_order_however_they_are_cut(messages, data):
    whole = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8).map(sorted))
    ours, theirs = socket.socketpair()
    received = []
    with ours, theirs:
        reader = Reader(ours)
        for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            if start < end:
                theirs.sendall(whole[start:end])
                received += reader.receive()
        assert received == messages
        assert not reader.closed


def test_half_a_message_is_none_yet(pair):
    ours, theirs = pair
    reader = Reader(ours)
    theirs.sendall(b'{"a": 1}\n{"b"')
    assert reader.receive() == [{"a": 1}]
    theirs.sendall(b": 2}\n")
    assert reader.receive() == [{"b": 2}]


def test_text_of_any_kind_stays_one_line(pair):
    ours, theirs = pair
    send(theirs, {"text": "one\ntwo\r\u2028θ", "number": 1e300})
    assert Reader(ours).receive() == [{"text": "one\ntwo\r\u2028θ", "number": 1e300}]


def test_message_larger_than_the_sockets_buffer_arrives(pair):
    ours, theirs = pair
    message = {"log": "x" * 3_000_000}
    sender = threading.Thread(target=send, args=(theirs, message))
    sender.start()
    reader = Reader(ours)
    received: list[object] = []
    while not received:
        received += reader.receive()
    sender.join()
    assert received == [message]


def test_all_that_is_there_is_read_without_waiting(pair):
    ours, theirs = pair
    reader = Reader(ours)
    assert reader.receive_all() == []
    for number in range(3):
        send(theirs, {"number": number})
    assert [message["number"] for message in reader.receive_all()] == [0, 1, 2]
    send(theirs, {"number": 3})
    theirs.close()
    assert [message["number"] for message in reader.receive_all()] == [3]
    assert reader.closed


def test_end_of_the_other_side_is_told_and_half_a_message_is_lost(pair):
    ours, theirs = pair
    reader = Reader(ours)
    theirs.sendall(b'{"a"')
    theirs.close()
    ends = []
    for _ in range(2):
        assert reader.receive() == []
        ends.append(reader.closed)
    assert ends == [False, True]
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        send(ours, {"a": 1})


def test_reset_of_the_other_side_is_its_end(pair):
    ours, theirs = pair
    send(ours, {"unread": True})
    theirs.close()  # with something unread, so that ours is reset
    reader = Reader(ours)
    assert reader.receive() == []
    assert reader.closed


def test_files_come_with_the_message_that_brought_them(pair):
    ours, theirs = pair
    read_end, write_end = os.pipe()
    send(theirs, {"file": "pipe"}, (write_end,))
    os.close(write_end)
    messages, (received,) = Reader(ours).receive_files(4)
    assert messages == [{"file": "pipe"}]
    with os.fdopen(received, "wb") as out:
        out.write(b"through the pipe")
    with os.fdopen(read_end, "rb") as into:
        assert into.read() == b"through the pipe"


def test_end_is_told_where_files_are_read_too(pair):
    ours, theirs = pair
    theirs.close()
    reader = Reader(ours)
    assert reader.receive_files(4) == ([], [])
    assert reader.closed
