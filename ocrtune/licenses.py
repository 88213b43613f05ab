"""Licences as the Hub names them, for the cards of what is shared."""

from ocrtune.errors import ConfigError, did_you_mean

CREATIVE_COMMONS = (
    *("cc0-1.0", "cc", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0"),
    *("cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0"),
    *("cc-by-nc-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
    *("cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
)
FOR_DATA = ("odbl", "odc-by", "pddl", "cdla-permissive-1.0", "cdla-permissive-2.0")
FOR_DATA += ("cdla-sharing-1.0", "c-uda", "etalab-2.0", "gfdl")
FOR_WORKS = (
    *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc"),
    *("mpl-2.0", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "agpl-3.0"),
    *("epl-1.0", "epl-2.0", "eupl-1.1", "eupl-1.2", "afl-3.0", "artistic-2.0", "bsl-1.0"),
    *("unlicense", "wtfpl", "zlib", "openrail", "openrail++", "creativeml-openrail-m"),
    *("bigscience-openrail-m", "bigcode-openrail-m", "bigscience-bloom-rail-1.0"),
)
LICENSES = (*CREATIVE_COMMONS, *FOR_DATA, *FOR_WORKS, "other", "unknown")
# What most people choose from, the freest first.
USUAL_LICENSES = ("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "odbl", "other")


def require_license(name: str) -> None:
    """Refuse a licence that the Hub does not know; an empty one says nothing yet."""
    if name and name not in LICENSES:
        usual = f"Use the Hub's word, such as {', '.join(USUAL_LICENSES[:3])}; or other."
        near = did_you_mean(name.lower().replace(" ", "-"), LICENSES)
        raise ConfigError(f"There is no licence `{name}` on the Hub.", near or usual)
