"""The representative of a series in the schema."""

from datetime import datetime

import strawberry

from db.lists.nodes import data_set
from db.pool import Row
from model.dicom_json import DataSet, first
from reads.named_elements import attributes_of, keywords_of
from resolvers.records.attribute import Attribute, attributes
from resolvers.records.level_node import Keywords
from resolvers.scalars import UID


@strawberry.type(
    description="One instance of a series that stands for all of them. Its values are its own: other instances "
    "may have others. Without bulk data; of long sequences the first item."
)
class Representative:
    data: strawberry.Private[DataSet]
    sop_instance_uid: UID = strawberry.field(description="SOPInstanceUID of the instance.")
    synced_at: datetime = strawberry.field(description="When it was fetched from the archive.")

    @strawberry.field(description="Attributes of its data set that have a value: all, or those named.")
    def attributes(
        self,
        keywords: Keywords = None,
    ) -> list[Attribute] | None:
        return attributes(attributes_of(self.data, keywords_of(keywords)))


def representative_of(row: Row) -> Representative:
    """From a row (data, synced_at) of db.lists.nodes."""
    data = data_set(row)
    return Representative(
        data=data, sop_instance_uid=UID(first(data, "00080018")), synced_at=row["synced_at"]
    )
