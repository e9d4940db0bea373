"""How small a published number may be: ten people, fewer only where somebody answers for it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headway.models.publishing import Publishing


def test_ten_people_are_the_default_and_more_may_be_asked() -> None:
    assert Publishing().min_people == 10
    assert Publishing(min_people=50).min_people == 50
    assert Publishing(min_people=5).min_people == 5


def test_fewer_than_five_need_somebody_who_answers() -> None:
    with pytest.raises(ValidationError, match="name who answers for it and why in fewer_than_five"):
        Publishing(min_people=4)
    with pytest.raises(ValidationError, match="at least 8 characters"):
        Publishing(min_people=4, fewer_than_five="me")
    assert Publishing(min_people=4, fewer_than_five="A. Keeper: our own staff").min_people == 4


@pytest.mark.parametrize("number", [1, 0, -3, "10", 9.5])
def test_one_person_is_never_a_cell(number: object) -> None:
    with pytest.raises(ValidationError):
        Publishing.model_validate({"min_people": number, "fewer_than_five": "A. Keeper: our own staff"})
