"""What an Orthanc has beside DICOMweb, over a behaviour that answers DICOMweb: a listing of studies and a feed of
changes."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from tests.archives.faulty import Behaviour, Exchange


class Listing:
    """held: the StudyInstanceUIDs that are there now. changes: those that changed, oldest first."""

    def __init__(self, searches: Behaviour, held: Callable[[], Iterable[str]]) -> None:
        self.changes: list[str] = list(held())
        self._searches, self._held = searches, held

    def __call__(self, exchange: Exchange) -> None:
        if exchange.path.startswith("/dicom-web/"):
            self._searches(exchange)
        else:
            exchange.reply(200, json.dumps(self._answer(exchange)).encode())

    def _answer(self, exchange: Exchange) -> Any:
        ids = {_id(uid): uid for uid in self._held()}
        match exchange.path:
            case "/system":
                return {"Name": "listing", "Version": "1"}
            case "/studies":
                return list(ids)
            case "/tools/bulk-content":
                asked = json.loads(exchange.body).get("Resources", [])
                found = [one for one in asked if one in ids]
                return [{"ID": one, "MainDicomTags": {"StudyInstanceUID": ids[one]}} for one in found]
            case "/changes" if "last" in exchange.query:
                return self._page(len(self.changes), 0)
            case "/changes":
                return self._page(int(exchange.query["since"]), exchange.limit)
        return {"CountSeries": 0, "CountInstances": 0}

    def _page(self, since: int, limit: int) -> dict[str, Any]:
        entries = [
            {"ChangeType": "StableStudy", "Date": "x", "ID": _id(uid), "ResourceType": "Study", "Seq": number}
            for number, uid in enumerate(self.changes[since : since + limit], since + 1)
        ]
        last = since + len(entries)
        return {"Changes": entries, "Done": last >= len(self.changes), "Last": last}


def _id(uid: str) -> str:
    return hashlib.sha1(uid.encode(), usedforsecurity=False).hexdigest()
