"""Text search in the languages of the networks: case, accents, ß, final sigma, ligatures, hyphens, scripts."""

from collections.abc import Callable

import pytest

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.postgres import Databases, Fill, named
from tests.resolvers.runtime import Runtime, open_services
from tests.rows import records, study

DESCRIPTIONS = {
    "1.1": "Großes Blutbild, Fußgelenk rechts",
    "1.2": "Röntgen-Thorax p.a.",
    "1.3": "IRM du cœur et de l'œsophage",
    "1.4": "Échographie rénale",
    "1.5": "Ακτινογραφία ώμος αριστερός",
    "1.6": "МРТ головного мозга с контрастом, лёгкие",
    "1.7": "Rezonans głowy i kręgosłupa szyjnego (żuchwa)",
    "1.8": "頭部 MRI",
    "1.9": "Diz MR ışın İncelemesi",
    "1.10": "ﬁne cut ﬂair",
    "1.11": "T2*-weighted_ax  FLAIR/3D",
    "1.12": "Knæ højre, ånd",
    "1.13": "Rodilla derecha, muñeca",
    "1.14": "Ressonância do tórax – coração",
    "1.15": "ЧЕРЕПАХА йод",
}


async def _fill(database: Database) -> None:
    """A study for each description."""
    archive_id = (await sync_archives(database, [ArchiveConfig("a0", "ERN-EYE", "Eye", "folder")]))["a0"]
    rows = [study(uid, StudyDescription=text) for uid, text in DESCRIPTIONS.items()]

    async def work(connection: Connection) -> None:
        await ingest.store_studies(connection, archive_id, records(Level.STUDY, rows))
        await ingest.derive(connection)

    await ingest.write(database, "load", work)


@pytest.fixture(scope="module")
def database_url(databases: Databases, filled_with: Callable[[Fill], str]) -> str:
    return named(databases.url, filled_with(_fill))


@pytest.fixture
async def texts(database: Database) -> Runtime:
    """Its tests only read it."""
    return Runtime(await open_services(database))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("großes", "1.1"),
        ("GROSSES fussgelenk", "1.1"),
        ("Fuß", "1.1"),
        ("rontgen", "1.2"),
        ("röntgen-thorax", "1.2"),
        ('"thorax p a"', "1.2"),
        ("coeur", "1.3"),
        ("CŒUR œsophage", "1.3"),
        ("oesophage", "1.3"),
        ("echographie RENALE", "1.4"),
        ("ΩΜΟΣ", "1.5"),
        ("ωμος", "1.5"),
        ("ώμοσ", "1.5"),
        ("αριστερος ακτινο*", "1.5"),
        ("мрт МОЗГА", "1.6"),
        ("легкие", "1.6"),
        ('"головного мозга"', "1.6"),
        ("glowy KREGOSLUPA", "1.7"),
        ("żuchwa", "1.7"),
        ("頭部", "1.8"),
        ("頭", "1.8"),
        ("ISIN inceleme", "1.9"),
        ("fine flair -weighted", "1.10"),
        ("weighted 3d", "1.11"),
        ("t2 ax flair", "1.11"),
        ("knae hojre", "1.12"),
        ("KNÆ", "1.12"),
        ("muneca", "1.13"),
        ("ressonancia coracao", "1.14"),
        ("черепаха ЙОД", "1.15"),
    ],
)
async def test_a_description_is_found_however_it_is_typed(texts: Runtime, text: str, found: str) -> None:
    data = await texts.data(
        "query ($t: String!) { studies(filter: {text: $t}) { nodes { studyInstanceUid } } }", {"t": text}
    )
    assert [node["studyInstanceUid"] for node in data["studies"]["nodes"]] == [found]
