"""What a bench of many failovers calls a leak."""

from bench.cycles import MEMORY, leaks


def test_more_of_anything_is_a_leak_and_memory_is_judged_apart():
    before = {"rules": 8, "files": 9, MEMORY: 60.0}
    assert leaks(before, {"rules": 8, "files": 7, MEMORY: 70.0}) == []
    assert leaks(before, {"rules": 9, "files": 9, MEMORY: 60.0}) == ["rules"]
