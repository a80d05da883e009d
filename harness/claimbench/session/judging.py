"""What a session takes to judge claims and to show verdicts; collecting them does without."""

from claimbench.judging.record import Record
from claimbench.running.engine import Engine
from claimbench.showing.planned import lines
from claimbench.showing.report import failure_text, render
from claimbench.spec.load import spec_of


class Judging:
    """The parts of the engine that a session calls."""

    engine = Engine
    spec_of = staticmethod(spec_of)
    plan_lines = staticmethod(lines)
    record = staticmethod(Record.from_json)
    failure_text = staticmethod(failure_text)
    render = staticmethod(render)
