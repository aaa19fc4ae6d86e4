"""Regular expressions of accounts against Java: nothing is refused that Java accepts."""

from __future__ import annotations

from clouddriver import Judge

from halgit.text.java_patterns import find_java_fault

REFUSED = (
    "a(", "a)", "[a", "*a", "+a", "?a", "a**", "a{2,1}", "a{", "a{b}", "{a}", "a{,2}", "[z-a]", "\\", r"\j", r"\y",
    r"\g", "(?P<x>a)", "(?P=x)", "(?'x'a)", "(?iLx)a", "(?a)x", "a|*b", "[]", "[^]", "(*a)", "(?#c)a", "(?(1)a|b)",
    "a+*", "(a))",
)  # fmt: skip
ACCEPTED = (
    "", "a]", "a*+", "a++", "a{2}", "a{2,}", "a{2,3}?", r"\h", r"\R", r"\X", r"\p{Alpha}", r"\pL", "(?<x>a)", "(?i)a",
    "(?>a)", r"\Qa(\E", r"\Qa(", "[[:alpha:]]", "[a-z&&[^b]]", r"(?<n>a)\k<n>", "x{1001,}", r"\cA", "[]a]", ".*-prod$",
    r"\{a\}", "[{]", r"a\(", "(?:a|b)*", r"[^.]+\.example\.com", r"\x{1F600}", "(?<=a)b", "(?!a)b",
    r"\d{1,3}(\.\d{1,3}){3}",
)  # fmt: skip


def test_what_java_refuses_is_a_fault_and_nothing_else(clouddriver: Judge) -> None:
    judged = clouddriver.patterns([*REFUSED, *ACCEPTED])
    assert {pattern for pattern, words in judged.items() if words} == set(REFUSED)
    assert {pattern for pattern in judged if find_java_fault(pattern)} == set(REFUSED)
