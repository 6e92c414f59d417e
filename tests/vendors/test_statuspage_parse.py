import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_watchdog.core.model import VendorLevel as L
from edge_watchdog.vendors.statuspage_parse import parse
from tests.vendors.pages import (
    APP,
    GROUP,
    NOON,
    PAY,
    SMS,
    component,
    incident,
    leaves,
    maintenance,
    page,
    summary,
)


def test_a_quiet_page_is_operational():
    reading = parse(summary())
    assert (reading.level, reading.title, reading.reason) == (L.OPERATIONAL, "", "")
    assert reading.started_wall is None
    assert reading.windows == ()


@pytest.mark.parametrize(
    "status, level",
    [
        ("degraded_performance", L.DEGRADED),
        ("partial_outage", L.PARTIAL_OUTAGE),
        ("major_outage", L.MAJOR_OUTAGE),
        ("full_outage", L.MAJOR_OUTAGE),
        ("under_maintenance", L.MAINTENANCE),
    ],
)
def test_a_components_state_is_the_verdict(status, level):
    reading = parse(summary(components=leaves(app=status)))
    assert (reading.level, reading.title) == (level, f"Booking app: {level}")


@pytest.mark.parametrize(
    "impact, level",
    [
        ("minor", L.DEGRADED),
        ("major", L.PARTIAL_OUTAGE),
        ("critical", L.MAJOR_OUTAGE),
        ("maintenance", L.MAINTENANCE),
    ],
)
def test_q1_an_open_incident_counts_though_the_page_says_all_is_well(impact, level):
    reading = parse(summary(incidents=[incident(APP, impact=impact)]))
    assert (reading.level, reading.title) == (level, "Bookings fail to save")
    assert reading.started_wall == NOON


def test_q1_an_incident_that_is_being_watched_keeps_its_weight():
    reading = parse(summary(incidents=[incident(APP, status="monitoring")]))
    assert (reading.level, reading.title) == (
        L.PARTIAL_OUTAGE,
        "Bookings fail to save (monitoring)",
    )


def test_q2_an_incident_without_impact_is_a_notice_and_no_outage():
    reading = parse(summary(incidents=[incident(APP, impact="none", name="New sign-in page")]))
    assert (reading.level, reading.title) == (L.NOTICE, "New sign-in page")


def test_q3_a_maintenance_announced_late_is_a_window_like_any_other():
    late = maintenance(APP, created_at="2026-06-03T21:34:00Z")
    (window,) = parse(summary(scheduled_maintenances=[late])).windows
    assert (window.id, window.title, window.active) == ("m0win0000001", "Database upgrade", False)
    assert (window.start_wall, window.end_wall) == (NOON + 36_000, NOON + 41_400)


def test_a_maintenance_to_come_does_not_change_the_verdict():
    assert parse(summary(scheduled_maintenances=[maintenance(APP)])).level is L.OPERATIONAL


@pytest.mark.parametrize("status", ["in_progress", "verifying"])
def test_q4_an_active_maintenance_is_the_verdict_until_it_is_completed(status):
    reading = parse(summary(scheduled_maintenances=[maintenance(APP, status=status)]))
    assert (reading.level, reading.title) == (L.MAINTENANCE, "Database upgrade")
    assert reading.started_wall == NOON + 36_000
    assert reading.windows[0].active


def test_q4_a_completed_maintenance_is_gone():
    reading = parse(summary(scheduled_maintenances=[maintenance(APP, status="completed")]))
    assert (reading.level, reading.windows) == (L.OPERATIONAL, ())


@pytest.mark.parametrize(
    "text", ["2026-06-03T08:00:00.000-04:00", "2026-06-03T12:00:00Z", "2026-06-03T14:00:00+02:00"]
)
def test_q5_times_carry_the_pages_offset(text):
    reading = parse(summary(incidents=[incident(APP, started_at=text)]))
    assert reading.started_wall == NOON


def test_q6_times_in_prose_are_never_read():
    told = [
        {
            "id": "u1",
            "status": "scheduled",
            "body": "Tonight from 6:30pm EST to 7am",
            "incident_id": "m0win0000001",
            "affected_components": None,
        }
    ]
    reading = parse(summary(scheduled_maintenances=[maintenance(APP, incident_updates=told)]))
    assert reading.windows[0].start_wall == NOON + 36_000


NAMESAKES = [
    component(GROUP, "Booking app", "major_outage", group=True, components=[APP]),
    component(APP, "Booking app", group_id=GROUP),
    component(SMS, "SMS reminders", "major_outage"),
]


def test_q7_a_leaf_is_meant_where_a_group_has_the_same_name():
    reading = parse(summary(components=NAMESAKES), ["Booking app"])
    assert reading.level is L.OPERATIONAL
    assert reading.pinned == {"Booking app": APP}


