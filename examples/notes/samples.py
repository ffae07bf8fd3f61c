"""Notes to try with: sentences put together of what people write down."""

from __future__ import annotations

import random

_SUBJECTS = (
    ("Dinner", "boil spaghetti, fry garlic, grate parmesan"),
    ("Garden", "water the tomatoes, prune the roses, mow the lawn"),
    ("Savings", "compare index funds, pay off the loan, look at interest"),
    ("Holiday", "book the train to the coast, pack swimwear and a tent"),
    ("Health", "run five kilometres, see the dentist, sleep earlier"),
    ("Code review", "rename the function, add a test, split the module"),
    ("Music", "practise the cello, tune the piano, learn the second movement"),
    ("Car", "change the tyres, check the brakes, fill the tank"),
)
_TIMES = ("today", "tomorrow", "on Friday", "next week", "in spring", "before lunch")


def sample_notes(count: int) -> list[tuple[str, str]]:
    """So many titles and texts; the same each time."""
    chance = random.Random(count)
    made = []
    for number in range(count):
        title, text = chance.choice(_SUBJECTS)
        made.append((f"{title} {number}", f"{text}; {chance.choice(_TIMES)}"))
    return made
