"""The root fields that change something."""

from typing import Annotated, Any

import strawberry

from db.consent import StudyConsent
from resolvers.consent import ConsentChange, change_consent
from resolvers.info import Info
from resolvers.managing import RefreshRequest, refresh
from resolvers.scalars import UID


def _argument(description: str) -> Any:
    return strawberry.argument(description=description)


@strawberry.type(description="What can be changed.")
class Mutation:
    @strawberry.mutation(
        description="Says what the patient of a study agreed to, in one archive; a withdrawal takes effect "
        "at once. For people with full access and the verb admin for the archive's ERN."
    )
    async def set_consent(
        self,
        info: Info,
        study_instance_uid: Annotated[UID, _argument("StudyInstanceUID.")],
        archive: Annotated[str, _argument("Code of the archive that holds the study.")],
        care: Annotated[bool, _argument("Consent to use in care.")],
        registry: Annotated[bool, _argument("Consent to ERN databases and registries.")],
        research: Annotated[bool, _argument("Consent to research.")],
    ) -> ConsentChange:
        wanted = StudyConsent(study_instance_uid, care, registry, research)
        return await change_consent(info.context, archive, wanted)

    @strawberry.mutation(
        description="Asks for a look at an archive now, instead of when it is due; a worker takes it up. For "
        "people with the verb admin for the archive's ERN."
    )
    async def refresh_archive(
        self,
        info: Info,
        code: Annotated[str, _argument("Code of the archive.")],
        reconcile: Annotated[
            bool, _argument("Compare everything, which finds what was removed and changed unnoticed.")
        ] = False,
    ) -> RefreshRequest:
        return await refresh(info.context, code, reconcile=reconcile)
