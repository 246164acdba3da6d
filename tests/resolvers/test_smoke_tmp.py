import json
from tests.resolvers.house import House
async def test_x(house: House) -> None:
    a = await house.ask("{ studies(first: 3) { totalCount complete nodes { studyInstanceUid studyDate patientName { text } modalitiesInStudy locations { archive { code } } conflicts { keyword values { text archive { code } } } series { totalCount nodes { modality instances(first: 1) { totalCount nodes { rows } } } } } pageInfo { hasNextPage endCursor } } }")
    print(json.dumps(a.body, indent=1, ensure_ascii=False)[:5000], a.statements, a.requests)
async def test_y(shallow: House) -> None:
    a = await shallow.ask("{ studies(first: 3) { totalCount complete nodes { studyInstanceUid series { totalCount sources { state matched } nodes { modality instances(first: 1) { totalCount nodes { rows attributes(keywords: [\"SliceThickness\"]) { text } } } } } } } }")
    print(json.dumps(a.body, indent=1, ensure_ascii=False)[:3000], a.statements, a.requests)
