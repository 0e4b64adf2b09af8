"""The table of scenarios; each module adds its own."""
import os

SCENARIOS = {}

# A sanitizer build on a busy machine is several times slower: bounds are scaled, never dropped.
SLOW = float(os.environ.get("KEELSON_SLOW", "4"))


class Skip(Exception):
    """The machine cannot do what the scenario needs; says what."""


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def rounds(default):
    return int(os.environ.get("KEELSON_ROUNDS", default))


def seed():
    """From the environment, or the system; the scenario prints it."""
    return int(os.environ.get("KEELSON_SEED", int.from_bytes(os.urandom(4), "big")))