def test_q7_a_name_that_two_components_bear_is_told_and_not_guessed():
    twins = [component(APP, "App"), component(PAY, "App")]
    reading = parse(summary(components=twins), ["App"])
    assert (reading.level, reading.reason) == (L.UNKNOWN, "component_ambiguous: App")


def test_q7_a_name_found_once_is_pinned_to_its_id():
    renamed = [component(APP, "Bookings", "major_outage"), component(PAY, "Booking app")]
    reading = parse(summary(components=renamed), ["Booking app"], {"Booking app": APP})
    assert reading.level is L.MAJOR_OUTAGE


def test_q8_a_groups_own_state_is_derived_and_does_not_count():
    parts = leaves()
    parts[2]["status"] = "major_outage"
    assert parse(summary(components=parts)).level is L.OPERATIONAL


def test_q8_a_group_that_was_chosen_counts_with_all_its_members():
    parts = leaves()
    parts[3]["status"] = "partial_outage"
    assert parse(summary(components=parts), [GROUP]).level is L.PARTIAL_OUTAGE
    assert parse(summary(components=parts), ["Reminders"]).level is L.PARTIAL_OUTAGE
    assert parse(summary(incidents=[incident(SMS)]), [GROUP]).level is L.PARTIAL_OUTAGE


@pytest.mark.parametrize("watched", [["gone00000009"], ["Chat"], ["Booking app", "Chat"]])
def test_q9_a_watched_component_that_is_not_there_leaves_the_verdict_open(watched):
    reading = parse(summary(), watched)
    assert reading.level is L.UNKNOWN
    assert reading.reason == f"component_missing: {watched[-1]}"


def test_q9_what_is_missing_does_not_hide_an_outage_that_is_there():
    reading = parse(summary(components=leaves(app="major_outage")), [APP, "Chat"])
    assert reading.level is L.MAJOR_OUTAGE


def test_q9_a_pinned_component_that_vanished_is_missing():
    reading = parse(summary(), ["Chat"], {"Chat": "gone00000009"})
    assert reading.reason == "component_missing: Chat"


def test_q10_a_third_partys_trouble_counts_only_without_a_watch_list():
    parts = leaves(pay="major_outage")
    assert parse(summary(components=parts)).level is L.MAJOR_OUTAGE
    assert parse(summary(components=parts), [APP]).level is L.OPERATIONAL


def test_q11_an_incident_elsewhere_is_mentioned_and_does_not_count():
    reading = parse(summary(incidents=[incident(PAY)]), [APP])
    assert (reading.level, reading.title) == (
        L.OPERATIONAL,
        "elsewhere: Bookings fail to save",
    )
    assert parse(summary(scheduled_maintenances=[maintenance(PAY)]), [APP]).windows == ()


def test_q11_components_named_only_in_an_update_count_by_id():
    told = [
        {
            "id": "u1",
            "affected_components": [
                {
                    "code": APP,
                    "name": "Apps - Booking app",
                    "old_status": "operational",
                    "new_status": "partial_outage",
                }
            ],
        },
        {"id": "u2", "affected_components": None},
    ]
    reading = parse(summary(incidents=[incident(PAY, incident_updates=told)]), [APP])
    assert reading.level is L.PARTIAL_OUTAGE


def test_an_incident_that_names_no_component_is_about_all_of_them():
    assert parse(summary(incidents=[incident()]), [APP]).level is L.PARTIAL_OUTAGE


@pytest.mark.parametrize("status", ["resolved", "postmortem"])
def test_q12_resolved_and_postmortem_both_mean_closed(status):
    assert parse(summary(incidents=[incident(APP, status=status)])).level is L.OPERATIONAL


def test_q13_a_sign_in_page_is_no_status():
    reading = parse(b"<!doctype html><title>Sign in</title>All Systems Operational")
    assert (reading.level, reading.reason) == (L.UNKNOWN, "not_json")


