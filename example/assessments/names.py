"""Names of candidates who do not exist."""

from __future__ import annotations

from itertools import product

__all__ = ["full_names"]

# fmt: off
_GIVEN = (
    "Ada", "Alan", "Amina", "Anders", "Astrid", "Barbara", "Bela", "Carla", "Chidi", "Clara", "Dana", "Dilek",
    "Edsger", "Elif", "Emeka", "Emmy", "Esra", "Farid", "Fatou", "Felix", "Grace", "Hana", "Hugo", "Ines",
    "Ingrid", "Ivan", "Jamal", "Jana", "Jorge", "Kaito", "Karin", "Katya", "Kofi", "Kurt", "Lara", "Leila",
    "Lin", "Luca", "Malik", "Mara", "Mei", "Milan", "Nadia", "Niels", "Noor", "Olga", "Omar", "Petra",
    "Priya", "Rafael", "Rosa", "Samir", "Sofie", "Tariq", "Tove", "Uma", "Viktor", "Wanda", "Yusuf", "Zoe",
)
_FAMILY = (
    "Abara", "Adler", "Almeida", "Andersen", "Aydin", "Bakker", "Banerjee", "Berg", "Castro", "Chen", "Costa",
    "Dahl", "Diallo", "Dubois", "Eriksen", "Farah", "Ferrari", "Fischer", "Fofana", "Garcia", "Haddad",
    "Hansen", "Horvat", "Ito", "Jansen", "Kaya", "Keller", "Khan", "Kim", "Kovac", "Kowalski", "Lindgren",
    "Lopez", "Marino", "Mensah", "Meyer", "Moreau", "Nagy", "Ndiaye", "Novak", "Okafor", "Oliveira", "Park",
    "Petrov", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Sorensen", "Suzuki", "Tanaka", "Torres",
    "Vasquez", "Virtanen", "Wagner", "Weber", "Yilmaz", "Zhang", "Zimmermann",
)
# fmt: on


def full_names() -> list[str]:
    """Return 3,600 different names."""
    return [f"{given} {family}" for given, family in product(_GIVEN, _FAMILY)]
