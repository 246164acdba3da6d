"""`viewerUrl`: a link where there is a viewer and the record's pixels may be seen; else why there is none."""

from dataclasses import replace

from access.scope import AccessLevel
from config.viewer import ViewerLinks
from db.pool import Database
from tests.db.writing.ingesting import store
from tests.resolvers.following import viewer, with_projections
from tests.resolvers.runtime import Runtime, open_services
from tests.rows import series, study

LINKS = ViewerLinks("/v?study={studyInstanceUid}", "/v?study={studyInstanceUid}&series={seriesInstanceUid}")
QUERY = """{ studies { nodes { access viewerUrl viewerUnavailable
  series { nodes { viewerUrl viewerUnavailable } } } } }"""


def said(url: str | None, why: str | None = None) -> dict[str, str | None]:
    return {"viewerUrl": url, "viewerUnavailable": why}


async def test_links_and_reasons(database: Database) -> None:
    ids = await with_projections(database)
    for code, uid in (("a0", "1.2"), ("a1", "1.3")):
        one = [series(uid, f"{uid}.1")]
        await store(database, ids[code], [study(uid)], one, whole=[uid], series_of=[uid])
    services = await open_services(database)
    try:
        somebody = viewer(AccessLevel.FULL, AccessLevel.PSEUDONYMISED, AccessLevel.NONE)
        without = Runtime(services).asked_by(somebody)
        with_one = Runtime(replace(services, viewer_links=LINKS)).asked_by(somebody)
        found = {}
        for name, runtime in (("without", without), ("with", with_one)):
            data = await runtime.data(QUERY)
            for node in data["studies"]["nodes"]:
                below = node.pop("series")["nodes"]
                found[name, node.pop("access")] = (node, *below)
    finally:
        await services.close()
    none, hidden = said(None, "NOT_INSTALLED"), said(None, "NO_PIXELS")
    assert found == {
        ("without", "FULL"): (none, none),
        ("without", "PSEUDONYMISED"): (hidden, hidden),
        ("with", "FULL"): (said("/v?study=1.2"), said("/v?study=1.2&series=1.2.1")),
        ("with", "PSEUDONYMISED"): (hidden, hidden),
    }
