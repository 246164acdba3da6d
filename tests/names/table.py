"""The committed tables of names (pairs.tsv, others.tsv), and a crowd of other people around them."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from model.name_keys import keys_of

_FAMILIES = """
Albrecht Bauer Brandt Dietrich Engel Fuchs Graf Haas Huber Kaiser Keller Klein Koch König Krause Krüger Lang Lehmann
Maier Meier Meyer Miller Möller Müller Neumann Otto Pfeiffer Richter Roth Sauer Schmidt Schneider Schubert Schulz Seidel
Simon Sommer Stein Vogel Wagner Weber Weiß Winter Wolf Ziegler Andersen Christensen Hansen Jensen Larsen Møller Nielsen
Østergaard Petersen Rasmussen Andersson Bergström Johansson Lindqvist Nyström Öberg Berg Dahl Hagen Håland Korhonen
Mäkinen Virtanen Bakker Dijkstra Jansen Visser Bernard Dubois Durand Fournier Lambert Lefebvre Moreau Rousseau Alonso
Fernández García Gómez González Muñoz Navarro Ortega Ruiz Vázquez Almeida Araújo Ferreira Gonçalves Sousa Bianchi
Colombo Conti Ferrari Greco Ricci Rossi Brennan Murphy O'Brien Baker Harrison Thompson Dąbrowski Kowalczyk Kowalski
Lewandowska Nowak Wiśniewski Wójcik Zieliński Černý Dvořák Horák Novák Nováková Procházka Svoboda Veselý Balogh Horváth
Kovács Nagy Szabó Tóth Babić Đorđević Jovanović Kovačević Marković Petrović Aydın Çelik Demir Kaya Öztürk Şahin Yıldırım
Dumitrescu Ionescu Munteanu Popescu Stan Kalniņš Kazlauskas Tamm Иванов Кузнецова Николаев Петров Смирнова Соколов
Щербаков Шевченко Ковальчук Димитров Георгиев Αντωνίου Γεωργίου Οικονόμου Παπαδόπουλος Νικολάου Li Ng Wang Wu Tanaka
Suzuki Kim Park Nguyễn Hassan Khalil
"""
_GIVEN = """
Achim Andreas Anna Birgit Christian Christina Daniel Elke Emma Felix Franz Gisela Günther Hans Hanna Ingrid Jens Johanna
Jonas Jürgen Karin Klaus Lena Lotte Lukas Maria Martin Martina Matthias Peter Petra Sabine Stefan Ulrike Ursula Walter
Åse Bodil Jørgen Niels Søren Björn Göran Gunilla Øystein Ragnhild Päivi Femke Pieter Chloé François Hélène Mathieu
Noémie Begoña Ignacio José Lucía Beatriz João Luís Giuseppe Ilaria Paolo Aoife Seán Catherine John Sarah Agnieszka
Krzysztof Łukasz Małgorzata Wojciech František Jiří Šárka Zdeněk István Zsolt Bojan Jelena Milica Ayşe Emine Hasan
İbrahim Cătălin Ionuț Jānis Žilvinas Александр Андрей Елена Михаил Наталья Ольга Сергей Юлия Георги Αθηνά
Γιώργος Δημήτρης
Ελένη
Χρήστος Mei Wei Hiroshi Yuki Minsu Thị Karim Nadia Yusuf
"""


FAMILIES, GIVEN = _FAMILIES.split(), _GIVEN.split()


class Pair(NamedTuple):
    """A query and a stored name that it must find, or must not."""

    query: str
    stored: str
    language: str
    kind: str


def read(name: str) -> list[Pair]:
    """The rows of `pairs` or `others`."""
    text = (Path(__file__).parent / f"{name}.tsv").read_text(encoding="utf-8")
    return [Pair(*line.split("\t")) for line in text.splitlines() if not line.startswith("#")]


def other_people(count: int, named: list[str]) -> list[str]:
    """A crowd without namesakes of the people of the tables, whom nothing would tell from them."""
    taken = {_alike(name) for name in named}
    return [name for name in dict.fromkeys(crowd(count)) if _alike(name) not in taken]


def _alike(name: str) -> frozenset[str]:
    return frozenset(keys_of(name).forms.split("=")[0].split())


def crowd(count: int, seed: int = 8) -> Iterator[str]:
    """Names of people, always the same: some with two given names, an initial, two family names."""
    chance = random.Random(seed)
    for _ in range(count):
        family, given = chance.choice(FAMILIES), chance.choice(GIVEN)
        match chance.randrange(10):
            case 0:
                yield f"{family}^{given}^{chance.choice(GIVEN)}"
            case 1:
                yield f"{family}-{chance.choice(FAMILIES)}^{given}"
            case 2:
                yield f"{family}^{given}^{chance.choice(GIVEN)[0]}"
            case 3:
                yield f"{family.upper()}^{given.upper()}"
            case _:
                yield f"{family}^{given}"
