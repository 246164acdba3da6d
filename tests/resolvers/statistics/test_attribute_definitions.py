"""The dictionary of attributes: that making it leaves the loop to others, and that it is whole."""

import asyncio
from itertools import pairwise

from pydicom.datadict import keyword_dict

from resolvers.statistics import attribute_definitions


async def test_the_first_question_leaves_the_loop_to_others() -> None:
    attribute_definitions._entries.clear()
    made: list[int] = []

    async def bystander() -> None:
        while len(attribute_definitions._entries) < len(attribute_definitions._keywords()):
            made.append(len(attribute_definitions._entries))
            await asyncio.sleep(0)

    found, other, _ = await asyncio.gather(
        attribute_definitions.dictionary(), attribute_definitions.dictionary(), bystander()
    )
    # two askers share the work, so a bystander waits for twice that at most
    assert max(after - before for before, after in pairwise(made)) <= 2 * attribute_definitions.AT_ONCE
    assert len(made) > 20
    keywords = [each.definition.keyword for each in found]
    assert keywords == sorted(filter(None, keyword_dict))
    assert other is found
