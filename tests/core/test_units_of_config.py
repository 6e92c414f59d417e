from edge_watchdog.core.units import FilePath, Seconds, Size, Url


def test_a_value_with_a_unit_is_a_plain_value():
    assert (Seconds(1.5), Size(5), Url("http://a"), FilePath("/a")) == (1.5, 5, "http://a", "/a")
