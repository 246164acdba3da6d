"""Given names and the short forms that people go by: who is asked for as Bill may be stored as William.

Only what is nobody's other name: forms that stand for several names (Alex, Toni, Andi) are with each of them. They
widen what is asked for, never what is stored, and only where another part of the name is asked for too.
"""

from model.name_letters import lower, plain
from model.name_sounds import sounds

_SETS = """
william bill billy will willy
robert bob bobby rob
richard dick rick
elizabeth liz lizzie beth betty
elisabeth lisa lisbeth sissi elsbeth
margaret maggie peggy meg
katherine kate katie kathy
james jim jimmy jamie
john jack johnny
michael mike mick
thomas tom tommy
edward ed eddie ted ned
henry harry hank
anthony tony
charles charlie chuck
joseph joe
samuel sam
benjamin ben
daniel dan danny
david dave
stephen steve
matthew matt
andrew andy
christopher chris
patrick pat paddy
patricia pat tricia
susan sue susie
deborah debbie
rebecca becky
johannes hans hannes
joachim jochen achim
josef sepp pepi jupp
franz franzl
heinrich heinz heiner
friedrich fritz
wilhelm willi
ludwig lutz
georg jörg schorsch
katharina kathi käthe
margarete grete gretl margret
elisabeth lisl elli
magdalena leni
josé pepe zé
francisco paco pancho curro kiko
ignacio nacho
manuel manolo manu
jesús chus
enrique quique
dolores lola
concepción concha conchita
josefa pepa
rosario charo
mercedes merche
antónio toninho tó
francisco chico
giuseppe beppe peppe peppino pino
luigi gigi gino
giovanni gianni nanni
francesco franco cesco
salvatore totò turi
domenico mimmo
vincenzo enzo
antonio tonino nino
cornelis kees cor
willem wim pim
johannes jan hans joop
hendrik henk
pieter piet
gerardus gerard
theodorus theo
antonius ton toon
adriana ada
wilhelmina mien willy
małgorzata gosia małgosia
katarzyna kasia
aleksandra ola
agnieszka aga
barbara basia
joanna asia
krzysztof krzysiek
stanisław staszek
tomasz tomek
jan janek
jan honza jenda
josef pepa
františek franta
jiří jirka
václav vašek
marie mařenka
istván pista
józsef jóska
lászló laci
erzsébet bözsi
ilona ica
jános jancsi
gheorghe gigi ghiță
ion ionel nelu
κωνσταντίνος κώστας ντίνος
αικατερίνη κατερίνα καίτη
ιωάννης γιάννης
δημήτριος δημήτρης μήτσος
παναγιώτης πάνος τάκης
αναστάσιος τάσος
ευάγγελος βαγγέλης
αλέξανδρος αλέκος
александр саша шура
александра саша шура
михаил миша
дмитрий дима митя
владимир вова володя
алексей алёша лёша
николай коля
сергей серёжа
евгений женя
евгения женя
мария маша
анна аня
татьяна таня
екатерина катя
наталья наташа
ольга оля
елена лена
"""
# By the letters that forms are written with; the same short form may stand for several names.
_OTHERS: dict[str, tuple[str, ...]] = {}


def _learn() -> None:
    known: dict[str, dict[str, None]] = {}
    for line in _SETS.split("\n"):
        forms = [lower(form) for form in line.split()]
        for form in forms:
            known.setdefault(plain(form), {}).update(dict.fromkeys(other for other in forms if other != form))
    _OTHERS.update({form: tuple(others) for form, others in known.items()})


_learn()


def called_also(word: str) -> list[str]:
    """The sound keys of what else somebody of this given name (of `name_letters.lower`) may be called; [] often."""
    return [key for other in _OTHERS.get(plain(word), ()) for key in sounds(other)[:2]]
