from edge_watchdog.core.model import JourneyReport, Stage
from tests.core.mind import CABLE, at


def test_a_visit_is_good_when_it_was_made_and_came_to_its_end():
    assert JourneyReport(at(0), CABLE, Stage.DONE).ok
    assert not JourneyReport(at(0), CABLE, Stage.CONTENT).ok
    assert not JourneyReport(at(0), CABLE, Stage.DONE, asked=False).ok