def test_q14_markup_stays_text_of_one_line():
    name = "<b>Down</b>\n\u202eevil\x00 &amp;" + "x" * 500
    title = parse(summary(incidents=[incident(APP, name=name)])).title
    assert title.startswith("<b>Down</b> evil &amp;xxx")
    assert len(title) == 160


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "not_json"),
        (summary()[:-40], "not_json"),
        (summary().replace(b'"position": 1', b'"position": NaN', 1), "not_json"),
        (summary().replace(b'"position": 1', b'"position": -Infinity', 1), "not_json"),
        (b"[" * 200_000 + b"]" * 200_000, "not_json"),
        (b'{"x": ' * 200_000, "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        (b'{"x": ' + b"9" * 5000 + b"}", "not_json"),
        (b"[]", "unexpected_shape: the page"),
        (b"null", "unexpected_shape: the page"),
        (b"{}", "unexpected_shape: page"),
        (summary(page=[]), "unexpected_shape: page"),
        (summary(components=None), "unexpected_shape: components"),
        (summary(components={}), "unexpected_shape: components"),
        (summary(components=["app"]), "unexpected_shape: components"),
        (summary(components=[]), "no_components"),
        (summary(components=[component("", "App")]), "unexpected_shape: components without an id"),
        (summary(components=leaves() * 2), "duplicate_id: components"),
        (summary(incidents=[incident(), incident()]), "duplicate_id: incidents"),
        (summary(incidents=None), "unexpected_shape: incidents"),
        (summary(scheduled_maintenances=7), "unexpected_shape: scheduled_maintenances"),
        (summary(components=leaves(app="on_fire")), "unknown_enum: component status on_fire"),
        (summary(components=[component(APP, "x", status=None)]), "unknown_enum: component status "),
        (summary(incidents=[incident(impact="epic")]), "unknown_enum: incident epic"),
        (summary(incidents=[incident(impact=None)]), "unknown_enum: incident "),
        (summary(incidents=[incident(status="musing")]), "unknown_enum: incident musing"),
        (summary(incidents=[incident(status=["x"])]), "unknown_enum: incident ['x']"),
        (
            summary(scheduled_maintenances=[maintenance(status="someday")]),
            "unknown_enum: maintenance someday",
        ),
        (
            summary(scheduled_maintenances=[maintenance(scheduled_for=None)]),
            "unexpected_shape: a maintenance without scheduled_for",
        ),
        (
            summary(scheduled_maintenances=[maintenance(scheduled_for="tonight")]),
            "unexpected_shape: scheduled_for",
        ),
        (
            summary(incidents=[incident(started_at="2026-06-03T12:00:00")]),
            "unexpected_shape: started_at without an offset",
        ),
        (summary(incidents=[incident(components="all")]), "unexpected_shape: components"),
    ],
)
def test_q15_what_is_not_understood_is_unknown_with_its_reason(data, reason):
    reading = parse(data)
    assert (reading.level, reading.reason) == (L.UNKNOWN, reason)


def test_what_is_not_understood_does_not_hide_an_outage_that_is():
    parts = [component(APP, "App", "major_outage"), component(PAY, "Pay", "on_fire")]
    assert parse(summary(components=parts)).level is L.MAJOR_OUTAGE


def test_a_component_nobody_watches_may_be_in_any_state():
    assert parse(summary(components=leaves(pay="on_fire")), [APP]).level is L.OPERATIONAL


def test_the_gravest_incident_gives_title_and_begin():
    two = [
        incident(APP, impact="minor", id="a", name="Slow"),
        incident(APP, impact="critical", id="b", name="Down", started_at="2026-06-03T13:00:00Z"),
    ]
    reading = parse(summary(incidents=two, components=leaves(app="major_outage")))
    assert (reading.level, reading.title) == (L.MAJOR_OUTAGE, "Down")
    assert reading.started_wall == NOON + 3600


def test_an_incident_explains_a_graver_component():
    reading = parse(
        summary(incidents=[incident(APP, impact="minor")], components=leaves(app="major_outage"))
    )
    assert (reading.level, reading.title) == (L.MAJOR_OUTAGE, "Bookings fail to save")
    assert reading.started_wall == NOON


def test_windows_are_told_earliest_first_and_a_false_end_is_not_told():
    two = [
        maintenance(APP, id="later", scheduled_for="2026-06-05T22:00:00Z"),
        maintenance(APP, id="sooner", scheduled_until=None),
    ]
    windows = parse(summary(scheduled_maintenances=two)).windows
    assert [(w.id, w.end_wall) for w in windows] == [("sooner", None), ("later", None)]


def test_a_full_page_of_two_mebibytes_is_read_in_time():
    many = [component(f"id{n:09}", f"Component {n}") for n in range(4800)]
    data = summary(components=many)
    assert len(data) < 2 * 1024 * 1024
    begin = time.perf_counter()
    assert parse(data).level is L.OPERATIONAL
    assert time.perf_counter() - begin < 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "status", "name", "group", "code"]), inner)
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(page())), JSON)
def test_any_value_in_any_place_is_read_or_unknown(key, value):
    reading = parse(json.dumps(page(**{key: value})).encode())
    assert reading.level in L
    assert bool(reading.reason) == (reading.level is L.UNKNOWN)


@given(JSON, st.sampled_from(["components", "incidents", "scheduled_maintenances"]), st.data())
def test_any_value_in_any_field_is_read_or_unknown(value, place, data):
    item = {
        "components": component(APP, "App"),
        "incidents": incident(APP),
        "scheduled_maintenances": maintenance(APP),
    }[place]
    item[data.draw(st.sampled_from(sorted(item)))] = value
    reading = parse(json.dumps(page(**{place: [item]})).encode(), [])
    assert bool(reading.reason) == (reading.level is L.UNKNOWN)
