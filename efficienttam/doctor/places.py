"""What the engine finds and where: settings, weights and their sums, the cache, the colour configuration."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from ..contract.cache_settings import cache_settings
from ..contract.errors import EfficientTAMError, SettingsError
from ..contract.settings_in_force import all_settings, setting
from ..contract.site_settings import settings_file
from ..contract.sizes import format_size
from .installation import how_to_install_again
from .report import Check, failed, passed, warned


def check_settings() -> Check:
    """Whether the site's file is sound, and what it and the environment say."""
    try:
        file = settings_file()
        said = [row.name for row in all_settings() if row.said and row.origin != "default"]
    except EfficientTAMError as error:
        return failed("settings", error.message, error.remedy or "Correct the file.")
    told = f"{file or 'no file'}; {', '.join(said) or 'nothing'} said (`efficienttam settings` tells more)"
    return passed("settings", told)


def check_weights() -> Iterator[Check]:
    """Every weights file that is found, with its sum."""
    from ..weights.download import verify_weights
    from ..weights.location import find_weights
    from ..weights.registry import DEMO, REGISTRY

    found = []
    unsound = False
    for entry in REGISTRY.values():
        try:
            path = find_weights(entry.name)
        except SettingsError:
            raise
        except EfficientTAMError as error:
            if entry.embedded:
                yield failed("weights", error.message, how_to_install_again())
            continue
        try:
            digest = verify_weights(path, entry.sha256)
        except EfficientTAMError as error:
            unsound = True
            ours = entry.embedded and path == entry.embedded_path
            yield failed("weights", error.message, how_to_install_again() if ours else error.remedy)
            continue
        found.append(entry.name)
        known = "as it should be" if entry.sha256 else "as when it came"
        yield passed("weights", f"{entry.name} at {path}, sum {digest[:12]} {known}")
    if found == [DEMO] and not unsound:
        yield warned(
            "weights",
            f"only {DEMO} is here, which tracks simple shapes",
            "For real plates: efficienttam weights download efficienttam_s (docs/weights.md)",
        )


def check_cache() -> Check:
    """Whether embeddings can be kept."""
    try:
        cache = cache_settings()
    except SettingsError:
        raise
    except EfficientTAMError as error:
        return failed("cache", error.message, error.remedy)
    origin = setting("cache.folder").origin
    if not cache.folder:
        return passed("cache", f"off, by {origin}")
    told = f"{cache.folder}, {format_size(cache.budget)} at most ({origin})"
    try:
        os.makedirs(cache.folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache.folder) as file:
            file.write(b"x")
    except OSError as error:
        return warned(
            "cache",
            f"{told}: cannot be written to, {error.strerror or error}",
            "Jobs run without it, slower. Name a folder with EFFICIENTTAM_CACHE or in the site's settings.",
        )
    return passed("cache", told)


def check_color() -> Check:
    """Whether the colour configuration can be read."""
    try:
        from ..media.color import BUILT_IN_CONFIG, check_configuration
    except (ImportError, OSError) as error:
        return failed("colour", f"OpenImageIO cannot be loaded: {error}", how_to_install_again())
    named = os.environ.get("OCIO", "")
    try:
        check_configuration("")
    except EfficientTAMError as error:
        return failed("colour", error.message, error.remedy)
    return passed("colour", f"{named} ($OCIO)" if named else f"{BUILT_IN_CONFIG} (no $OCIO)")


def check_movies() -> Check:
    """Whether movies can be read and written."""
    try:
        import av
    except (ImportError, OSError) as error:
        return warned("movies", f"PyAV cannot be loaded: {error}", "Only movies need it: install `av`.")
    return passed("movies", f"PyAV {av.__version__}")
